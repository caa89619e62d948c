/**
 * Data streams of Elasticsearch 8 and 9 and of OpenSearch 2 are moved to OpenSearch 3 as data streams: as many indices, each
 * with its settings, fields and documents, and clients go on writing and rolling over by the name.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { applyMetadata } from '../../src/metadata/apply.ts'
import { restoreSettings } from '../../src/state/ledger.ts'
import { putFenceTemplate } from '../../src/metadata/fence.ts'
import { settingAccess } from '../../src/metadata/setting-access.ts'
import type { BulkBody, BulkOutcome } from '../../src/cluster/bulk-body.ts'
import { deliverBulk } from '../../src/cluster/bulk.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { writePlaceOf } from '../../src/cluster/write-place.ts'
import { closeMigration } from '../../src/metadata/close.ts'
import { compareMetadata } from '../../src/metadata/compare-metadata.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot, type EvaluateInput } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { DataStream, Snapshot } from '../../src/snapshot/snapshot.ts'
import { targetIndexKind, type TargetIndex } from '../../src/state/records.ts'
import { assertEqual, backfill, withState } from '../support/backfill.ts'
import { send, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

// Its own: action.auto_create_index is turned and put back here.
const engine = await useEngine('opensearch', '3', { own: true })
const target = engine.skip === false ? await connect('target', engine) : undefined!

for (const name of ['elasticsearch-8.19.0', 'elasticsearch-9.2.0', 'opensearch-2.19.4']) {
  const repository = path.join(import.meta.dirname, `../fixtures/${name}/history/repository`)

  test(`a data stream of ${name} stays one`, { skip: engine.skip }, async () => {
    const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('fifth')
    const input = planned(repository, snapshot)
    const folder = path.join(mkdtempSync(path.join(tmpdir(), 'osmigrate-streams-')), 'state')
    after(() => rmSync(path.dirname(folder), { recursive: true }))
    const indices = snapshot.indices.filter((index) => index.startsWith('.ds-stream-'))
    const ready = { folder, repository, snapshot, target, indices }
    try {
      await migrate(input, folder)
      await assertListed(['.ds-stream-000001', '.ds-stream-000002'])
      assert.equal((await backfill(ready)).deadLetters, 0)
      await assertEqual(ready)
      await assertPlannedAgain(input, folder)
      await assertTakesWrites()
      await assertPlannedAgain(input, folder)
      await assertNothingLeft(folder)
    } finally {
      await target.request('DELETE', '/_data_stream/stream', { accept: [404] })
      await target.request('DELETE', '/_index_template/stream', { accept: [404] })
    }
  })
}

const history = path.join(import.meta.dirname, '../fixtures/opensearch-2.19.4/history/repository')

/** The stream of the fixture on the target, for one test. */
async function withStream(
  work: (made: { input: EvaluateInput; folder: string; records: TargetIndex[] }) => Promise<void>,
): Promise<void> {
  const snapshot = await (await openRepository(openBlobStore(history))).openSnapshot('fifth')
  const input = planned(history, snapshot)
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'osmigrate-streams-')), 'state')
  try {
    await migrate(input, folder)
    const records = await withState(folder, (state) => state.list(targetIndexKind))
    await work({ input, folder, records: records.map(({ value }) => value) })
  } finally {
    await target.request('DELETE', '/_data_stream/stream', { accept: [404] })
    await target.request('DELETE', '/_index_template/stream', { accept: [404] })
    await withState(folder, (state) => closeMigration({ target, state, setWithheld: false }))
    rmSync(path.dirname(folder), { recursive: true })
  }
}

function insert(id: string, source: string): BulkBody {
  const bytes = Buffer.from(`{"update":{"_id":"${id}"}}\n{"doc":{},"upsert":${source}}\n`)
  return { bytes, itemStart: Int32Array.of(0, bytes.length), count: 1 }
}

function late(record: TargetIndex): Promise<BulkOutcome> {
  const { signal } = new AbortController()
  const body = insert('late', '{"@timestamp":1}')
  return deliverBulk(target, { ...writePlaceOf(record), body, waitMaxMs: 1000, signal })
}

const stopped = { code: 'MA_TARGET_INDEX' }

test('an index behind a data stream takes neither versions nor aliases, nor creates', async (t) => {
  if (engine.skip !== false) return t.skip(engine.skip)
  await withStream(async ({ records }) => {
    const index = records[0]!.targetIndex
    const add = { index, alias: 'osmigrate-u-0' }
    const aliases = { body: { actions: [{ add }] }, accept: [400] }
    assert.equal((await target.request('POST', '/_aliases', aliases)).status, 400)
    const put = { body: { '@timestamp': 1 }, accept: [400] }
    const version = `/${index}/_doc/a?version=5&version_type=external_gte`
    assert.equal((await target.request('PUT', version, put)).status, 400)
    assert.equal((await target.request('PUT', `/${index}/_create/a`, put)).status, 400)
  })
})

test(
  'a versioned delete does not know an older life of a document',
  { skip: engine.skip },
  async () => {
    await withStream(async ({ records }) => {
      // The source wrote it with the number 100; its delete with the number 50 was of a document before that.
      assert.equal((await late(records[0]!)).written, 1)
      const path = `/${records[0]!.targetIndex}/_doc/late?version=51&version_type=external_gte`
      assert.equal((await target.request('DELETE', path)).body.result, 'deleted')
    })
  },
)

test('where the setting cannot be set, late writes make an index that takes nothing', async (t) => {
  if (engine.skip !== false) return t.skip(engine.skip)
  await withStream(async ({ folder, records }) => {
    await send(engine, 'DELETE', '/_data_stream/stream')
    const { targetIndex } = records[0]!
    await withState(folder, async (state) => {
      await restoreSettings(state, settingAccess({ target }))
      await putFenceTemplate(target, state)
    })
    const { signal } = new AbortController()
    const body = insert('late', '{"@timestamp":1}')
    await assert.rejects(
      deliverBulk(target, { ...writePlaceOf(records[0]!), body, waitMaxMs: 500, signal }),
      stopped,
    )
    const { body: found } = await target.request('GET', `/${targetIndex}/_count`, { accept: [404] })
    assert.equal(found.count, 0)
    await target.request('DELETE', `/${targetIndex}`)
    // The data stream itself can be made, and takes writes.
    await send(engine, 'POST', '/stream/_bulk', '{"create":{}}\n{"@timestamp":1}\n')
  })
})

test(
  'what was made as a data stream is not made into an alias',
  { skip: engine.skip },
  async () => {
    await withStream(async ({ input, folder }) => {
      const options = metadataOptions.parse({ dataStreams: 'alias' })
      const plan = await withState(folder, (state) =>
        evaluateMetadata({ ...input, options, state }),
      )
      for (const { action } of plan.indices) assert.equal(action, 'refused')
    })
  },
)

test('documents without a time, or with two, are refused', { skip: engine.skip }, async () => {
  await withStream(async ({ records }) => {
    const { signal } = new AbortController()
    for (const source of ['{"n":1}', '{"@timestamp":[1,2]}']) {
      const delivery = { body: insert('a', source), waitMaxMs: 1000, signal }
      const outcome = await deliverBulk(target, { ...writePlaceOf(records[0]!), ...delivery })
      assert.deepEqual(
        outcome.refused.map(({ status, type }) => [status, type]),
        [[400, 'mapper_parsing_exception']],
      )
    }
  })
})

test('once the migration is closed, late writes are refused', { skip: engine.skip }, async () => {
  await withStream(async ({ folder, records }) => {
    assert.equal((await late(records[0]!)).written, 1)
    await withState(folder, (state) => closeMigration({ target, state, setWithheld: false }))
    await assert.rejects(late(records[1]!), stopped)
    const { count } = await send(engine, 'GET', `/${records[1]!.targetIndex}/_count`)
    assert.equal(count, 0)
  })
})

test(
  'where the data stream is deleted, late writes make nothing',
  { skip: engine.skip },
  async () => {
    await withStream(async ({ records }) => {
      await send(engine, 'DELETE', '/_data_stream/stream')
      await assert.rejects(late(records[0]!), stopped)
      const path = `/${records[0]!.targetIndex}`
      assert.equal((await target.request('HEAD', path, { accept: [404] })).status, 404)
      // Made anew by a client: what is written there counts for nothing.
      await send(engine, 'POST', '/stream/_bulk', '{"create":{}}\n{"@timestamp":1}\n')
      await assert.rejects(late(records[0]!), { ...stopped, message: /made anew/ })
    })
  },
)

test('without the setting a late write would make an index', { skip: engine.skip }, async () => {
  await withStream(async ({ folder, records }) => {
    await send(engine, 'DELETE', '/_data_stream/stream')
    await withState(folder, (state) => restoreSettings(state, settingAccess({ target })))
    await assert.rejects(late(records[0]!), stopped)
    const { status } = await target.request('DELETE', `/${records[0]!.targetIndex}`)
    assert.equal(status, 200)
  })
})

test('a data stream that was rolled over on the source is rolled over on the target', async (t) => {
  if (engine.skip !== false) return t.skip(engine.skip)
  await withStream(async ({ input, folder }) => {
    await send(engine, 'DELETE', '/_data_stream/stream')
    const before = await actionsOf(withIndices(input, 1), folder)
    assert.deepEqual(before, [['.ds-stream-000001', 'created']])
    const now = await actionsOf(input, folder)
    assert.deepEqual(now, [
      ['.ds-stream-000001', 'unchanged'],
      ['.ds-stream-000002', 'created'],
    ])
  })
})

test(
  'a run that ends between making an index and noting it goes on',
  { skip: engine.skip },
  async () => {
    await withStream(async ({ input, folder }) => {
      await send(engine, 'DELETE', '/_data_stream/stream')
      for (const path of ['/_data_stream/stream', '/stream/_rollover']) {
        await assert.rejects(actionsOf({ ...input, target: endingAfter(path) }, folder), /cut off/)
      }
      assert.deepEqual(await actionsOf(input, folder), [
        ['.ds-stream-000001', 'unchanged'],
        ['.ds-stream-000002', 'created'],
      ])
      const templates = await target.request('GET', '/_index_template/osmigrate-*', {
        accept: [404],
      })
      assert.deepEqual(templates.body.index_templates ?? [], [])
    })
  },
)

test('while another host makes indices of a data stream this one waits', async (t) => {
  if (engine.skip !== false) return t.skip(engine.skip)
  await withStream(async ({ input, folder }) => {
    await send(engine, 'DELETE', '/_data_stream/stream')
    await send(engine, 'PUT', '/_index_template/osmigrate-stream-of-another', {
      ...{ index_patterns: ['stream'], priority: 2 ** 31 - 1, data_stream: {} },
    })
    const waiting = [
      ['.ds-stream-000001', 'waiting'],
      ['.ds-stream-000002', 'waiting'],
    ]
    assert.deepEqual(await actionsOf(input, folder), waiting)
    await send(engine, 'DELETE', '/_index_template/osmigrate-stream-of-another')
    const made = waiting.map(([index]) => [index, 'created'])
    assert.deepEqual(await actionsOf(input, folder), made)
  })
})

test('an index that is missing between others is not made as the newest', async (t) => {
  if (engine.skip !== false) return t.skip(engine.skip)
  await withStream(async ({ input, folder }) => {
    await send(engine, 'DELETE', '/.ds-stream-000001')
    const [first, second] = await actionsOf(input, folder)
    assert.equal(first![1], 'refused')
    assert.equal(second![1], 'unchanged')
  })
})

test('a data stream without a template of its own is refused by name', async (t) => {
  if (engine.skip !== false) return t.skip(engine.skip)
  const snapshot = await (await openRepository(openBlobStore(history))).openSnapshot('fifth')
  const input = planned(history, snapshot)
  const options = metadataOptions.parse({ templates: false })
  const plan = await evaluateMetadata({ ...input, options })
  for (const { action, reason } of plan.indices) {
    assert.equal(action, 'refused')
    assert.match(reason!, /no index template fits the data stream stream/)
  }
})

/** Evaluates and applies; gives the names on the target and what became of each. */
async function actionsOf(input: EvaluateInput, folder: string): Promise<(string | undefined)[][]> {
  return withState(folder, async (state) => {
    const plan = await evaluateMetadata({ ...input, state })
    const { objects } = await applyMetadata(plan, { target: input.target as Cluster, state })
    return objects
      .filter(({ kind }) => kind === 'index')
      .map(({ name, renamedTo = name, outcome }) => [renamedTo, outcome])
  })
}

/** As the source was when its data stream had so many indices. */
function withIndices(input: EvaluateInput, count: number): EvaluateInput {
  const { source } = input
  const readDataStreams = async (): Promise<DataStream[]> =>
    (await source.readDataStreams()).map((stream) => {
      return { ...stream, indices: stream.indices.slice(0, count) }
    })
  const asThen = Object.create(source, {
    readDataStreams: { value: readDataStreams },
  }) as typeof source
  return { ...input, source: asThen }
}

/** The target, whose answer to this request never comes. */
function endingAfter(path: string): Cluster {
  const request: Cluster['request'] = async (method, asked, options) => {
    const answer = await target.request(method, asked, options)
    if (method !== 'GET' && asked === path) throw new Error('cut off')
    return answer as never
  }
  const { side, url, version } = target
  const requestRaw: Cluster['requestRaw'] = (...given) => target.requestRaw(...given)
  return { side, url, version, request, requestRaw, close: async () => {} }
}

function planned(repository: string, snapshot: Snapshot): EvaluateInput {
  return {
    ...fromSnapshot(repository, snapshot, shardLook),
    target,
    select: { include: ['stream'] },
    options: metadataOptions.parse({}),
    allowPartialSource: false,
  }
}

async function migrate(input: EvaluateInput, folder: string): Promise<void> {
  await withState(folder, async (state) => {
    const plan = await evaluateMetadata({ ...input, state })
    const { objects } = await applyMetadata(plan, { target, state })
    assert.deepEqual(
      objects.map(({ kind, name, renamedTo, outcome }) => [kind, renamedTo ?? name, outcome]),
      [
        ['index-template', 'stream', 'created'],
        ['index', '.ds-stream-000001', 'created'],
        ['index', '.ds-stream-000002', 'created'],
      ],
      JSON.stringify(objects),
    )
    const again = await evaluateMetadata({ ...input, state })
    const { objects: compared } = await compareMetadata(again, { target, changedMeanwhile: [] })
    for (const { kind, differences, verdict } of compared) {
      assert.deepEqual(differences, [])
      // Its lifecycle, which OpenSearch has not.
      if (kind === 'index') assert.match(verdict, /equal|announced/)
    }
  })
}

async function assertListed(indices: readonly string[]): Promise<void> {
  const { data_streams: streams } = await send<{
    data_streams: { indices: { index_name: string }[]; template: string }[]
  }>(engine, 'GET', '/_data_stream/stream')
  assert.deepEqual(
    streams[0]?.indices.map(({ index_name: index }) => index),
    indices,
  )
  assert.equal(streams[0]?.template, 'stream')
}

async function assertPlannedAgain(input: EvaluateInput, folder: string): Promise<void> {
  const again = await withState(folder, (state) => evaluateMetadata({ ...input, state }))
  assert.deepEqual(
    [...again.indexTemplates, ...again.indices].map(({ action }) => action),
    ['exists-equal', 'exists-equal', 'exists-equal'],
  )
}

/** As clients of a data stream write: `create` alone, by its name; and a rollover. */
async function assertTakesWrites(): Promise<void> {
  const { count } = await send(engine, 'GET', '/str*/_count')
  assert.equal(count, 15)
  const lines = `{"create":{"_id":"later"}}\n{"@timestamp":${1.8e12},"n":99}\n`
  await send(engine, 'POST', '/stream/_bulk?refresh=true', lines)
  const { new_index: next } = await send<{ new_index: string }>(engine, 'POST', '/stream/_rollover')
  assert.equal(next, '.ds-stream-000003')
}

/** The fences are gone after close, and the cluster's setting is as it was. */
async function assertNothingLeft(folder: string): Promise<void> {
  const pipelines = await withState(folder, async (state) => {
    const { fences } = await closeMigration({ target, state, setWithheld: true })
    const records = (await state.list(targetIndexKind)).map(({ value }) => value)
    assert.deepEqual(
      fences,
      records.map(({ stream }) => stream?.pipeline),
    )
    return fences
  })
  assert.equal(pipelines.length, 2)
  const { body } = await target.request('GET', '/_ingest/pipeline', { accept: [404] })
  assert.deepEqual(body, {})
  const templates = await target.request('GET', '/_index_template/osmigrate-*', { accept: [404] })
  assert.deepEqual(templates.body.index_templates ?? [], [])
}
