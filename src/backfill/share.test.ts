import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import {
  cutBytesMin,
  parseShare,
  shareOfShard,
  shareText,
  stretchesOfShare,
  type SplitSegment,
} from './share.ts'

test('parseShare() reads NUMBER/OF and refuses everything else by name', () => {
  assert.deepEqual(parseShare('2/5'), { number: 2, of: 5 })
  assert.equal(shareText(parseShare('2/5')), '2/5')
  assert.equal(shareText(parseShare(undefined)), null)
  for (const text of ['0/5', '6/5', '1/0', '1/1001', '5', '2/5/7', '-1/5', ' 1/2', '1.5/2', '']) {
    assert.throws(
      () => parseShare(text),
      (error) => error instanceof MigrationError && error.code === 'MA_CONFIG',
      text,
    )
  }
})

/** Numbers in [0, 1) that follow from the seed alone. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test('shares never overlap, together they hold every document, and they are of equal bytes', () => {
  const seed = randomInt(2 ** 31)
  const random = randomOf(seed)
  const below = (max: number): number => Math.floor(random() * max)
  for (let round = 0; round < 500; round++) {
    const segments: SplitSegment[] = Array.from({ length: below(20) }, (_, i) => {
      const maxDoc = [0, 1, 2, below(100), below(2 ** 31)][below(5)]!
      return { name: `_${i}`, maxDoc, storedBytes: [0, below(1000), below(2 ** 40)][below(3)]! }
    })
    const of = 1 + below(12)
    const reached = new Map<string, number>()
    const total = segments.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
    const largestDocument = Math.max(
      0,
      ...segments.map(({ storedBytes, maxDoc }) => storedBytes / Math.max(1, maxDoc)),
    )
    for (let number = 1; number <= of; number++) {
      const text = `seed ${seed}, round ${round}, share ${number}/${of}`
      const stretches = stretchesOfShare(segments, { number, of })
      assert.deepEqual(stretches, stretchesOfShare(segments, { number, of }), text)
      let bytes = 0
      for (const { segment, fromDoc, toDoc, storedBytes } of stretches) {
        assert.equal(fromDoc, reached.get(segment) ?? 0, `${text}, ${segment}`)
        assert.ok(fromDoc < toDoc, text)
        reached.set(segment, toDoc)
        bytes += storedBytes
      }
      const slack = largestDocument * 2 + 2 * segments.length + of
      assert.ok(
        Math.abs(bytes - total / of) <= slack + total * 1e-9 || hasNoDocuments(segments),
        text,
      )
    }
    for (const { name, maxDoc } of segments) {
      assert.equal(reached.get(name) ?? 0, maxDoc, `seed ${seed}, round ${round}, ${name}`)
    }
  }
})

/** Bytes without documents belong to nobody. */
function hasNoDocuments(segments: readonly SplitSegment[]): boolean {
  return segments.some(({ maxDoc, storedBytes }) => maxDoc === 0 && storedBytes > 0)
}

test('a small shard is done by one share whole, neighbours by different ones; a large one by all', () => {
  const numbers = [1, 2, 3, 4, 5]
  const owners = new Set<number>()
  for (let shard = 0; shard < 5; shard++) {
    const small = { sourceUuid: 'TpCDUmIcS0ilLVCdpv2PSQ', shard, byteLength: cutBytesMin - 1 }
    const of = 5
    const parts = numbers.map((number) => shareOfShard(small, { number, of }))
    assert.deepEqual(parts.toSorted(), ['none', 'none', 'none', 'none', 'whole'])
    owners.add(parts.indexOf('whole'))
    const large = { ...small, byteLength: cutBytesMin }
    assert.ok(numbers.every((number) => shareOfShard(large, { number, of }) === 'part'))
    assert.equal(shareOfShard(large, { number: 1, of: 1 }), 'whole')
  }
  assert.equal(owners.size, 5)
})
