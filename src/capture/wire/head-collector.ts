import { CR, LF } from './alphabet.ts'
import { BadMessage } from './bad-message.ts'

const emptyBytes = Buffer.alloc(0)
const firstHeldBytes = 1024

/**
 * Gathers the head of a message out of the chunks in which it comes, each byte looked at once.
 *
 *     head = *( line CRLF ) CRLF          (RFC 9112 section 2.1)
 *
 * A line that ends with a bare LF is refused, since readers disagree on it. Most heads come in one chunk: then `bytes` is
 * that chunk itself and nothing is copied.
 */
export class HeadCollector {
  readonly #bytesMax: number
  #held = emptyBytes
  #heldLength = 0
  #lineStart = 0

  /** Where the last head that was found lies. */
  bytes: Buffer = emptyBytes
  start = 0
  end = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** True between the first and the last byte of a head. */
  get isWithin(): boolean {
    return this.#heldLength > 0
  }

  /** Bytes that are held until the rest of the head comes. */
  get heldBytes(): number {
    return this.#held.length
  }

  /** Forgets a head that was begun. */
  reset(): void {
    this.#held = emptyBytes
    this.#heldLength = 0
  }

  /** Looks on from `offset`. Returns where the message goes on behind its head, or -1 when more bytes are needed. */
  take(chunk: Buffer, offset: number): number {
    if (this.#heldLength > 0) return this.#takeOn(chunk, offset)
    this.#lineStart = offset
    const end = this.#findEnd(chunk, offset, chunk.length)
    const length = (end === -1 ? chunk.length : end) - offset
    if (length > this.#bytesMax) throw tooLarge(this.#bytesMax)
    if (end === -1) {
      this.#lineStart -= offset
      this.#hold(chunk, offset, chunk.length)
      return -1
    }
    this.bytes = chunk
    this.start = offset
    this.end = end
    return end
  }

  #takeOn(chunk: Buffer, offset: number): number {
    const before = this.#heldLength
    const stop = Math.min(chunk.length, offset + this.#bytesMax - before + 1)
    this.#hold(chunk, offset, stop)
    const end = this.#findEnd(this.#held, before, this.#heldLength)
    if (end === -1) {
      if (this.#heldLength > this.#bytesMax) throw tooLarge(this.#bytesMax)
      return -1
    }
    if (end > this.#bytesMax) throw tooLarge(this.#bytesMax)
    this.bytes = this.#held
    this.start = 0
    this.end = end
    this.#held = emptyBytes
    this.#heldLength = 0
    return offset + end - before
  }

  #hold(chunk: Buffer, start: number, stop: number): void {
    const length = this.#heldLength + stop - start
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(firstHeldBytes, 2 * this.#held.length, length))
      this.#held.copy(larger, 0, 0, this.#heldLength)
      this.#held = larger
    }
    chunk.copy(this.#held, this.#heldLength, start, stop)
    this.#heldLength = length
  }

  #findEnd(bytes: Buffer, from: number, to: number): number {
    let lineStart = this.#lineStart
    for (let i = from; i < to; i++) {
      if (bytes[i] !== LF) continue
      if (i === lineStart || bytes[i - 1] !== CR) throw new BadMessage('a line ends without CR')
      if (i - 1 === lineStart) return i + 1
      lineStart = i + 1
    }
    this.#lineStart = lineStart
    return -1
  }
}

function tooLarge(bytesMax: number): BadMessage {
  return new BadMessage(`the head of the message is longer than ${bytesMax} bytes`, 431)
}
