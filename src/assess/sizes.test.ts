import assert from 'node:assert/strict'
import test from 'node:test'
import { sizeInCluster, sizesOf, sumOf } from './sizes.ts'

const table = {
  indices: new Map([
    ['open', { primaryBytes: 10, totalBytes: 20, documents: 3, unknownShards: 0 }],
    ['closed', { primaryBytes: 0, totalBytes: 0, documents: 0, unknownShards: 2 }],
  ]),
  primaries: [],
}
const shape = { numberOfShards: 2, replicas: 1 }
const open = sizeInCluster({ ...shape, name: 'open', state: 'open' }, table)
const closed = sizeInCluster({ ...shape, name: 'closed', state: 'close' }, table)

test('an index of unknown size is in no sum, and named with the reason', () => {
  const { primaryBytes, totalBytes, unsized, closedIndices, indices } = sizesOf([open, closed], [])
  assert.deepEqual([indices, closedIndices, primaryBytes, totalBytes], [2, 1, 10, 20])
  const reason = '2 primary shards of closed have no size: it is closed'
  assert.deepEqual(unsized, [{ index: 'closed', reason }])
})

test('where nothing is known the sum is unknown; nothing at all is zero', () => {
  assert.match(JSON.stringify(sizesOf([closed], []).primaryBytes), /it is closed/)
  assert.equal(sumOf([]), 0)
})

test('shards that may not be asked for leave all unknown for that reason', () => {
  const unknown = { unknown: 'a right is missing' }
  assert.deepEqual(
    sizeInCluster({ ...shape, name: 'open', state: 'open' }, unknown).documents,
    unknown,
  )
})
