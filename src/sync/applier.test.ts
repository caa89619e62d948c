import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { ModelSource, ModelTarget, type Dice } from '../../test/support/model-clusters.ts'
import { MigrationError } from '../base/errors.ts'
import type { TargetIndex } from '../state/records.ts'
import { openSqliteStore } from '../state/sqlite-store.ts'
import { Applier } from './applier.ts'
import type { ApplierInput } from './applier-input.ts'
import type { Change } from './change.ts'
import { KeptDeletes } from './kept-deletes.ts'
import type { RefusedDocument } from './lane-worker.ts'
import { ReadBudget } from './read-budget.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-applier-'))
const state = await openSqliteStore(folder, 'write')
after(async () => {
  await state.close()
  rmSync(folder, { recursive: true })
})

const place: TargetIndex = {
  ...{ index: 'i', targetIndex: 'i', sourceUuid: 'u', targetUuid: 't', epochBase: 0 },
  ...{ fenceAlias: 'osmigrate-u-0', sourceShards: 1, targetShards: 1, mayHoldRouted: true },
  ...{ sourceForm: 'full', sourceDocuments: null, withheld: {} },
}

async function applierBetween(
  source: ModelSource,
  target: ModelTarget,
  input: Partial<ApplierInput> = {},
) {
  const kept = await KeptDeletes.open(state)
  const letters: RefusedDocument[] = []
  const accounted = new Set<number>()
  const stop = new AbortController()
  const waits: string[] = []
  const applier = new Applier({
    ...{ source, target, state, kept, signal: stop.signal },
    view: { index: () => source.index, shards: async () => new Map([['i', source.shards]]) },
    places: { placesOf: async () => [{ target: place }] },
    accounts: { acknowledged: (_, { seqNos }) => seqNos.forEach((one) => accounted.add(one)) },
    options: {
      ...{ memoryMax: 1e6, bulkBytesMax: 2000, lanes: 3 },
      waitMaxMs: 10_000,
    },
    budget: new ReadBudget(1e6),
    onWait: (key, what) => what !== undefined && waits.push(`${key}: ${what}`),
    onDeadLetter: async (refused) => void letters.push(refused),
    ...input,
  })
  return { applier, kept, letters, accounted, stop, waits }
}

/** Draws from a list, then zero. */
function diceOf(numbers: readonly number[]): Dice {
  let at = 0
  return () => (at < numbers.length ? numbers[at++]! / 10_000 : 0)
}

/** What a client does, and when the change comes to the applier: at its place in this order, some of them twice. */
const steps = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    what: fc.constantFrom('write', 'write', 'delete', 'unknown', 'bypass'),
    at: fc.nat(1000),
    twiceAt: fc.option(fc.nat(1000), { freq: 3 }),
    forgets: fc.boolean(),
    waits: fc.nat(3),
  }),
  { minLength: 1, maxLength: 30 },
)

test('any order, delay and repetition of changes ends with what the source holds', async () => {
  const property = fc.asyncProperty(
    steps,
    fc.array(fc.nat(9999), { maxLength: 200 }),
    async (happened, numbers) => {
      const dice = diceOf(numbers)
      const source = new ModelSource(dice)
      const target = new ModelTarget(dice, 0)
      const { applier, kept, letters, accounted, stop } = await applierBetween(source, target)
      const arrivals = happened.flatMap(({ id, what, at, twiceAt, ...step }, n) => {
        const change = what === 'delete' ? source.delete(id) : source.write(id, n)
        const told: Change = what === 'write' || what === 'delete' ? change : unknownOf(change)
        const again = twiceAt === null ? [] : [{ at: twiceAt, told, ...step }]
        return [{ at, told, ...step }, ...again]
      })
      let open = 0
      for (const { told, forgets, waits } of arrivals.toSorted((one, two) => one.at - two.at)) {
        open++
        await applier.add([told], () => open--)
        for (let turn = 0; turn < waits; turn++) await new Promise(setImmediate)
        if (forgets) target.forgetTombstones()
      }
      await applier.flush()
      assert.equal(open, 0)
      await kept.closeGeneration(1)
      await kept.reapply({
        hasPassed: () => true,
        isFilled: async () => true,
        apply: (deletes) => applier.applyAgain(deletes),
      })
      const expected = [...source.documents].map(([id, { n }]) => [id, { n }])
      assert.deepEqual([...target.documents()].toSorted(), expected.toSorted())
      assert.deepEqual(letters, [])
      for (const { told } of arrivals) if (told.seqNo) assert.ok(accounted.has(told.seqNo))
      assert.equal(applier.figures.heldBytes, 0)
      applier.close()
      stop.abort()
    },
  )
  await fc.assert(property, { numRuns: Number(process.env.MODEL_RUNS ?? 150) })
})

/** No answer came: it has neither number nor text. */
function unknownOf({ index, id, routing }: Change): Change {
  return { index, id, routing, what: 'read' }
}

const steady = (): Dice => () => 0.5

test('changes of a document that wait are one item, and all of their numbers are accounted', async () => {
  const source = new ModelSource(steady())
  const target = new ModelTarget(steady(), 0)
  const { applier, accounted } = await applierBetween(source, target)
  const settled: boolean[] = []
  for (let n = 0; n < 100; n++) {
    await applier.add([source.write('a', n)], (taken) => settled.push(taken))
  }
  await applier.flush()
  assert.equal(settled.length, 100)
  assert.equal(accounted.size, 100)
  assert.deepEqual(target.documents().get('a'), { n: 99 })
  assert.ok(applier.figures.coalesced >= 98, String(applier.figures.coalesced))
  applier.close()
})

test('add() waits while as much is held as memory has room for, and lets through what alone is larger', async () => {
  const source = new ModelSource(steady())
  const target = new ModelTarget(steady(), 0)
  const options = { memoryMax: 1000, bulkBytesMax: 500, lanes: 2, waitMaxMs: 1000 }
  const { applier } = await applierBetween(source, target, { options })
  let most = 0
  for (let n = 0; n < 50; n++) {
    await applier.add([source.write(`id${n}`, n)], () => {})
    most = Math.max(most, applier.figures.heldBytes)
  }
  const large = { ...source.write('large', 1), source: Buffer.from(`{"n":"${'x'.repeat(5000)}"}`) }
  await applier.add([large], () => {})
  await applier.flush()
  assert.ok(most < 2000, String(most))
  assert.equal(target.documents().size, 51)
  applier.close()
})

test('an index that waits holds up no other, is told by name, and is given up when it has waited too long', async () => {
  const source = new ModelSource(steady())
  const target = new ModelTarget(steady(), 0)
  const other = { ...source.index, name: 'other', uuid: 'o' }
  const indices = new Map([
    ['i', source.index],
    ['other', other],
  ])
  const ofOther = { ...place, index: 'other', sourceUuid: 'o', fenceAlias: 'osmigrate-o-0' }
  const { applier, waits } = await applierBetween(source, target, {
    view: {
      index: (name) => indices.get(name),
      shards: async () => new Map([['i', source.shards]]),
    },
    places: {
      placesOf: async (name) =>
        name === 'i' ? { waiting: 'its mapping is refused' } : [{ target: ofOther }],
    },
    options: {
      ...{ memoryMax: 1e6, bulkBytesMax: 2000, lanes: 1 },
      waitMaxMs: 300,
    },
  })
  const settled: string[] = []
  await applier.add([source.write('a', 1)], (taken) => settled.push(`i ${taken}`))
  const change = { ...source.write('b', 2), index: 'other' }
  await applier.add([change], (taken) => settled.push(`other ${taken}`))
  await applier.flush()
  assert.deepEqual(settled, ['other true', 'i false'])
  assert.ok(waits.includes('index i: its mapping is refused'))
  const stopped = (): string[] => applier.stopped.map(({ index, why }) => `${index}: ${why}`)
  assert.deepEqual(stopped(), ['i: its mapping is refused'])
  assert.deepEqual([applier.takes('i'), applier.takes('other')], [false, true])
  // What had to wait is tried again when somebody asks; what was given up by name is not.
  assert.equal(applier.tryAgain('i'), undefined)
  assert.deepEqual([applier.takes('i'), stopped()], [true, []])
  applier.giveUp('i', 'too many dead letters')
  assert.equal(applier.tryAgain('i'), 'too many dead letters')
  await applier.add([source.write('c', 3)], (taken) => settled.push(`i ${taken}`))
  assert.equal(settled.at(-1), 'i false')
  applier.resume('i')
  assert.deepEqual([applier.takes('i'), stopped()], [true, []])
  applier.close()
})

test('items whose shard has no primary just now are sent again, the others are settled meanwhile', async () => {
  const source = new ModelSource(steady())
  let seed = 7
  const dice = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647
  const target = new ModelTarget(dice, 0.3)
  const { applier, letters } = await applierBetween(source, target)
  const changes = Array.from({ length: 40 }, (_, n) => source.write(`id${n}`, n))
  let taken: boolean | undefined
  await applier.add(changes, (answer) => (taken = answer))
  await applier.flush()
  assert.equal(taken, true)
  assert.deepEqual(letters, [])
  assert.equal(target.documents().size, 40)
  applier.close()
})

test('a stop ends what waits, and flush() and add() say so', async () => {
  const source = new ModelSource(steady())
  const target = new ModelTarget(steady(), 1)
  const { applier, stop } = await applierBetween(source, target)
  await applier.add([source.write('a', 1)], () => assert.fail('it is not settled'))
  const flushed = applier.flush()
  stop.abort()
  const isStopped = (error: unknown): boolean =>
    error instanceof MigrationError && error.code === 'MA_STOPPED'
  await assert.rejects(flushed, isStopped)
  await assert.rejects(
    applier.add([], () => {}),
    isStopped,
  )
})

test('a version on the target that no number of the source explains is a dead letter', async () => {
  const source = new ModelSource(steady())
  const target = new ModelTarget(steady(), 0)
  const { applier, letters } = await applierBetween(source, target)
  target.held.set('foreign', { version: 1000, source: { n: 0 } })
  const known = source.write('known', 1)
  target.held.set('known', { version: 2, source: { n: 2 } })
  await applier.add([known, source.write('foreign', 2)], () => {})
  await applier.flush()
  assert.deepEqual(
    letters.map(({ id, cause }) => [id, cause]),
    [['foreign', 'version_conflict_engine_exception']],
  )
  applier.close()
})

test('what was told of before its target index was made anew is read, and its deletes mean nothing more', async () => {
  const source = new ModelSource(steady())
  const target = new ModelTarget(steady(), 0)
  let targetUuid = 't'
  const places = { placesOf: async () => [{ target: { ...place, targetUuid } }] }
  const { applier, kept, accounted } = await applierBetween(source, target, { places })
  await applier.add([source.write('a', 1)], () => {})
  await applier.add([source.delete('gone')], () => {})
  await applier.flush()
  // Restored: numbers begin anew, and what was told of in the old life still waits.
  const late = source.write('a', 2)
  const adding = applier.add([late], () => {})
  targetUuid = 'anew'
  target.held.clear()
  source.documents.set('a', { seqNo: 1, n: 5 })
  source.documents.set('gone', { seqNo: 0, n: 6 })
  await adding
  await applier.flush()
  assert.deepEqual(target.held.get('a'), { version: 2, source: { n: 5 } })
  assert.ok(!accounted.has(late.seqNo!))
  target.held.set('gone', { version: 1, source: { n: 6 } })
  await kept.closeGeneration(1)
  const reapplied = await kept.reapply({
    hasPassed: () => true,
    isFilled: async () => true,
    apply: (deletes) => applier.applyAgain(deletes),
  })
  assert.equal(reapplied, 1)
  assert.deepEqual([...target.documents().keys()], ['a', 'gone'])
  applier.close()
})
