/** The backfill is stopped and killed at many moments, goes on, and ends equal. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { requestStop } from '../../src/backfill/status.ts'
import { backfillStatus } from '../../src/backfill/status.ts'
import { openEntries } from '../../src/state/ledger.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import { currentWriter } from '../../src/state/writer-lock.ts'
import {
  assertEqual,
  makeReady,
  makeSnapshot,
  spawnBackfill,
  withState,
  type ReadyMigration,
} from '../support/backfill.ts'
import { startBulkProxy } from '../support/bulk-proxy.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
const target = skip === false ? await connect('target', targetEngine) : undefined!
const proxy = await startBulkProxy(targetEngine.port)
after(() => proxy.close())

const kills = 20
const killed = Array.from({ length: kills }, (_, i) => uniqueName(`killed${i}`))
const names = { held: uniqueName('held'), noted: uniqueName('noted'), fast: uniqueName('fast') }
const { repository, snapshot } = await makeWorld()

async function makeWorld(): Promise<Pick<ReadyMigration, 'repository' | 'snapshot'>> {
  for (const name of [...killed, names.held, names.noted]) {
    await makeIndex(sourceEngine, name)
    await putItems(sourceEngine, name, numbered(250))
    await putItems(sourceEngine, name, numbered(250, 250))
  }
  await makeIndex(sourceEngine, names.fast, { settings: { refresh_interval: '7s' } })
  await putItems(sourceEngine, names.fast, numbered(250))
  return makeSnapshot(source, [...killed, ...Object.values(names)])
}

/** About 25 bulks an index. */
const options = { bulkBytesMax: '3kb', bulksInFlightMax: 4, stopWaitMax: 300 }

function ready(...indices: string[]): Promise<ReadyMigration> {
  return makeReady({ repository, snapshot, target, indices })
}

/** The proxy as new. */
function resetProxy(): void {
  proxy.fate = () => 'relay'
  proxy.onAnswered = () => {}
  proxy.relayed.clear()
  proxy.bulks = 0
}

test(
  'one bulk without an answer, later ones answered, SIGTERM: nothing is missing',
  { skip },
  async () => {
    resetProxy()
    const migration = await ready(names.held)
    const url = proxy.url
    const enough = Promise.withResolvers<void>()
    let answered = 0
    proxy.fate = ({ number }) => (number === 3 ? 'hold' : 'relay')
    proxy.onAnswered = ({ number }) => {
      if (number > 3 && ++answered === 10) enough.resolve()
    }
    const first = spawnBackfill(migration, { url, options })
    await enough.promise
    first.child.kill('SIGTERM')
    assert.equal(await first.ended, 4)
    await withState(migration.folder, async (state) => {
      const status = await backfillStatus(state, { isRunning: false })
      assert.equal(status.state, 'stopped')
      assert.ok(status.totals.read < 500)
    })
    resetProxy()
    const second = spawnBackfill(migration, { url, options })
    assert.equal(await second.ended, 0)
    await assertEqual(migration)
  },
)

test('a stop noted in the state by another shell ends the run cleanly', { skip }, async () => {
  resetProxy()
  const migration = await ready(names.noted)
  const url = proxy.url
  // The first bulks pass, then the target does not answer any more.
  proxy.fate = ({ number }) => (number < 5 ? 'relay' : 'hold')
  const stuck = Promise.withResolvers<void>()
  proxy.onAnswered = ({ number }) => number === 4 && stuck.resolve()
  const first = spawnBackfill(migration, { url, options })
  await stuck.promise
  assert.equal(currentWriter(migration.folder)?.pid, first.child.pid)
  const note = await openSqliteStore(migration.folder, 'note')
  assert.equal((await backfillStatus(note, { isRunning: true })).state, 'running')
  await requestStop(note)
  await note.close()
  assert.equal(await first.ended, 4)
  resetProxy()
  assert.equal(await spawnBackfill(migration, { url, options }).ended, 0)
  await assertEqual(migration)
})

test(
  `kill -9 at ${kills} random moments: a second run ends equal and repeats little`,
  { skip },
  async (t) => {
    const migration = await ready(...killed)
    const url = proxy.url
    const random = randomFrom(Date.now() % 2147483647, (seed) => t.diagnostic(`seed ${seed}`))
    for (const index of killed) {
      resetProxy()
      const threads = killed.indexOf(index) % 5 === 4 ? 2 : 1
      const job = { url, options: { ...options, threads }, indices: [index] }
      const first = spawnBackfill(migration, job)
      await killAtRandomMoment(first.child, random, first.started)
      assert.ok(['SIGKILL', 0].includes(await first.ended))
      const state = await openSqliteStore(migration.folder, 'read')
      const status = await backfillStatus(state, { isRunning: false })
      assert.ok(['none', 'interrupted', 'done'].includes(status.state), status.state)
      await state.close()
      proxy.fate = () => 'relay'
      proxy.onAnswered = () => {}
      const second = spawnBackfill(migration, job)
      assert.equal(await second.ended, 0)
      assertRepeatedLittle(threads)
    }
    await assertEqual(migration)
  },
)

/** Kills before, while or after the n-th bulk passes, or while nothing was sent yet. */
async function killAtRandomMoment(
  child: { kill(signal: 'SIGKILL'): boolean },
  random: (below: number) => number,
  started: Promise<unknown>,
): Promise<void> {
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const number = random(28)
  if (number === 0) {
    await started
    kill()
  } else if (random(2) === 0) {
    proxy.fate = (bulk) => {
      if (bulk.number === number) kill()
      return 'relay'
    }
  } else {
    proxy.onAnswered = (bulk) => {
      if (bulk.number === number) setImmediate(kill)
    }
  }
}

/** One checkpoint interval: the bulks that may be under way at once. */
function assertRepeatedLittle(threads: number): void {
  const documentsOfBulkMost = 30
  const interval = threads * options.bulksInFlightMax * documentsOfBulkMost
  const repeated = [...proxy.relayed.values()].filter((times) => times > 1)
  assert.ok(repeated.length <= interval, `${repeated.length} documents were sent twice`)
  assert.ok(repeated.every((times) => times === 2))
  assert.equal(proxy.relayed.size, 500)
}

test('refresh and replicas are put back, also after kill -9', { skip }, async () => {
  const index = names.fast
  for (const speedUpTarget of [true, false]) {
    resetProxy()
    await target.request('DELETE', `/${index}`, { accept: [404] })
    const migration = await ready(index)
    await send(targetEngine, 'PUT', `/${index}/_settings`, { 'index.number_of_replicas': 1 })
    assert.deepEqual(await speedOf(index), ['7s', '1'])
    proxy.onAnswered = () => first.child.kill('SIGKILL')
    const fast = { ...options, speedUpTarget: true }
    const first = spawnBackfill(migration, { url: proxy.url, options: fast })
    assert.equal(await first.ended, 'SIGKILL')
    assert.deepEqual(await speedOf(index), ['-1', '0'])
    resetProxy()
    const job = { url: proxy.url, options: { ...options, speedUpTarget } }
    assert.equal(await spawnBackfill(migration, job).ended, 0)
    assert.deepEqual(await speedOf(index), ['7s', '1'])
    await withState(migration.folder, async (state) => {
      const open = await openEntries(state)
      assert.deepEqual(
        open.filter(({ value }) => value.until === 'backfill'),
        [],
      )
    })
    await assertEqual(migration)
  }
})

type Settings = { [index: string]: { settings: { index: { [name: string]: string } } } }

async function speedOf(index: string): Promise<(string | undefined)[]> {
  const answer = await send<Settings>(targetEngine, 'GET', `/${index}/_settings`)
  const settings = answer[index]!.settings.index
  return [settings.refresh_interval, settings.number_of_replicas]
}

/** Whole numbers below a bound; the seed is told so that a failure can be had again. */
function randomFrom(start: number, tell: (seed: number) => void): (below: number) => number {
  tell(start)
  let seed = start
  return (below) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
}
