import { isUtf8 } from 'node:buffer'
import { Unsupported } from '../base/errors.ts'
import { Cursor } from './cursor.ts'
import { doubleText, floatText } from './number-text.ts'

/** Nesting beyond this is refused rather than left to the stack. */
const depthMax = 1000
const bigNumberBytesMax = 4096

const majorMap = 5
const tagBigPositive = 2
const tagBigNegative = 3
const tagDecimal = 4
const breakByte = 0xff

/** True when the bytes begin as a map in CBOR does, or with the tag that says "this is CBOR". */
export function isCbor(bytes: Uint8Array): boolean {
  const first = bytes[0]
  if (first === undefined) return false
  return first >> 5 === majorMap || (first === 0xd9 && bytes[1] === 0xd9 && bytes[2] === 0xf7)
}

/**
 * Converts one CBOR item (RFC 8949) to JSON text on one line, in which a client may send documents to Elasticsearch.
 * Integers keep all their digits; byte strings become base64 text, as Jackson does; undefined becomes null; tags are
 * passed over, save those of big integers and of decimals. Throws CorruptData, or Unsupported for what JSON cannot hold.
 *
 *   item = major << 5 | info:byte, argument (info 24 to 27: 1, 2, 4, 8 bytes more; 31: until 0xff), content
 *   major 0 integer | 1 -1 - integer | 2 bytes | 3 text | 4 items | 5 pairs of items | 6 tag, item | 7 float, simple
 */
export function cborToJson(bytes: Uint8Array, file: string): string {
  const cursor = new Cursor(file, bytes)
  const json = readItem(cursor, 0)
  cursor.expectEnd()
  return json
}

function readItem(cursor: Cursor, depth: number): string {
  if (depth > depthMax) throw cursor.corrupt(`nesting of at most ${depthMax}`, 'more')
  const start = cursor.position
  const first = cursor.readByte()
  const info = first & 31
  switch (first >> 5) {
    case 0:
      return `${readArgument(cursor, info)}`
    case 1:
      return `${-1n - readArgument(cursor, info)}`
    case 2:
      return JSON.stringify(readString(cursor, first).toString('base64'))
    case 3:
      return readText(cursor, first)
    case 4:
      return `[${readMany(cursor, info, () => readItem(cursor, depth + 1)).join()}]`
    case majorMap:
      return `{${readMany(cursor, info, () => readPair(cursor, depth + 1)).join()}}`
    case 6:
      return readTagged(cursor, readArgument(cursor, info), depth + 1)
    default:
      return readSimple(cursor, info, start)
  }
}

function readArgument(cursor: Cursor, info: number): bigint {
  if (info < 24) return BigInt(info)
  switch (info) {
    case 24:
      return BigInt(cursor.readByte())
    case 25:
      return BigInt(cursor.readInt16() & 0xffff)
    case 26:
      return BigInt(cursor.readInt32() >>> 0)
    case 27:
      return BigInt.asUintN(64, cursor.readBigInt64())
    default:
      throw cursor.corrupt('a length of 0 to 27 in CBOR', `${info}`)
  }
}

function readMany(cursor: Cursor, info: number, read: () => string): string[] {
  const items: string[] = []
  if (info === 31) {
    while (cursor.bytes[cursor.position] !== breakByte) items.push(read())
    cursor.skip(1)
    return items
  }
  const count = cursor.checkCount(Number(readArgument(cursor, info)), 'items', 1)
  for (let i = 0; i < count; i++) items.push(read())
  return items
}

function readPair(cursor: Cursor, depth: number): string {
  const key = readItem(cursor, depth)
  return `${key.startsWith('"') ? key : JSON.stringify(key)}:${readItem(cursor, depth)}`
}

/** Text or bytes, in one piece or in several of the same major type. */
function readString(cursor: Cursor, first: number): Buffer {
  if ((first & 31) !== 31) {
    return cursor.readBytes(Number(readArgument(cursor, first & 31)))
  }
  const pieces: Buffer[] = []
  for (;;) {
    const next = cursor.readByte()
    if (next === breakByte) return Buffer.concat(pieces)
    if (next >> 5 !== first >> 5 || (next & 31) === 31) {
      throw cursor.corrupt('a piece of the same string', `0x${next.toString(16)}`)
    }
    pieces.push(readString(cursor, next))
  }
}

function readText(cursor: Cursor, first: number): string {
  const start = cursor.position
  const bytes = readString(cursor, first)
  if (!isUtf8(bytes)) throw cursor.corrupt('text in UTF-8', 'other bytes', start)
  return JSON.stringify(bytes.toString('utf8'))
}

function readTagged(cursor: Cursor, tag: bigint, depth: number): string {
  const start = cursor.position
  switch (Number(tag)) {
    case tagBigPositive:
      return `${readBig(cursor, start)}`
    case tagBigNegative:
      // RFC 8949 has -1 - n. Jackson before 2.20 writes and reads -n, and with it all engines and their clients.
      return `${-readBig(cursor, start)}`
    case tagDecimal:
      return decimalText(cursor, readItem(cursor, depth), start)
    default:
      return readItem(cursor, depth)
  }
}

function readBig(cursor: Cursor, start: number): bigint {
  const first = cursor.readByte()
  const bytes = first >> 5 === 2 ? readString(cursor, first) : undefined
  if (bytes === undefined || bytes.length > bigNumberBytesMax) {
    const expected = `a big integer of at most ${bigNumberBytesMax} bytes`
    throw cursor.corrupt(expected, 'something else', start)
  }
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`)
}

/** decimal = [exponent of ten, mantissa] */
function decimalText(cursor: Cursor, item: string, start: number): string {
  const parts = /^\[(-?\d{1,10}),(-?\d+)\]$/.exec(item)
  if (parts === null)
    throw cursor.corrupt('exponent and mantissa of a decimal', item.slice(0, 50), start)
  return `${parts[2]}E${parts[1]}`
}

function readSimple(cursor: Cursor, info: number, start: number): string {
  switch (info) {
    case 20:
      return 'false'
    case 21:
      return 'true'
    case 22:
    case 23:
      return 'null'
    case 25:
      return floatText(halfFloat(cursor.readInt16() & 0xffff))
    case 26:
      return floatText(cursor.readBytes(4).readFloatBE())
    case 27:
      return doubleText(cursor.readBytes(8).readDoubleBE())
    default:
      throw new Unsupported({
        file: cursor.file,
        offset: start,
        expected: 'a CBOR value that JSON has too',
        found: `simple value ${info}`,
      })
  }
}

function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const sign = bits >> 15 === 0 ? 1 : -1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
