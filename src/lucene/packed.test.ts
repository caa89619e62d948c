import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import {
  checkDirectWidth,
  packedAt,
  packedBigAt,
  packedBytes,
  readMonotonicMeta,
  unpackMonotonic,
} from './packed.ts'

/** Packs values as Lucene does: big-endian, without gaps. */
function pack(values: readonly bigint[], bits: number): Buffer {
  const text = values.map((value) => value.toString(2).padStart(bits, '0')).join('')
  const bytes = Buffer.alloc(packedBytes(values.length, bits))
  for (let i = 0; i < text.length; i++) if (text[i] === '1') bytes[i >> 3]! |= 128 >> (i & 7)
  return bytes
}

test('values of every width come back', () => {
  for (let bits = 1; bits <= 64; bits++) {
    const top = (1n << BigInt(bits)) - 1n
    const values = [0n, top, 1n, top >> 1n, 5n & top, top - 1n, top ^ (5n & top)]
    const packed = pack(values, bits)
    values.forEach((value, i) => {
      assert.equal(packedBigAt(packed, 0, bits, i), value)
      if (bits <= 45 || bits === 48) assert.equal(packedAt(packed, 0, bits, i), Number(value))
    })
  }
})

test('a width that DirectWriter never writes is refused', () => {
  checkDirectWidth('f', 0, 12)
  for (const bits of [0, 3, 64 + 1])
    assert.throws(() => checkDirectWidth('f', 7, bits), CorruptData)
})

test('a monotonic sequence is min, slope and packed rest', () => {
  const meta = Buffer.alloc(42)
  meta.writeBigInt64BE(100n, 0)
  meta.writeFloatBE(2.5, 8)
  meta.writeBigInt64BE(0n, 12)
  meta[20] = 4
  meta.writeBigInt64BE(1000n, 21)
  meta.writeFloatBE(1, 29)
  meta.writeBigInt64BE(2n, 33)
  meta[41] = 0
  const blocks = readMonotonicMeta(new Cursor('f', meta), 6, 2)
  const data = new Cursor('f', pack([0n, 1n, 2n, 3n], 4))
  const values = unpackMonotonic(data, blocks, { count: 6, blockShift: 2 })
  assert.deepEqual([...values], [100, 103, 107, 110, 1000, 1001])
  const short = new Cursor('f', new Uint8Array(1))
  assert.throws(() => unpackMonotonic(short, blocks, { count: 6, blockShift: 2 }), CorruptData)
})
