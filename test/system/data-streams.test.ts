/**
 * Data streams of Elasticsearch 8 and 9 and of OpenSearch 2 are moved to OpenSearch 3 as aliases: the indices behind them arrive
 * equal, and clients go on writing by the name as before.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { applyMetadata } from '../../src/metadata/apply.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot, type EvaluateInput } from '../../src/metadata/evaluate-input.ts'
import { liveMetadata } from '../../src/metadata/live-metadata.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { assertEqual, backfill, withState } from '../support/backfill.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

const engine = await useEngine('opensearch', '3')
const target = engine.skip === false ? await connect('target', engine) : undefined!

for (const name of ['elasticsearch-8.19.0', 'elasticsearch-9.2.0', 'opensearch-2.19.4']) {
  const repository = path.join(import.meta.dirname, `../fixtures/${name}/history/repository`)

  test(
    `a data stream of ${name} becomes an alias that takes writes`,
    { skip: engine.skip },
    async () => {
      const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('fifth')
      const input = planned(repository, snapshot)
      const folder = path.join(mkdtempSync(path.join(tmpdir(), 'osmigrate-streams-')), 'state')
      after(() => rmSync(path.dirname(folder), { recursive: true }))
      const indices = snapshot.indices.filter((index) => index.startsWith('.ds-stream-'))
      assert.equal(indices.length, 2)
      const ready = { folder, repository, snapshot, target, indices }
      try {
        await migrate(input, folder)
        assert.equal((await backfill(ready)).deadLetters, 0)
        await assertEqual(ready)
        await assertPlannedAgain(input, folder)
        await assertTakesWrites(indices)
        await assertPlannedAgain(input, folder)
      } finally {
        await send(engine, 'DELETE', '/.ds-stream-*?expand_wildcards=all')
        await send(engine, 'DELETE', '/_index_template/stream')
        await send(engine, 'DELETE', '/_index_template/stream-rollover')
      }
    },
  )
}

test('a live cluster tells its data streams', { skip: engine.skip }, async () => {
  const name = uniqueName('live')
  await send(engine, 'PUT', `/_index_template/${name}`, {
    index_patterns: [name],
    data_stream: {},
    template: { settings: { number_of_replicas: 0 } },
  })
  try {
    await send(engine, 'PUT', `/_data_stream/${name}`)
    await send(engine, 'POST', `/${name}/_rollover`)
    const streams = await (await liveMetadata(target)).readDataStreams()
    const found = streams.find((stream) => stream.name === name)
    assert.deepEqual(found?.indices, [`.ds-${name}-000001`, `.ds-${name}-000002`])
  } finally {
    await send(engine, 'DELETE', `/_data_stream/${name}`)
    await send(engine, 'DELETE', `/_index_template/${name}`)
  }
})

function planned(repository: string, snapshot: Snapshot): EvaluateInput {
  return {
    ...fromSnapshot(repository, snapshot, shardLook),
    target,
    select: { include: ['stream'] },
    options: metadataOptions.parse({ dataStreams: 'alias' }),
    allowPartialSource: false,
  }
}

async function migrate(input: EvaluateInput, folder: string): Promise<void> {
  await withState(folder, async (state) => {
    const plan = await evaluateMetadata({ ...input, state })
    const { objects } = await applyMetadata(plan, { target, state })
    assert.deepEqual(
      objects.map(({ kind, outcome }) => [kind, outcome]),
      [
        ['index-template', 'created'],
        ['index-template', 'created'],
        ['index', 'created'],
        ['index', 'created'],
      ],
    )
  })
}

/** Also after a rollover, since when the alias writes to another index. */
async function assertPlannedAgain(input: EvaluateInput, folder: string): Promise<void> {
  const again = await withState(folder, (state) => evaluateMetadata({ ...input, state }))
  assert.deepEqual(
    [...again.indexTemplates, ...again.indices].map(({ action }) => action),
    ['exists-equal', 'exists-equal', 'exists-equal', 'exists-equal'],
  )
}

/** As clients of a data stream write: `create` alone, by its name; and a rollover. */
async function assertTakesWrites(indices: readonly string[]): Promise<void> {
  const { count } = await send(engine, 'GET', '/str*/_count')
  assert.equal(count, 15)
  const lines = `{"create":{"_id":"later"}}\n{"@timestamp":${1.8e12},"n":99}\n`
  const written = await send(engine, 'POST', '/stream/_bulk?refresh=true', lines)
  assert.equal(written.errors, false, JSON.stringify(written))
  const { hits } = await send<{ hits: { hits: { _index: string }[] } }>(
    engine,
    'GET',
    '/stream/_search?q=n:99',
  )
  assert.deepEqual(
    hits.hits.map(({ _index }) => _index),
    [indices[1]],
  )
  const { new_index: next } = await send<{ new_index: string }>(engine, 'POST', '/stream/_rollover')
  assert.equal(next, indices[1]!.replace(/2$/, '3'))
  await send(engine, 'POST', '/stream/_bulk?refresh=true', lines)
  const { count: inNext } = await send(engine, 'GET', `/${next}/_count`)
  assert.equal(inNext, 1)
  // As the template of the data stream would have made it.
  assert.deepEqual(await contentOf(next), await contentOf(indices[1]!))
}

/** Mapping, and settings besides those that each index has of its own. */
async function contentOf(index: string): Promise<object> {
  type Found = { mappings: object; settings: { [setting: string]: string } }
  const found = await send<{ [name: string]: Found }>(engine, 'GET', `/${index}?flat_settings`)
  const { mappings, settings } = found[index]!
  const own = /uuid|creation_date|provided_name|routing_shards|refresh_interval/
  const kept = Object.entries(settings).filter(([name]) => !own.test(name))
  return { mappings, settings: Object.fromEntries(kept) }
}
