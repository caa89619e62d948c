import type { FileHandle } from 'node:fs/promises'
import { frameBytes, isWhole } from './record-decode.ts'
import { frameHeadBytes } from './record-layout.ts'
import { isMarkOf, markContentBytes, type SegmentHeader } from './segment-layout.ts'

const windowBytes = 256 * 1024
const scanBytes = 1 << 20

/** Why no frame can be read at a place: the bytes end, nothing was written there, or something else stands there. */
export interface Obstacle {
  readonly why: 'end' | 'zeros' | 'wrong'
  readonly expected: string
  readonly found: string
}

/**
 * Reads frames from a file, a window at a time; frames are views of windows, which are not used again. Memory is one
 * window, or one frame where that is larger.
 */
export class FrameScanner {
  readonly #file: FileHandle
  #window: Buffer = Buffer.alloc(0)
  /** Where in the file the window begins. */
  #windowStart: number
  /** Index in the window of the next frame. */
  #at = 0

  constructor(file: FileHandle, position: number) {
    this.#file = file
    this.#windowStart = position
  }

  /** Where in the file the next frame begins. */
  get position(): number {
    return this.#windowStart + this.#at
  }

  /** Goes on at another place of the file. */
  seek(position: number): void {
    this.#window = Buffer.alloc(0)
    this.#windowStart = position
    this.#at = 0
  }

  /** The next frame from end to end, where it is in memory and right; the position is behind it then. */
  take(): Buffer | undefined {
    const rest = this.#window.length - this.#at
    if (rest < frameHeadBytes) return undefined
    const bytes = frameBytes(this.#window, this.#at)
    if (bytes === undefined || bytes > rest) return undefined
    const frame = this.#window.subarray(this.#at, this.#at + bytes)
    if (!isWhole(frame)) return undefined
    this.#at += bytes
    return frame
  }

  /** To be called when take() gave nothing: reads on, then take() gives a frame, or else it is told why not. */
  async load(): Promise<Obstacle | undefined> {
    await this.#read(windowBytes)
    const rest = this.#window.length
    if (rest < frameHeadBytes) return ended(rest)
    const bytes = frameBytes(this.#window, 0)
    if (bytes === undefined) return noFrame(this.#window)
    if (bytes > rest) {
      const left = (await this.#file.stat()).size - this.position
      if (bytes > left) return ended(left)
      await this.#read(bytes)
      if (this.#window.length < bytes) return ended(this.#window.length)
    }
    return isWhole(this.#window.subarray(0, bytes))
      ? undefined
      : { why: 'wrong', expected: 'a record that fits its checksum', found: 'other bytes' }
  }

  /** A new window from the position on: what was read may have been half written. */
  async #read(bytes: number): Promise<void> {
    const position = this.position
    this.seek(position)
    const window = Buffer.allocUnsafeSlow(bytes)
    let length = 0
    while (length < bytes) {
      const { bytesRead } = await this.#file.read(window, length, bytes - length, position + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    this.#window = window.subarray(0, length)
  }
}

function ended(bytes: number): Obstacle {
  return { why: 'end', expected: 'a whole record', found: `the end after ${bytes} bytes` }
}

function noFrame(window: Buffer): Obstacle {
  const length = window.readUInt32BE(4)
  return length === 0 && window.readUInt32BE(0) === 0
    ? { why: 'zeros', expected: 'a record', found: 'zeros' }
    : { why: 'wrong', expected: 'the length of a record', found: `${length}` }
}

/** A segment file that is open. */
export interface OpenSegment {
  readonly file: FileHandle
  readonly header: SegmentHeader
  readonly headerBytes: number
}

/** The place in the file of the first mark at or behind `position`; undefined where none is. */
export async function findMark(
  { file, header, headerBytes }: OpenSegment,
  position: number,
): Promise<number | undefined> {
  const markBytes = frameHeadBytes + markContentBytes
  const saltAt = frameHeadBytes + 2
  const rest = (await file.stat()).size - position
  const window = Buffer.allocUnsafeSlow(Math.max(markBytes, Math.min(scanBytes, rest)))
  for (let start = position; ;) {
    const { bytesRead } = await file.read(window, 0, window.length, start)
    const bytes = window.subarray(0, bytesRead)
    for (let at = bytes.indexOf(header.salt); at >= 0; at = bytes.indexOf(header.salt, at + 1)) {
      const frame = bytes.subarray(at - saltAt, at - saltAt + markBytes)
      if (at < saltAt || frame.length < markBytes || !isWhole(frame)) continue
      const place = start + at - saltAt
      const offset = header.firstOffset + place - headerBytes
      if (isMarkOf(header, frame.subarray(frameHeadBytes), offset)) return place
    }
    if (bytesRead < markBytes) return undefined
    start += bytesRead - markBytes + 1
  }
}
