import { CorruptData } from '../base/errors.ts'

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
 * Control characters inside strings are taken as they are, since Elasticsearch stores such documents.
 * Bytes of a string are hashed as UTF-8 without being validated: both sides' bytes come from the same parser.
 *
 * The digest has 64 bits in two lanes of 32, keyed by a seed. A changed document is overlooked when both lanes agree by
 * chance: 2^-64 for each document that really differs, 5e-11 for a thousand million of them. Other documents do not
 * matter, because digests are only compared for the same id (or summed over the bucket of that id).
 * With a random seed a pair that collides in one run does not in the next.
 */
export class CanonicalDigest {
  /** The result of the last call. */
  lane1 = 0
  lane2 = 0
  readonly #seed1: number
  readonly #seed2: number
  #bytes: Uint8Array = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  #file = ''
  #end = 0
  #scratch = new Uint8Array(256)
  #scratchView = new DataView(this.#scratch.buffer)
  readonly #isArray = new Uint8Array(depthMax)
  readonly #sum1 = new Int32Array(depthMax)
  readonly #sum2 = new Int32Array(depthMax)
  readonly #key1 = new Int32Array(depthMax)
  readonly #key2 = new Int32Array(depthMax)
  readonly #count = new Int32Array(depthMax)

  constructor(seed: { lane1: number; lane2: number } = { lane1: 0, lane2: 0 }) {
    this.#seed1 = seed.lane1 | 0
    this.#seed2 = seed.lane2 | 0
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
    mix(this, this.lane1 ^ second1, this.lane2 ^ second2)
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
      this.pair(this.#sum1[top]!, this.#sum2[top]!, this.lane1, this.lane2)
      this.#sum1[top] = this.lane1
      this.#sum2[top] = this.lane2
    } else {
      this.pair(this.#key1[top]!, this.#key2[top]!, this.lane1, this.lane2)
      this.#sum1[top]! += this.lane1
      this.#sum2[top]! += this.lane2
    }
  }

  #close(depth: number): void {
    const tag = this.#isArray[depth] === 1 ? arrayTag : objectTag
    mix(this, this.#sum1[depth]! ^ this.#seed1 ^ tag, this.#sum2[depth]! + this.#seed2)
    mix(this, this.lane1 ^ this.#count[depth]!, this.lane2)
  }

  /** key = string ws ":" */
  #key(position: number, top: number): number {
    if (this.#byteAt(position, 'a key') !== quote) throw this.#unexpected(position, 'a key')
    const after = this.#skipBlanks(this.#string(position + 1))
    this.#key1[top] = this.lane1
    this.#key2[top] = this.lane2
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

  /** escape = '\' ('"' | '\' | '/' | b | f | n | r | t | 'u' 4 hex digits): RFC 8259 section 7. */
  #escaped(start: number): number {
    const bytes = this.#bytes
    let position = start
    let length = 0
    for (;;) {
      if (position >= this.#end) throw this.#unexpected(position, 'the end of a string')
      if (length + 4 > this.#scratch.length) this.#growScratch()
      const byte = bytes[position]!
      if (byte === quote) break
      if (byte !== backslash) {
        this.#scratch[length++] = byte
        position++
        continue
      }
      const letter = this.#byteAt(position + 1, 'an escape')
      if (letter === 0x75) {
        let code = this.#hex(position + 2)
        position += 6
        // A pair of surrogates is one character; a lone one is written as three bytes, which no valid UTF-8 has.
        if (
          (code & 0xfc00) === 0xd800 &&
          bytes[position] === backslash &&
          bytes[position + 1] === 0x75
        ) {
          const second = this.#hex(position + 2)
          if ((second & 0xfc00) === 0xdc00) {
            code = 0x10000 + ((code & 0x3ff) << 10) + (second & 0x3ff)
            position += 6
          }
        }
        length = putUtf8(this.#scratch, length, code)
      } else {
        const value = simpleEscapes[letter]
        if (value === undefined) throw this.#unexpected(position + 1, 'an escape')
        this.#scratch[length++] = value
        position += 2
      }
    }
    this.#hash(this.#scratchView, 0, length)
    return position + 1
  }

  #hex(position: number): number {
    let code = 0
    for (let at = position; at < position + 4; at++) {
      const byte = this.#byteAt(at, 'a hex digit')
      const letter = (byte | 0x20) - 0x61
      if (byte >= zero && byte <= nine) code = code * 16 + byte - zero
      else if (letter >= 0 && letter <= 5) code = code * 16 + 10 + letter
      else throw this.#unexpected(at, 'a hex digit')
    }
    return code
  }

  #growScratch(): void {
    const larger = new Uint8Array(this.#scratch.length * 2)
    larger.set(this.#scratch)
    this.#scratch = larger
    this.#scratchView = new DataView(larger.buffer)
  }

  #skipBlanks(position: number): number {
    const bytes = this.#bytes
    const end = this.#end
    while (position < end) {
      const byte = bytes[position]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
      position++
    }
    return position
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

const quote = 0x22
const plus = 0x2b
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const dotDigit = dot - 0x30
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

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

const multiplier1 = 0x9e3779b1 | 0
const multiplier2 = 0x85ebca77 | 0
const numberTag = 0x3c6ef372
const literalTag = 0x1f83d9ab
const arrayTag = 0x510e527f
const objectTag = 0x5be0cd19
const pairTag = 0x6a09e667

/**
 * Mixes two lanes so that each bit of the result depends on all 64 of the input. Every step can be undone (a lane is
 * changed by a bijection of itself and by the other lane), so two inputs never meet in one output.
 */
function mix(into: { lane1: number; lane2: number }, lane1: number, lane2: number): void {
  let a = lane1 | 0
  let b = lane2 | 0
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d) ^ Math.imul(b ^ (b >>> 14), 0x297a2d39)
  b = Math.imul(b ^ (b >>> 15), 0x2c1b3c6d) ^ Math.imul(a ^ (a >>> 14), 0x297a2d39)
  into.lane1 = a ^ (a >>> 16)
  into.lane2 = b ^ (b >>> 16)
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
