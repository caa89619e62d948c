import assert from 'node:assert/strict'
import test from 'node:test'
import { Readings } from './readings.ts'

test('tells the checkpoint of a time, since when a number is below it, and up to when all is accounted for', () => {
  const readings = new Readings()
  readings.add({ at: 100, maxSeqNo: 10, globalCheckpoint: 8 })
  readings.add({ at: 200, maxSeqNo: 20, globalCheckpoint: 20 })
  assert.deepEqual(
    [99, 100, 199, 200, 999].map((time) => readings.checkpointAt(time)),
    [-1, 8, 8, 20, 20],
  )
  assert.deepEqual(
    [8, 9, 20, 21].map((number) => readings.since(number)),
    [100, 200, 200, undefined],
  )
  assert.deepEqual(
    [9, 10, 19, 20].map((number) => readings.coveredAt(number)),
    [undefined, 100, 100, 200],
  )
  readings.passed(15)
  assert.equal(readings.coveredAt(15), 100)
  readings.passed(20)
  assert.equal(readings.checkpointAt(199), -1)
  assert.equal(readings.newest?.at, 200)
  readings.clear()
  assert.equal(readings.newest, undefined)
})

test('holds a few however long it lasts, and never tells a checkpoint too early', () => {
  const readings = new Readings()
  for (let at = 0; at < 1000; at++) readings.add({ at, maxSeqNo: at + 5, globalCheckpoint: at })
  assert.equal(readings.newest?.at, 999)
  for (const time of [10, 500, 998, 999]) assert.ok(readings.checkpointAt(time) <= time)
  assert.ok(readings.since(500)! >= 500)
})
