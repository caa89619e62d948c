import { Unsupported } from '../base/errors.ts'
import type { Cursor } from '../bytes/cursor.ts'
import { packedAt } from './packed.ts'

/** A block holds 2^7 values, or more. */
export const tsdbBlockShift = 7
/** Values are packed 128 at a time, whatever their block holds. */
const packedValues = 128

const divided = 1
const shifted = 2
const deltas = 4

/** Widths up to this one are woven. */
const wovenBitsMax = 24

/**
 * Reads one block of numbers of Elasticsearch's TSDB doc values into `into` at [from, to), which is 128 values or a
 * multiple. Numbers beyond 2^53 become the nearest double.
 *
 *   block  = token:vint (bits × 8 + 4 deltas + 2 shifted + 1 divided), packed*, (gcd - 2:vlong) (divided),
 *            (min:zlong) (shifted), (first:zlong) (deltas)
 *   packed = 128 values: nothing (0 bits) | woven (to 24 bits) | int64[64], value i above value i + 64 (32 bits)
 *          | 5, 6 or 7 bytes a value (40, 48, 56 bits) | int64[128] (64 bits)
 *   woven  = word:int64[2 × bits]
 *
 * A word is 8 lanes of 8 bits, 4 of 16 or 2 of 32, by the width of the values; the lane from the top holds the first
 * 16, 32 or 64 values, and so on. Of each word of a lane the top bits are a value of its own, and the next ones; what
 * is left over in the words is one stream of bits with the rest of the values, high bits first. Words are
 * little-endian. Specified in org.elasticsearch.index.codec.tsdb.TSDBDocValuesEncoder, DocValuesForUtil and ForUtil.
 */
export function readTsdbBlock(cursor: Cursor, into: Float64Array, from: number, to: number): void {
  const token = cursor.readVInt()
  const bits = token >>> 3
  for (let at = from; at < to; at += packedValues) readPacked(cursor, bits, into, at)
  if ((token & divided) !== 0) {
    const gcd = cursor.readVLong() + 2
    for (let i = from; i < to; i++) into[i]! *= gcd
  }
  if ((token & shifted) !== 0) {
    const min = cursor.readZLong()
    for (let i = from; i < to; i++) into[i]! += min
  }
  if ((token & deltas) !== 0) {
    let value = cursor.readZLong()
    for (let i = from; i < to; i++) into[i] = value += into[i]!
  }
}

function readPacked(cursor: Cursor, bits: number, into: Float64Array, at: number): void {
  if (bits === 0) into.fill(0, at, at + packedValues)
  else if (bits <= wovenBitsMax) readWoven(cursor, bits, into, at)
  else if (bits === 32) readHalves(cursor, into, at)
  else if (bits === 64) readWhole(cursor, into, at)
  else if (bits === 40 || bits === 48 || bits === 56) readUnsigned(cursor, bits / 8, into, at)
  else throw unknownWidth(cursor, bits)
}

function readWoven(cursor: Cursor, bits: number, into: Float64Array, at: number): void {
  const laneBytes = bits <= 8 ? 1 : bits <= 16 ? 2 : 4
  const laneBits = laneBytes * 8
  const lanes = 8 / laneBytes
  const words = bits * 2
  const bytes = cursor.readBytes(words * 8)
  const inLane = packedValues / lanes
  const left = laneBits % bits
  const rest = new Uint8Array(Math.ceil((words * left) / 8))
  for (let lane = 0; lane < lanes; lane++) {
    const first = at + (lanes - 1 - lane) * inLane
    let value = first
    for (let shift = laneBits - bits; shift >= 0; shift -= bits) {
      for (let i = 0; i < words && value < first + inLane; i++) {
        const word = bytes.readUIntLE(i * 8 + lane * laneBytes, laneBytes)
        into[value++] = (word >>> shift) & (2 ** bits - 1)
      }
    }
    rest.fill(0)
    for (let i = 0; i < words; i++) {
      const word = bytes.readUIntLE(i * 8 + lane * laneBytes, laneBytes)
      for (let b = 0; b < left; b++) {
        const bit = i * left + b
        if (((word >>> (left - 1 - b)) & 1) !== 0) rest[bit >> 3]! |= 128 >> (bit & 7)
      }
    }
    for (let i = 0; value < first + inLane; i++) into[value++] = packedAt(rest, 0, bits, i)
  }
}

function readHalves(cursor: Cursor, into: Float64Array, at: number): void {
  const half = packedValues / 2
  const bytes = cursor.readBytes(half * 8)
  for (let i = 0; i < half; i++) {
    into[at + half + i] = bytes.readUInt32LE(i * 8)
    into[at + i] = bytes.readUInt32LE(i * 8 + 4)
  }
}

function readWhole(cursor: Cursor, into: Float64Array, at: number): void {
  const bytes = cursor.readBytes(packedValues * 8)
  for (let i = 0; i < packedValues; i++) into[at + i] = Number(bytes.readBigInt64LE(i * 8))
}

function readUnsigned(cursor: Cursor, size: number, into: Float64Array, at: number): void {
  const bytes = cursor.readBytes(packedValues * size)
  for (let i = 0; i < packedValues; i++) {
    const low = bytes.readUInt32LE(i * size)
    into[at + i] = bytes.readUIntLE(i * size + 4, size - 4) * 2 ** 32 + low
  }
}

function unknownWidth(cursor: Cursor, bits: number): Unsupported {
  return new Unsupported({
    file: cursor.file,
    offset: cursor.baseOffset + cursor.position,
    expected: `0 to ${wovenBitsMax}, 32, 40, 48, 56 or 64 bits a number`,
    found: `${bits}`,
  })
}
