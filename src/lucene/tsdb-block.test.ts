import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData, Unsupported } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readTsdbBlock } from './tsdb-block.ts'

const count = 128

function vint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...vint(value >>> 7)]
}

function read(token: number, packed: Uint8Array, after: number[] = []): number[] {
  const into = new Float64Array(count + 2)
  const bytes = Buffer.concat([Buffer.from(vint(token)), packed, Buffer.from(after)])
  const cursor = new Cursor('f.dvd', bytes, { littleEndian: true })
  readTsdbBlock(cursor, into, 1, 1 + count)
  cursor.expectEnd()
  assert.deepEqual([into[0], into[count + 1]], [0, 0], 'nothing beside the block')
  return [...into.subarray(1, count + 1)]
}

/** Weaves as the grammar says, one text of bits a word of a lane. */
function weave(values: readonly number[], bits: number): Buffer {
  const laneBits = bits <= 8 ? 8 : bits <= 16 ? 16 : 32
  const lanes = 64 / laneBits
  const perLane = count / lanes
  const words: string[] = Array.from({ length: bits * 2 }, () => '')
  for (let lane = 0; lane < lanes; lane++) {
    const own = values.slice(lane * perLane, (lane + 1) * perLane)
    const texts = own.map((value) => value.toString(2).padStart(bits, '0'))
    const whole = Math.floor(laneBits / bits) * words.length
    const rest = texts.slice(whole).join('')
    const left = laneBits % bits
    words.forEach((word, i) => {
      const tops = texts.slice(0, whole).filter((_, n) => n % words.length === i)
      const tail = rest.slice(i * left, (i + 1) * left).padEnd(left, '0')
      words[i] = word + tops.join('').padEnd(laneBits - left, '0') + tail
    })
  }
  const bytes = Buffer.alloc(words.length * 8)
  words.forEach((word, i) => bytes.writeBigUInt64LE(BigInt(`0b${word}`), i * 8))
  return bytes
}

test('woven numbers of each width come back', () => {
  for (let bits = 1; bits <= 24; bits++) {
    const values = Array.from({ length: count }, (_, i) => (i * 2654435761) % 2 ** bits)
    assert.deepEqual(read(bits << 3, weave(values, bits)), values, `${bits} bits`)
  }
})

test('numbers of 0, 32, 40, 48, 56 and 64 bits come back', () => {
  assert.deepEqual(read(0, new Uint8Array(0)), new Array(count).fill(0))
  const values = Array.from({ length: count }, (_, i) => i * 33_554_393)
  const halves = Buffer.alloc(512)
  for (let i = 0; i < 64; i++) {
    halves.writeUInt32LE(values[64 + i]!, i * 8)
    halves.writeUInt32LE(values[i]!, i * 8 + 4)
  }
  assert.deepEqual(read(32 << 3, halves), values)
  for (const size of [5, 6, 7, 8]) {
    const wide = values.map((value) => value * 200 + 1)
    const whole = Buffer.alloc(count * 8 + 8)
    wide.forEach((value, i) => whole.writeBigInt64LE(BigInt(value), i * size))
    assert.deepEqual(read((size * 8) << 3, whole.subarray(0, count * size)), wide, `${size} bytes`)
  }
})

test('divisor, offset and deltas are undone in this order', () => {
  const ones = weave(new Array<number>(count).fill(1), 1)
  assert.deepEqual(read((1 << 3) | 1, ones, [3]), new Array(count).fill(5))
  assert.deepEqual(read((1 << 3) | 3, ones, [3, 1]), new Array(count).fill(4))
  const rising = Array.from({ length: count }, (_, i) => 100 + 4 * (i + 1))
  assert.deepEqual(read((1 << 3) | 7, ones, [3, 1, 0xc8, 0x01]), rising)
})

test('a block of more than 128 numbers is packed 128 at a time, and its deltas go on', () => {
  const ones = weave(new Array<number>(count).fill(1), 1)
  const bytes = Buffer.concat([
    Buffer.from([(1 << 3) | 4]),
    ones,
    ones,
    ones,
    ones,
    Buffer.from([0]),
  ])
  const into = new Float64Array(4 * count)
  const cursor = new Cursor('f.dvd', bytes, { littleEndian: true })
  readTsdbBlock(cursor, into, 0, 4 * count)
  cursor.expectEnd()
  assert.deepEqual(
    [...into],
    Array.from({ length: 4 * count }, (_, i) => i + 1),
  )
})

test('a width that is never written and a cut block are refused', () => {
  assert.throws(() => read(33 << 3, new Uint8Array(2000)), Unsupported)
  assert.throws(() => read(9 << 3, new Uint8Array(100)), CorruptData)
})
