import { CorruptData } from '../base/errors.ts'
import type { Cursor } from '../bytes/cursor.ts'

/** Widths in which DirectWriter packs. */
const directWidths = new Set([1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64])

/** The widest values that are read as numbers; wider ones go through bigint. */
export const packedNumberBitsMax = 45

/**
 * Value `index` of a run of values of `bits` bits each, big-endian, without gaps (PackedInts.Format.PACKED and
 * DirectWriter of Lucene up to 8), starting at bit 0 of `bytes[at]`. `bits` is at most 45, or a whole number of bytes up to 48; the caller has checked
 * that the bytes are there.
 */
export function packedAt(bytes: Uint8Array, at: number, bits: number, index: number): number {
  const firstBit = index * bits
  let byte = at + Math.floor(firstBit / 8)
  let have = 8 - (firstBit % 8)
  let value = bytes[byte]! & ((1 << have) - 1)
  while (have < bits) {
    value = value * 256 + bytes[++byte]!
    have += 8
  }
  return Math.floor(value / 2 ** (have - bits))
}

/** The same for up to 64 bits. */
export function packedBigAt(bytes: Uint8Array, at: number, bits: number, index: number): bigint {
  let value = 0n
  for (let bit = index * bits; bit < (index + 1) * bits; bit++) {
    const one = (bytes[at + Math.floor(bit / 8)]! >> (7 - (bit % 8))) & 1
    value = (value << 1n) | BigInt(one)
  }
  return value
}

/**
 * Value `index` of a run of values of `bits` bits each, low bits first, starting at bit 0 of `bytes[at]` (DirectWriter
 * since Lucene 9). Bounds as for packedAt().
 */
export function packedLowAt(bytes: Uint8Array, at: number, bits: number, index: number): number {
  const firstBit = index * bits
  let byte = at + Math.floor(firstBit / 8)
  let have = 8 - (firstBit % 8)
  let value = bytes[byte]! >> (8 - have)
  while (have < bits) {
    value += bytes[++byte]! * 2 ** have
    have += 8
  }
  return value % 2 ** bits
}

/** The same for up to 64 bits. */
export function packedLowBigAt(bytes: Uint8Array, at: number, bits: number, index: number): bigint {
  let value = 0n
  for (let bit = (index + 1) * bits - 1; bit >= index * bits; bit--) {
    const one = (bytes[at + Math.floor(bit / 8)]! >> (bit % 8)) & 1
    value = (value << 1n) | BigInt(one)
  }
  return value
}

/** Bytes that `count` values of `bits` bits take. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8)
}

/** Throws CorruptData for a width that DirectWriter never writes. */
export function checkDirectWidth(file: string, offset: number, bits: number): void {
  if (directWidths.has(bits)) return
  throw new CorruptData({
    file,
    offset,
    expected: `a width of ${[...directWidths].join(', ')} bits`,
    found: `${bits}`,
  })
}

/** What the metadata of a monotonic sequence says of one of its blocks. */
export interface MonotonicBlock {
  readonly min: number
  readonly average: number
  readonly offset: number
  readonly bits: number
}

/**
 * Reads the metadata of `count` rising numbers in blocks of 2^blockShift.
 *
 *   monotonic = (min:int64, average:float32, offset:int64, bitsPerValue:byte)*
 *
 * Specified in org.apache.lucene.util.packed.DirectMonotonicReader.
 */
export function readMonotonicMeta(
  cursor: Cursor,
  count: number,
  blockShift: number,
): MonotonicBlock[] {
  if (blockShift < 0 || blockShift > 30) throw cursor.corrupt('a block shift', `${blockShift}`)
  const blockCount = cursor.checkCount(Math.ceil(count / 2 ** blockShift), 'blocks', 21)
  const blocks: MonotonicBlock[] = []
  for (let i = 0; i < blockCount; i++) {
    const min = cursor.readInt64()
    const average = cursor.readFloat32()
    const offset = cursor.readInt64()
    const bits = cursor.readByte()
    if (bits !== 0) checkDirectWidth(cursor.file, cursor.baseOffset + cursor.position - 1, bits)
    blocks.push({ min, average, offset, bits })
  }
  return blocks
}

/** Unpacks a monotonic sequence whose data are `data` whole, in its byte order: value = min + ⌊average × i⌋ + packed[i], in float32. */
export function unpackMonotonic(
  data: Cursor,
  blocks: readonly MonotonicBlock[],
  { count, blockShift }: { count: number; blockShift: number },
): Float64Array {
  const values = new Float64Array(count)
  const size = 2 ** blockShift
  const numberAt = data.littleEndian ? packedLowAt : packedAt
  const bigAt = data.littleEndian ? packedLowBigAt : packedBigAt
  for (let at = 0, b = 0; at < count; at += size, b++) {
    const { min, average, offset, bits } = blocks[b]!
    const inBlock = Math.min(size, count - at)
    data.seek(offset)
    data.seek(offset + packedBytes(inBlock, bits))
    for (let i = 0; i < inBlock; i++) {
      const delta =
        bits > packedNumberBitsMax
          ? Number(bigAt(data.bytes, offset, bits, i))
          : bits === 0
            ? 0
            : numberAt(data.bytes, offset, bits, i)
      values[at + i] = min + Math.trunc(Math.fround(average * i)) + delta
    }
  }
  return values
}
