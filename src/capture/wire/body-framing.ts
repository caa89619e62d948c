import {
  CR,
  HTAB,
  LF,
  SEMICOLON,
  SP,
  COLON,
  hexValues,
  tokenBytes,
  valueBytes,
} from './alphabet.ts'
import { BadMessage } from './bad-message.ts'

/** How the end of a body is found. */
export type BodyKind = 'none' | 'length' | 'chunked' | 'untilClose'

/** More is taken by no engine: lengths are 32-bit integers there. */
const chunkLengthMax = 2 ** 31 - 1
/** Of leading zeros and digits together. */
const chunkDigitsMax = 16
/** Extensions of one chunk, and all trailer fields. */
const extensionBytesMax = 4096
const trailerBytesMax = 16 * 1024
/** No trailer may frame a message (RFC 9110 section 6.5.1); there are readers that would let it. */
const framingNames = ['content-length', 'transfer-encoding']
const framingNameBytesMax = 17

const stateSize = 0
const stateExtension = 1
const stateSizeLf = 2
const stateData = 3
const stateDataCr = 4
const stateDataLf = 5
const stateTrailerStart = 6
const stateTrailerName = 7
const stateTrailerValue = 8
const stateTrailerLf = 9
const stateEndLf = 10

/**
 * Finds the end of one body after the other, in chunks of any length; the framing itself is passed on as it was sent.
 *
 *     chunked  = *( size [ extension ] CRLF data CRLF ) 1*"0" [ extension ] CRLF *( field-line ) CRLF
 *     size     = 1*hex-digit          extension = *blank ";" *value-byte          (RFC 9112 section 7.1)
 */
export class BodyFraming {
  #kind: BodyKind = 'none'
  /** Bytes that are left of a body or a chunk. */
  #left = 0
  #state = stateSize
  #digits = 0
  /** Of an extension, or of the trailers. */
  #sideBytes = 0
  /** The name of a trailer, in lower case, as long as it could be one of framingNames. */
  #trailerName = ''

  /** True when nothing more belongs to the message. */
  isDone = true

  start(kind: BodyKind, length: number): void {
    this.#kind = kind
    this.#left = kind === 'length' ? length : 0
    this.#state = stateSize
    this.#digits = 0
    this.#sideBytes = 0
    this.isDone = kind === 'none' || (kind === 'length' && length === 0)
  }

  /** For a body that ends with its connection. */
  get endsWithConnection(): boolean {
    return this.#kind === 'untilClose'
  }

  finish(): void {
    this.isDone = true
  }

  /**
   * Goes on at `offset` and returns where the message ends in `bytes`, or their length. `onData` gets the body alone.
   * Throws BadMessage for a chunk that is none.
   */
  advance(bytes: Buffer, offset: number, onData?: (data: Uint8Array) => void): number {
    if (this.isDone) return offset
    if (this.#kind === 'chunked') return this.#advanceChunks(bytes, offset, onData)
    let end = bytes.length
    if (this.#kind === 'length') {
      end = Math.min(end, offset + this.#left)
      this.#left -= end - offset
      this.isDone = this.#left === 0
    }
    if (onData !== undefined && end > offset) onData(bytes.subarray(offset, end))
    return end
  }

  // One step a byte, but for the data: framing is short, and it may be cut anywhere.
  #advanceChunks(
    bytes: Buffer,
    offset: number,
    onData: ((data: Uint8Array) => void) | undefined,
  ): number {
    let i = offset
    while (i < bytes.length) {
      if (this.#state === stateData) {
        const end = Math.min(bytes.length, i + this.#left)
        if (onData !== undefined) onData(bytes.subarray(i, end))
        this.#left -= end - i
        i = end
        if (this.#left === 0) this.#state = stateDataCr
        continue
      }
      this.#state = this.#next(bytes[i++]!)
      if (this.isDone) return i
    }
    return i
  }

  #next(byte: number): number {
    switch (this.#state) {
      case stateSize:
        return this.#sizeByte(byte)
      case stateExtension:
        if (byte === CR) return stateSizeLf
        if (++this.#sideBytes > extensionBytesMax)
          throw new BadMessage('a chunk extension is too long')
        return expect(
          valueBytes[byte] === 1,
          'a chunk extension has a control character',
          stateExtension,
        )
      case stateSizeLf:
        expect(byte === LF, 'the length of a chunk is not ended by CRLF', 0)
        this.#sideBytes = 0
        this.#digits = 0
        return this.#left === 0 ? stateTrailerStart : stateData
      case stateDataCr:
        return expect(byte === CR, 'a chunk is longer than its length', stateDataLf)
      case stateDataLf:
        return expect(byte === LF, 'a chunk is longer than its length', stateSize)
      default:
        return this.#trailerByte(byte)
    }
  }

  #sizeByte(byte: number): number {
    const value = hexValues[byte]!
    if (value !== 255) {
      this.#left = this.#left * 16 + value
      if (++this.#digits > chunkDigitsMax || this.#left > chunkLengthMax) {
        throw new BadMessage('the length of a chunk is too large')
      }
      return stateSize
    }
    if (this.#digits === 0) throw new BadMessage('a chunk has no length')
    if (byte === CR) return stateSizeLf
    const opensExtension = byte === SEMICOLON || byte === SP || byte === HTAB
    return expect(opensExtension, 'the length of a chunk is not a number', stateExtension)
  }

  #trailerByte(byte: number): number {
    if (++this.#sideBytes > trailerBytesMax) throw new BadMessage('trailers are too long', 431)
    switch (this.#state) {
      case stateTrailerStart:
        if (byte === CR) return stateEndLf
        this.#trailerName = String.fromCharCode(byte | 0x20)
        return expect(tokenBytes[byte] === 1, 'a trailer has no name', stateTrailerName)
      case stateTrailerName:
        if (byte === COLON) {
          const frames = framingNames.includes(this.#trailerName)
          return expect(!frames, 'a trailer may not frame the message', stateTrailerValue)
        }
        if (this.#trailerName.length <= framingNameBytesMax) {
          this.#trailerName += String.fromCharCode(byte | 0x20)
        }
        return expect(
          tokenBytes[byte] === 1,
          'the name of a trailer is malformed',
          stateTrailerName,
        )
      case stateTrailerValue:
        if (byte === CR) return stateTrailerLf
        return expect(
          valueBytes[byte] === 1,
          'a trailer has a control character',
          stateTrailerValue,
        )
      case stateTrailerLf:
        return expect(byte === LF, 'a trailer is not ended by CRLF', stateTrailerStart)
      default:
        expect(byte === LF, 'the body is not ended by CRLF', 0)
        this.isDone = true
        return stateSize
    }
  }
}

function expect(holds: boolean, message: string, next: number): number {
  if (!holds) throw new BadMessage(message)
  return next
}
