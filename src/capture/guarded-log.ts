import type { CaptureLogWriter } from '../traffic/capture-log.ts'
import type { CaptureGap, CaptureRecord, ExchangeId } from '../traffic/exchange.ts'
import { GapCollector, type Unrecorded } from './gap-collector.ts'
import { recordKinds, type Metrics } from './metrics.ts'

/**
 * The capture log as the recorder uses it: nobody waits for it longer than `waitMaxMs`, and what it does not take is in a
 * gap that it takes when it is back. After the gap comes an answer without a status for each request that may be in the log
 * and whose answer is not: who reads it would wait for that for ever.
 *
 * - `ok`: a record is handed over, and whoever waits for it is told when it is durable.
 * - `slow`: the oldest record has been waited for too long. Records are still handed over; nobody waits for them.
 * - `out`: a record came back. Nothing is handed over but the gap, once a second, until it is taken.
 *
 * The process calls `tick` a few times a second: there is one timer for all requests.
 */
export interface GuardedLogOptions {
  readonly proxy: () => string
  readonly waitMaxMs: number
  readonly metrics: Metrics
  /** Epoch microseconds. */
  readonly now: () => number
}

export interface LogHealth {
  readonly state: 'ok' | 'slow' | 'out'
  /** Epoch microseconds of the last change of the state. */
  readonly since: number
  readonly cause?: string
}

/** What became of a record that somebody waits for. */
export type Outcome = 'durable' | 'late' | 'failed'

interface Pending {
  readonly at: number
  readonly told: ((outcome: Outcome) => void) | undefined
  readonly settled: (() => void) | undefined
  readonly unrecorded: Unrecorded | undefined
  isTold: boolean
  isSettled: boolean
}

const tryAgainAfterMicros = 1_000_000
const thinFrom = 0.8
/** Of records without bodies; those with bodies are bounded by `capture.memoryMax`. */
const pendingMax = 100_000

export class GuardedLog {
  readonly #log: CaptureLogWriter
  readonly #options: GuardedLogOptions
  readonly #gap: GapCollector
  #pending: Pending[] = []
  #first = 0
  #health: LogHealth
  #triedAt = 0
  #isTrying = false
  #idle: (() => void)[] = []
  /** By number. At most those under way when the log went out, and `pendingMax`. */
  readonly #unended = new Map<number, ExchangeId>()

  constructor(log: CaptureLogWriter, options: GuardedLogOptions) {
    this.#log = log
    this.#options = options
    this.#gap = new GapCollector()
    this.#health = { state: 'ok', since: options.now() }
  }

  get health(): LogHealth {
    return this.#health
  }

  /** True from 80 % of the log's bound on: records become thin, and reads are no longer kept. */
  get isThin(): boolean {
    const { bytes, bytesMax } = this.#log.usage()
    return bytes >= thinFrom * bytesMax
  }

  /**
   * Hands a record over. `told` is called once, at most `waitMaxMs` and a tick later; `settled` once the log has let go of
   * the record's bytes. `unrecorded` is what goes into the gap when the record does not get into the log; without it
   * (reads) nothing does, and the log's state stays as it is.
   */
  append(
    record: CaptureRecord,
    given: {
      told?: (outcome: Outcome) => void
      settled?: () => void
      unrecorded?: Unrecorded
    } = {},
  ): void {
    const { told, settled, unrecorded } = given
    if (this.#health.state === 'out') {
      if (unrecorded) this.addGap(unrecorded, this.#health.cause!)
      if (record.kind !== 'request') this.#noteUnended(record)
      settled?.()
      told?.('failed')
      return
    }
    if (unrecorded && this.#pending.length - this.#first >= pendingMax) {
      this.addGap(unrecorded, `more than ${pendingMax} records wait for the log`)
      if (record.kind !== 'request') this.#noteUnended(record)
      settled?.()
      told?.('failed')
      return
    }
    const isLate = this.#health.state === 'slow'
    const entry: Pending = {
      at: this.#options.now(),
      told,
      settled,
      unrecorded,
      isTold: isLate,
      isSettled: false,
    }
    this.#pending.push(entry)
    this.#log.append(record, (error) => this.#settle(entry, record, error))
    if (isLate) told?.('late')
  }

  #settle(entry: Pending, record: CaptureRecord, error: Error | undefined): void {
    entry.isSettled = true
    const { now, metrics } = this.#options
    if (error === undefined) {
      const kind = record.kind === 'started' || record.kind === 'stopped' ? 'mark' : record.kind
      metrics.add('osmigrate_capture_log_records_total', 1, recordKinds.indexOf(kind))
      metrics.observe('osmigrate_capture_log_append_duration_seconds', (now() - entry.at) / 1e6)
    } else {
      // Of a request, too: what is not acknowledged may be there all the same.
      this.#noteUnended(record)
      if (entry.unrecorded) {
        this.#setState('out', error.message)
        this.addGap(entry.unrecorded, error.message)
      }
    }
    entry.settled?.()
    this.#tell(entry, error === undefined ? 'durable' : 'failed')
    this.#forgetSettled()
    if (this.#health.state === 'slow' && !this.#isLate(this.#pending[this.#first])) {
      this.#setState('ok')
    }
  }

  #noteUnended(record: CaptureRecord): void {
    if ('exchange' in record) this.#unended.set(record.exchange.number, record.exchange)
  }

  #endUnended(): void {
    if (this.#unended.size === 0 || this.#health.state === 'out') return
    this.#triedAt = this.#options.now()
    const exchanges = [...this.#unended.values()]
    this.#unended.clear()
    for (const exchange of exchanges) {
      const nothing = { headers: [], body: new Uint8Array(0), bodyBytes: 0 }
      const at = { firstByteAt: 0, lastByteAt: 0 }
      this.append({ kind: 'response', exchange, status: 0, ...nothing, ...at })
    }
  }

  #tell(entry: Pending, outcome: Outcome): void {
    if (entry.isTold) return
    entry.isTold = true
    entry.told?.(outcome)
  }

  #forgetSettled(): void {
    const pending = this.#pending
    while (this.#first < pending.length && pending[this.#first]!.isSettled) this.#first++
    if (this.#first === pending.length) {
      this.#pending = []
      this.#first = 0
      for (const done of this.#idle.splice(0)) done()
    } else if (this.#first > 1024 && this.#first * 2 > pending.length) {
      this.#pending = pending.slice(this.#first)
      this.#first = 0
    }
  }

  #isLate(entry: Pending | undefined): boolean {
    if (entry === undefined) return false
    return this.#options.now() - entry.at > this.#options.waitMaxMs * 1000
  }

  /** Begins with a log that is out, and so with a gap: whether a write came by is not known before. */
  beginOut(from: number, cause: string): void {
    this.#setState('out', cause)
    this.addGap({ from, indices: undefined, isCounted: false }, cause)
  }

  /** Counts a request that may have written and is in no record. */
  addGap(request: Unrecorded, cause: string): void {
    const { now, metrics } = this.#options
    const isNew = this.#gap.add(request, { until: now(), cause })
    if (isNew) metrics.add('osmigrate_capture_gap_requests_total')
  }

  /** Lets go of those that have waited too long, and tries to write the gap. */
  tick(): void {
    const pending = this.#pending
    for (let i = this.#first; i < pending.length && this.#isLate(pending[i]); i++) {
      const entry = pending[i]!
      if (entry.isSettled) continue
      if (this.#health.state === 'ok') {
        this.#setState('slow', `the log has not taken a record for ${this.#options.waitMaxMs} ms`)
      }
      this.#tell(entry, 'late')
    }
    if (this.#options.now() - this.#triedAt < tryAgainAfterMicros) return
    if (this.#gap.requests > 0) this.#writeGap()
    else if (!this.#isTrying) this.#endUnended()
  }

  #writeGap(): void {
    if (this.#isTrying) return
    const gap = this.#gap.take(this.#options.proxy())
    if (gap === undefined) return
    this.#isTrying = true
    this.#triedAt = this.#options.now()
    this.#log.append(gap, (error) => this.#gapWritten(gap, error))
  }

  #gapWritten(gap: CaptureGap, error: Error | undefined): void {
    this.#isTrying = false
    if (error !== undefined) {
      this.#gap.putBack(gap)
      this.#setState('out', error.message)
      for (const done of this.#idle.splice(0)) done()
      return
    }
    this.#options.metrics.add('osmigrate_capture_log_records_total', 1, recordKinds.indexOf('gap'))
    if (this.#health.state === 'out') this.#setState('ok')
    this.#endUnended()
    // What came while the gap was on its way into the log.
    this.#writeGap()
    this.#forgetSettled()
  }

  #setState(state: LogHealth['state'], cause?: string): void {
    if (state === this.#health.state && cause === this.#health.cause) return
    const since = state === this.#health.state ? this.#health.since : this.#options.now()
    this.#health = { state, since, ...(cause !== undefined && { cause }) }
  }

  /** Writes the gap that is open and the last record, and waits for everything, at most that long. */
  async close(last: CaptureRecord, waitMaxMs: number): Promise<void> {
    const isIdle = (): boolean => this.#pending.length === 0 && !this.#isTrying
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMaxMs)
    })
    const idle = async (): Promise<void> => {
      while (!isIdle()) await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
    this.#writeGap()
    await Promise.race([idle(), deadline])
    // A stop mark says that nothing is missing before it: not where a gap could not be written.
    if (this.#gap.requests === 0 && isIdle()) {
      this.append(last)
      await Promise.race([idle(), deadline])
    }
    clearTimeout(timer)
    await this.#log.close()
  }
}
