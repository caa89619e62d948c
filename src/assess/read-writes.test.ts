import assert from 'node:assert/strict'
import test from 'node:test'
import { writesBetween } from './read-writes.ts'

const counters = (atMs: number, counts: Record<string, number>, translogOperations = 0) => ({
  atMs,
  byIndex: new Map(Object.entries(counts)),
  translogBytes: translogOperations * 500,
  translogOperations,
})
const all = new Set(['a', 'b', 'c'])

test('writes are what was counted between two looks, the busiest index first', () => {
  const first = counters(1000, { a: 10, b: 0 })
  const found = writesBetween(first, counters(3000, { a: 12, b: 6, c: 2 }, 200), all)
  assert.equal(found.writesPerSecond, 5)
  assert.deepEqual(
    found.indices.map(({ index }) => index),
    ['b', 'a', 'c'],
  )
  assert.equal(found.bytesPerSecond, 2500)
})

test('an index made anew, whose counter is smaller, counts as not written to', () => {
  const found = writesBetween(counters(0, { a: 10 }), counters(1000, { a: 3 }), all)
  assert.deepEqual(found.indices, [])
  assert.equal(found.bytesPerSecond, 0)
})

test('only what is selected counts', () => {
  const found = writesBetween(counters(0, {}), counters(1000, { a: 3, z: 5 }), all)
  assert.equal(found.writesPerSecond, 3)
})

test('few operations do not tell the size of one', () => {
  const found = writesBetween(counters(0, {}), counters(1000, { a: 3 }, 3), all)
  assert.match(JSON.stringify(found.bytesPerSecond), /too few/)
})
