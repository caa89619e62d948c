import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import type { AuditInput } from '../../src/sync/audit-input.ts'
import {
  documentsOf,
  makeTargetIndex,
  openAudit,
  openState,
  stateFolder,
  type AuditWorld,
} from '../support/audit-world.ts'
import { send, uniqueName, useEngine, type TestEngine } from '../support/engines.ts'
import { randomOperations } from '../support/random-operations.ts'

const newer = await useEngine('elasticsearch', '7')
const older = await useEngine('elasticsearch', '6')
const target = await useEngine('opensearch', '3')
const options = { skip: target.skip }

async function connected(side: 'source' | 'target', engine: TestEngine): Promise<Cluster> {
  const cluster = await connectCluster(side, { url: [engine.url] })
  after(() => cluster.close())
  return cluster
}

/** An index of the source with these documents, empty on the target, and the audit between them. */
async function begin(
  source: TestEngine,
  stem: string,
  {
    documents = 0,
    body = {},
    overrides = {},
  }: { documents?: number; body?: JsonObject; overrides?: Partial<AuditInput> } = {},
): Promise<AuditWorld & { index: string; restart(): Promise<AuditWorld> }> {
  const index = uniqueName(stem)
  await send(source, 'PUT', `/${index}`, body)
  await fill(source, index, 0, documents)
  const state = await openState(stateFolder())
  await makeTargetIndex(state, { source, target }, index)
  const both = {
    source: await connected('source', source),
    target: await connected('target', target),
  }
  const open = async (lateMs = 0): Promise<AuditWorld> => {
    const world = await openAudit(both, { state, include: [index] }, overrides, { lateMs })
    after(() => world.end())
    return world
  }
  const world = await open()
  return { ...world, index, restart: () => world.end().then(() => open(60_000)) }
}

const type = (engine: TestEngine): string => (engine === older ? 'doc' : '_doc')

async function fill(source: TestEngine, index: string, from: number, to: number): Promise<void> {
  const lines = Array.from(
    { length: to - from },
    (_, i) => `{"index":{"_id":"${from + i}","_type":"${type(source)}"}}\n{"n":${from + i}}\n`,
  )
  if (lines.length > 0) await send(source, 'POST', `/${index}/_bulk`, lines.join(''))
}

async function requireEqual(source: TestEngine, index: string): Promise<void> {
  assert.deepEqual(await documentsOf(target, index), await documentsOf(source, index))
}

/** Until it says so; fails with what is open. */
async function caughtUp(world: AuditWorld, index: string): Promise<void> {
  const { verdict } = await world.drain()
  assert.equal(verdict, 'caught-up', JSON.stringify(await world.ofIndex(index), null, 1))
}

/** A bulk of which some items are refused. */
async function newerBulk(index: string, body: string): Promise<void> {
  await fetch(`${newer.url}/${index}/_bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  }).then((answer) => answer.arrayBuffer())
}

describe('the audit', { concurrency: 3 }, () => {
  for (const source of [newer, older]) {
    const name = source.version

    test(
      `${name}: alone it finds what is written, and takes away what is deleted`,
      options,
      async () => {
        const body = { settings: { number_of_shards: 2, refresh_interval: -1 } }
        const world = await begin(source, 'alone', { documents: 300, body })
        const { index } = world
        await caughtUp(world, index)
        await requireEqual(source, index)
        assert.equal(world.audit.verdict()!.explained.search, 300)

        const at = `/${index}/${type(source)}`
        await send(source, 'DELETE', `${at}/7`)
        await send(source, 'PUT', `${at}/8`, { n: 88 })
        await send(source, 'PUT', `${at}/8`, { n: 888 })
        await send(source, 'PUT', `${at}/routed?routing=r`, { n: -1 })
        await caughtUp(world, index)
        await requireEqual(source, index)
        const { found, comparison } = await world.ofIndex(index)
        assert.deepEqual([found.search, found.missing, found.extra, found.other], [302, 0, 1, 0])
        assert.equal(comparison?.differing, 1)
      },
    )

    test(`${name}: what goes past capture is found, counted, and mended`, options, async () => {
      const body = { settings: { number_of_shards: 2 } }
      const world = await begin(source, 'past', { documents: 200, body })
      const { index, accounts, applier } = world
      await caughtUp(world, index)
      const at = `/${index}/${type(source)}`
      // What capture would have told.
      const answer = await send<{ _seq_no: number; _primary_term: number }>(
        source,
        'PUT',
        `${at}/captured`,
        { n: 9000 },
      )
      const change = { index, id: 'captured', routing: null, what: 'write' } as const
      await applier.add(
        [
          {
            ...change,
            source: Buffer.from('{"n":9000}'),
            seqNo: answer._seq_no,
            primaryTerm: answer._primary_term,
          },
        ],
        () => {},
      )
      await applier.flush()
      assert.equal(
        accounts.of(index).reduce((sum, { explained }) => sum + explained.captured, 0),
        1,
      )
      const before = (await world.ofIndex(index)).found.search
      await caughtUp(world, index)
      assert.equal((await world.ofIndex(index)).found.search, before, 'nothing went past')

      await send(source, 'POST', `/${index}/_refresh`)
      const byQuery = (name: string, from: number, to: number, script?: string): Promise<unknown> =>
        send(source, 'POST', `/${index}/${name}?refresh=true`, {
          query: { range: { n: { gte: from, lt: to } } },
          ...(script !== undefined && { script: { source: script } }),
        })
      await byQuery('_update_by_query', 0, 10, 'ctx._source.n += 1000')
      await byQuery('_delete_by_query', 20, 30)
      await send(source, 'POST', `${at}/50/_update`.replace('/_doc/50/_update', '/_update/50'), {
        doc: { extra: true },
      })
      await send(source, 'PUT', `${at}/new`, { n: 5000 })
      await caughtUp(world, index)
      await requireEqual(source, index)
      const { found } = await world.ofIndex(index)
      assert.deepEqual([found.search - before, found.extra], [12, 10])
    })
  }

  test('documents that Lucene refuses leave holes, and the audit ends', options, async () => {
    const body = { mappings: { properties: { key: { type: 'keyword' } } } }
    const world = await begin(newer, 'refused', { body })
    const { index } = world
    const long = 'x'.repeat(40_000)
    const lines = Array.from({ length: 300 }, (_, i) => {
      return `{"index":{"_id":"${i}"}}\n{"key":"${i % 100 === 7 ? long : i}"}\n`
    })
    await newerBulk(index, lines.join(''))
    await caughtUp(world, index)
    await requireEqual(newer, index)
    const { shards, found } = await world.ofIndex(index)
    assert.deepEqual([shards[0]!.explained.search, shards[0]!.explained.comparison], [297, 3])
    assert.deepEqual([found.missing, found.extra, found.other], [0, 0, 0])
  })

  test('a shrunk index gives one number to several documents', options, async () => {
    const whole = uniqueName('whole')
    const shrunk = uniqueName('shrunk')
    await send(newer, 'PUT', `/${whole}`, { settings: { number_of_shards: 4 } })
    await fill(newer, whole, 0, 400)
    await send(newer, 'PUT', `/${whole}/_settings`, { 'index.blocks.write': true })
    await send(newer, 'POST', `/${whole}/_shrink/${shrunk}`, {
      settings: { 'index.blocks.write': null, 'index.number_of_shards': 1 },
    })
    const state = await openState(stateFolder())
    await makeTargetIndex(state, { source: newer, target }, shrunk)
    const both = {
      source: await connected('source', newer),
      target: await connected('target', target),
    }
    const world = await openAudit(both, { state, include: [shrunk] })
    after(() => world.end())
    await caughtUp(world, shrunk)
    await requireEqual(newer, shrunk)
    assert.equal((await world.ofIndex(shrunk)).found.search, 400)
  })

  test(
    'what is not yet settled of the log is waited for, and then only is it missing',
    options,
    async () => {
      let isPassed = false
      const overrides: Partial<AuditInput> = {
        log: { ends: async () => ({}), hasPassed: () => isPassed },
        lateMs: 50,
      }
      const world = await begin(newer, 'waits', { documents: 10, overrides })
      const { index } = world
      const first = await world.drain()
      assert.deepEqual([first.verdict, first.missing, first.streamsRead], ['open', 10, false])
      assert.equal((await world.ofIndex(index)).found.search, 0)
      assert.deepEqual((await world.ofIndex(index)).shards[0]!.ranges, [{ from: 0, to: 9 }])
      isPassed = true
      await caughtUp(world, index)
      await requireEqual(newer, index)
      // A comparison has to begin later than any request that was begun before the hole can still turn up.
      await send(newer, 'DELETE', `/${index}/_doc/3`)
      const early = await world.drain()
      assert.equal(early.verdict, 'open')
      while ((await world.drain()).verdict !== 'caught-up');
      await requireEqual(newer, index)
    },
  )

  test('a document of the target that nobody here wrote is named', options, async () => {
    const ahead: string[] = []
    const overrides: Partial<AuditInput> = {
      onAhead: async (_, documents) => void ahead.push(...documents.map(({ id }) => id)),
    }
    const world = await begin(newer, 'foreign', { documents: 20, overrides })
    const { index } = world
    await caughtUp(world, index)
    await send(target, 'PUT', `/${index}/_doc/5?version=999&version_type=external`, { n: 9 })
    await send(newer, 'DELETE', `/${index}/_doc/6`)
    const { verdict } = await world.drain()
    assert.equal(verdict, 'open')
    assert.deepEqual(ahead, ['5'])
    const { found, waiting } = await world.ofIndex(index)
    assert.deepEqual(found.ahead, [{ id: '5', routing: null, source: 5, target: 998 }])
    assert.match(waiting!, /newer than the source/)
  })

  test(
    'what somebody else writes to the target raises an alarm, and is mended',
    options,
    async () => {
      const body = { settings: { number_of_shards: 2 } }
      const world = await begin(newer, 'alarm', { documents: 20, body })
      const { index, foreign } = world
      await caughtUp(world, index)
      await fill(newer, index, 10, 40)
      await caughtUp(world, index)
      assert.equal(foreign.found.length, 0)
      for (const id of ['x', 'y', 'z']) await send(target, 'PUT', `/${index}/_doc/${id}`, { id })
      await fill(newer, index, 40, 50)
      await caughtUp(world, index)
      const [found, ...others] = foreign.found
      assert.deepEqual([found?.index, found?.count, others], [index, 3, []])
      await requireEqual(newer, index)
      assert.equal((await world.ofIndex(index)).found.extra, 3)
      // That is told once.
      await caughtUp(world, index)
      assert.equal(foreign.found.at(0)!.count, 3)
    },
  )

  test('all that is read from the source is within one budget', options, async () => {
    let taken = 0
    const budget = { take: async (documents: number) => void (taken += documents) }
    const world = await begin(newer, 'budget', { documents: 300, overrides: { budget } })
    const { index } = world
    await caughtUp(world, index)
    assert.equal(taken, 300)
    await send(newer, 'DELETE', `/${index}/_doc/7`)
    await caughtUp(world, index)
    const { comparison } = await world.ofIndex(index)
    assert.equal(comparison?.differing, 1)
    // Two scans of 299 ids, and one document.
    assert.ok(taken > 302 && taken < 400, String(taken))
    await requireEqual(newer, index)
  })

  test(
    'follows by itself what a source is written, and goes on after a kill',
    options,
    async () => {
      const world = await begin(newer, 'followed', { body: { settings: { number_of_shards: 3 } } })
      const { index } = world
      const running = world.audit.run()
      const send5000 = randomOperations({ seed: 7, index, count: 5000 })
      const half = send5000.splice(0, 6)
      for (const body of half) await newerBulk(index, body)
      await world.end()
      await running
      const again = await world.restart()
      const runningAgain = again.audit.run()
      for (const body of send5000) await newerBulk(index, body)
      await caughtUp(again, index)
      await requireEqual(newer, index)
      assert.deepEqual([...world.foreign.found, ...again.foreign.found], [])
      await again.end()
      await runningAgain
    },
  )
})
