import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { openBlobStore } from '../blob/open.ts'
import { CorruptData } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { parseDataStreams } from './data-streams.ts'
import { openRepository } from './repository.ts'
import type { DataStream } from './snapshot.ts'

const parse = (part: Json): DataStream[] =>
  parseDataStreams({ 'meta-data': { data_stream: part } }, 'meta-x.dat')

const stream = (...names: string[]): JsonObject => ({
  indices: names.map((name) => ({ index_name: name, index_uuid: `uuid-${name}` })),
})

test('data streams have their indices in order, and aliases as those of indices', () => {
  const query = { term: { level: 'error' } }
  const packed = Buffer.concat([
    Buffer.from('DFL\0'),
    deflateRawSync(Buffer.from(JSON.stringify(query))),
  ])
  const [logs, other] = parse({
    data_stream: {
      logs: { ...stream('.ds-logs-000001', '.ds-logs-000002'), hidden: true },
      other: { ...stream('b'), failure_indices: [{ index_name: '.fs-other-000001' }] },
    },
    data_stream_aliases: {
      both: { data_streams: ['logs', 'other'], write_data_stream: 'other', filter: query },
      errors: { data_streams: ['logs'], filters: { logs: packed.toString('base64') } },
    },
  })
  assert.deepEqual(logs!.indices, ['.ds-logs-000001', '.ds-logs-000002'])
  assert.equal(logs!.hidden, true)
  assert.deepEqual(logs!.aliases, { both: { filter: query }, errors: { filter: query } })
  assert.deepEqual(other!.aliases, { both: { is_write_index: true, filter: query } })
  assert.deepEqual(other!.failureIndices, ['.fs-other-000001'])
})

test('without data streams there are none, and what is not as it should be has its type', () => {
  assert.deepEqual(parseDataStreams({ 'meta-data': {} }, 'f'), [])
  assert.deepEqual(parse({}), [])
  for (const wrong of [
    [],
    { data_stream: { logs: 7 } },
    { data_stream: { logs: { indices: {} } } },
    { data_stream: { logs: { indices: [{ index_uuid: 'x' }] } } },
    { data_stream: { logs: stream('a') }, data_stream_aliases: { a: 1 } },
    {
      data_stream: { logs: stream('a') },
      data_stream_aliases: { a: { data_streams: ['logs'], filter: 'bm8=' } },
    },
  ]) {
    assert.throws(() => parse(wrong), CorruptData, JSON.stringify(wrong))
  }
})

test('a snapshot tells the data streams that it holds', async () => {
  for (const engine of ['elasticsearch-9.2.0', 'opensearch-3.6.0']) {
    const location = path.join(
      import.meta.dirname,
      `../../test/fixtures/${engine}/history/repository`,
    )
    const snapshot = await (await openRepository(openBlobStore(location))).openSnapshot('fifth')
    const streams = await snapshot.readDataStreams()
    assert.deepEqual(
      streams.map(({ name, indices }) => [name, indices]),
      [['stream', snapshot.indices.filter((index) => index.startsWith('.ds-'))]],
    )
  }
})
