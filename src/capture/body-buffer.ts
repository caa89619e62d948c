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

const blockBytes = 64 * 1024
const pooledBytesMax = 1 << 20
/** Of what the pool keeps for bodies to come, in a process. */
const poolBytesMax = 8 << 20

/**
 * Buffers of bodies that are through, for those that come: memory outside of the heap that is allocated anew for each bulk
 * makes V8 collect its old space several times a second.
 */
class BufferPool {
  /** By their length in blocks. */
  readonly #free: Buffer[][] = []
  #bytes = 0

  /** Of exactly that length, with anything in it. */
  take(bytes: number): Buffer {
    const found = this.#free[bytes / blockBytes]?.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(bytes)
    this.#bytes -= found.length
    return found
  }

  give(buffer: Buffer): void {
    const { length } = buffer
    const isWanted = length % blockBytes === 0 && length <= pooledBytesMax
    if (!isWanted || this.#bytes + length > poolBytesMax) return
    this.#bytes += length
    ;(this.#free[length / blockBytes] ??= []).push(buffer)
  }
}

const pool = new BufferPool()
const smallestCapacity = blockBytes
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
  /** The buffer is one of the pool's, and goes back there. */
  #isPooled = false
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
      const grown = pool.take(capacity)
      grown.set(this.#buffer.subarray(0, this.#length))
      this.#letGo()
      this.#buffer = grown
      this.#isPooled = true
    }
    this.#buffer.set(piece, this.#length)
    this.#length = needed
  }

  #capacityFor(needed: number): number {
    const doubled = Math.min(this.#bytesMax, Math.max(smallestCapacity, 2 * needed))
    const announced = this.#announced?.() ?? 0
    const isTrusted = announced >= needed && announced <= Math.max(doubled, trustedBytesMax)
    const capacity = isTrusted ? announced : doubled
    return capacity > pooledBytesMax ? capacity : Math.ceil(capacity / blockBytes) * blockBytes
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

  /** Lets go of the bytes, which may be another body's from then on; `bytes` stays. */
  drop(): void {
    this.#memory.give(this.#taken)
    this.#taken = 0
    this.#length = 0
    this.#letGo()
  }

  #letGo(): void {
    if (this.#isPooled) pool.give(this.#buffer as Buffer)
    this.#isPooled = false
    this.#buffer = nothing
  }
}
