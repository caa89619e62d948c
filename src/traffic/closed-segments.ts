import { unlink } from 'node:fs/promises'
import type { MigrationError } from '../base/errors.ts'
import type { ClosedSegment } from './local-log-recovery.ts'
import { stuckError } from './log-errors.ts'
import { readReleased, segmentFile } from './log-folder.ts'

/** The segments of a stream that are written to no more: kept until consumers have released all that is in them. */
export class ClosedSegments {
  readonly #folder: string
  readonly #segments: ClosedSegment[]
  #bytes: number
  #stuck: MigrationError | undefined
  #removedAt = -Infinity
  #removing: Promise<void> = Promise.resolve()

  constructor(folder: string, segments: readonly ClosedSegment[]) {
    this.#folder = folder
    this.#segments = [...segments]
    this.#bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#segments.length
  }

  /** Why segments that were released are still there. */
  get stuck(): MigrationError | undefined {
    return this.#stuck
  }

  add(segment: ClosedSegment): void {
    this.#segments.push(segment)
    this.#bytes += segment.bytes
  }

  /** Removes those that lie wholly before what was released, unless that was done less than `apartMs` ago. */
  removeReleased(apartMs = 0): void {
    const now = performance.now()
    if (now - this.#removedAt < apartMs) return
    this.#removedAt = now
    this.#removing = this.#removing.then(() => this.#tryToRemove())
  }

  /** Waits for what is being removed. */
  async settled(): Promise<void> {
    await this.#removing
  }

  async #tryToRemove(): Promise<void> {
    try {
      const released = readReleased(this.#folder)
      while (this.#segments.length > 0 && this.#segments[0]!.end <= released) {
        const { number, bytes } = this.#segments[0]!
        await unlink(segmentFile(this.#folder, number))
        this.#segments.shift()
        this.#bytes -= bytes
      }
      this.#stuck = undefined
    } catch (error) {
      this.#stuck = stuckError(this.#folder, error)
    }
  }
}
