import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentBlock, type BlockDocument } from '../../test/support/document-block.ts'
import { findEqualIds } from './equal-ids.ts'
import type { ShardReader } from './shard-reader.ts'

/** A shard of two segments. */
function shardOf(documents: readonly Omit<BlockDocument, 'doc'>[]): ShardReader {
  const half = Math.ceil(documents.length / 2)
  const halves = [documents.slice(0, half), documents.slice(half)]
  const reader: Partial<ShardReader> = {
    segments: halves.map(({ length }, i) => {
      return {
        name: `_${i}`,
        luceneVersion: '6.6.1',
        maxDoc: length,
        liveCount: length,
        storedBytes: 0,
      }
    }),
    readBlocks: async function* (name) {
      const own = halves[Number(name.slice(1))]!
      yield documentBlock(own.map((one, doc) => ({ doc, ...one })))
    },
  }
  return reader as ShardReader
}

const many = Array.from({ length: 4000 }, (_, n) => ({ id: `d${n}`, type: n % 2 ? 'a' : 'b' }))

test('ids of several documents are counted once each, however they are looked for', async () => {
  const twins = ['d7', 'd7', 'd3999', 'd12'].map((id) => ({ id, type: 'c' }))
  for (const bits of [2 ** 28, 8192, 2048]) {
    const { count, examples } = await findEqualIds(shardOf([...many, ...twins]), null, { bits })
    assert.deepEqual([count, [...examples].sort()], [3, ['d12', 'd3999', 'd7']], `${bits} bits`)
  }
})

test('no two are equal, or those that are equal are of types that do not count', async () => {
  const none = { count: 0, isLeast: false, examples: [] }
  assert.deepEqual(await findEqualIds(shardOf(many), null), none)
  assert.deepEqual(await findEqualIds(shardOf([]), null), none)
  const twins = [...many, { id: 'd1', type: 'c' }]
  assert.equal((await findEqualIds(shardOf(twins), ['b', 'c'])).count, 0)
  assert.equal((await findEqualIds(shardOf(twins), ['a', 'c'])).count, 1)
})

test('where very many are equal it is enough to know that they are many', async () => {
  const all = [...many, ...many.map(({ id }) => ({ id, type: 'c' }))]
  const { count, isLeast, examples } = await findEqualIds(shardOf(all), null, { held: 100 })
  assert.deepEqual([count, isLeast, examples.length], [100, true, 5])
  // None are, and too many look alike for what may be held: they are looked at in more parts.
  const none = await findEqualIds(shardOf(many), null, { bits: 2 ** 16, held: 100 })
  assert.deepEqual([none.count, none.isLeast], [0, false])
})

test('looking for them ends when it is stopped', async () => {
  const signal = AbortSignal.abort(new Error('stopped'))
  await assert.rejects(findEqualIds(shardOf(many), null, { signal }), /stopped/)
})
