import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import { LiveDocs } from './live-docs.ts'
import { readLiveBitsV40 } from './live-docs-v40.ts'

const maxDoc = 100
const dead = [0, 9, 64, 65, 99]

function bytesOf(...parts: (number[] | Buffer)[]): Buffer {
  const header = Buffer.from(
    'fffffffe' + '3fd76c17' + '09' + '426974566563746f72' + '00000002',
    'hex',
  )
  return Buffer.concat([header, ...parts.map((part) => Buffer.from(part))])
}

function int32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeInt32BE(value, i * 4))
  return bytes
}

function deadOf(bytes: Buffer): number[] {
  const live = new LiveDocs(maxDoc, readLiveBitsV40(new Cursor('_0_1.del', bytes), maxDoc))
  return Array.from({ length: maxDoc }, (_, doc) => doc).filter((doc) => !live.isLive(doc))
}

function plainBits(): Buffer {
  const bits = Buffer.alloc(13, 0xff)
  for (const doc of dead) bits[doc >> 3]! &= ~(1 << (doc & 7))
  return bits
}

test('one bit a document', () => {
  assert.deepEqual(deadOf(bytesOf(int32(maxDoc, 95), plainBits())), dead)
})

test('only the bytes in which something is dead, each by its distance', () => {
  const bits = plainBits()
  const list = [0, bits[0]!, 1, bits[1]!, 7, bits[8]!, 4, bits[12]!]
  assert.deepEqual(deadOf(bytesOf(int32(-1, maxDoc, 95), list)), dead)
})

test('another number of documents, a byte outside and a cut are refused', () => {
  const bits = plainBits()
  for (const bytes of [
    bytesOf(int32(maxDoc + 1, 95), bits),
    bytesOf(int32(-1, maxDoc, 95), [13, 0]),
    bytesOf(int32(-1, maxDoc, 95), [1]),
    bytesOf(int32(maxDoc, 95), bits.subarray(1)),
    Buffer.from('00000064', 'hex'),
  ]) {
    assert.throws(() => deadOf(bytes), CorruptData)
  }
})
