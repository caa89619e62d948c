import type { Memory } from '../bytes/memory.ts'
import { joinLines } from '../bytes/one-line.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d

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

  /** Copies the JSON at [start, end) to `dest` on one line, and returns where it ends. */
  joinLines(start: number, end: number, dest: number): number {
    const { bytes } = this.#memory
    return joinLines(bytes, start, end, { bytes, at: dest })
  }
}
