import { MigrationError } from '../base/errors.ts'
import type { CaptureLogWriter, StreamEnd } from '../traffic/capture-log.ts'
import type { CaptureRecord } from '../traffic/exchange.ts'
import type { OpenStream } from './open-log.ts'

export interface LateStreamOptions {
  /** Tries to open a stream. */
  readonly open: () => Promise<OpenStream>
  /** Why the first try failed. */
  readonly failure: Error
  /** Writes what the records of a run begin with, before any other. */
  readonly begin: (opened: OpenStream) => Promise<void>
  /** What is said of stream, place and bound as long as there is none. */
  readonly meanwhile: Pick<OpenStream, 'stream' | 'place'> & { readonly bytesMax: number }
  readonly retryFirstMs?: number
}

const retryMaxMs = 5_000

/**
 * A stream that could not be opened when its proxy began, which serves its clients nevertheless: it refuses records with
 * what keeps it from being opened, and tries that again until it goes or the stream is closed.
 */
export class LateStream implements OpenStream, CaptureLogWriter {
  readonly #options: LateStreamOptions
  #failure: Error
  #opened: OpenStream | undefined
  #isClosed = false
  #retryMs: number
  #timer: NodeJS.Timeout | undefined
  #trying: Promise<void> = Promise.resolve()

  constructor(options: LateStreamOptions) {
    this.#options = options
    this.#failure = options.failure
    this.#retryMs = options.retryFirstMs ?? 200
    this.#tryLater()
  }

  get writer(): CaptureLogWriter {
    return this
  }

  /** Known when it is open. */
  get stream(): string {
    return (this.#opened ?? this.#options.meanwhile).stream
  }

  get place(): string {
    return (this.#opened ?? this.#options.meanwhile).place
  }

  get last(): StreamEnd | undefined {
    return this.#opened?.writer.last
  }

  append(record: CaptureRecord, durable: (error?: Error) => void): void {
    if (this.#opened !== undefined) return this.#opened.writer.append(record, durable)
    const failure = this.#failure
    queueMicrotask(() => durable(failure))
  }

  usage(): { readonly bytes: number; readonly bytesMax: number } {
    const { bytesMax } = this.#options.meanwhile
    return this.#opened?.writer.usage() ?? { bytes: 0, bytesMax }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#trying
    await this.#opened?.writer.close()
  }

  #tryLater(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#trying = this.#try()
    }, this.#retryMs)
    this.#retryMs = Math.min(retryMaxMs, 2 * this.#retryMs)
  }

  async #try(): Promise<void> {
    try {
      const opened = await this.#options.open()
      try {
        await this.#options.begin(opened)
      } catch (error) {
        await opened.writer.close()
        throw error
      }
      this.#opened = opened
    } catch (error) {
      this.#failure = error as Error
      this.#tryLater()
    }
  }
}

const passingCodes: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']
/** Of the lock, which is an SQLite file: read-only, an error of the disk, full. */
const passingSqliteCodes: readonly number[] = [8, 10, 13]

/** Whether a log that could not be opened may be there later without anybody changing the configuration. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof MigrationError) || error.code !== 'MA_CAPTURE_LOG') return false
  const { code, errcode = 0 } = (error.cause ?? {}) as { code?: unknown; errcode?: number }
  // What is above the low byte tells more of the same.
  const isPassing = passingCodes.includes(code) || passingSqliteCodes.includes(errcode & 0xff)
  return error.retryable || isPassing
}
