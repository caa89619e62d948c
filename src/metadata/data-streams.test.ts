import assert from 'node:assert/strict'
import test from 'node:test'
import type { DataStream, IndexMetadata } from '../snapshot/snapshot.ts'
import { asPlainIndex, plannedBehind, selectedBackings, streamsLeft } from './data-streams.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { metadataOptions } from './options.ts'
import type { PlannedIndex } from './plan.ts'

const logs: DataStream = {
  name: 'logs',
  indices: ['.ds-logs-000001', '.ds-logs-000002'],
  failureIndices: ['.fs-logs-000001'],
  hidden: true,
  system: false,
  aliases: {
    errors: { filter: { term: { level: 'error' } } },
    all: { is_write_index: true },
  },
  raw: { lifecycle: { data_retention: '7d' }, settings: {} },
}

const input = (dataStreams: 'refuse' | 'alias' | 'stream', indices = logs.indices): EvaluateInput =>
  ({
    options: metadataOptions.parse({ dataStreams }),
    select: { include: ['logs'] },
    source: { indices } as Partial<EvaluateInput['source']>,
  }) as Partial<EvaluateInput> as EvaluateInput

const [older, newest] = selectedBackings(input('alias'), [logs]).values()

test('the newest index takes the writes to the name of a data stream and of its aliases', () => {
  const index = { name: 'x', aliases: { own: {} } } as Partial<IndexMetadata> as IndexMetadata
  const filter = { term: { level: 'error' } }
  assert.deepEqual(asPlainIndex(index, older!).aliases, {
    own: {},
    errors: { filter, is_write_index: false },
    all: { is_write_index: false },
    logs: { is_write_index: false, is_hidden: true },
  })
  assert.deepEqual(asPlainIndex(index, newest!).aliases, {
    own: {},
    errors: { filter, is_write_index: false },
    all: { is_write_index: true },
    logs: { is_write_index: true, is_hidden: true },
  })
})

test('what is lost with a data stream stands once in the plan', () => {
  const planned = { changes: [] } as Partial<PlannedIndex> as PlannedIndex
  const first = plannedBehind(planned, older!)
  assert.equal(first.dataStream, 'logs')
  assert.deepEqual(
    first.changes.map(({ path, loss }) => [path, loss]),
    [['aliases.logs', false]],
  )
  assert.deepEqual(
    plannedBehind(planned, newest!).changes.map(({ path, loss }) => [path, loss]),
    [
      ['aliases.logs', true],
      ['data_stream.lifecycle', true],
      ['data_stream.failure_indices', true],
    ],
  )
})

test('a data stream that stays behind, or lacks indices, is named', () => {
  const left = (of: EvaluateInput): string[] => streamsLeft(of, [logs]).map(({ reason }) => reason)
  assert.equal(selectedBackings(input('refuse'), [logs]).size, 0)
  assert.match(left(input('refuse')).join(), /metadata\.dataStreams is refuse/)
  assert.deepEqual(left(input('alias')), [])
  assert.match(left(input('alias', ['.ds-logs-000001'])).join(), /\.ds-logs-000002 are not/)
})
