import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LoggedRecord, LogBehind, LogPosition } from './capture-log.ts'

/** A capture log, and what people call it. */
export interface NamedLog {
  readonly name: string
  readonly reader: CaptureLogReader
  /** How often its streams are looked for; default: each second. */
  readonly lookEveryMs?: number
}

/** Where streams end, by name. */
export type StreamEnds = { [stream: string]: number }

/** A record of a stream; or nothing: up to `next` there is none. */
export interface FedRecord {
  readonly stream: string
  readonly record: LoggedRecord['record'] | undefined
  readonly next: number
}

export interface LogFeedInput {
  readonly logs: readonly NamedLog[]
  /** Where to go on in streams that were read before; the others are read from their oldest record. */
  readonly from: ReadonlyMap<string, number>
  /** Of records that are read and not taken. */
  readonly bytesMax: number
  readonly signal: AbortSignal
  /** Something cannot be read now (`what`, a sentence), or can again (undefined). */
  readonly onWait: (key: string, what: string | undefined) => void
  /** False: what is there when it is opened is read, and no more. Default: true. */
  readonly follow?: boolean
  /** A stream is read from here on. */
  readonly onStream: (position: LogPosition) => void
}

/** What is known of a stream besides how far it is done with. */
export interface FeedFacts {
  /** Of its log. */
  readonly log: string
  /** What lay behind all that was read when it was looked last; undefined: not known. */
  readonly behind: LogBehind | undefined
  /** Of this run; bytes are about those in the log. */
  readonly read: { readonly records: number; readonly bytes: number }
}

const lookEveryMs = 1000
const retryWaitMs = 1000
/** Without its body. */
const recordBytes = 300

interface Stream {
  readonly log: NamedLog
  readonly name: string
  /** Behind what was put among the waiting. */
  offset: number
  /** What lay behind that when it was looked last, and where it was then. */
  seen: { offset: number; behind: LogBehind } | undefined
  /** Of this run; bytes are about those in the log. */
  readonly read: { records: number; bytes: number }
}

/**
 * Reads all streams of all capture logs at once, those that appear later too. What cannot be read now is tried again,
 * and told as a wait; what was removed before it was read is a gap.
 */
export class LogFeed {
  readonly #input: LogFeedInput
  readonly #streams = new Map<string, Stream>()
  #waiting: FedRecord[] = []
  #bytes = 0
  #whenSome: (() => void) | undefined
  #whenRoom: (() => void)[] = []
  #failure: { error: unknown } | undefined
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #running: Promise<void>[] = []
  readonly #follows: boolean
  /** Streams that are not read to their end; of no use where they are followed. */
  #unread = 0

  /** Throws where a log cannot be opened. */
  static async open(input: LogFeedInput): Promise<LogFeed> {
    const feed = new LogFeed(input)
    try {
      for (const log of input.logs) await feed.#look(log)
    } catch (error) {
      await feed.close()
      throw error
    }
    if (feed.#follows) for (const log of input.logs) feed.#run(feed.#keepLooking(log))
    return feed
  }

  private constructor(input: LogFeedInput) {
    this.#input = input
    this.#follows = input.follow ?? true
    this.#signal = AbortSignal.any([input.signal, this.#stop.signal])
  }

  get streamNames(): string[] {
    return [...this.#streams.keys()]
  }

  /**
   * All records that are read and not taken yet, at least one; none when nothing is followed and all is read. Throws what
   * ended the reading.
   */
  async take(signal: AbortSignal): Promise<FedRecord[]> {
    while (this.#waiting.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error
      signal.throwIfAborted()
      if (!this.#follows && this.#unread === 0) return []
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done, { once: true })
        this.#whenSome = done
      })
    }
    const taken = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    for (const resolve of this.#whenRoom.splice(0)) resolve()
    return taken
  }

  /** Where all streams end now; waits for logs that cannot be asked. */
  async ends(): Promise<StreamEnds> {
    const ends: StreamEnds = {}
    for (const log of this.#input.logs) {
      for (const { end } of await this.#untilAsked(log)) ends[end.stream] = end.offset
    }
    return ends
  }

  async #untilAsked(log: NamedLog): Promise<{ readonly end: LogPosition }[]> {
    const { onWait } = this.#input
    for (;;) {
      try {
        const found = await log.reader.streams()
        onWait(`ends ${log.name}`, undefined)
        return found
      } catch (error) {
        if (!isPassing(error)) throw error
        onWait(`ends ${log.name}`, textOf(error))
      }
      await wait(retryWaitMs, undefined, { signal: this.#signal })
    }
  }

  /** What is known of a stream: where it is kept, what was read of it, and what lay behind that when it was looked last. */
  factsOf(name: string): FeedFacts {
    const { log, seen, read } = this.#streams.get(name)!
    return { log: log.name, behind: seen?.behind, read }
  }

  /** Lets go of what lies before. A log that cannot be asked now is told the next time. */
  async release(position: LogPosition): Promise<void> {
    const { onWait } = this.#input
    const stream = this.#streams.get(position.stream)
    const key = `release ${position.stream}`
    try {
      await stream?.log.reader.release(position)
      onWait(key, undefined)
    } catch (error) {
      onWait(key, `what was read is not removed from the log: ${textOf(error)}`)
    }
  }

  /** Reads no more; the logs stay open. */
  async close(): Promise<void> {
    this.#stop.abort(new MigrationError('MA_STOPPED', 'the capture log is read no more'))
    for (const resolve of this.#whenRoom.splice(0)) resolve()
    await Promise.allSettled(this.#running)
  }

  #run(task: Promise<void>): void {
    const guarded = task.catch((error: unknown) => {
      if (this.#signal.aborted) return
      this.#failure ??= { error }
      this.#whenSome?.()
    })
    this.#running.push(guarded)
  }

  async #keepLooking(log: NamedLog): Promise<void> {
    const { onWait } = this.#input
    for (;;) {
      await wait(log.lookEveryMs ?? lookEveryMs, undefined, { signal: this.#signal })
      try {
        await this.#look(log)
        onWait(`streams ${log.name}`, undefined)
      } catch (error) {
        if (!isPassing(error)) throw error
        onWait(`streams ${log.name}`, textOf(error))
      }
    }
  }

  /** Begins to read the streams that are new, and looks how much of the others there is. */
  async #look(log: NamedLog): Promise<void> {
    for (const { oldest, end } of await log.reader.streams()) {
      const { stream: name } = oldest
      const known = this.#streams.get(name)
      if (known !== undefined && known.log !== log) throw twice(name, known.log, log)
      if (known === undefined) this.#begin(log, oldest)
      else await this.#measure(known, end.offset)
    }
  }

  #begin(log: NamedLog, oldest: LogPosition): void {
    const { stream: name } = oldest
    const offset = this.#input.from.get(name) ?? oldest.offset
    const read = { records: 0, bytes: 0 }
    const stream: Stream = { log, name, offset, seen: undefined, read }
    this.#streams.set(name, stream)
    this.#input.onStream({ stream: name, offset })
    this.#unread++
    this.#run(this.#follow(stream))
  }

  /** Of a stream that stands still before its end: marks, and what was never written, may be all that lies between. */
  async #measure(stream: Stream, end: number): Promise<void> {
    const { log, name, offset, seen } = stream
    if (offset < end && seen?.offset === offset && (await this.#holdsNothing(stream))) {
      // What was read meanwhile lies behind it.
      if (stream.offset === offset) {
        stream.offset = end
        await this.#push({ stream: name, record: undefined, next: end })
      }
    }
    const at = stream.offset
    stream.seen = { offset: at, behind: await log.reader.behind({ stream: name, offset: at }) }
  }

  async #holdsNothing({ log, name, offset }: Stream): Promise<boolean> {
    const options = { follow: false, signal: this.#signal }
    const records = log.reader.read({ stream: name, offset }, options)[Symbol.asyncIterator]()
    const first = await records.next()
    await records.return?.()
    return first.done === true
  }

  async #follow(stream: Stream): Promise<void> {
    const { log, name } = stream
    const { onWait } = this.#input
    for (;;) {
      try {
        const from = { stream: name, offset: stream.offset }
        const options = { follow: this.#follows, signal: this.#signal }
        for await (const logged of log.reader.read(from, options)) {
          onWait(`stream ${name}`, undefined)
          await this.#take(stream, logged)
        }
        if (!this.#follows) {
          this.#unread--
          this.#whenSome?.()
          return
        }
      } catch (error) {
        this.#signal.throwIfAborted()
        const lost = isPassing(error) ? undefined : await this.#lost(stream, error)
        if (lost !== undefined) {
          await this.#take(stream, lost)
          continue
        }
        onWait(`stream ${name}`, textOf(error))
      }
      await wait(retryWaitMs, undefined, { signal: this.#signal })
    }
  }

  /** A gap in the place of what is not there any more. Throws what has another reason. */
  async #lost({ log, name, offset }: Stream, error: unknown): Promise<LoggedRecord> {
    const found = (await log.reader.streams()).find(({ oldest }) => oldest.stream === name)
    if (found === undefined || found.oldest.offset <= offset) throw error
    const until = Date.now() * 1000
    return {
      record: { kind: 'gap', proxy: name, from: 0, until, requests: 1, cause: textOf(error) },
      next: found.oldest,
    }
  }

  async #take(stream: Stream, { record, next }: LoggedRecord): Promise<void> {
    stream.read.records++
    stream.read.bytes += bytesOf(record)
    await this.#push({ stream: stream.name, record, next: next.offset })
    stream.offset = Math.max(stream.offset, next.offset)
  }

  async #push(fed: FedRecord): Promise<void> {
    while (this.#bytes >= this.#input.bytesMax) {
      await new Promise<void>((resolve) => this.#whenRoom.push(resolve))
      this.#signal.throwIfAborted()
    }
    this.#bytes += bytesOf(fed.record)
    this.#waiting.push(fed)
    this.#whenSome?.()
  }
}

function bytesOf(record: FedRecord['record']): number {
  return recordBytes + (record && 'body' in record ? record.body.length : 0)
}

/** What the operating system or a network says passes, and what says so itself. */
function isPassing(error: unknown): boolean {
  if (error instanceof MigrationError) return error.retryable
  return error instanceof Error && 'code' in error && !(error instanceof TypeError)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function twice(stream: string, one: NamedLog, other: NamedLog): MigrationError {
  return new MigrationError(
    'MA_CONFIG',
    `${one.name} and ${other.name} both hold a stream ${stream}: give each proxy a name of its own (capture.name), and name each log once`,
  )
}
