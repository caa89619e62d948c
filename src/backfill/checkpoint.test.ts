import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Checkpoint } from './checkpoint.ts'
import type { WorkItem } from './records.ts'

const item: WorkItem = {
  index: 'a',
  shard: 0,
  segment: '_0',
  fromDoc: 0,
  toDoc: 100,
  storedBytes: 1000,
  checkpoint: 0,
  done: false,
  read: 0,
  written: 0,
  failed: 0,
  sourceBytes: 0,
}
const ten = {
  read: 10,
  written: 9,
  failed: 1,
  withoutSource: 2,
  withTimestamp: 3,
  sourceBytes: 100,
}

test('the checkpoint never passes a batch without an answer', () => {
  const checkpoint = new Checkpoint(item)
  const [first, second, third] = [10, 20, 30].map((toDoc) => checkpoint.add(toDoc))
  checkpoint.settle(second!, ten)
  checkpoint.settle(third!, ten)
  assert.equal(checkpoint.item.checkpoint, 0)
  assert.equal(checkpoint.item.read, 0)
  checkpoint.settle(first!, ten)
  assert.equal(checkpoint.item.checkpoint, 30)
  assert.equal(checkpoint.item.read, 30)
  assert.equal(checkpoint.item.done, false)
})

test('any order of answers gives the same end, and every step stays below what is open', () => {
  let seed = 5
  const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647
  for (let round = 0; round < 200; round++) {
    const checkpoint = new Checkpoint(item)
    const open = Array.from({ length: 10 }, (_, i) => checkpoint.add((i + 1) * 10))
    while (open.length > 0) {
      const [stretch] = open.splice(Math.floor(random() * open.length), 1)
      checkpoint.settle(stretch!, ten)
      const lowest = Math.min(...open.map(({ toDoc }) => toDoc - 10))
      assert.equal(checkpoint.item.checkpoint, Math.min(100, lowest))
    }
    assert.deepEqual(checkpoint.item, {
      ...item,
      checkpoint: 100,
      done: true,
      read: 100,
      written: 90,
      failed: 10,
      withoutSource: 20,
      withTimestamp: 30,
      sourceBytes: 1000,
    })
  }
})

test('the checksum is that of the checkpoint, and goes where it is not known', () => {
  const checkpoint = new Checkpoint(item)
  const stretches = [7, 8, undefined].map((crc, i) => checkpoint.add((i + 1) * 10, crc))
  checkpoint.settle(stretches[1]!, ten)
  assert.equal(checkpoint.item.crc, undefined)
  checkpoint.settle(stretches[0]!, ten)
  assert.equal(checkpoint.item.crc, 8)
  checkpoint.settle(stretches[2]!, ten)
  assert.ok(!('crc' in checkpoint.item))
})
