import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexWork } from './plan.ts'
import type { WorkItem } from './records.ts'
import { Schedule } from './schedule.ts'

function index(name: string, shards: number, items: readonly WorkItem[] = []): IndexWork {
  return {
    record: { index: name },
    target: {},
    shards: Array.from({ length: shards }, (_, shard) => ({
      index: name,
      shard,
      byteLength: 1,
      state: items.some((one) => one.shard === shard) ? 'planned' : 'open',
      error: null,
    })),
    items: [...items],
  } as unknown as IndexWork
}

function item(name: string, shard: number, fromDoc: number, done = false): WorkItem {
  return { index: name, shard, segment: '_0', fromDoc, done } as WorkItem
}

test('a shard is opened before any item of it is given out', async () => {
  const schedule = new Schedule([index('a', 2)])
  const worker = {}
  const first = await schedule.next(worker)
  assert.deepEqual(first?.kind === 'open' && first.shard, { index: 'a', shard: 0 })
  schedule.opened({ index: 'a', shard: 0 }, [item('a', 0, 0), item('a', 0, 5)])
  const kinds = [
    await schedule.next(worker),
    await schedule.next(worker),
    await schedule.next(worker),
  ]
  assert.deepEqual(
    kinds.map((task) => task?.kind),
    ['item', 'item', 'open'],
  )
})

test('a second worker opens another shard, then helps with what the first has opened', async () => {
  const schedule = new Schedule([index('a', 2)])
  const [first, second] = [{}, {}]
  await schedule.next(first)
  const other = await schedule.next(second)
  assert.deepEqual(other?.kind === 'open' && other.shard.shard, 1)
  schedule.opened({ index: 'a', shard: 1 }, [])
  const waiting = schedule.next(second)
  schedule.opened({ index: 'a', shard: 0 }, [item('a', 0, 0), item('a', 0, 5)])
  const help = await waiting
  assert.equal(help?.kind === 'item' && help.item.shard, 0)
})

test('what is done is not opened again, and nothing left means the end', async () => {
  const done = index('a', 1, [item('a', 0, 0, true)])
  assert.equal(await new Schedule([done]).next({}), undefined)
  const half = new Schedule([index('a', 1, [item('a', 0, 0, true), item('a', 0, 5)])])
  assert.equal((await half.next({}))?.kind, 'open')
})

test('drop() takes off a shard, an index or all, and ends a wait', async () => {
  const schedule = new Schedule([index('a', 2), index('b', 1), index('c', 1)])
  schedule.drop({ index: 'a', shard: 0 })
  schedule.drop({ index: 'b' })
  const worker = {}
  const shards = [await schedule.next(worker), await schedule.next(worker)].map(
    (task) => task?.kind === 'open' && `${task.shard.index}/${task.shard.shard}`,
  )
  assert.deepEqual(shards, ['a/1', 'c/0'])
  const waiting = schedule.next({})
  schedule.drop()
  assert.equal(await waiting, undefined)
})
