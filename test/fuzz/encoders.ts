/** Writers of the formats that the decoders read: for good inputs beyond the fixtures. */
import type { Json } from '../../src/base/json.ts'
import { pick, pickOf } from './mutations.ts'
import type { Random } from './mutations.ts'

/** SMILE with names and values shared, as Elasticsearch writes it; `random` picks among the forms of one value. */
export function encodeSmile(random: Random, json: Json): Buffer {
  const shareValues = random() < 0.5
  const out: number[] = [0x3a, 0x29, 0x0a, shareValues ? 3 : 1]
  const names: string[] = []
  const values: string[] = []
  const write = (value: Json): void => {
    if (value === null) out.push(0x21)
    else if (typeof value === 'boolean') out.push(value ? 0x23 : 0x22)
    else if (typeof value === 'number') writeNumber(value)
    else if (typeof value === 'string') writeText(value)
    else if (Array.isArray(value)) {
      out.push(0xf8)
      for (const item of value) write(item)
      out.push(0xf9)
    } else {
      out.push(0xfa)
      for (const [name, item] of Object.entries(value)) {
        writeName(name)
        write(item)
      }
      out.push(0xfb)
    }
  }
  const writeNumber = (value: number): void => {
    const zigzag = value < 0 ? -2n * BigInt(Math.ceil(value)) - 1n : 2n * BigInt(Math.floor(value))
    if (!Number.isInteger(value) || Object.is(value, -0)) {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(value)
      out.push(0x29, ...sevenBits(bytes.readBigUInt64BE(), 10))
    } else if (zigzag < 32n) out.push(0xc0 + Number(zigzag))
    else if (zigzag < 1n << 32n) out.push(0x24, ...smileVInt(zigzag))
    else if (zigzag < 1n << 64n && random() < 0.8) out.push(0x25, ...smileVInt(zigzag))
    else {
      const magnitude = BigInt.asUintN(128, BigInt(value)).toString(16).padStart(32, '0')
      const bytes = Buffer.from(magnitude, 'hex')
      out.push(0x26, ...smileVInt(BigInt(bytes.length)), ...packedSeven(bytes))
    }
  }
  const writeText = (text: string): void => {
    const bytes = Buffer.from(text)
    const known = shareValues ? values.lastIndexOf(text) : -1
    if (text === '') out.push(0x20)
    else if (known >= 0 && known < 31) out.push(known + 1)
    else if (known >= 0) out.push(0xec | (known >> 8), known & 0xff)
    else if (bytes.length > 64) writeLong(0xe4, bytes)
    else {
      if (bytes.length === text.length) out.push(0x40 + bytes.length - 1, ...bytes)
      else out.push(0x80 + bytes.length - 2, ...bytes)
      remember(values, text)
    }
  }
  // One by one: as arguments they would all lie on the stack.
  const writeLong = (token: number, bytes: Uint8Array): void => {
    out.push(token)
    for (const byte of bytes) out.push(byte)
    out.push(0xfc)
  }
  const writeName = (name: string): void => {
    const bytes = Buffer.from(name)
    const known = names.lastIndexOf(name)
    if (name === '') out.push(0x20)
    else if (known >= 0 && known < 64) out.push(0x40 + known)
    else if (known >= 0) out.push(0x30 | (known >> 8), known & 0xff)
    else if (bytes.length > 56) writeLong(0x34, bytes)
    else {
      if (bytes.length === name.length) out.push(0x80 + bytes.length - 1, ...bytes)
      else out.push(0xc0 + bytes.length - 2, ...bytes)
      remember(names, name)
    }
  }
  write(json)
  return Buffer.from(out)
}

function remember(table: string[], text: string): void {
  if (table.length === 1024) table.length = 0
  table.push(text)
}

/** High bits first, 7 bits a byte. */
function sevenBits(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    return Number((value >> BigInt(7 * (count - 1 - i))) & 0x7fn)
  })
}

function smileVInt(value: bigint): number[] {
  const bytes = [Number(value & 0x3fn) | 0x80]
  for (let rest = value >> 6n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn))
  return bytes
}

function packedSeven(bytes: Uint8Array): number[] {
  const out: number[] = []
  for (let at = 0; at < bytes.length; at += 7) {
    const piece = Buffer.from(bytes.subarray(at, at + 7))
    const value = BigInt(`0x${piece.toString('hex')}`)
    const rest = piece.length < 7 ? piece.length : 0
    if (rest === 0) out.push(...sevenBits(value, 8))
    else
      out.push(
        ...sevenBits(value >> BigInt(rest), rest),
        Number(value & ((1n << BigInt(rest)) - 1n)),
      )
  }
  return out
}

/** CBOR; lengths told or open, integers and floats of each width, tags here and there. */
export function encodeCbor(random: Random, json: Json): Buffer {
  const tag =
    random() < 0.1 ? [0xc0 | pick(random, 24)].filter((head) => head !== 0xc2 && head !== 0xc3) : []
  return Buffer.concat([Buffer.from(tag), encodeCborValue(random, json)])
}

function encodeCborValue(random: Random, json: Json): Buffer {
  if (json === null) return Buffer.from([random() < 0.9 ? 0xf6 : 0xf7])
  if (typeof json === 'boolean') return Buffer.from([json ? 0xf5 : 0xf4])
  if (typeof json === 'number') return cborNumber(json)
  if (typeof json === 'string') return cborText(random, json)
  const open = random() < 0.3
  const items = Array.isArray(json)
    ? json.map((item) => encodeCbor(random, item))
    : Object.entries(json).flatMap(([name, item]) => [
        cborText(random, name),
        encodeCbor(random, item),
      ])
  const major = Array.isArray(json) ? 4 : 5
  const count = Array.isArray(json) ? items.length : items.length / 2
  const head = open ? Buffer.from([(major << 5) | 31]) : cborHead(major, BigInt(count))
  return Buffer.concat([head, ...items, Buffer.from(open ? [0xff] : [])])
}

function cborHead(major: number, value: bigint): Buffer {
  if (value < 24n) return Buffer.from([(major << 5) | Number(value)])
  const width = value < 0x100n ? 0 : value < 0x10000n ? 1 : value < 0x1_0000_0000n ? 2 : 3
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return Buffer.concat([Buffer.from([(major << 5) | (24 + width)]), bytes.subarray(8 - 2 ** width)])
}

function cborNumber(value: number): Buffer {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    return value < 0 ? cborHead(1, BigInt(-1 - value)) : cborHead(0, BigInt(value))
  }
  const bytes = Buffer.alloc(9)
  bytes[0] = 0xfb
  bytes.writeDoubleBE(value, 1)
  return bytes
}

function cborText(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text)
  if (random() < 0.9) return Buffer.concat([cborHead(3, BigInt(bytes.length)), bytes])
  return Buffer.concat([
    Buffer.from([0x7f]),
    cborHead(3, BigInt(bytes.length)),
    bytes,
    Buffer.from([0xff]),
  ])
}

/** One LZ4 block: the longest match of 4 bytes or more that a short look back finds. */
export function encodeLz4(data: Uint8Array, dictionary: Uint8Array = new Uint8Array()): Buffer {
  const whole = Buffer.concat([dictionary, data])
  const out: number[] = []
  let literalsFrom = dictionary.length
  let at = literalsFrom
  const more = (length: number): void => {
    for (; length >= 255; length -= 255) out.push(255)
    out.push(length)
  }
  const sequence = (match?: { back: number; length: number }): void => {
    const literals = at - literalsFrom
    const low = match === undefined ? 0 : Math.min(15, match.length - 4)
    out.push((Math.min(15, literals) << 4) | low)
    if (literals >= 15) more(literals - 15)
    out.push(...whole.subarray(literalsFrom, at))
    if (match === undefined) return
    out.push(match.back & 0xff, match.back >> 8)
    if (low === 15) more(match.length - 19)
  }
  while (at < whole.length - 5) {
    const match = findMatch(whole, at)
    if (match === undefined) at++
    else {
      sequence(match)
      at += match.length
      literalsFrom = at
    }
  }
  at = whole.length
  sequence()
  return Buffer.from(out)
}

function findMatch(whole: Buffer, at: number): { back: number; length: number } | undefined {
  const from = whole.lastIndexOf(whole.subarray(at, at + 4), at - 1)
  if (at === 0 || from < 0 || at - from > 0xffff) return undefined
  let length = 4
  // The last five bytes of a block are literals.
  while (at + length < whole.length - 5 && whole[from + length] === whole[at + length]) length++
  return { back: at - from, length }
}

/** An `_id` as Elasticsearch since 6.0 stores it. */
export function encodeId(id: string): Buffer {
  if (/^\d+$/.test(id)) {
    const halves = (id.length % 2 === 0 ? id : `${id}f`).replace(/f$/, 'f')
    return Buffer.concat([Buffer.from([0xfe]), Buffer.from(halves, 'hex')])
  }
  const raw = Buffer.from(id, 'base64url')
  if (raw.length > 0 && raw.toString('base64url') === id) {
    return raw[0]! >= 0xfd ? Buffer.concat([Buffer.from([0xfd]), raw]) : raw
  }
  return Buffer.concat([Buffer.from([0xff]), Buffer.from(id)])
}

/** Text that repeats itself here and there, so that it compresses. */
export function randomText(random: Random, lengthMax: number): Buffer {
  const words = ['alpha ', 'beta', '{"a":1}', '\n', '0000000000', 'x', '☃', '"name": "value", ']
  const length = pick(random, lengthMax)
  let text = ''
  while (text.length < length) {
    const word = pickOf(random, words)
    text += random() < 0.1 ? word.repeat(1 + pick(random, 60)) : word
  }
  return Buffer.from(text.slice(0, length))
}
