import type { Memory } from '../bytes/memory.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const blank = 0x20
const quote = 0x22
const star = 0x2a
const slash = 0x2f
const backslash = 0x5c

/**
 * Keeps each `_source` on one line. Line breaks are looked for once from chunk start to chunk end, not once a document:
 * the position of the next one is remembered, and most documents end before it.
 */
export class LineGuard {
  readonly #memory: Memory
  #end = 0
  #nextFeed = 0
  #nextReturn = 0

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** The documents asked for from now on lie in [start, end), in rising order. */
  begin(start: number, end: number): void {
    this.#end = end
    this.#nextFeed = this.#find(lineFeed, start)
    this.#nextReturn = this.#find(carriageReturn, start)
  }

  /** True when [start, end) holds a line break. */
  hasBreak(start: number, end: number): boolean {
    if (this.#nextFeed < start) this.#nextFeed = this.#find(lineFeed, start)
    if (this.#nextReturn < start) this.#nextReturn = this.#find(carriageReturn, start)
    return this.#nextFeed < end || this.#nextReturn < end
  }

  #find(byte: number, start: number): number {
    // Bounded by the chunk: an unbounded search for a byte that is not there costs seconds.
    const at = this.#memory.bytes.subarray(start, this.#end).indexOf(byte)
    return at < 0 ? this.#end : start + at
  }

  /**
   * Copies the JSON at [start, end) to `dest` on one line, and returns where it ends. Elasticsearch takes more than
   * JSON: line breaks inside strings (they become escapes here) and comments (they become a blank, since one that ends
   * with its line would swallow the rest).
   */
  joinLines(start: number, end: number, dest: number): number {
    const { bytes } = this.#memory
    let inString = false
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (inString) {
        if (byte === lineFeed || byte === carriageReturn) {
          bytes[dest++] = backslash
          bytes[dest++] = byte === lineFeed ? 0x6e : 0x72
          continue
        }
        bytes[dest++] = byte
        if (byte === backslash && at + 1 < end) {
          const next = bytes[at + 1]!
          if (next !== lineFeed && next !== carriageReturn) bytes[dest++] = bytes[++at]!
        } else if (byte === quote) inString = false
        continue
      }
      if (byte === quote) inString = true
      else if (byte === slash) {
        const after = this.#commentEnd(at, end)
        if (after > at) {
          bytes[dest++] = blank
          at = after - 1
          continue
        }
      }
      bytes[dest++] = byte === lineFeed || byte === carriageReturn ? blank : byte
    }
    return dest
  }

  /** Where the comment that begins at `at` ends; `at` itself when none does. */
  #commentEnd(at: number, end: number): number {
    const { bytes } = this.#memory
    const second = at + 1 < end ? bytes[at + 1] : 0
    if (second === slash) {
      let to = at + 2
      while (to < end && bytes[to] !== lineFeed && bytes[to] !== carriageReturn) to++
      return to
    }
    if (second !== star) return at
    for (let to = at + 3; to < end; to++) {
      if (bytes[to] === slash && bytes[to - 1] === star && to - 1 > at + 1) return to + 1
    }
    return end
  }
}
