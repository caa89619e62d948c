import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { decompressLzf, isLzf } from './lzf.ts'

const options = { file: 'f', bytesMax: 1000 }
const chunk = (type: number, ...bytes: number[]): Buffer =>
  Buffer.from([0x5a, 0x56, type, ...bytes])

/** "abc", then 3 bytes from 3 back, 20 bytes from 1 back. */
const items = [2, 0x61, 0x62, 0x63, 1 << 5, 2, 7 << 5, 11, 0]
const compressed = chunk(1, 0, items.length, 0, 26, ...items)

test('literals and repetitions, short and long', () => {
  assert.equal(decompressLzf(compressed, options).toString(), 'abcabc' + 'c'.repeat(20))
})

test('chunks follow one another, plain ones too', () => {
  const both = Buffer.concat([chunk(0, 0, 2, 0x78, 0x79), compressed])
  assert.ok(isLzf(both))
  assert.equal(decompressLzf(both, options).toString(), 'xyabcabc' + 'c'.repeat(20))
})

test('every cut, every flipped bit and too much output is a typed error or other bytes', () => {
  for (let length = 1; length < compressed.length; length++) {
    assert.throws(() => decompressLzf(compressed.subarray(0, length), options), CorruptData)
  }
  assert.throws(() => decompressLzf(compressed, { file: 'f', bytesMax: 25 }), CorruptData)
  for (let bit = 0; bit < compressed.length * 8; bit++) {
    const flipped = Buffer.from(compressed)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    try {
      decompressLzf(flipped, options)
    } catch (error) {
      assert.ok(error instanceof CorruptData, String(error))
    }
  }
})
