import { CorruptData } from '../base/errors.ts'
import type { ByteSource } from '../blob/byte-source.ts'
import { Cursor } from '../bytes/cursor.ts'
import { DocsWithFieldReader, stretchDocs } from './docs-with-field.ts'
import type { NumericEntry, PackedValues } from './numeric-entry.ts'
import {
  checkDirectWidth,
  packedAt,
  packedBigAt,
  packedBytes,
  packedLowAt,
  packedLowBigAt,
  unpackMonotonic,
} from './packed.ts'
import { readTsdbBlock } from './tsdb-block.ts'

/** Packed values this wide or wider, or far from 0, are put together as bigint. */
const numberBitsMax = 48
const numberMax = 2n ** 51n

/**
 * One numeric field of a segment, read stretch by stretch (65536 documents) by byte range. Memory is one stretch,
 * whatever the segment's size.
 */
export class NumericColumn {
  /** The numbers of the stretch loaded last, by document less the first of the stretch; -1 where there is none. */
  readonly values: Float64Array
  readonly #source: ByteSource
  readonly #entry: NumericEntry
  readonly #docs: DocsWithFieldReader
  readonly #packed: Float64Array
  readonly #littleEndian: boolean
  #loaded = -1
  /** Offsets of the blocks of varying width found so far, the next one's included. */
  #varyingOffsets: number[] = []
  /** Where the blocks of TSDB values begin; 8 bytes a block. */
  #tsdbStarts: Float64Array | undefined

  constructor(
    source: ByteSource,
    entry: NumericEntry,
    maxDoc: number,
    { littleEndian = false }: { littleEndian?: boolean } = {},
  ) {
    this.#source = source
    this.#entry = entry
    this.#littleEndian = littleEndian
    const capacity = Math.min(stretchDocs, maxDoc)
    this.values = new Float64Array(capacity)
    this.#packed = new Float64Array(capacity)
    this.#docs = new DocsWithFieldReader(source, entry.docs, maxDoc, { littleEndian })
  }

  /** Loads the stretch that holds documents [stretch × 65536, …). Numbers beyond 2^53 become the nearest double. */
  async load(stretch: number): Promise<void> {
    if (stretch === this.#loaded) return
    const { count, firstIndex, docs } = await this.#docs.read(stretch)
    this.values.fill(-1)
    if (count > 0) {
      // Without an index of its own, the value of a document stands at the document's number.
      const dense = firstIndex < 0
      const from = dense ? stretch * stretchDocs : firstIndex
      const valueCount = dense ? docs[count - 1]! + 1 : count
      await this.#unpack(from, valueCount)
      for (let i = 0; i < count; i++) {
        this.values[docs[i]!] = this.#packed[dense ? docs[i]! : i]!
      }
    }
    this.#loaded = stretch
  }

  /** Calls `visit` with each document that has the field, and with others of the first and the last 65536. */
  async eachDoc(
    { fromDoc, toDoc }: { fromDoc: number; toDoc: number },
    visit: (doc: number) => void,
  ): Promise<void> {
    const first = Math.floor(fromDoc / stretchDocs)
    for (let stretch = first; stretch * stretchDocs < toDoc; stretch++) {
      const { count, docs } = await this.#docs.read(stretch)
      for (let i = 0; i < count; i++) visit(stretch * stretchDocs + docs[i]!)
    }
  }

  /** Fills #packed[0, count) with the values from index `from` on. */
  async #unpack(from: number, count: number): Promise<void> {
    const { values } = this.#entry
    switch (values.kind) {
      case 'constant':
        this.#packed.fill(Number(values.value), 0, count)
        return
      case 'linear':
        await this.#unpackRun(values, { from, count, into: 0 }, values)
        return
      case 'table':
        await this.#unpackRun(values, { from, count, into: 0 }, { min: 0n, gcd: 1n })
        this.#lookUp(values, count)
        return
      case 'varying':
        await this.#unpackVarying(values, from, count)
        return
      case 'tsdb':
        await this.#unpackTsdb(values, from, count)
        return
    }
  }

  async #unpackRun(
    run: { offset: number; byteLength: number; bitsPerValue: number },
    { from, count, into }: { from: number; count: number; into: number },
    { min, gcd }: { min: bigint; gcd: bigint },
  ): Promise<void> {
    const { offset, byteLength, bitsPerValue: bits } = run
    checkDirectWidth(this.#source.name, offset, bits)
    // Eight values end on a whole byte, whatever their width.
    const first = from - (from % 8)
    const firstByte = (first * bits) / 8
    const length = packedBytes(from + count - first, bits)
    if (firstByte + length > byteLength) {
      const found = `values up to ${firstByte + length}`
      throw this.#corrupt(offset, `values within ${byteLength} bytes`, found)
    }
    const bytes = await this.#source.read(offset + firstByte, length)
    const big = bits > numberBitsMax || gcd * 2n ** BigInt(bits) > numberMax || abs(min) > numberMax
    const numberAt = this.#littleEndian ? packedLowAt : packedAt
    const bigAt = this.#littleEndian ? packedLowBigAt : packedBigAt
    const minNumber = Number(min)
    const gcdNumber = Number(gcd)
    for (let i = 0; i < count; i++) {
      const index = from - first + i
      this.#packed[into + i] = big
        ? Number(BigInt.asIntN(64, min + gcd * bigAt(bytes, 0, bits, index)))
        : minNumber + gcdNumber * numberAt(bytes, 0, bits, index)
    }
  }

  #lookUp(values: PackedValues & { kind: 'table' }, count: number): void {
    for (let i = 0; i < count; i++) {
      const value = values.table[this.#packed[i]!]
      if (value === undefined) {
        const expected = `an index into a table of ${values.table.length}`
        throw this.#corrupt(values.offset, expected, `${this.#packed[i]}`)
      }
      this.#packed[i] = Number(value)
    }
  }

  /** block = bitsPerValue:byte, min:int64, (length:int32, values) (when bitsPerValue > 0) */
  async #unpackVarying(
    values: PackedValues & { kind: 'varying' },
    from: number,
    count: number,
  ): Promise<void> {
    const size = 2 ** values.shift
    for (let index = from; index < from + count;) {
      const block = Math.floor(index / size)
      const { bitsPerValue, min, offset, byteLength } = await this.#varyingBlock(values, block)
      const inBlock = Math.min(from + count, (block + 1) * size) - index
      if (bitsPerValue === 0) {
        this.#packed.fill(Number(min), index - from, index - from + inBlock)
      } else {
        const where = { from: index - block * size, count: inBlock, into: index - from }
        const run = { offset, byteLength, bitsPerValue }
        await this.#unpackRun(run, where, { min, gcd: values.gcd })
      }
      index += inBlock
    }
  }

  async #varyingBlock(
    values: PackedValues & { kind: 'varying' },
    block: number,
  ): Promise<{ bitsPerValue: number; min: bigint; offset: number; byteLength: number }> {
    const offsets = this.#varyingOffsets
    if (offsets.length === 0) offsets.push(values.offset)
    for (;;) {
      const at = Math.min(block, offsets.length - 1)
      const start = offsets[at]!
      const left = values.offset + values.byteLength - start
      if (left < 9) throw this.#corrupt(start, 'another block of values', 'the end of the values')
      const head = Buffer.from(await this.#source.read(start, Math.min(13, left)))
      const bitsPerValue = head[0]!
      const low = this.#littleEndian
      const hasValues = bitsPerValue !== 0 && left >= 13
      const byteLength = !hasValues ? 0 : low ? head.readInt32LE(9) : head.readInt32BE(9)
      const offset = start + (bitsPerValue === 0 ? 9 : 13)
      if (byteLength < 0 || offset + byteLength > values.offset + values.byteLength) {
        throw this.#corrupt(start + 9, 'a block within the values', `${byteLength} bytes`)
      }
      const min = low ? head.readBigInt64LE(1) : head.readBigInt64BE(1)
      if (at === block) return { bitsPerValue, min, offset, byteLength }
      offsets.push(offset + byteLength)
    }
  }

  async #unpackTsdb(
    { offset, byteLength, shift, index }: PackedValues & { kind: 'tsdb' },
    from: number,
    count: number,
  ): Promise<void> {
    const { name } = this.#source
    const littleEndian = this.#littleEndian
    if (this.#tsdbStarts === undefined) {
      const bytes = await this.#source.read(index.offset, index.byteLength)
      const cursor = new Cursor(name, bytes, { baseOffset: index.offset, littleEndian })
      this.#tsdbStarts = unpackMonotonic(cursor, index.blocks, index)
    }
    const starts = this.#tsdbStarts
    const first = from >> shift
    const last = (from + count - 1) >> shift
    const start = starts[first]!
    const end = starts[last + 1] ?? byteLength
    if (!(start >= 0 && start < end && end <= byteLength)) {
      throw this.#corrupt(index.offset, `blocks within ${byteLength} bytes`, `${start} to ${end}`)
    }
    const bytes = await this.#source.read(offset + start, end - start)
    const cursor = new Cursor(name, bytes, { baseOffset: offset + start, littleEndian })
    const values = new Float64Array((last - first + 1) << shift)
    for (let at = 0; at < values.length; at += 1 << shift) {
      readTsdbBlock(cursor, values, at, at + (1 << shift))
    }
    const skip = from - (first << shift)
    this.#packed.set(values.subarray(skip, skip + count))
  }

  #corrupt(offset: number, expected: string, found: string): CorruptData {
    return new CorruptData({ file: this.#source.name, offset, expected, found })
  }
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}
