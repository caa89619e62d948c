/**
 * The rule that the source's sequence number is the version, where ordinary life would break it: documents without a
 * number, other shard counts, several routings of one id, and an index that begins its numbers anew.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MigrationError } from '../../src/base/errors.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { backfillIndexKind } from '../../src/backfill/records.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { documentAt } from '../../src/document/document-block.ts'
import { openShardReader } from '../../src/document/open-shard-reader.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { shardIncarnationKind, targetIndexKind, type TargetIndex } from '../../src/state/records.ts'
import {
  assertEqual,
  backfill,
  makeReady,
  makeSnapshot,
  withState,
  type ReadyMigration,
} from '../support/backfill.ts'
import { send, uniqueName, useEngine, type TestEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems, type Item } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
const target = skip === false ? await connect('target', targetEngine) : undefined!

interface Hit {
  _id: string
  _version: number
  _routing?: string
}

/** What one shard of an index holds. */
async function hitsOf(engine: TestEngine, index: string, shard: number): Promise<Hit[]> {
  const { hits } = await send<{ hits: { hits: Hit[] } }>(
    engine,
    'GET',
    `/${index}/_search?preference=_shards:${shard}&size=10000&version=true&_source=false`,
  )
  return hits.hits
}

async function recordOf(ready: ReadyMigration, index: string): Promise<TargetIndex> {
  return withState(ready.folder, async (state) => (await state.get(targetIndexKind, index))!.value)
}

// ---- the snapshot of 6.8, one of whose indices was made by 5.6

const fixture = fileURLToPath(
  new URL('../fixtures/elasticsearch-6.8.23/compressed/repository', import.meta.url),
)

test(
  'Elasticsearch 6.8: every document arrives in its shard, one without a number below every number',
  { skip },
  async () => {
    const snapshot = await (await openRepository(openBlobStore(fixture))).openSnapshot('s1')
    const { indices } = snapshot
    const ready = await makeReady({ repository: fixture, snapshot, target, indices })
    try {
      assert.equal((await backfill(ready)).deadLetters, 0)
      await assertEqual(ready)
      for (const index of indices) await assertSameShards(ready, index)
      await assertUnnumberedIsLowest(ready, 'old')
    } finally {
      await send(targetEngine, 'DELETE', `/${indices.join(',')}`)
    }
  },
)

/** Each id, under its routing, lies in the shard of the same number as in the snapshot. */
async function assertSameShards({ snapshot }: ReadyMigration, index: string): Promise<void> {
  const { numberOfShards } = await snapshot.readIndexMetadata(index)
  for (let shard = 0; shard < numberOfShards; shard++) {
    const expected: string[] = []
    const files = await snapshot.openShard(index, shard)
    const reader = await openShardReader(files, { verify: 'touched' })
    for (const { name } of reader.segments) {
      for await (const block of reader.readBlocks(name)) {
        for (let i = 0; i < block.count; i++) {
          const { id, routing = '' } = documentAt(block, i)
          expected.push(`${id} ${routing}`)
        }
      }
    }
    await reader.close()
    const found = await hitsOf(targetEngine, index, shard)
    assert.deepEqual(
      found.map(({ _id, _routing = '' }) => `${_id} ${_routing}`).sort(),
      expected.sort(),
      `${index}, shard ${shard}`,
    )
  }
}

/** `old` holds documents of 5.6, which have no number, and documents that 6.8 has numbered from 0. */
async function assertUnnumberedIsLowest(ready: ReadyMigration, index: string): Promise<void> {
  const { fenceAlias, epochBase } = await recordOf(ready, index)
  const versions = new Map((await hitsOf(targetEngine, index, 0)).map((h) => [h._id, h._version]))
  assert.equal(versions.get('o0'), epochBase)
  assert.equal(versions.get('new1'), epochBase + 1)
  const write = async (id: string, version: number, n: number): Promise<number> => {
    const { status } = await target.request('PUT', `/${fenceAlias}/_doc/${id}`, {
      query: { version, version_type: 'external_gte' },
      body: { n },
      accept: [409],
    })
    return status
  }
  const numberOf = async (id: string): Promise<unknown> =>
    (await send<{ _source: JsonObject }>(targetEngine, 'GET', `/${index}/_doc/${id}`))._source['n']
  // The first number that there is wins over none, whoever comes last.
  assert.equal(await write('o0', epochBase + 1, 1000), 200)
  assert.equal(await write('o0', epochBase, 0), 409)
  assert.equal(await numberOf('o0'), 1000)
}

// ---- shards and routing

const plain2 = uniqueName('two')
const plain1 = uniqueName('one')
const routed = uniqueName('routed')
const becomesRouted = uniqueName('becomes-routed')

/** One id under several routings, in other shards and in the same, besides documents with a routing of their own. */
const routedItems: Item[] = [
  ...['a', 'b', 'c', 'd', 'e', 'f'].map((routing) => ({
    id: 'same',
    routing,
    source: { routing },
  })),
  ...Array.from({ length: 60 }, (_, i) => ({
    id: `r${i}`,
    routing: `k${i % 7}`,
    source: { n: i },
  })),
  ...numbered(20),
]

test(
  'unrouted documents go from 2 shards to 1 and from 1 to 4, and are equal',
  { skip },
  async () => {
    for (const [index, from, to] of [
      [plain2, 2, 1],
      [plain1, 1, 4],
    ] as const) {
      await makeIndex(sourceEngine, index, { settings: { number_of_shards: from } })
      await putItems(sourceEngine, index, numbered(300))
      await putItems(sourceEngine, index, [
        { id: 'd7', source: { changed: true } },
        { id: 'd8', source: null },
      ])
      const made = await makeSnapshot(source, [index])
      const ready = await makeReady({ ...made, target, indices: [index], shards: { [index]: to } })
      assert.equal((await recordOf(ready, index)).targetShards, to)
      assert.equal((await backfill(ready)).totals.written, 299)
      await assertEqual(ready)
      const counts: number[] = []
      for (let shard = 0; shard < to; shard++) {
        counts.push((await hitsOf(targetEngine, index, shard)).length)
      }
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        299,
      )
      assert.ok(counts.every((count) => count > 0))
    }
  },
)

test(
  'one id under several routings arrives as often, in the same shards; other counts are refused',
  { skip },
  async () => {
    await makeIndex(sourceEngine, routed, { settings: { number_of_shards: 3 } })
    await putItems(sourceEngine, routed, routedItems)
    const made = await makeSnapshot(source, [routed])
    const ready = await makeReady({ ...made, target, indices: [routed] })
    await backfill(ready)
    await assertEqual(ready)
    await assertSameShards(ready, routed)
    for (let shard = 0; shard < 3; shard++) {
      const same = (engine: TestEngine): Promise<number> =>
        hitsOf(engine, routed, shard).then((h) => h.filter(({ _id }) => _id === 'same').length)
      assert.equal(await same(targetEngine), await same(sourceEngine))
    }
    await withState(ready.folder, async (state) => {
      const { indices } = await evaluateMetadata({
        ...fromSnapshot(made.repository, made.snapshot, shardLook),
        ...{ target, state },
        select: { include: [routed] },
        options: metadataOptions.parse({ templates: false, shards: { [routed]: 1 } }),
        allowPartialSource: false,
      })
      assert.match(indices[0]!.reason ?? '', /cannot get 1 shards instead of 3.*routed documents/)
    })
  },
)

test(
  'a routed document met in an index made with other shards stops that index by name',
  { skip },
  async () => {
    const index = becomesRouted
    await makeIndex(sourceEngine, index, { settings: { number_of_shards: 2 } })
    await putItems(sourceEngine, index, numbered(20))
    const before = await makeSnapshot(source, [index])
    const early = await makeReady({ ...before, target, indices: [index], shards: { [index]: 1 } })
    assert.equal((await recordOf(early, index)).targetShards, 1)
    // Metadata came from the first snapshot, where nothing was routed; the documents come from a later one.
    await putItems(sourceEngine, index, [{ id: 'late', routing: 'k', source: { n: 1 } }])
    const after = await makeSnapshot(source, [index])
    await assert.rejects(
      backfill({ ...early, ...after }),
      code('MA_TARGET_INDEX', new RegExp(`index ${index} holds routed documents .*"late".*"k"`)),
    )
  },
)

// ---- incarnations

test(
  'the snapshot of an index that was deleted and made anew on the source is refused',
  { skip },
  async () => {
    const index = uniqueName('anew')
    await makeIndex(sourceEngine, index)
    await putItems(sourceEngine, index, numbered(10))
    const first = await makeSnapshot(source, [index])
    const ready = await makeReady({ ...first, target, indices: [index] })
    await send(sourceEngine, 'DELETE', `/${index}`)
    await makeIndex(sourceEngine, index)
    await putItems(sourceEngine, index, [{ id: 'd3', source: { anew: true } }])
    const second = await makeSnapshot(source, [index])
    await assert.rejects(
      backfill({ ...ready, ...second }),
      code('MA_TARGET_INDEX', /another incarnation of the source/),
    )
    assert.deepEqual(await hitsOf(targetEngine, index, 0), [])
    assert.equal((await backfill(ready)).totals.written, 10)
  },
)

test(
  'a restore over a closed index keeps the UUID and begins another history, which is noticed',
  { skip },
  async () => {
    const index = uniqueName('restored')
    await makeIndex(sourceEngine, index)
    await putItems(sourceEngine, index, numbered(10))
    const first = await makeSnapshot(source, [index])
    const ready = await makeReady({ ...first, target, indices: [index] })
    await backfill(ready)
    await putItems(sourceEngine, index, numbered(10))
    const repository = uniqueName('repository')
    await send(sourceEngine, 'PUT', `/_snapshot/${repository}`, {
      type: 'fs',
      settings: { location: first.repository },
    })
    await send(sourceEngine, 'POST', `/${index}/_close`)
    await send(
      sourceEngine,
      'POST',
      `/_snapshot/${repository}/${first.snapshot.name}/_restore?wait_for_completion=true`,
      { indices: index, include_global_state: false },
    )
    await send(sourceEngine, 'DELETE', `/_snapshot/${repository}`)
    // Lower numbers than the target has seen, for other documents.
    await putItems(sourceEngine, index, [{ id: 'd3', source: { restored: true } }])
    const second = await makeSnapshot(source, [index])
    const uuidIn = async ({ snapshot }: typeof first): Promise<string> =>
      (await snapshot.readIndexMetadata(index)).uuid
    assert.equal(await uuidIn(second), await uuidIn(first))

    assert.notEqual(await historyOf(second.snapshot, index), await historyOf(ready.snapshot, index))

    const later = { ...ready, ...second }
    await assert.rejects(backfill(later), code('MA_SNAPSHOT', /is being filled from the snapshot/))
    // The plan refuses any other snapshot by itself. Without it the note of the incarnation, which outlives it, must do.
    await withState(ready.folder, async (state) => {
      await state.commit([{ op: 'delete', kind: backfillIndexKind, key: index }])
      assert.ok(await state.get(shardIncarnationKind, `${index}/0`))
    })
    await assert.rejects(
      backfill(later),
      code('MA_TARGET_INDEX', /shard 0 was made for another incarnation of the source/),
    )
    const kept = await send<{ _source: JsonObject }>(targetEngine, 'GET', `/${index}/_doc/d3`)
    assert.equal(kept._source['n'], 3)
  },
)

async function historyOf(snapshot: Snapshot, index: string): Promise<string | undefined> {
  const files = await snapshot.openShard(index, 0)
  const reader = await openShardReader(files, { verify: 'touched' })
  await reader.close()
  return reader.historyUuid
}

const code =
  (expected: string, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof MigrationError, String(error))
    assert.equal(error.code, expected, error.message)
    assert.match(error.message, message)
    return true
  }
