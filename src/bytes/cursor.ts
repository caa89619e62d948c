import { isUtf8 } from 'node:buffer'
import { CorruptData } from '../base/errors.ts'

export interface CursorOptions {
  /** Offset of the first byte in the file, when the bytes are a stretch of it: so that errors name the place. */
  readonly baseOffset?: number
  /** See Cursor.littleEndian. */
  readonly littleEndian?: boolean
}

/**
 * Reads the primitives of Lucene's DataInput (org.apache.lucene.store.DataInput) from bytes in memory. Each read
 * checks what is left first and throws CorruptData naming file and offset; nothing is allocated for a length before
 * that length is known to be there.
 *
 *   vint   = up to 5 bytes, 7 bits each, low bits first, high bit set on all but the last; an int32
 *   vlong  = the same with up to 9 bytes, never negative
 *   zint   = vint of zigzag(int32);  zlong = up to 10 bytes of zigzag(int64)
 *   string = byteLength:vint, UTF-8 bytes
 *   map    = count:vint, (key:string, value:string)*;  set = count:vint, string*
 */
export class Cursor {
  readonly file: string
  readonly bytes: Buffer
  readonly baseOffset: number
  /**
   * True for what Lucene 9 and later write as int16, int32, int64 and float32. Headers and footers stay big-endian: it
   * is set once the header has said which format follows.
   */
  littleEndian: boolean
  /** Index in `bytes` of the next byte to be read. */
  #position = 0

  constructor(file: string, bytes: Uint8Array, options: CursorOptions = {}) {
    this.file = file
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.baseOffset = options.baseOffset ?? 0
    this.littleEndian = options.littleEndian ?? false
  }

  get position(): number {
    return this.#position
  }

  get remaining(): number {
    return this.bytes.length - this.#position
  }

  /** Moves to an index in `bytes`; the end itself is allowed. */
  seek(position: number): void {
    if (!Number.isInteger(position) || position < 0 || position > this.bytes.length) {
      throw this.corrupt(
        `an offset within the ${this.bytes.length} bytes`,
        `${this.baseOffset + position}`,
      )
    }
    this.#position = position
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** The error for something wrong at `position` (default: the next byte). The caller throws it. */
  corrupt(expected: string, found: string, position = this.#position): CorruptData {
    return new CorruptData({
      file: this.file,
      offset: this.baseOffset + position,
      expected,
      found,
    })
  }

  readByte(): number {
    return this.bytes[this.#take(1)]!
  }

  /** A view, not a copy. */
  readBytes(length: number): Buffer {
    const start = this.#take(length)
    return this.bytes.subarray(start, start + length)
  }

  readInt16(): number {
    const start = this.#take(2)
    return this.littleEndian ? this.bytes.readInt16LE(start) : this.bytes.readInt16BE(start)
  }

  readInt32(): number {
    const start = this.#take(4)
    return this.littleEndian ? this.bytes.readInt32LE(start) : this.bytes.readInt32BE(start)
  }

  /** Big-endian whatever the version: headers and footers. */
  readInt32BE(): number {
    return this.bytes.readInt32BE(this.#take(4))
  }

  /** An int64 that must lie within ±(2^53 - 1); anything else is corrupt. */
  readInt64(): number {
    const start = this.#take(8)
    return this.littleEndian
      ? this.#joinInt64(this.bytes.readInt32LE(start + 4), this.bytes.readUInt32LE(start), start)
      : this.#joinInt64(this.bytes.readInt32BE(start), this.bytes.readUInt32BE(start + 4), start)
  }

  /** For values that may pass 2^53. */
  readBigInt64(): bigint {
    const start = this.#take(8)
    return this.littleEndian ? this.bytes.readBigInt64LE(start) : this.bytes.readBigInt64BE(start)
  }

  readFloat32(): number {
    const start = this.#take(4)
    return this.littleEndian ? this.bytes.readFloatLE(start) : this.bytes.readFloatBE(start)
  }

  readVInt(): number {
    const start = this.#position
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.readByte()
      if (shift === 28 && byte > 0x0f) {
        throw this.corrupt(
          'a vint of at most 32 bits in 5 bytes',
          `fifth byte 0x${byte.toString(16)}`,
          start,
        )
      }
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return value
  }

  readVLong(): number {
    const start = this.#position
    let value = 0
    for (let exponent = 1, i = 0; ; exponent *= 128, i++) {
      if (i === 9) throw this.corrupt('a vlong of at most 9 bytes', 'a tenth byte', start)
      const byte = this.readByte()
      value += (byte & 0x7f) * exponent
      if (byte < 0x80) break
    }
    return this.#checkRange(value, start)
  }

  readZInt(): number {
    const value = this.readVInt()
    return (value >>> 1) ^ -(value & 1)
  }

  readZLong(): number {
    const start = this.#position
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.readByte()
      if (shift === 63n && byte > 1) {
        throw this.corrupt(
          'a zlong of at most 64 bits in 10 bytes',
          `tenth byte 0x${byte.toString(16)}`,
          start,
        )
      }
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return this.#checkRange(Number((value >> 1n) ^ -(value & 1n)), start)
  }

  /** A number of things to come, each of at least `bytesEachMin` bytes: so a wild count fails before any allocation. */
  readCount(what: string, bytesEachMin = 1): number {
    const start = this.#position
    return this.checkCount(this.readVInt(), what, bytesEachMin, start)
  }

  /** Checks a count that was read in another form. */
  checkCount(count: number, what: string, bytesEachMin: number, start = this.#position): number {
    if (count < 0 || count * bytesEachMin > this.remaining) {
      const most = bytesEachMin > 0 ? Math.floor(this.remaining / bytesEachMin) : 0
      throw this.corrupt(`at most ${most} ${what} in the bytes left`, `${count}`, start)
    }
    return count
  }

  readString(): string {
    const length = this.readCount('bytes of a string')
    const start = this.#position
    const bytes = this.readBytes(length)
    if (!isUtf8(bytes)) throw this.corrupt('a string in UTF-8', 'other bytes', start)
    return bytes.toString('utf8')
  }

  readMapOfStrings(): Map<string, string> {
    const count = this.readCount('entries of a map', 2)
    const map = new Map<string, string>()
    for (let i = 0; i < count; i++) {
      const key = this.readString()
      map.set(key, this.readString())
    }
    return map
  }

  readSetOfStrings(): Set<string> {
    const count = this.readCount('entries of a set')
    const set = new Set<string>()
    for (let i = 0; i < count; i++) set.add(this.readString())
    return set
  }

  /** Throws unless every byte has been read. */
  expectEnd(): void {
    if (this.remaining !== 0) throw this.corrupt('the end', `${this.remaining} more bytes`)
  }

  #take(length: number): number {
    const start = this.#position
    if (!Number.isInteger(length) || length < 0 || length > this.remaining) {
      throw this.corrupt(`${length} bytes`, `${this.remaining} left`)
    }
    this.#position = start + length
    return start
  }

  #joinInt64(high: number, low: number, start: number): number {
    return this.#checkRange(high * 0x1_0000_0000 + low, start)
  }

  #checkRange(value: number, start: number): number {
    if (!Number.isSafeInteger(value)) {
      throw this.corrupt('a number within 2^53', `about ${value}`, start)
    }
    return value
  }
}
