import type { CaptureLogWriter } from '../traffic/capture-log.ts'
import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import { parseRequest } from '../traffic/api/parse-request.ts'
import { BodyMemory } from './body-buffer.ts'
import { GuardedLog, type LogHealth } from './guarded-log.ts'
import { logOutRefusal } from './log-refusals.ts'
import type { Metrics } from './metrics.ts'
import type { ExchangeObserver, ExchangeWatch, Refusal, RequestHead } from './observer.ts'
import { RecordedRead } from './recorded-read.ts'
import { RecordedWrite } from './recorded-write.ts'
import { isSampled } from './sampling.ts'

/**
 * Decides what of the traffic is kept, and hands it to the capture log.
 *
 * What may write, by its API and not by its method, is kept whole: the request's record is handed over when its last
 * byte came, the client's answer waits until that record is durable, and the source's answer is a second record. Of reads
 * a sample is kept, which nothing waits for and which goes first when memory or the log is short.
 */
export interface RecorderOptions {
  /** Name of this proxy process, and of its stream in the log; read anew each time, since a log may be opened late. */
  readonly proxy: string
  readonly version: string
  readonly onLogFailure: 'pass' | 'refuse'
  /** How long an answer waits for the log at most, in milliseconds. */
  readonly logWaitMaxMs: number
  readonly bodyBytesMax: number
  readonly memoryMax: number
  /** Share of the reads that is kept, 0 to 1. */
  readonly reads: number
  readonly readBytesMax: number
  /** Fields whose values are taken out of reads. */
  readonly redact: readonly string[]
  /** Whether the source has types; see ParseOptions. */
  readonly typed: boolean | undefined
  readonly metrics: Metrics
  /** Epoch microseconds. */
  readonly now: () => number
}

/** What the watches of single exchanges share. */
export interface Recording {
  readonly options: RecorderOptions
  readonly log: GuardedLog
  readonly memory: BodyMemory
  /** The next number of an exchange. */
  nextNumber(): number
}

export class Recorder implements ExchangeObserver {
  readonly #recording: Recording
  readonly #options: RecorderOptions
  readonly #log: GuardedLog
  #number = 0

  /** Use openRecorder(), which writes what the log must begin with. */
  constructor(writer: CaptureLogWriter, options: RecorderOptions) {
    this.#options = options
    this.#log = new GuardedLog(writer, {
      proxy: () => options.proxy,
      waitMaxMs: options.logWaitMaxMs,
      metrics: options.metrics,
      now: options.now,
    })
    this.#recording = {
      options,
      log: this.#log,
      memory: new BodyMemory(options.memoryMax),
      // What the stream ended with is known when it is open; until then no record gets into it.
      nextNumber: () => (this.#number = Math.max(this.#number, writer.last?.number ?? 0) + 1),
    }
  }

  begin(head: RequestHead): ExchangeWatch | Refusal | undefined {
    const { typed, reads } = this.#options
    const parsed = parseRequest(head.method, head.target, { typed })
    if (!parsed.mayWrite) return reads > 0 ? this.#beginRead(head, parsed) : undefined
    const { state, cause } = this.#log.health
    if (state !== 'ok' && this.#options.onLogFailure === 'refuse') {
      return logOutRefusal(cause ?? 'it is slow')
    }
    return new RecordedWrite(this.#recording, head, parsed)
  }

  #beginRead(head: RequestHead, parsed: ParsedRequest): ExchangeWatch | undefined {
    if (!isSampled(head, parsed, this.#options.reads)) return undefined
    if (this.#log.health.state !== 'ok' || this.#log.isThin) return undefined
    return new RecordedRead(this.#recording, head)
  }

  health(): LogHealth {
    return this.#log.health
  }

  get isThin(): boolean {
    return this.#log.isThin
  }

  /** The log does not take the beginning of this run: requests from then on may be in no record. */
  beginOut(from: number, cause: string): void {
    this.#log.beginOut(from, cause)
  }

  /** To be called a few times a second. */
  tick(): void {
    this.#options.metrics.set('osmigrate_capture_body_memory_bytes', this.#recording.memory.bytes)
    this.#log.tick()
  }

  /** When nothing passes any more: writes the mark of a clean end, and closes the log. */
  async close(): Promise<void> {
    const { proxy, version, now } = this.#options
    await this.#log.close({ kind: 'stopped', proxy, at: now(), version }, closeWaitMaxMs)
  }
}

const closeWaitMaxMs = 10_000
