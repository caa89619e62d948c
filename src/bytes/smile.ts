import { isUtf8 } from 'node:buffer'
import { FormatTooNew } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { Cursor } from './cursor.ts'
import { doubleText, floatText } from './number-text.ts'

/**
 * SMILE, the binary JSON of Jackson, in which Elasticsearch writes the metadata of snapshots and a client may send
 * documents. Specified in github.com/FasterXML/smile-format-specification; where that text and Jackson differ (the
 * last bits of 7-bit binary are right-aligned) Jackson's bytes are what exists.
 *
 *   smile   = ":)\n", flags:byte, value, [0xff]
 *   flags   = version in bits 4-7 (0); bit 2 raw binary may occur; bit 1 values are shared; bit 0 names are shared
 *   value   = 0x01-0x1f shared value 0-30            | 0x20 ""   | 0x21 null | 0x22 false | 0x23 true
 *           | 0x24 zigzag vint (32 bits)             | 0x25 zigzag vint (64 bits)
 *           | 0x26 length:vint, 7-bit bytes of a big integer (two's complement)
 *           | 0x28 float: 5 x 7 bits                 | 0x29 double: 10 x 7 bits
 *           | 0x2a scale:zigzag vint, big integer    | 0x40-0x7f ASCII of 1-64 bytes
 *           | 0x80-0xbf UTF-8 of 2-65 bytes          | 0xc0-0xdf zigzag integer in 5 bits
 *           | 0xe0, 0xe4 text up to 0xfc             | 0xe8 length:vint, 7-bit bytes
 *           | 0xec-0xef, byte: shared value 0-1023   | 0xf8 value* 0xf9
 *           | 0xfa (name value)* 0xfb                | 0xfd length:vint, raw bytes
 *   name    = 0x20 "" | 0x30-0x33, byte: shared name 0-1023 | 0x34 text up to 0xfc | 0x40-0x7f shared name 0-63
 *           | 0x80-0xbf ASCII of 1-64 bytes | 0xc0-0xf7 UTF-8 of 2-57 bytes
 *   vint    = big-endian: 7 bits a byte, the last byte 6 bits with its high bit set
 *
 * Names, and values of up to 64 bytes, are remembered, in two tables of 1024 that start again when they are full.
 */
const depthMax = 1000
const sharedMax = 1024
/** Turning a big integer into digits takes quadratic time: hostile bytes must not buy much of it. */
const bigNumberBytesMax = 4096

/**
 * Parses one whole SMILE value; binary becomes base64 text. An integer that a JavaScript number cannot hold exactly
 * becomes its decimal digits as a string, which engines read as the same number in settings and mappings. `baseOffset`:
 * of the first byte in the file, for messages. Throws CorruptData, or FormatTooNew for another version.
 */
export function parseSmile(bytes: Uint8Array, file: string, { baseOffset = 0 } = {}): Json {
  return parseWith(new Cursor(file, bytes, { baseOffset }), values)
}

/** The same as JSON text on one line: no number loses digits, and members keep their order. */
export function smileToJson(bytes: Uint8Array, file: string): string {
  return parseWith(new Cursor(file, bytes), jsonText)
}

function parseWith<T>(cursor: Cursor, build: Builder<T>): T {
  const flags = readSmileHeader(cursor)
  const smile: Smile<T> = {
    cursor,
    names: (flags & 1) !== 0 ? [] : undefined,
    values: (flags & 2) !== 0 ? [] : undefined,
    build,
    depth: 0,
  }
  const value = readValue(smile, cursor.readByte())
  if (cursor.remaining === 1 && cursor.bytes[cursor.position] === 0xff) cursor.skip(1)
  cursor.expectEnd()
  return value
}

/** True when the bytes begin as SMILE does. */
export function isSmile(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x3a && bytes[1] === 0x29 && bytes[2] === 0x0a
}

/** What becomes of the parts of a value. */
interface Builder<T> {
  word(value: string | boolean | null): T
  integer(value: number | bigint): T
  /** `single`: a number of 32 bits. */
  real(value: number, single: boolean): T
  decimal(unscaled: bigint, scale: bigint): T
  array(items: T[]): T
  object(members: [string, T][]): T
}

const values: Builder<Json> = {
  word: (value) => value,
  integer(value) {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  },
  // JSON has no NaN and no infinities; Jackson writes them as text too.
  real: (value) => (Number.isFinite(value) ? value : String(value)),
  decimal(unscaled, scale) {
    const text = decimalText(unscaled, scale)
    const value = Number(text)
    // Up to 15 digits survive the way into a double and back, unless the exponent is out of its range.
    const inRange = Number.isFinite(value) && (value !== 0 || unscaled === 0n)
    return inRange && unscaled.toString().length <= 15 ? value : text
  },
  array: (items) => items,
  object: objectOf,
}

const jsonText: Builder<string> = {
  word: (value) => JSON.stringify(value),
  integer: (value) => value.toString(),
  real: (value, single) => (single ? floatText(value) : doubleText(value)),
  decimal: decimalText,
  array: (items) => `[${items.join()}]`,
  object: (members) =>
    `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`,
}

function objectOf(members: [string, Json][]): JsonObject {
  const object: JsonObject = {}
  for (const [name, value] of members) {
    if (name === '__proto__') {
      Object.defineProperty(object, name, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      })
    } else {
      object[name] = value
    }
  }
  return object
}

function decimalText(unscaled: bigint, scale: bigint): string {
  return scale === 0n ? `${unscaled}` : `${unscaled}E${-scale}`
}

interface Smile<T> {
  readonly cursor: Cursor
  readonly names: string[] | undefined
  readonly values: string[] | undefined
  readonly build: Builder<T>
  depth: number
}

function readSmileHeader(cursor: Cursor): number {
  const head = cursor.readBytes(3)
  if (head.toString('latin1') !== ':)\n') {
    throw cursor.corrupt('SMILE header 3a290a', head.toString('hex'), 0)
  }
  const flags = cursor.readByte()
  if (flags >> 4 !== 0) {
    throw new FormatTooNew({
      file: cursor.file,
      offset: cursor.baseOffset + 3,
      expected: 'SMILE version 0',
      found: `version ${flags >> 4}`,
    })
  }
  return flags
}

function readValue<T>(smile: Smile<T>, token: number): T {
  const { cursor, build } = smile
  switch (token >> 5) {
    case 0:
      return build.word(sharedString(cursor, smile.values, token - 1))
    case 1:
      return readSimple(smile, token)
    case 2:
    case 3:
      return build.word(share(smile.values, readText(cursor, (token & 0x3f) + 1)))
    case 4:
    case 5:
      return build.word(share(smile.values, readText(cursor, (token & 0x3f) + 2)))
    case 6:
      return build.integer(unzigzag(token & 0x1f))
    default:
      return readLongOrNested(smile, token)
  }
}

function readSimple<T>({ cursor, build }: Smile<T>, token: number): T {
  switch (token) {
    case 0x20:
      return build.word('')
    case 0x21:
      return build.word(null)
    case 0x22:
      return build.word(false)
    case 0x23:
      return build.word(true)
    case 0x24:
      return build.integer(unzigzagBig(readVInt(cursor, 5)))
    case 0x25:
      return build.integer(unzigzagBig(readVInt(cursor, 10)))
    case 0x26:
      return build.integer(readBigInteger(cursor))
    case 0x28:
      return build.real(readFloat(cursor), true)
    case 0x29:
      return build.real(readDouble(cursor), false)
    case 0x2a: {
      const scale = unzigzagBig(readVInt(cursor, 5))
      return build.decimal(readBigInteger(cursor), scale)
    }
    default:
      throw badToken(cursor, 'a value', token)
  }
}

function readLongOrNested<T>(smile: Smile<T>, token: number): T {
  const { cursor, build } = smile
  switch (token) {
    case 0xe0:
    case 0xe4:
      return build.word(readLongText(cursor))
    case 0xe8:
      return build.word(read7BitBytes(cursor, readLength(cursor)).toString('base64'))
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
      return build.word(sharedString(cursor, smile.values, ((token & 3) << 8) | cursor.readByte()))
    case 0xf8:
      return build.array(nested(smile, readArray))
    case 0xfa:
      return build.object(nested(smile, readMembers))
    case 0xfd:
      return build.word(cursor.readBytes(readLength(cursor)).toString('base64'))
    default:
      throw badToken(cursor, 'a value', token)
  }
}

function nested<T, R>(smile: Smile<T>, read: (smile: Smile<T>) => R): R {
  if (++smile.depth > depthMax) {
    throw smile.cursor.corrupt(`at most ${depthMax} levels of nesting`, 'one more')
  }
  const value = read(smile)
  smile.depth--
  return value
}

function readArray<T>(smile: Smile<T>): T[] {
  const items: T[] = []
  for (;;) {
    const token = smile.cursor.readByte()
    if (token === 0xf9) return items
    items.push(readValue(smile, token))
  }
}

function readMembers<T>(smile: Smile<T>): [string, T][] {
  const members: [string, T][] = []
  for (;;) {
    const token = smile.cursor.readByte()
    if (token === 0xfb) return members
    const name = readName(smile, token)
    members.push([name, readValue(smile, smile.cursor.readByte())])
  }
}

function readName<T>({ cursor, names }: Smile<T>, token: number): string {
  if (token >= 0x80 && token <= 0xbf) return share(names, readText(cursor, (token & 0x3f) + 1))
  if (token >= 0x40 && token <= 0x7f) return sharedString(cursor, names, token & 0x3f)
  if (token >= 0xc0 && token <= 0xf7) return share(names, readText(cursor, token - 0xc0 + 2))
  if (token === 0x20) return ''
  if (token >= 0x30 && token <= 0x33) {
    return sharedString(cursor, names, ((token & 3) << 8) | cursor.readByte())
  }
  // Jackson remembers long names too, whatever the specification says.
  if (token === 0x34) return share(names, readLongText(cursor))
  throw badToken(cursor, 'a name or the end of an object', token)
}

function share(table: string[] | undefined, text: string): string {
  if (table === undefined) return text
  if (table.length === sharedMax) table.length = 0
  table.push(text)
  return text
}

function sharedString(cursor: Cursor, table: string[] | undefined, index: number): string {
  const text = table?.[index]
  if (text === undefined) {
    throw cursor.corrupt(
      `a reference to one of ${table?.length ?? 0} shared strings`,
      `number ${index}`,
      cursor.position - 1,
    )
  }
  return text
}

function readText(cursor: Cursor, length: number): string {
  const start = cursor.position
  const bytes = cursor.readBytes(length)
  if (!isUtf8(bytes)) throw cursor.corrupt('text in UTF-8', 'other bytes', start)
  return bytes.toString('utf8')
}

function readLongText(cursor: Cursor): string {
  const end = cursor.bytes.indexOf(0xfc, cursor.position)
  if (end < 0) throw cursor.corrupt('the end of a text (0xfc)', 'none in the bytes left')
  const text = readText(cursor, end - cursor.position)
  cursor.skip(1)
  return text
}

function readVInt(cursor: Cursor, bytesMax: number): bigint {
  const start = cursor.position
  let value = 0
  let large: bigint | undefined
  for (let i = 0; i < bytesMax; i++) {
    const byte = cursor.readByte()
    const last = byte >= 0x80
    if (last && byte >= 0xc0) break
    const bits = last ? 6 : 7
    if (i >= 6) large = ((large ?? BigInt(value)) << BigInt(bits)) | BigInt(byte & 0x7f)
    else value = value * 2 ** bits + (byte & 0x7f)
    if (last) return large ?? BigInt(value)
  }
  throw cursor.corrupt(`an integer that ends within ${bytesMax} bytes`, 'another byte', start)
}

/** A length is the number of bytes meant, so never more than what is left (7-bit bytes take even more). */
function readLength(cursor: Cursor): number {
  const start = cursor.position
  return cursor.checkCount(Number(readVInt(cursor, 5)), 'bytes', 1, start)
}

function read7BitBytes(cursor: Cursor, length: number): Buffer {
  const groups = Math.floor(length / 7)
  const rest = length - groups * 7
  const start = cursor.position
  const encoded = cursor.readBytes(groups * 8 + (rest > 0 ? rest + 1 : 0))
  const bytes = Buffer.alloc(length)
  let bits = 0
  let count = 0
  let out = 0
  for (let i = 0; i < encoded.length; i++) {
    const byte = encoded[i]!
    if (byte >= 0x80) throw cursor.corrupt('a byte of 7 bits', hex(byte), start + i)
    // Only the last byte of a rest holds fewer than 7 bits.
    const width = rest > 0 && i === encoded.length - 1 ? rest : 7
    if (byte >> width !== 0) throw cursor.corrupt(`a byte of ${width} bits`, hex(byte), start + i)
    bits = ((bits << width) | byte) & 0x7fff
    count += width
    if (count >= 8) {
      count -= 8
      bytes[out++] = bits >> count
    }
  }
  return bytes
}

function readBigInteger(cursor: Cursor): bigint {
  const start = cursor.position
  const length = readLength(cursor)
  if (length < 1 || length > bigNumberBytesMax) {
    throw cursor.corrupt(`a number of 1 to ${bigNumberBytesMax} bytes`, `${length}`, start)
  }
  const bytes = read7BitBytes(cursor, length)
  return BigInt.asIntN(length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

function readFloat(cursor: Cursor): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, Number(read7BitNumber(cursor, 5, 32)))
  return view.getFloat32(0)
}

function readDouble(cursor: Cursor): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, read7BitNumber(cursor, 10, 64))
  return view.getFloat64(0)
}

function read7BitNumber(cursor: Cursor, bytes: number, bits: number): bigint {
  const start = cursor.position
  let value = 0n
  for (const byte of cursor.readBytes(bytes)) {
    if (byte >= 0x80) throw cursor.corrupt('bytes of 7 bits', hex(byte), start)
    value = (value << 7n) | BigInt(byte)
  }
  if (value >> BigInt(bits) !== 0n) {
    throw cursor.corrupt(`a number of ${bits} bits`, 'a larger one', start)
  }
  return value
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

function unzigzagBig(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n)
}

function badToken(cursor: Cursor, expected: string, token: number): Error {
  return cursor.corrupt(expected, `token ${hex(token)}`, cursor.position - 1)
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}
