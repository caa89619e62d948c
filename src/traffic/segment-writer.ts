import { close, constants, fdatasync, ftruncate, open, unlink, writev } from 'node:fs'
import { promisify } from 'node:util'
import { FrameBatch } from './record-encode.ts'
import { segmentFile, syncFolder } from './log-folder.ts'
import type { ClosedSegment, NextSegment } from './local-log-recovery.ts'
import { buildHeader, markContent, parseHeader, type SegmentHeader } from './segment-layout.ts'

/**
 * With O_DSYNC a write returns when its bytes are safe, at the cost of one call in the place of two (write, fdatasync).
 * On macOS only fdatasync, as libuv does it, gets through the disk's own cache.
 */
const writesAreSafe = process.platform === 'linux'
const flags =
  constants.O_CREAT | constants.O_TRUNC | constants.O_RDWR | (writesAreSafe ? constants.O_DSYNC : 0)

export interface SegmentOptions {
  readonly folder: string
  readonly stream: string
  /** The file is made so long at once, since a write that changes the length costs more. */
  readonly bytesMax: number
  readonly next: NextSegment
}

const underWayMax = 2
/** So long one may stand beside another without a mark between them, in milliseconds. */
const unmarkedMsMax = 100

interface WriteUnderWay {
  readonly bytes: number
  readonly done: (error?: Error) => void
  /** Once its call has returned: what failed, or null. */
  outcome?: Error | null
}

/**
 * The segment that is written to: groups of frames, two calls at a time, since disks do two in the time of one. A group
 * counts when it and all before it are safe. Where another one is on its way it has no mark: nothing vouches for that yet.
 */
export class SegmentWriter {
  readonly number: number
  readonly header: SegmentHeader
  readonly #fd: number
  readonly #headerBytes: number
  /** Index in the file behind the last group that is safe with all before it. */
  #position: number
  readonly #mark = new FrameBatch()
  #markedAt = 0
  /** In the order of their places. */
  readonly #underWay: WriteUnderWay[] = []
  /** From then on the descriptor may be another file's. */
  #isClosed = false

  /** Makes the file; when it resolves, file and name are safe on the disk. */
  static async create(options: SegmentOptions): Promise<SegmentWriter> {
    const { folder, next, stream, bytesMax } = options
    const path = segmentFile(folder, next.number)
    const fd = await promisify(open)(path, flags, 0o600)
    try {
      // A disk with a limit to the length of files refuses this, and takes what is written nevertheless.
      await promisify(ftruncate)(fd, bytesMax).catch(() => undefined)
      const header = buildHeader({ ...next, stream, createdAt: Date.now() * 1000 })
      await promisify(writeAll)(fd, [header], 0)
      await syncFolder(folder)
      return new SegmentWriter(fd, path, next.number, header)
    } catch (error) {
      await promisify(close)(fd)
      await promisify(unlink)(path).catch(() => undefined)
      throw error
    }
  }

  private constructor(fd: number, path: string, number: number, header: Buffer) {
    this.#fd = fd
    this.number = number
    this.header = parseHeader(header, path)!.header
    this.#headerBytes = header.length
    this.#position = header.length
  }

  /** Bytes of the file that count. */
  get bytes(): number {
    return this.#position
  }

  get isWriting(): boolean {
    return this.#underWay.length > 0
  }

  /** Whether one more group may be written now. */
  get takesMore(): boolean {
    if (!this.isWriting) return true
    const hasFailed = this.#underWay.some(({ outcome }) => outcome instanceof Error)
    const isMarked = performance.now() - this.#markedAt < unmarkedMsMax
    return !hasFailed && isMarked && this.#underWay.length < underWayMax
  }

  /** The position behind all that is safe. */
  get end(): number {
    return this.header.firstOffset + this.#position - this.#headerBytes
  }

  get isEmpty(): boolean {
    return this.#position === this.#headerBytes
  }

  /**
   * Writes a group behind the others, while it `takesMore`. `done` is called when it is safe with all before it, or with
   * what failed of them: in the order of the groups, and never while a later one may still be written.
   */
  write(pieces: readonly Buffer[], done: (error?: Error) => void, { closes = false } = {}): void {
    const all = this.isWriting ? pieces : [...this.#newMark(closes), ...pieces]
    const bytes = all.reduce((sum, piece) => sum + piece.length, 0)
    const at = this.#underWay.reduce((sum, one) => sum + one.bytes, this.#position)
    const group: WriteUnderWay = { bytes, done }
    this.#underWay.push(group)
    writeAll(this.#fd, all, at, (error) => {
      group.outcome = error
      this.#settle()
    })
  }

  #newMark(closes: boolean): readonly Buffer[] {
    this.#markedAt = performance.now()
    this.#mark.clear()
    this.#mark.addContent(markContent(this.header, { offset: this.end, closes }))
    return this.#mark.pieces()
  }

  #settle(): void {
    while (this.#underWay[0]?.outcome === null) {
      const { bytes, done } = this.#underWay.shift()!
      this.#position += bytes
      done()
    }
    const failure = this.#underWay[0]?.outcome
    const isOver = this.#underWay.every(({ outcome }) => outcome !== undefined)
    if (!(failure instanceof Error) || !isOver) return
    for (const { done } of this.#underWay.splice(0)) done(failure)
  }

  /**
   * Leaves the segment as one that is written to no more, cut behind what is safe; with `mark`, a mark says that all of it
   * is. That fails for a disk that fails; the header of the next segment says where this one ends.
   */
  async close({ mark }: { mark: boolean }): Promise<ClosedSegment> {
    if (!this.#isClosed) await this.#finish(mark)
    return { number: this.number, bytes: this.bytes, end: this.end }
  }

  async #finish(mark: boolean): Promise<void> {
    this.#isClosed = true
    try {
      if (mark) await this.#writeMark()
      await promisify(ftruncate)(this.#fd, this.#position)
      await promisify(fdatasync)(this.#fd)
    } finally {
      await promisify(close)(this.#fd)
    }
  }

  #writeMark(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => (error === undefined ? resolve() : reject(error))
      this.write([], done, { closes: true })
    })
  }
}

/** Writes all of it, in as many calls as the disk wants, and makes it safe. */
function writeAll(
  fd: number,
  pieces: readonly Buffer[],
  position: number,
  done: (error: Error | null) => void,
): void {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const safe = (): void => {
    if (writesAreSafe) done(null)
    else fdatasync(fd, done)
  }
  const write = (rest: readonly Buffer[], at: number): void => {
    writev(fd, rest, at, (error, written) => {
      if (error) return done(error)
      if (at + written === position + bytes) return safe()
      if (written === 0) return done(new Error('the disk took no more bytes and said no reason'))
      write(restOf(rest, written), at + written)
    })
  }
  write(pieces, position)
}

function restOf(pieces: readonly Buffer[], written: number): Buffer[] {
  let skip = written
  const rest: Buffer[] = []
  for (const piece of pieces) {
    if (skip < piece.length) rest.push(piece.subarray(skip))
    skip = Math.max(0, skip - piece.length)
  }
  return rest
}
