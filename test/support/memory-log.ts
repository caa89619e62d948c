import { MigrationError } from '../../src/base/errors.ts'
import type { CaptureLogWriter, StreamEnd } from '../../src/traffic/capture-log.ts'
import type { CaptureRecord } from '../../src/traffic/exchange.ts'

/** A capture log in memory whose disk does what the test says. */
export class MemoryLog implements CaptureLogWriter {
  readonly records: CaptureRecord[] = []
  readonly last: StreamEnd | undefined
  bytes = 0
  bytesMax = 1e9
  isClosed = false
  /** Why appends come back; undefined: they do not. */
  failure: string | undefined
  /** While true nothing becomes durable, and nothing fails. */
  isHanging = false
  #waiting: (() => void)[] = []

  constructor(last?: StreamEnd) {
    this.last = last
  }

  append(record: CaptureRecord, durable: (error?: Error) => void): void {
    const settle = (): void => {
      if (this.failure !== undefined) {
        durable(new MigrationError('MA_CAPTURE_LOG', this.failure))
        return
      }
      this.records.push(copied(record))
      durable()
    }
    if (this.isHanging) this.#waiting.push(settle)
    else queueMicrotask(settle)
  }

  /** Ends the hanging: what waits is settled now. */
  goOn(): void {
    this.isHanging = false
    for (const settle of this.#waiting.splice(0)) settle()
  }

  usage(): { bytes: number; bytesMax: number } {
    return { bytes: this.bytes, bytesMax: this.bytesMax }
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }

  of<K extends CaptureRecord['kind']>(kind: K): Extract<CaptureRecord, { kind: K }>[] {
    return this.records.filter((one) => one.kind === kind) as Extract<CaptureRecord, { kind: K }>[]
  }
}

/** As a disk would: what is done to the bytes afterwards changes nothing. */
function copied(record: CaptureRecord): CaptureRecord {
  return 'body' in record ? { ...record, body: Uint8Array.from(record.body) } : record
}
