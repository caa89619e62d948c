import type { CorruptData } from '../base/errors.ts'
import { backslash, nine, quote, zero } from './json-bytes.ts'

type Fail = (position: number, expected: string) => CorruptData

/** The characters of one JSON string with escapes, as UTF-8. Reused for the next; grows to the longest. */
export class UnescapedString {
  length = 0
  view: DataView
  #bytes = new Uint8Array(256)

  constructor() {
    this.view = new DataView(this.#bytes.buffer)
  }

  /**
   * Reads the string whose first byte after the start quote is at `start`; returns the position after its end quote.
   *
   *   string = *(byte except '"' and '\\' | escape) '"'
   *   escape = '\\' ('"' | '\\' | '/' | b | f | n | r | t | 'u' 4 hex digits)         RFC 8259 section 7
   */
  read(from: Uint8Array, start: number, end: number, fail: Fail): number {
    let position = start
    let length = 0
    for (;;) {
      if (position >= end) throw fail(position, 'the end of a string')
      if (length + 4 > this.#bytes.length) this.#grow()
      const byte = from[position]!
      if (byte === quote) break
      if (byte !== backslash) {
        this.#bytes[length++] = byte
        position++
        continue
      }
      const letter = position + 1 < end ? from[position + 1]! : -1
      if (letter !== 0x75) {
        const value = simpleEscapes[letter]
        if (value === undefined) throw fail(position + 1, 'an escape')
        this.#bytes[length++] = value
        position += 2
        continue
      }
      let code = readHex(from, position + 2, end, fail)
      position += 6
      // A pair of surrogates is one character; a lone one is written as three bytes, which no valid UTF-8 has.
      const mayPair = (code & 0xfc00) === 0xd800 && position + 1 < end
      if (mayPair && from[position] === backslash && from[position + 1] === 0x75) {
        const second = readHex(from, position + 2, end, fail)
        if ((second & 0xfc00) === 0xdc00) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (second & 0x3ff)
          position += 6
        }
      }
      length = putUtf8(this.#bytes, length, code)
    }
    this.length = length
    return position + 1
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2)
    larger.set(this.#bytes)
    this.#bytes = larger
    this.view = new DataView(larger.buffer)
  }
}

function readHex(from: Uint8Array, position: number, end: number, fail: Fail): number {
  let code = 0
  for (let at = position; at < position + 4; at++) {
    const byte = at < end ? from[at]! : 0
    const letter = (byte | 0x20) - 0x61
    if (byte >= zero && byte <= nine) code = code * 16 + byte - zero
    else if (letter >= 0 && letter <= 5) code = code * 16 + 10 + letter
    else throw fail(at, 'a hex digit')
  }
  return code
}

const simpleEscapes: { readonly [letter: number]: number } = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 0x08,
  0x66: 0x0c,
  0x6e: 0x0a,
  0x72: 0x0d,
  0x74: 0x09,
}

function putUtf8(into: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    into[at] = code
    return at + 1
  }
  if (code < 0x800) {
    into[at] = 0xc0 | (code >> 6)
    into[at + 1] = 0x80 | (code & 0x3f)
    return at + 2
  }
  if (code < 0x10000) {
    into[at] = 0xe0 | (code >> 12)
    into[at + 1] = 0x80 | ((code >> 6) & 0x3f)
    into[at + 2] = 0x80 | (code & 0x3f)
    return at + 3
  }
  into[at] = 0xf0 | (code >> 18)
  into[at + 1] = 0x80 | ((code >> 12) & 0x3f)
  into[at + 2] = 0x80 | ((code >> 6) & 0x3f)
  into[at + 3] = 0x80 | (code & 0x3f)
  return at + 4
}
