import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceBrake } from './source-brake.ts'

const limits = { p99: 100, errorRate: 0.05 }

/** Answers one after the other, each as slow as said. */
function answered(brake: SourceBrake, ms: readonly number[], failed = false): void {
  let now = 0
  for (const one of ms) {
    const flight = brake.begin(now)
    now += one
    brake.end(flight, { now, failed })
  }
}

const many = (count: number, ms: number): number[] => new Array<number>(count).fill(ms)

test('it trips when more than one percent of the latest answers are slow', () => {
  const brake = new SourceBrake(limits)
  answered(brake, [...many(200, 5), 101, 101])
  assert.equal(brake.signal.aborted, false)
  answered(brake, [101])
  assert.ok(brake.signal.aborted)
  assert.equal(brake.reason, '3 of the latest 200 answers of the source took more than 100 ms')
})

test('slow answers that are long ago do not count', () => {
  const brake = new SourceBrake(limits)
  answered(brake, [101, 101, ...many(200, 5), 101, 101])
  assert.equal(brake.reason, undefined)
})

test('it trips on errors', () => {
  const brake = new SourceBrake(limits)
  answered(brake, many(20, 5))
  answered(brake, many(2, 5), true)
  assert.equal(brake.reason, undefined)
  answered(brake, many(1, 5), true)
  assert.equal(brake.reason, '3 of the latest 23 answers of the source were errors')
})

test('it trips on a source that does not answer at all', () => {
  const brake = new SourceBrake(limits)
  for (let i = 0; i < 3; i++) brake.begin(0)
  brake.check(100)
  assert.equal(brake.reason, undefined)
  brake.check(101)
  assert.match(brake.reason!, /^3 of the latest 3 answers .* more than 100 ms/)
})
