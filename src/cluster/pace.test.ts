import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { Pace } from './pace.ts'

const never = new AbortController().signal
const quick = { latencyMs: 10 }

async function rounds(pace: Pace, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await pace.enter(never)
    pace.leave(quick)
  }
}

test('the limit goes up by one a round to the maximum, and is halved by a push-back', async () => {
  const pace = new Pace(8)
  assert.equal(pace.limit, 2)
  await rounds(pace, 3)
  assert.ok(pace.limit > 3 && pace.limit < 3.5)
  await rounds(pace, 100)
  assert.equal(pace.limit, 8)
  pace.pushBack()
  assert.equal(pace.limit, 4)
  for (let i = 0; i < 10; i++) pace.pushBack()
  assert.equal(pace.limit, 1)
})

test('an answer that took very long counts as a push-back', async () => {
  const pace = new Pace(8)
  await rounds(pace, 100)
  await pace.enter(never)
  pace.leave({ latencyMs: 20_000 })
  assert.equal(pace.limit, 4)
})

test('enter() waits for a place, in order, and never lets more in than the limit', async () => {
  const pace = new Pace(2)
  const order: number[] = []
  let most = 0
  const work = async (i: number): Promise<void> => {
    await pace.enter(never)
    order.push(i)
    most = Math.max(most, pace.underWay)
    await new Promise(setImmediate)
    pace.leave(quick)
  }
  await Promise.all(Array.from({ length: 20 }, (_, i) => work(i)))
  assert.equal(order.length, 20)
  assert.equal(most, 2)
})

test('enter() ends with MA_STOPPED when the signal comes first', async () => {
  const pace = new Pace(1)
  await pace.enter(never)
  const stop = new AbortController()
  const waiting = pace.enter(stop.signal)
  stop.abort()
  await assert.rejects(
    waiting,
    (error) => error instanceof MigrationError && error.code === 'MA_STOPPED',
  )
  assert.equal(pace.underWay, 1)
})
