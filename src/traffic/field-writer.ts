const chunkBytes = 256 * 1024
const chunksKept = 4
const shortStringMax = 48

/**
 * Writes the primitives that bytes/cursor.ts reads, big-endian, one after the other into buffers that are used again. The
 * caller says with `reserve` how much it is going to write, and the writers do not look again.
 */
export class FieldWriter {
  readonly #chunks: Buffer[] = [Buffer.allocUnsafeSlow(chunkBytes)]
  readonly #pieces: Buffer[] = []
  #chunk = 0
  /** Where in the chunk the present piece begins. */
  #pieceStart = 0
  buffer: Buffer = this.#chunks[0]!
  /** Index in `buffer` of the next byte to be written. */
  position = 0

  /** Makes room for so many bytes in one stretch of `buffer`; what was written before may stand in another. */
  reserve(bytes: number): void {
    if (bytes <= this.buffer.length - this.position) return
    this.#endPiece()
    this.#chunk++
    if ((this.#chunks[this.#chunk]?.length ?? 0) < bytes) {
      this.#chunks[this.#chunk] = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes))
    }
    this.buffer = this.#chunks[this.#chunk]!
    this.position = 0
    this.#pieceStart = 0
  }

  /** Bytes that stand between what is written before and after, and are not copied. */
  addPiece(bytes: Uint8Array): void {
    this.#endPiece()
    this.#pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  }

  /** All bytes in order, valid until `clear`. */
  pieces(): readonly Buffer[] {
    this.#endPiece()
    return this.#pieces
  }

  clear(): void {
    this.#pieces.length = 0
    this.#chunks.length = Math.min(this.#chunks.length, chunksKept)
    this.#chunk = 0
    this.buffer = this.#chunks[0]!
    this.position = 0
    this.#pieceStart = 0
  }

  writeByte(value: number): void {
    this.buffer[this.position++] = value
  }

  writeUInt32(value: number): void {
    this.position = this.buffer.writeUInt32BE(value, this.position)
  }

  /** A whole number within ±(2^53 - 1). */
  writeInt64(value: number): void {
    this.position = this.buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), this.position)
    this.writeUInt32(value >>> 0)
  }

  /** A whole number from 0 to 2^53 - 1; one below 2^31 can be read as a vint, too. */
  writeVLong(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.position++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.position++] = rest
  }

  writeBytes(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.position)
    this.position += bytes.length
  }

  writeString(text: string): void {
    if (text.length <= shortStringMax && this.#writeAscii(text)) return
    this.writeVLong(Buffer.byteLength(text))
    this.position += this.buffer.write(text, this.position)
  }

  /** Short texts are nearly always ASCII, and then a loop is cheaper than a call into the engine. */
  #writeAscii(text: string): boolean {
    const { buffer, position } = this
    const length = text.length
    buffer[position] = length
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      buffer[position + 1 + i] = code
    }
    this.position = position + 1 + length
    return true
  }

  #endPiece(): void {
    if (this.position > this.#pieceStart) {
      this.#pieces.push(this.buffer.subarray(this.#pieceStart, this.position))
    }
    this.#pieceStart = this.position
  }
}

/** Bytes that a string takes at most, its length included. */
export function stringBytesMax(text: string): number {
  return 5 + 3 * text.length
}
