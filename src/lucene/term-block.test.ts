import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomSource, randomString } from '../../test/support/random-json.ts'
import type { ByteSource } from '../blob/byte-source.ts'
import { CorruptData, MigrationError } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import { SortedTerms } from './sorted-terms.ts'
import { readTermBlock } from './term-block.ts'

const form54 = Buffer.concat([
  // length, bytes; what follows of each less one, of 15; (shared with the first, bytes)*
  Buffer.from([3, ...Buffer.from('abc'), 1, 0, ...new Array<number>(13).fill(0)]),
  Buffer.from([2, ...Buffer.from('de'), 0, ...Buffer.from('x')]),
])
const long = 'y'.repeat(40)
const form70 = Buffer.concat([
  Buffer.from([3, ...Buffer.from('abc'), 2 | (1 << 4), ...Buffer.from('de')]),
  // 15 or more of what follows: the rest behind it. Shared with the one before.
  Buffer.from([3 | (15 << 4), 24, ...Buffer.from(long)]),
  Buffer.from([15 | (0 << 4), 28, ...Buffer.from('z')]),
])

test('terms of a block share the beginning of the first, or of the one before', () => {
  const read = (bytes: Buffer, form: 'v54' | 'v70', count: number): string[] =>
    readTermBlock(new Cursor('dvd', bytes), form, count).map(String)
  assert.deepEqual(read(form54, 'v54', 3), ['abc', 'abde', 'x'])
  assert.deepEqual(read(form70, 'v70', 4), ['abc', 'abde', `abd${long}`, `abd${long}z`])
})

test('a block that is cut short, or shares more than there is, is corrupt', () => {
  for (const [bytes, form, count] of [
    [form54, 'v54', 3],
    [form70, 'v70', 4],
  ] as const) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = new Cursor('dvd', bytes.subarray(0, length))
      assert.throws(() => readTermBlock(cut, form, count), CorruptData)
    }
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const flipped = Buffer.from(bytes)
        flipped[at]! ^= mask
        try {
          for (const term of readTermBlock(new Cursor('dvd', flipped), form, count)) {
            assert.ok(term.length <= bytes.length + 255)
          }
        } catch (error) {
          assert.ok(error instanceof MigrationError)
        }
      }
    }
  }
})

test('values are found by number, however their blocks lie', async () => {
  const random = randomSource(7)
  const terms = Array.from({ length: 1000 }, (_, n) => `${n + 1000}${randomString(random, 30)}`)
  const bytes = encode70(terms)
  const head = Buffer.alloc(5)
  const source = sourceOf(Buffer.concat([head, bytes]))
  const where = { offset: 5, byteLength: bytes.length, count: terms.length }
  const found = new SortedTerms(source, { kind: 'blocks', form: 'v70', ...where })
  for (const n of [0, 999, 16, 15, 500, 501, 0]) {
    assert.equal(String(await found.read(n)), terms[n])
  }
  await assert.rejects(found.read(1000), CorruptData)
  const fixed = new SortedTerms(source, { kind: 'fixed', offset: 1, count: 2, termBytes: 2 })
  assert.equal((await fixed.read(1)).length, 2)
  const many = { kind: 'blocks', form: 'v70', ...where, count: 2 ** 31 } as const
  assert.throws(() => new SortedTerms(source, many), CorruptData)
})

/** As Lucene 7 writes them. */
function encode70(terms: readonly string[]): Buffer {
  const parts: Buffer[] = []
  for (const [n, text] of terms.entries()) {
    const term = Buffer.from(text)
    if (n % 16 === 0) {
      parts.push(Buffer.from([term.length]), term)
      continue
    }
    const before = Buffer.from(terms[n - 1]!)
    let shared = 0
    while (shared < before.length && before[shared] === term[shared]) shared++
    const rest = term.subarray(shared)
    parts.push(Buffer.from([Math.min(shared, 15) | (Math.min(rest.length - 1, 15) << 4)]))
    if (shared >= 15) parts.push(Buffer.from([shared - 15]))
    if (rest.length >= 16) parts.push(Buffer.from([rest.length - 16]))
    parts.push(rest)
  }
  return Buffer.concat(parts)
}

function sourceOf(bytes: Buffer): ByteSource {
  return {
    name: 'dvd',
    byteLength: bytes.length,
    read: async (offset, length) => {
      assert.ok(offset + length <= bytes.length)
      return bytes.subarray(offset, offset + length)
    },
    close: async () => {},
  }
}
