/** How many bytes of bodies may be held at once, over all connections of a process (`capture.memoryMax`). */
export class BodyMemory {
  readonly bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes that many bytes, or none and says false. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.bytesMax) return false
    this.#bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

const smallestCapacity = 16_384
/** A length that is only announced is trusted so far. */
const trustedBytesMax = 1 << 20
const nothing = new Uint8Array(0)

/**
 * The bytes of one body as they come by. A body that comes in one piece is kept as that piece; others are put together
 * in a buffer of the length that was announced, or one that doubles. When it grows above its bound, or memory is short, what was kept is dropped and only counted.
 */
export class BodyBuffer {
  readonly #memory: BodyMemory
  readonly #bytesMax: number
  readonly #announced: (() => number | undefined) | undefined
  #buffer: Uint8Array = nothing
  #length = 0
  #taken = 0
  /** Length as sent. */
  bytes = 0
  /** Why it is not kept, once it is not. */
  lost: 'above its bound' | 'no memory' | undefined

  /** `announced` is asked when a second piece comes: how long the body is to be, where that was said. */
  constructor(memory: BodyMemory, bytesMax: number, announced?: () => number | undefined) {
    this.#memory = memory
    this.#bytesMax = bytesMax
    this.#announced = announced
  }

  add(piece: Uint8Array): void {
    this.bytes += piece.length
    if (this.lost !== undefined || piece.length === 0) return
    if (this.bytes > this.#bytesMax) this.#lose('above its bound')
    else if (this.#length === 0) this.#begin(piece)
    else this.#append(piece)
  }

  #begin(piece: Uint8Array): void {
    if (!this.#take(piece.length)) return
    // A short piece of a long buffer would keep the whole buffer.
    const isLean = piece.buffer.byteLength <= 2 * piece.length + 1024
    this.#buffer = isLean ? piece : Uint8Array.from(piece)
    this.#length = piece.length
  }

  #append(piece: Uint8Array): void {
    const needed = this.#length + piece.length
    if (needed > this.#buffer.length) {
      const capacity = this.#capacityFor(needed)
      if (!this.#take(capacity - this.#taken)) return
      const grown = Buffer.allocUnsafeSlow(capacity)
      grown.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = grown
    }
    this.#buffer.set(piece, this.#length)
    this.#length = needed
  }

  #capacityFor(needed: number): number {
    const doubled = Math.min(this.#bytesMax, Math.max(smallestCapacity, 2 * needed))
    const announced = this.#announced?.() ?? 0
    return announced >= needed && announced <= Math.max(doubled, trustedBytesMax)
      ? announced
      : doubled
  }

  #take(bytes: number): boolean {
    if (!this.#memory.take(bytes)) {
      this.#lose('no memory')
      return false
    }
    this.#taken += bytes
    return true
  }

  #lose(why: 'above its bound' | 'no memory'): void {
    this.drop()
    this.lost = why
  }

  /** What was kept: the whole body, or nothing where it was lost or dropped. */
  get kept(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Lets go of the bytes; `bytes` stays. */
  drop(): void {
    this.#memory.give(this.#taken)
    this.#taken = 0
    this.#length = 0
    this.#buffer = nothing
  }
}
