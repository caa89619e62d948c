import { setTimeout as sleep } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { findMark, FrameScanner, type Obstacle, type OpenSegment } from './frame-scanner.ts'
import { damaged } from './log-errors.ts'
import {
  damageOf,
  isMissing,
  listSegments,
  openSegment,
  readHeader,
  segmentFile,
} from './log-folder.ts'
import type { Place } from './record-decode.ts'
import { frameHeadBytes } from './record-layout.ts'
import { isMarkOf, markKind, type SegmentHeader } from './segment-layout.ts'

export interface FramesOptions {
  /** Of the stream. */
  readonly folder: string
  /** Position to begin at: where a record begins or the stream ends. */
  readonly offset: number
  /** True: waits for more at the end. */
  readonly follow: boolean
  readonly signal?: AbortSignal | undefined
  /** True: what is damaged is told and passed over; false: it is thrown. */
  readonly skipDamage?: boolean | undefined
}

/** A frame of a record, or bytes that are damaged. `next` is the position behind it. */
export type Found =
  | { readonly frame: Buffer; readonly place: Place; readonly next: number }
  | { readonly damage: MigrationError; readonly next: number }

const pollMsMin = 1
const pollMsMax = 50
/** So long a reader stands at an end before it looks whether that is damage. */
const patienceMs = 1000

/** The frames of the records of one stream, in order, from all its segments. Its writer may be at work, in any process. */
export function readFrames(options: FramesOptions): AsyncGenerator<Found> {
  return new Walk(options).frames()
}

type Step = 'go on' | 'end' | MigrationError

class Walk {
  readonly #options: FramesOptions
  #number = 0
  /** Of the segment with that number. */
  #path = ''
  #segment: OpenSegment | undefined
  #scanner: FrameScanner | undefined
  /** A segment that may hold the position to begin at, and cannot be read. */
  #lost: MigrationError | undefined
  /** Where the reader stands and waits, since when, and what the file's time was when it was looked through. */
  #stop = { offset: -1, since: 0, mtimeMs: -1, pollMs: pollMsMin }

  constructor(options: FramesOptions) {
    this.#options = options
  }

  async *frames(): AsyncGenerator<Found> {
    try {
      while (!(await this.#openFirst())) if (!(await this.#mayWait())) return
      if (this.#lost !== undefined) yield { damage: this.#lost, next: this.#offset }
      for (;;) {
        const frame = this.#scanner!.take()
        if (frame === undefined) {
          const obstacle = await this.#scanner!.load()
          if (obstacle === undefined) continue
          const step = await this.#pass(obstacle)
          if (step === 'end') return
          if (step !== 'go on') yield { damage: step, next: this.#offset }
          continue
        }
        const place = { file: this.#path, offset: this.#scanner!.position - frame.length }
        if (frame[frameHeadBytes] === markKind) this.#checkMark(frame, place)
        else yield { frame, place, next: this.#offset }
      }
    } finally {
      await this.#close()
    }
  }

  async #close(): Promise<void> {
    await this.#segment?.file.close()
    this.#segment = undefined
  }

  get #offset(): number {
    const { header, headerBytes } = this.#segment!
    return header.firstOffset + this.#scanner!.position - headerBytes
  }

  /** Finds the segment that holds the position to begin at; false where there is none yet. */
  async #openFirst(): Promise<boolean> {
    const { folder, offset, skipDamage } = this.#options
    const numbers = await listSegments(folder).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    let oldest: { number: number; firstOffset: number } | undefined
    for (const number of numbers.reverse()) {
      const header = await readHeader(segmentFile(folder, number)).catch(damageOf)
      if (header instanceof MigrationError) this.#lost = header
      if (header === undefined || header instanceof MigrationError) continue
      oldest = { number, firstOffset: header.firstOffset }
      if (header.firstOffset > offset && header.previousEnd > offset) continue
      this.#lost = undefined
      return await this.#open(number, Math.max(offset, header.firstOffset))
    }
    if (this.#lost !== undefined && (oldest === undefined || skipDamage !== true)) throw this.#lost
    if (this.#lost === undefined && oldest !== undefined) {
      throw releasedError(folder, offset, oldest.firstOffset)
    }
    return oldest !== undefined && (await this.#open(oldest.number))
  }

  /** Goes to a segment, to its first frame or to a position in it; false where it is not there. */
  async #open(number: number, offset?: number): Promise<boolean> {
    const path = segmentFile(this.#options.folder, number)
    const segment = await openSegment(path)
    if (segment === undefined) return false
    await this.#close()
    this.#number = number
    this.#path = path
    this.#segment = segment
    const { header, headerBytes, file } = segment
    const position = headerBytes + (offset === undefined ? 0 : offset - header.firstOffset)
    this.#scanner = new FrameScanner(file, position)
    return true
  }

  #checkMark(frame: Buffer, place: Place): void {
    const offset = this.#offset - frame.length
    if (isMarkOf(this.#segment!.header, frame.subarray(frameHeadBytes), offset)) return
    throw damaged({ ...place, expected: 'a mark of this place', found: 'that of another' })
  }

  /** What to do where no frame can be read: the next segment, the end, waiting, or passing over damage. */
  async #pass(obstacle: Obstacle): Promise<Step> {
    const next = await this.#nextHeader()
    if (next instanceof MigrationError) return await this.#passSegment(next)
    if (next === undefined) return await this.#passEnd(obstacle)
    if (this.#offset >= next.previousEnd) return await this.#openNext()
    // Its writer may have gone on here after it was read and before the next was made.
    const again = await this.#scanner!.load()
    return again === undefined ? 'go on' : await this.#passDamage(again)
  }

  /** The header of the next segment: undefined where there is none yet, an error where it is damaged. */
  async #nextHeader(): Promise<SegmentHeader | MigrationError | undefined> {
    const { folder } = this.#options
    const header = await readHeader(segmentFile(folder, this.#number + 1)).catch(damageOf)
    if (header !== undefined) return header
    const later = (await listSegments(folder)).filter((number) => number > this.#number)
    if (later.length === 0 || later.includes(this.#number + 1)) return undefined
    const oldest = await readHeader(segmentFile(folder, later[0]!))
    throw releasedError(folder, this.#offset, oldest?.firstOffset)
  }

  async #openNext(): Promise<Step> {
    if (await this.#open(this.#number + 1)) return 'go on'
    throw releasedError(this.#options.folder, this.#offset, undefined)
  }

  /** At the end of what is written, or so it seems. */
  async #passEnd(obstacle: Obstacle): Promise<Step> {
    const { follow } = this.#options
    if (await this.#openReplaced()) return 'go on'
    if (follow && !this.#isImpatient()) {
      await this.#mayWait()
      return 'go on'
    }
    const { mtimeMs } = await this.#segment!.file.stat()
    if (mtimeMs !== this.#stop.mtimeMs) {
      this.#stop.mtimeMs = mtimeMs
      const mark = await findMark(this.#segment!, this.#scanner!.position + 1)
      if (mark !== undefined) {
        const again = await this.#scanner!.load()
        return again === undefined ? 'go on' : await this.#passDamage(obstacle)
      }
    }
    return (await this.#mayWait()) ? 'go on' : 'end'
  }

  /** A segment without records is removed by the next writer, and its number used again. */
  async #openReplaced(): Promise<boolean> {
    const { nlink } = await this.#segment!.file.stat()
    return nlink === 0 && (await this.#open(this.#number))
  }

  #isImpatient(): boolean {
    const offset = this.#offset
    if (this.#stop.offset !== offset) {
      this.#stop = { offset, since: performance.now(), mtimeMs: -1, pollMs: pollMsMin }
    }
    return performance.now() - this.#stop.since > patienceMs
  }

  /** Waits for more, where the reader is to; else false. */
  async #mayWait(): Promise<boolean> {
    const { follow, signal } = this.#options
    signal?.throwIfAborted()
    if (!follow) return false
    const { pollMs } = this.#stop
    this.#stop.pollMs = Math.min(pollMsMax, pollMs * 2)
    try {
      await sleep(pollMs, undefined, signal && { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
    return true
  }

  /** Damage within the segment: goes on at the next mark, else with the next segment. */
  async #passDamage({ expected, found }: Obstacle): Promise<Step> {
    const { position } = this.#scanner!
    const error = damaged({ file: this.#path, offset: position, expected, found })
    if (this.#options.skipDamage !== true) throw error
    const mark = await findMark(this.#segment!, position + 1)
    if (mark === undefined) return (await this.#openNext()) === 'go on' ? error : 'end'
    this.#scanner!.seek(mark)
    return error
  }

  /** Damage in the header of the next segment: goes on with the one after it. */
  async #passSegment(error: MigrationError): Promise<Step> {
    if (this.#options.skipDamage !== true) throw error
    if (await this.#open(this.#number + 2)) return error
    return (await this.#mayWait()) ? 'go on' : 'end'
  }
}

function releasedError(folder: string, offset: number, oldest: number | undefined): MigrationError {
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `position ${offset} of the capture log in ${folder} was released and removed` +
      (oldest === undefined ? '' : `; the oldest that is there is ${oldest}`),
    { details: { folder, offset, oldest } },
  )
}
