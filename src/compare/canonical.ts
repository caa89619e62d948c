import { CorruptData } from '../base/errors.ts'
import {
  lineFeed,
  quote,
  star,
  plus,
  comma,
  minus,
  dot,
  slash,
  dotDigit,
  zero,
  nine,
  colon,
  openBracket,
  backslash,
  closeBracket,
  openBrace,
  closeBrace,
} from './json-bytes.ts'
import {
  multiplier1,
  multiplier2,
  numberTag,
  literalTag,
  arrayTag,
  objectTag,
  pairTag,
  mix,
} from './digest-halves.ts'
import { UnescapedString } from './unescaped-string.ts'

/**
 * A digest of JSON by value, straight from its bytes.
 *
 * Two texts have the same digest when they mean the same document:
 *   object  = members in any order; a key that stands twice counts twice
 *   array   = elements in order
 *   string  = characters after escapes are resolved ("\u00e9" is "é"; a lone surrogate stays what it is)
 *   number  = exact decimal value (1 = 1.0 = 1e0 = 10e-1; nothing is rounded, 1e400 and 30 digits included).
 *             -0 is 0, as engines read an integer; -0.0 and -0e0 are not 0: a floating point field indexes them apart.
 *   literal = true, false, null; an absent member is not a null one
 *   comment = nothing: Elasticsearch and OpenSearch take both kinds of JavaScript in documents and store them
 * Bytes of a string, control characters included, are hashed without being validated: an engine has parsed them.
 *
 * The digest has 64 bits in two halves of 32, keyed by a seed. A changed document is overlooked when both halves agree by
 * chance: 2^-64 for each document that really differs, 5e-11 for a thousand million of them. Other documents do not
 * matter, because digests are only compared for the same id (or summed over the bucket of that id).
 * With a random seed a pair that collides in one run does not in the next.
 */
export class CanonicalDigest {
  /** The result of the last call. */
  half1 = 0
  half2 = 0
  readonly #seed1: number
  readonly #seed2: number
  #bytes: Uint8Array = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  #file = ''
  #end = 0
  readonly #unescaped = new UnescapedString()
  readonly #fail = (position: number, expected: string): CorruptData =>
    this.#unexpected(position, expected)
  readonly #isArray = new Uint8Array(depthMax)
  readonly #sum1 = new Int32Array(depthMax)
  readonly #sum2 = new Int32Array(depthMax)
  readonly #key1 = new Int32Array(depthMax)
  readonly #key2 = new Int32Array(depthMax)
  readonly #count = new Int32Array(depthMax)

  constructor(seed: { half1: number; half2: number } = { half1: 0, half2: 0 }) {
    this.#seed1 = seed.half1 | 0
    this.#seed2 = seed.half2 | 0
  }

  /** Sets the bytes that the next calls look into; `file` names them in errors. Views are kept, bytes are not copied. */
  use(bytes: Uint8Array, file: string): void {
    this.#file = file
    this.#end = bytes.length
    if (bytes === this.#bytes) return
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Digest of the one JSON value that is bytes [start, end). Throws CorruptData for anything else. */
  text(start: number, end: number): void {
    this.#end = end
    const after = this.#skipBlanks(this.#value(start))
    if (after !== end) throw this.#unexpected(after, 'the end of the document')
  }

  /** Digest of the value that starts at `position` (blanks allowed before it); returns the position after it. */
  value(position: number): number {
    this.#end = this.#bytes.length
    return this.#value(position)
  }

  /** The position after the blanks and comments that begin at `position`. */
  afterBlanks(position: number): number {
    this.#end = this.#bytes.length
    return this.#skipBlanks(position)
  }

  /** Digest of the string whose first byte after the quote is at `position`; returns the position after its end quote. */
  string(position: number): number {
    this.#end = this.#bytes.length
    return this.#string(position)
  }

  /** Digest of bytes [start, end) as they are, equal to that of a JSON string with this UTF-8 content. */
  raw(start: number, end: number): void {
    this.#hash(this.#view, start, end)
  }

  /** Digest of the pair of two digests, in this order. */
  pair(first1: number, first2: number, second1: number, second2: number): void {
    mix(this, first1 + pairTag, first2)
    mix(this, this.half1 ^ second1, this.half2 ^ second2)
  }

  #value(start: number): number {
    let position = start
    let depth = 0
    for (;;) {
      position = this.#skipBlanks(position)
      const byte = this.#byteAt(position, 'a value')
      let closed = true
      if (byte === openBrace || byte === openBracket) {
        if (depth === depthMax) throw this.#unexpected(position, `at most ${depthMax} levels`)
        const isArray = byte === openBracket
        this.#isArray[depth] = isArray ? 1 : 0
        this.#sum1[depth] = this.#sum2[depth] = this.#count[depth] = 0
        depth++
        position = this.#skipBlanks(position + 1)
        if (this.#byteAt(position, 'a member or an end') === (isArray ? closeBracket : closeBrace))
          this.#close(--depth)
        else closed = false
        if (closed) position++
        else if (!isArray) position = this.#key(position, depth - 1)
      } else position = this.#scalar(position, byte)
      while (closed) {
        if (depth === 0) return position
        const top = depth - 1
        this.#add(top)
        position = this.#skipBlanks(position)
        const next = this.#byteAt(position, 'a comma or an end')
        const isArray = this.#isArray[top] === 1
        position++
        if (next === (isArray ? closeBracket : closeBrace)) this.#close(--depth)
        else if (next !== comma) throw this.#unexpected(position - 1, 'a comma or an end')
        else {
          closed = false
          if (!isArray) position = this.#key(this.#skipBlanks(position), top)
        }
      }
    }
  }

  /** Takes the value just digested into the container at `top`: members commute, elements do not. */
  #add(top: number): void {
    this.#count[top]! += 1
    if (this.#isArray[top] === 1) {
      this.pair(this.#sum1[top]!, this.#sum2[top]!, this.half1, this.half2)
      this.#sum1[top] = this.half1
      this.#sum2[top] = this.half2
    } else {
      this.pair(this.#key1[top]!, this.#key2[top]!, this.half1, this.half2)
      this.#sum1[top]! += this.half1
      this.#sum2[top]! += this.half2
    }
  }

  #close(depth: number): void {
    const tag = this.#isArray[depth] === 1 ? arrayTag : objectTag
    mix(this, this.#sum1[depth]! ^ this.#seed1 ^ tag, this.#sum2[depth]! + this.#seed2)
    mix(this, this.half1 ^ this.#count[depth]!, this.half2)
  }

  /** key = string ws ":" */
  #key(position: number, top: number): number {
    if (this.#byteAt(position, 'a key') !== quote) throw this.#unexpected(position, 'a key')
    const after = this.#skipBlanks(this.#string(position + 1))
    this.#key1[top] = this.half1
    this.#key2[top] = this.half2
    if (this.#byteAt(after, 'a colon') !== colon) throw this.#unexpected(after, 'a colon')
    return after + 1
  }

  #scalar(position: number, byte: number): number {
    if (byte === quote) return this.#string(position + 1)
    if (byte === minus || (byte >= zero && byte <= nine)) return this.#number(position)
    if (byte === 0x74) return this.#literal(position, 'true', 1)
    if (byte === 0x66) return this.#literal(position, 'false', 2)
    if (byte === 0x6e) return this.#literal(position, 'null', 3)
    throw this.#unexpected(position, 'a value')
  }

  #literal(position: number, word: string, tag: number): number {
    for (let i = 0; i < word.length; i++) {
      const at = position + i
      if (at >= this.#end || this.#bytes[at] !== word.charCodeAt(i))
        throw this.#unexpected(at, word)
    }
    mix(this, this.#seed1 ^ literalTag, this.#seed2 + tag)
    return position + word.length
  }

  /**
   * number = ["-"] (0 | 1-9 digits) ["." digits] [("e" | "E") ["+" | "-"] digits]      RFC 8259 section 6
   * Hashed as significant digits without zeros on either end, nine at a time, and the power of ten that they stand for.
   */
  #number(start: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let position = start
    const negative = bytes[position] === minus
    if (negative) position++
    let h1 = this.#seed1 ^ numberTag
    let h2 = this.#seed2
    let digits = 0
    let word = 0
    let inWord = 0
    let pendingZeros = 0
    let scale = 0
    let isInteger = true
    const first = position
    for (; ; position++) {
      const digit = position < end ? bytes[position]! - zero : -1
      if (digit >= 0 && digit <= 9) {
        if (!isInteger) scale++
        else if (position === first + 1 && bytes[first] === zero)
          throw this.#unexpected(position, 'no digit after a leading zero')
        if (digit === 0) {
          if (digits > 0) pendingZeros++
          continue
        }
        while (pendingZeros >= 0) {
          word = word * 10 + (pendingZeros === 0 ? digit : 0)
          digits++
          pendingZeros--
          if (++inWord === 9) {
            h1 = Math.imul(h1 ^ word, multiplier1)
            h1 ^= h1 >>> 15
            h2 = Math.imul(h2 ^ word, multiplier2)
            h2 ^= h2 >>> 13
            word = inWord = 0
          }
        }
        pendingZeros = 0
      } else if (digit === dotDigit && position < end && isInteger && position > first) {
        isInteger = false
      } else break
    }
    if (position === first || bytes[position - 1] === dot)
      throw this.#unexpected(position, 'a digit')
    let exponent = 0
    if (position < end && (bytes[position]! | 0x20) === 0x65) {
      isInteger = false
      let at = position + 1
      const sign = at < end ? bytes[at] : 0
      if (sign === minus || sign === plus) at++
      const firstOfExponent = at
      for (; at < end && bytes[at]! >= zero && bytes[at]! <= nine; at++) {
        exponent = exponent * 10 + bytes[at]! - zero
        if (exponent >= exponentMax) throw this.#unexpected(at, `an exponent below ${exponentMax}`)
      }
      if (at === firstOfExponent) throw this.#unexpected(at, 'a digit')
      if (sign === minus) exponent = -exponent
      position = at
    }
    if (digits === 0) exponent = isInteger || !negative ? 0 : 1
    else exponent += pendingZeros - scale
    const signBit = negative && digits > 0 ? 1 : 0
    h1 = Math.imul(h1 ^ word, multiplier1)
    h2 = Math.imul(h2 ^ word, multiplier2)
    mix(this, h1 ^ (h1 >>> 15) ^ exponent, h2 ^ (h2 >>> 13) ^ ((digits << 1) | signBit))
    return position
  }

  /** string = '"' *(byte except '"' and '\' | escape) '"'; the start quote is behind us. Escapes: see #escaped. */
  #string(start: number): number {
    const bytes = this.#bytes
    const view = this.#view
    const lastWord = this.#end - 4
    let h1 = this.#seed1
    let h2 = this.#seed2
    let position = start
    while (position <= lastWord) {
      const word = view.getInt32(position, true)
      // A zero byte in x is where (x - 0x01…01) & ~x has its top bit: four bytes looked at for '"' and '\' at once.
      const q = word ^ 0x22222222
      const s = word ^ 0x5c5c5c5c
      if ((((((q - 0x01010101) | 0) & ~q) | (((s - 0x01010101) | 0) & ~s)) & 0x80808080) !== 0)
        break
      h1 = Math.imul(h1 ^ word, multiplier1)
      h1 ^= h1 >>> 15
      h2 = Math.imul(h2 ^ word, multiplier2)
      h2 ^= h2 >>> 13
      position += 4
    }
    let word = 0
    for (let shift = 0; ; shift += 8, position++) {
      if (position >= this.#end) throw this.#unexpected(position, 'the end of a string')
      const byte = bytes[position]!
      if (byte === quote) break
      if (byte === backslash) return this.#escaped(start)
      word |= byte << shift
    }
    this.#finish(h1, h2, word, position - start)
    return position + 1
  }

  /** The same hash as in #string over bytes that are known to the end. */
  #hash(view: DataView, start: number, end: number): void {
    let h1 = this.#seed1
    let h2 = this.#seed2
    let position = start
    for (; position + 4 <= end; position += 4) {
      const word = view.getInt32(position, true)
      h1 = Math.imul(h1 ^ word, multiplier1)
      h1 ^= h1 >>> 15
      h2 = Math.imul(h2 ^ word, multiplier2)
      h2 ^= h2 >>> 13
    }
    let word = 0
    for (let shift = 0; position < end; shift += 8, position++)
      word |= view.getUint8(position) << shift
    this.#finish(h1, h2, word, end - start)
  }

  #finish(h1: number, h2: number, word: number, length: number): void {
    let a = Math.imul(h1 ^ word, multiplier1)
    a ^= a >>> 15
    let b = Math.imul(h2 ^ word, multiplier2)
    b ^= b >>> 13
    mix(this, a ^ length, b + length)
  }

  #escaped(start: number): number {
    const after = this.#unescaped.read(this.#bytes, start, this.#end, this.#fail)
    this.#hash(this.#unescaped.view, 0, this.#unescaped.length)
    return after
  }

  // blanks = *(space | tab | line feed | carriage return | comment)
  // comment = "/*" … "*/" | "//" … to the end of the line
  #skipBlanks(position: number): number {
    const bytes = this.#bytes
    const end = this.#end
    while (position < end) {
      const byte = bytes[position]!
      if (byte === slash) position = this.#commentEnd(position)
      else if (byte !== 0x20 && byte !== lineFeed && byte !== 0x0d && byte !== 0x09) break
      else position++
    }
    return position
  }

  #commentEnd(start: number): number {
    const bytes = this.#bytes
    const kind = this.#byteAt(start + 1, 'a comment')
    let at = start + 2
    if (kind === slash) {
      while (at < this.#end && bytes[at] !== lineFeed && bytes[at] !== 0x0d) at++
      return at
    }
    if (kind !== star) throw this.#unexpected(start, 'a value, a comma or an end')
    for (; at + 1 < this.#end; at++)
      if (bytes[at] === star && bytes[at + 1] === slash) return at + 2
    throw this.#unexpected(this.#end, 'the end of a comment')
  }

  #byteAt(position: number, expected: string): number {
    if (position >= this.#end) throw this.#unexpected(position, expected)
    return this.#bytes[position]!
  }

  #unexpected(position: number, expected: string): CorruptData {
    const byte = position < this.#end ? this.#bytes[position]! : undefined
    const found =
      byte === undefined ? 'the end of the data' : `byte 0x${byte.toString(16).padStart(2, '0')}`
    return new CorruptData({ file: this.#file, offset: position, expected, found })
  }
}

/** Levels of objects and arrays that are followed; the engines stop at 1,000 too. */
export const depthMax = 1000
/** So that no sum of exponent and digit count leaves 32 bits. */
const exponentMax = 1e9
