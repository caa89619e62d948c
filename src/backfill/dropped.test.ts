import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countDropped, sumOf, type Dropped } from './dropped.ts'

const one = { count: 1, allowed: false }

test('drops are counted by reason, allowed ones apart, with the first id', () => {
  const list: Dropped[] = []
  for (const id of ['a', 'b']) countDropped(list, { ...one, reason: 'old', id })
  countDropped(list, { ...one, reason: 'old', id: 'c', allowed: true })
  assert.deepEqual(list, [
    { reason: 'old', count: 2, id: 'a', allowed: false },
    { reason: 'old', count: 1, id: 'c', allowed: true },
  ])
  assert.equal(sumOf(list), 3)
})

test('reasons without end are counted together, so that the list does not grow', () => {
  const list: Dropped[] = []
  for (let i = 0; i < 1000; i++) countDropped(list, { ...one, reason: `no ${i}`, id: `${i}` })
  assert.ok(list.length <= 21)
  assert.equal(sumOf(list), 1000)
  assert.equal(list.at(-1)!.reason, 'other reasons')
})

test('counting changes no other list', () => {
  const first: Dropped[] = []
  const second: Dropped[] = []
  countDropped(first, { ...one, reason: 'old', id: 'a' })
  for (const dropped of first) countDropped(second, dropped)
  countDropped(second, { ...one, reason: 'old', id: 'b' })
  assert.equal(first[0]!.count, 1)
})
