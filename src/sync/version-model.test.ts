/** The version rule as a model: test/support/sync-model.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  actors,
  conditions,
  events,
  SyncModel,
  type Condition,
  type ConditionRow,
  type Rules,
  type World,
} from '../../test/support/sync-model.ts'

/** MODEL_RUNS=100000 for a longer look. */
const runs = Number(process.env.MODEL_RUNS ?? 1500)
const runsUntilFound = 20_000

const all = Object.fromEntries(Object.keys(conditions).map((name) => [name, true])) as Rules

const choices = fc.array(fc.nat(9999), { minLength: 10, maxLength: 120, size: 'max' })
const anyWorld = {
  operations: fc.integer({ min: 2, max: 8 }),
  haste: fc.array(fc.constantFrom(1, 4, 16), { minLength: actors, maxLength: actors }),
}

/** Throws with what is not equal and all that led to it. */
function mustEndEqual(rules: Rules, world: World, steps: readonly number[]): void {
  const model = new SyncModel(rules, world)
  for (const choice of steps) model.step(choice)
  model.drain()
  const differences = model.differences()
  if (differences.length > 0) throw new Error([...differences, ...model.steps].join('\n'))
}

test('any interleaving, repetition and delay ends equal', () => {
  const world = fc.record({ ...anyWorld, events: fc.subarray([...events]) })
  const property = fc.property(world, choices, (...one) => mustEndEqual(all, ...one))
  fc.assert(property, { numRuns: runs })
})

for (const [condition, row] of Object.entries(conditions) as [Condition, ConditionRow][]) {
  test(`not without this: ${row.sentence}`, (t) => {
    const rules = { ...all, [condition]: false }
    const given = row.world && {
      operations: fc.constant(row.world.operations),
      haste: fc.constant(row.world.haste),
    }
    const world = fc.record({ ...(given ?? anyWorld), events: fc.constant(row.events) })
    const property = fc.property(world, choices, (...one) => mustEndEqual(rules, ...one))
    const found = fc.check(property, {
      numRuns: runsUntilFound,
      seed: row.seed ?? 1,
      endOnFailure: true,
    })
    assert.ok(found.failed, 'some interleaving ends unequal')
    t.diagnostic(`after ${found.numRuns} runs`)
  })
}
