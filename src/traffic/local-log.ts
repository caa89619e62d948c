import { unlink } from 'node:fs/promises'
import { MigrationError } from '../base/errors.ts'
import { takeFolderLock, type FolderLock } from '../base/folder-lock.ts'
import type { CaptureLogWriter, StreamEnd } from './capture-log.ts'
import type { CaptureRecord } from './exchange.ts'
import { ClosedSegments } from './closed-segments.ts'
import { positionsSkipped, recover } from './local-log-recovery.ts'
import type { NextSegment, Recovered } from './local-log-recovery.ts'
import { readStreamEnd } from './local-log-end.ts'
import type { LocalLogOptions, LocalLogStatus } from './local-log-options.ts'
import { emptyGroup, settle, type Group } from './log-group.ts'
import { closedError, failedError, fullError, lockedError } from './log-errors.ts'
import { slowError, tooLargeError, unusableError } from './log-errors.ts'
import { checkStreamName, makeFolder, segmentFile } from './log-folder.ts'
import { contentBytesMax } from './record-layout.ts'
import { SegmentWriter } from './segment-writer.ts'

const mb = 1 << 20
const recordOverheadBytes = 512
const tickEveryMs = 1000
const removeApartMs = 50
/** How long the record of an answer may wait for others, and with how many bytes of such. */
const patienceMs = 5
const patientBytesMax = 256 * 1024
const retryMsMin = 100
/** Who only looks whether the lock is taken holds it for a moment. */
const lockWaitMs = 50
const retryMsMax = 5000

interface Found {
  readonly lock: FolderLock
  readonly recovered: Recovered
  readonly last: StreamEnd | undefined
}

/**
 * Opens the log of a stream for writing. Throws MA_LOCKED when another process writes to it, MA_FORMAT_TOO_NEW when a newer
 * program did. A disk that is full or fails is no error here: the log refuses until it is usable.
 */
export async function openLocalLog(options: LocalLogOptions): Promise<LocalLog> {
  const { folder, stream } = options
  checkStreamName(stream)
  const lock = await lockFolder(folder)
  if (lock === undefined) throw lockedError(folder)
  try {
    const recovered = await recover(folder)
    const last = await readStreamEnd(folder, recovered.segments)
    return await LocalLog.open(options, { lock, recovered, last })
  } catch (error) {
    lock.release()
    throw error instanceof MigrationError ? error : unusableError(folder, error)
  }
}

async function lockFolder(folder: string): Promise<FolderLock | undefined> {
  try {
    await makeFolder(folder)
    return takeFolderLock(folder, lockWaitMs)
  } catch (error) {
    throw unusableError(folder, error)
  }
}

/**
 * The writer of one stream of a local capture log: a folder with segment files.
 *
 * Group commit: all that is appended while two groups are being written goes with the next one, so a slow disk makes groups
 * larger and not more. Nobody waits for the record of an answer: where there is nothing else to write it stays for a moment
 * for what comes, so that requests one after the other take one write each, not two.
 * After a write that failed nobody knows what the disk holds (a second fsync can succeed without it): the segment is left,
 * cut behind the last group that is safe, and a new one is begun, which is tried again until it goes.
 * Files of segments that consumers let go of are removed.
 */
export class LocalLog implements CaptureLogWriter {
  readonly last: StreamEnd | undefined
  /** What was found when the log was opened: a torn tail that was cut, damage. */
  readonly recovered: Recovered
  readonly #folder: string
  readonly #stream: string
  readonly #bytesMax: number
  readonly #segmentBytesMax: number
  readonly #waitingBytesMax: number
  readonly #lock: FolderLock
  readonly #onWrite: LocalLogOptions['onWrite']
  readonly #closed: ClosedSegments
  #next: NextSegment
  #segment: SegmentWriter | undefined
  #waiting = emptyGroup()
  /** On their way to the disk, in the order in which they were written. */
  readonly #writing: Group[] = []
  /** Empty ones, to be used again. */
  readonly #spare: Group[] = []
  /** True from the first append of a group until nothing waits any more that cannot wait. */
  #isBusy = false
  /** A group is begun at the end of this turn of the loop. */
  #isBeginning = false
  #isRolling = false
  #soon: NodeJS.Timeout | undefined
  #isClosing = false
  /** Whether the last group is one of records, that no mark vouches for. */
  #isUnmarked = false
  #whenIdle: (() => void) | undefined
  #failure: MigrationError | undefined
  #failures = 0
  #retry: NodeJS.Timeout | undefined
  #beginning: Promise<void> = Promise.resolve()
  readonly #timer: NodeJS.Timeout
  readonly #counts = { records: 0, recordBytes: 0, writes: 0, writeSeconds: 0 }
  readonly #full: MigrationError
  readonly #slow: MigrationError

  static async open(options: LocalLogOptions, found: Found): Promise<LocalLog> {
    const log = new LocalLog(options, found)
    await log.#begin()
    return log
  }

  private constructor(options: LocalLogOptions, { lock, recovered, last }: Found) {
    const { folder, stream, bytesMax } = options
    this.#onWrite = options.onWrite
    this.recovered = recovered
    this.last = last
    this.#folder = folder
    this.#stream = stream
    this.#bytesMax = bytesMax
    this.#segmentBytesMax = options.segmentBytesMax ?? Math.min(64 * mb, Math.ceil(bytesMax / 16))
    this.#waitingBytesMax = options.waitingBytesMax ?? 64 * mb
    this.#lock = lock
    this.#closed = new ClosedSegments(folder, recovered.segments)
    this.#next = recovered.next
    this.#full = fullError(folder, bytesMax)
    this.#slow = slowError(folder, this.#waitingBytesMax)
    this.#timer = setInterval(() => this.#tick(), tickEveryMs).unref()
  }

  append(record: CaptureRecord, durable: (error?: Error) => void): void {
    const bodyBytes = 'body' in record ? record.body.length : 0
    const refusal = this.#refusal(bodyBytes)
    if (refusal !== undefined) {
      queueMicrotask(() => durable(refusal))
      return
    }
    const group = this.#waiting
    group.batch.add(record)
    group.durables.push(durable)
    const isAnswer = record.kind === 'response' || record.kind === 'thin'
    if (!isAnswer || group.batch.bytes > patientBytesMax) group.isUrgent = true
    if (group.isUrgent) this.#beginWriting()
    else if (!this.#isBusy) this.#writeSoon()
  }

  #beginWriting(): void {
    if (this.#isBeginning || !this.#takesMore) return
    this.#isBusy = true
    this.#isBeginning = true
    // What else comes in this turn of the loop goes with it.
    setImmediate(() => {
      this.#isBeginning = false
      this.#writeNext()
    })
  }

  /** A new segment is begun when the groups before it are safe. */
  get #takesMore(): boolean {
    const segment = this.#segment
    if (this.#isRolling) return false
    if (segment === undefined) return this.#writing.length === 0
    return segment.takesMore && (!segment.isWriting || segment.bytes < this.#segmentBytesMax)
  }

  #writeSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      if (this.#isBusy || this.#waiting.durables.length === 0) return
      this.#waiting.isUrgent = true
      this.#beginWriting()
    }, patienceMs)
  }

  usage(): { readonly bytes: number; readonly bytesMax: number } {
    return { bytes: this.#bytes, bytesMax: this.#bytesMax }
  }

  status(): LocalLogStatus {
    return {
      ...(this.#failure && { failure: this.#failure }),
      ...(this.#closed.stuck && { stuck: this.#closed.stuck }),
      ...this.usage(),
      ...this.#counts,
      waitingBytes: this.#waitingBytes,
      segments: this.#closed.count + (this.#segment === undefined ? 0 : 1),
      end: this.#segment?.end ?? this.#next.previousEnd,
    }
  }

  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    clearTimeout(this.#soon)
    if (!this.#isBusy && this.#waiting.durables.length > 0) this.#beginWriting()
    if (this.#isBusy) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    clearInterval(this.#timer)
    clearTimeout(this.#retry)
    try {
      // Of a stream that nobody goes on with, this may be the last chance.
      this.#closed.removeReleased()
      await this.#closed.settled()
      await this.#beginning
      await this.#closeSegment()
    } finally {
      this.#lock.release()
    }
  }

  async #closeSegment(): Promise<void> {
    const segment = this.#segment
    if (segment === undefined) return
    this.#segment = undefined
    const { number, end } = segment
    await segment.close({ mark: !segment.isEmpty })
    this.#next = { number: number + 1, firstOffset: segment.end, previousEnd: segment.end }
    if (end === segment.header.firstOffset) await unlink(segmentFile(this.#folder, number))
  }

  get #waitingBytes(): number {
    return this.#writing.reduce((sum, { batch }) => sum + batch.bytes, this.#waiting.batch.bytes)
  }

  get #bytes(): number {
    return this.#closed.bytes + (this.#segment?.bytes ?? 0) + this.#waitingBytes
  }

  #refusal(bodyBytes: number): MigrationError | undefined {
    if (this.#isClosing) return closedError(this.#folder)
    if (this.#failure !== undefined) return this.#failure
    const bytes = bodyBytes + recordOverheadBytes
    if (bytes > contentBytesMax) return tooLargeError(bodyBytes)
    const waiting = this.#waitingBytes
    if (waiting > 0 && waiting + bytes > this.#waitingBytesMax) return this.#slow
    if (this.#bytes + bytes <= this.#bytesMax) return undefined
    this.#closed.removeReleased(removeApartMs)
    return this.#full
  }

  /** Writes all that waits as one group; when it is safe, what waits by then goes next. */
  #writeGroup(): void {
    const segment = this.#segment
    if (segment === undefined || segment.bytes >= this.#segmentBytesMax) {
      this.#isRolling = true
      this.#roll().then(
        () => {
          this.#isRolling = false
          this.#writeGroup()
        },
        (error: unknown) => {
          this.#isRolling = false
          this.#fail(error)
        },
      )
      return
    }
    const group = this.#waiting
    this.#waiting = this.#spare.pop() ?? emptyGroup()
    this.#writing.push(group)
    const begun = performance.now()
    segment.write(group.batch.pieces(), (error) => {
      if (error === undefined) this.#written(group, (performance.now() - begun) / 1000)
      else if (group === this.#writing.at(-1)) this.#fail(error)
    })
  }

  #written(group: Group, seconds: number): void {
    this.#failures = 0
    this.#isUnmarked = group.durables.length > 0
    this.#count(group, seconds)
    this.#writing.shift()
    settle(group)
    this.#spare.push(group)
    this.#writeNext()
  }

  #writeNext(): void {
    const { isUrgent, durables } = this.#waiting
    if (isUrgent || (this.#isClosing && durables.length > 0)) {
      if (this.#takesMore) this.#writeGroup()
      return
    }
    if (this.#writing.length > 0 || this.#isBeginning || this.#isRolling) return
    this.#becomeIdle()
    if (durables.length > 0) this.#writeSoon()
  }

  #count({ durables, batch }: Group, seconds: number): void {
    if (durables.length === 0) return
    this.#counts.records += durables.length
    this.#counts.recordBytes += batch.bytes
    this.#counts.writes++
    this.#counts.writeSeconds += seconds
    this.#onWrite?.({ seconds, records: durables.length, bytes: batch.bytes })
  }

  #becomeIdle(): void {
    this.#isBusy = false
    this.#whenIdle?.()
  }

  /** Now and then: vouches for the last group where none follows, and removes what was released. */
  #tick(): void {
    if (!this.#isBusy && this.#isUnmarked && this.#segment !== undefined) {
      this.#isBusy = true
      this.#writeGroup()
    }
    this.#closed.removeReleased()
  }

  /** Ends the segment in good order and begins the next one. */
  async #roll(): Promise<void> {
    const segment = this.#segment
    if (segment !== undefined) {
      const closed = await segment.close({ mark: true })
      this.#closed.add(closed)
      this.#segment = undefined
      this.#next = { number: closed.number + 1, firstOffset: closed.end, previousEnd: closed.end }
    }
    this.#segment = await this.#createSegment()
  }

  #createSegment(): Promise<SegmentWriter> {
    return SegmentWriter.create({
      folder: this.#folder,
      stream: this.#stream,
      bytesMax: this.#segmentBytesMax,
      next: this.#next,
    })
  }

  /** Begins a segment where there is none; a disk that does not take it is tried again later. */
  async #begin(): Promise<void> {
    try {
      this.#segment = await this.#createSegment()
      this.#failure = undefined
    } catch (error) {
      this.#tryLater(error)
    }
  }

  /** Of what waits nothing is written, and of what was being written nothing counts. */
  #fail(error: unknown): void {
    this.#failure = failedError(this.#folder, error)
    void this.#leaveSegment().then(() => {
      this.#tryLater(error)
      for (const group of this.#writing.splice(0)) settle(group, this.#failure)
      settle(this.#waiting, this.#failure)
      this.#becomeIdle()
    })
  }

  async #leaveSegment(): Promise<void> {
    const segment = this.#segment
    if (segment === undefined) return
    this.#segment = undefined
    // What fails here failed before: the header of the next segment says where this one ends.
    await segment.close({ mark: false }).catch(() => undefined)
    const { number, end, bytes } = segment
    if (segment.isEmpty) {
      await unlink(segmentFile(this.#folder, number)).catch(() => undefined)
      this.#next = { ...segment.header, number, firstOffset: end + positionsSkipped }
      return
    }
    this.#closed.add({ number, bytes, end })
    this.#next = { number: number + 1, firstOffset: end + positionsSkipped, previousEnd: end }
  }

  #tryLater(error: unknown): void {
    this.#failure = failedError(this.#folder, error)
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++)
    if (this.#isClosing) return
    this.#retry = setTimeout(() => {
      this.#beginning = this.#begin()
    }, waitMs).unref()
  }
}
