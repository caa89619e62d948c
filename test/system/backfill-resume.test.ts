/** The backfill is stopped and killed at many moments, goes on, and ends equal. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { requestStop } from '../../src/backfill/status.ts'
import { backfillStatus } from '../../src/backfill/status.ts'
import { openEntries } from '../../src/state/ledger.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import { currentHolder } from '../../src/base/folder-lock.ts'
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

/** Each of these is killed so many times, then left to end: 20 kills. */
const killsOfIndex = 4
const killed = Array.from({ length: 5 }, (_, i) => uniqueName(`killed${i}`))
const names = { held: uniqueName('held'), noted: uniqueName('noted'), fast: uniqueName('fast') }
const { repository, snapshot } = await makeWorld()

async function makeWorld(): Promise<Pick<ReadyMigration, 'repository' | 'snapshot'>> {
  for (const name of [...killed, names.held, names.noted]) {
    await makeIndex(sourceEngine, name)
    await putItems(sourceEngine, name, numbered(500))
    await putItems(sourceEngine, name, numbered(500, 500))
  }
  await makeIndex(sourceEngine, names.fast, { settings: { refresh_interval: '7s' } })
  await putItems(sourceEngine, names.fast, numbered(250))
  return makeSnapshot(source, [...killed, ...Object.values(names)])
}

/** About 50 bulks an index. */
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
      assert.ok(status.totals.read < 1000)
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
  assert.equal(currentHolder(migration.folder)?.pid, first.child.pid)
  const note = await openSqliteStore(migration.folder, 'note')
  assert.equal((await backfillStatus(note, { isRunning: true })).state, 'running')
  await requestStop(note)
  await note.close()
  assert.equal(await first.ended, 4)
  resetProxy()
  assert.equal(await spawnBackfill(migration, { url, options }).ended, 0)
  await assertEqual(migration)
})

test('kill -9 at 20 random moments: it ends equal, and repeats little', { skip }, async (t) => {
  const migration = await ready(...killed)
  const random = randomFrom(Date.now() % 2147483647, (seed) => t.diagnostic(`seed ${seed}`))
  for (const index of killed) {
    resetProxy()
    const threads = killed.indexOf(index) === 4 ? 2 : 1
    const job = { url: proxy.url, options: { ...options, threads }, indices: [index] }
    for (let kill = 0; kill <= killsOfIndex; kill++) {
      const before = new Map(proxy.relayed)
      proxy.fate = () => 'relay'
      proxy.onAnswered = () => {}
      proxy.bulks = 0
      const run = spawnBackfill(migration, job)
      if (kill < killsOfIndex) await killAtRandomMoment(run.child, random, run.started)
      assert.equal(await run.ended, kill < killsOfIndex ? 'SIGKILL' : 0)
      await assertInterrupted(migration, kill < killsOfIndex)
      assertRepeatedLittle(before, threads)
    }
    assert.equal(proxy.relayed.size, 1000)
  }
  await assertEqual(migration)
})

async function assertInterrupted({ folder }: ReadyMigration, isKilled: boolean): Promise<void> {
  const state = await openSqliteStore(folder, 'read')
  const { state: found } = await backfillStatus(state, { isRunning: false })
  await state.close()
  // Killed before it began, the record is still that of the index before.
  assert.ok((isKilled ? ['none', 'interrupted', 'done'] : ['done']).includes(found), found)
}

/** Kills before, while or after the n-th bulk passes, or while nothing was sent yet. */
async function killAtRandomMoment(
  child: { kill(signal: 'SIGKILL'): boolean },
  random: (below: number) => number,
  started: Promise<unknown>,
): Promise<void> {
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const number = random(10)
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

/** At most one checkpoint interval: the bulks that may be under way at once. */
function assertRepeatedLittle(before: ReadonlyMap<string, number>, threads: number): void {
  const documentsOfBulkMost = 30
  const interval = threads * options.bulksInFlightMax * documentsOfBulkMost
  const again = [...before].filter(([id, times]) => proxy.relayed.get(id)! > times)
  assert.ok(again.length <= interval, `${again.length} documents were sent again`)
  assert.ok(again.every(([id, times]) => proxy.relayed.get(id) === times + 1))
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

for (const { how, code } of [
  { how: 'a stop', code: 4 },
  { how: 'an error', code: 1 },
]) {
  test(`refresh and replicas are put back after ${how}`, { skip }, async () => {
    const index = names.fast
    resetProxy()
    await target.request('DELETE', `/${index}`, { accept: [404] })
    const migration = await ready(index)
    await send(targetEngine, 'PUT', `/${index}/_settings`, { 'index.number_of_replicas': 1 })
    let during: Promise<unknown> | undefined
    proxy.fate = ({ number }) => (number < 4 ? 'relay' : code === 4 ? 'hold' : { status: 401 })
    proxy.onAnswered = () => {
      during ??= speedOf(index)
      if (code === 4) void during.then(() => run.child.kill('SIGTERM'))
    }
    const fast = { ...options, speedUpTarget: true }
    const run = spawnBackfill(migration, { url: proxy.url, options: fast })
    assert.equal(await run.ended, code)
    assert.deepEqual(await during, ['-1', '0'])
    assert.deepEqual(await speedOf(index), ['7s', '1'])
    resetProxy()
    assert.equal(await spawnBackfill(migration, { url: proxy.url, options }).ended, 0)
    await assertEqual(migration)
  })
}

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
