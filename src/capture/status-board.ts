import {
  countProcess,
  durationBounds,
  Metrics,
  placeOf,
  requestKinds,
  statusAt,
  type MetricName,
} from './metrics.ts'
import { MetricsSum } from './metrics-sum.ts'
import { metricsText, type ProxyFigure } from './metrics-text.ts'
import type { ProxySettings } from './proxy-settings.ts'
import type { RecordingStart, RecordingStatus } from './recording-worker.ts'
import type { CaptureStatus, LatencyStatus, LogStatus } from './status.ts'
import type { WorkerStatus } from './worker-messages.ts'

/** What stays the same as long as a proxy runs. */
export interface ProxyFacts {
  readonly name: string
  readonly version: string
  readonly settings: ProxySettings
  readonly recording: RecordingStart
}

/** The figures at one time: what happened since is their difference. */
interface Sample {
  readonly at: number
  readonly values: Float64Array
  readonly logBytes: number
}

const windowMs = 10_000
const sampleEveryMs = 1_000
/** Among the workers, which count from 0 on. */
const ownNumber = -1

/** Adds up what the workers of a proxy tell, and says it as the status and as metrics. */
export class StatusBoard {
  readonly #facts: ProxyFacts
  readonly #listen: string
  readonly #startedAt = new Date().toISOString()
  readonly #sum = new MetricsSum()
  /** Of this process, which holds the workers together. */
  readonly #own = new Metrics()
  readonly #recordings = new Map<number, RecordingStatus>()
  #samples: Sample[] = []

  constructor(facts: ProxyFacts, listen: string) {
    this.#facts = facts
    this.#listen = listen
  }

  update(worker: number, status: WorkerStatus | 'ended'): void {
    if (status === 'ended') {
      this.#sum.end(worker)
      this.#recordings.delete(worker)
      return
    }
    this.#sum.update(worker, status.metrics)
    if (status.recording !== undefined) {
      this.#recordings.set(worker, status.recording as RecordingStatus)
    }
    this.#sample()
  }

  #sample(): void {
    const at = performance.now()
    countProcess(this.#own)
    this.#sum.update(ownNumber, this.#own.values)
    if (at - (this.#samples.at(-1)?.at ?? -Infinity) < sampleEveryMs) return
    const values = this.#sum.total()
    this.#samples.push({ at, values, logBytes: this.#logBytes })
    while (this.#samples.length > 1 && at - this.#samples[0]!.at > windowMs) this.#samples.shift()
  }

  get #logBytes(): number {
    return [...this.#recordings.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  status({ ready, isDraining }: { ready: number; isDraining: boolean }): CaptureStatus {
    const { name, version, settings } = this.#facts
    const now: Sample = {
      at: performance.now(),
      values: this.#sum.total(),
      logBytes: this.#logBytes,
    }
    const change = new Change(this.#samples[0] ?? now, now)
    const total = (metric: MetricName, label = 0): number => now.values[placeOf(metric, label)]!
    return {
      format: 1,
      proxy: name,
      version,
      startedAt: this.#startedAt,
      at: new Date().toISOString(),
      state: isDraining ? 'draining' : 'running',
      route: 'source',
      listen: [this.#listen],
      source: settings.sourceUrls,
      workers: { running: ready, wanted: settings.workers },
      connections: {
        clients: total('osmigrate_capture_connections', 0),
        source: total('osmigrate_capture_connections', 1),
      },
      requests: {
        ...answersOf(now.values),
        perSecond: change.answersPerSecond(),
        refused: total('osmigrate_capture_refused_total'),
      },
      latency: {
        added: change.latency('osmigrate_capture_added_duration_seconds'),
        source: change.latency('http_client_request_duration_seconds'),
      },
      log: this.#logStatus(now, change),
      memory: {
        residentBytes: total('process_resident_memory_bytes'),
        bodyBytes: total('osmigrate_capture_body_memory_bytes'),
      },
    }
  }

  #logStatus(now: Sample, change: Change): LogStatus {
    const { log } = this.#facts.recording
    const recordings = [...this.#recordings.values()]
    const worst = recordings.reduce<RecordingStatus | undefined>(
      (worse, one) => (worse && rankOf(worse) >= rankOf(one) ? worse : one),
      undefined,
    )
    const bytesMax = recordings.reduce((sum, one) => sum + one.bytesMax, 0)
    const isBounded = Number.isFinite(bytesMax) && bytesMax > 0
    const bytesPerSecond = Math.max(
      0,
      change.perSecond(({ logBytes }) => logBytes),
    )
    const records = (label: number): number =>
      now.values[placeOf('osmigrate_capture_log_records_total', label)]!
    const state = worst === undefined ? 'unknown' : stateOf(worst)
    return {
      kind: log.kafka === undefined ? 'local' : 'kafka',
      place: worst?.place ?? log.dir,
      state,
      ...(worst && state !== 'ok' && { since: isoTime(worst.health.since) }),
      ...(worst?.health.cause !== undefined && { cause: worst.health.cause }),
      bytes: now.logBytes,
      ...(isBounded && { bytesMax }),
      bytesPerSecond: Math.round(bytesPerSecond),
      ...(isBounded &&
        bytesPerSecond > 0 && {
          secondsLeft: Math.round(Math.max(0, bytesMax - now.logBytes) / bytesPerSecond),
        }),
      records: [0, 1, 2, 3, 4].reduce((sum, label) => sum + records(label), 0),
      thinRecords: records(2),
      gaps: records(3),
      requestsInGaps: now.values[placeOf('osmigrate_capture_gap_requests_total')]!,
      append: change.latency('osmigrate_capture_log_append_duration_seconds'),
      sync: change.latency('osmigrate_capture_log_sync_duration_seconds'),
      syncsPerSecond: change.observedPerSecond('osmigrate_capture_log_sync_duration_seconds'),
    }
  }

  /** In Prometheus' text form. */
  metrics(): string {
    return metricsText(this.#sum.total(), this.#figures())
  }

  #figures(): ProxyFigure[] {
    const { version, name } = this.#facts
    const recordings = [...this.#recordings.values()]
    const bytesMax = recordings.reduce((sum, one) => sum + one.bytesMax, 0)
    const { secondsLeft } = this.status({ ready: 0, isDraining: false }).log
    return [
      {
        name: 'osmigrate_capture_info',
        type: 'gauge',
        help: 'Always 1; its labels tell proxy and version.',
        labels: { proxy: name, version },
        value: 1,
      },
      {
        name: 'osmigrate_capture_log_bytes',
        type: 'gauge',
        help: 'Bytes in the capture log.',
        value: this.#logBytes,
      },
      ...(Number.isFinite(bytesMax) && bytesMax > 0
        ? [
            {
              name: 'osmigrate_capture_log_bytes_max',
              type: 'gauge' as const,
              help: 'Bytes that the capture log may hold (capture.log.bytesMax).',
              value: bytesMax,
            },
          ]
        : []),
      ...(secondsLeft !== undefined
        ? [
            {
              name: 'osmigrate_capture_log_left_seconds',
              type: 'gauge' as const,
              help: 'Until the capture log is full at the present rate; absent while it does not grow.',
              value: secondsLeft,
            },
          ]
        : []),
      ...(recordings.length > 0
        ? [
            {
              name: 'osmigrate_capture_log_state',
              type: 'gauge' as const,
              help: 'The worst state of a log of a worker: 0 ok, 1 thin, 2 slow, 3 full or failing; absent while none tells.',
              value: Math.max(...recordings.map(rankOf)),
            },
          ]
        : []),
      {
        name: 'osmigrate_capture_workers',
        type: 'gauge',
        help: 'Workers that tell of themselves.',
        value: recordings.length,
      },
    ]
  }
}

function rankOf({ health, isThin }: RecordingStatus): number {
  if (health.state === 'out') return 3
  if (health.state === 'slow') return 2
  return isThin ? 1 : 0
}

function stateOf(one: RecordingStatus): LogStatus['state'] {
  switch (rankOf(one)) {
    case 3:
      return one.bytes >= 0.99 * one.bytesMax ? 'full' : 'failing'
    case 2:
      return 'failing'
    case 1:
      return 'thin'
    default:
      return 'ok'
  }
}

const answerPlaces =
  placeOf('osmigrate_capture_requests_total', 1) - placeOf('osmigrate_capture_requests_total', 0)

function answersOf(
  values: Float64Array,
): Pick<CaptureStatus['requests'], 'total' | 'byStatus' | 'writes' | 'sampledReads'> {
  const byStatus: { [status: string]: number } = {}
  const ofKind = requestKinds.map((_, kind) => {
    const first = placeOf('osmigrate_capture_requests_total', kind)
    let sum = 0
    for (let place = 0; place < answerPlaces; place++) {
      const count = values[first + place]!
      if (count === 0) continue
      sum += count
      const status = statusAt(place)
      const name = status === 0 ? '0' : `${Math.floor(status / 100)}xx`
      byStatus[name] = (byStatus[name] ?? 0) + count
    }
    return sum
  })
  const [writes = 0, sampledReads = 0, passed = 0] = ofKind
  return { total: writes + sampledReads + passed, byStatus, writes, sampledReads }
}

/** What happened between two samples. */
class Change {
  readonly #before: Sample
  readonly #now: Sample
  readonly #seconds: number

  constructor(before: Sample, now: Sample) {
    this.#before = before
    this.#now = now
    this.#seconds = (now.at - before.at) / 1000
  }

  perSecond(of: (sample: Sample) => number): number {
    return this.#seconds > 0 ? (of(this.#now) - of(this.#before)) / this.#seconds : 0
  }

  answersPerSecond(): number {
    return Math.round(this.perSecond(({ values }) => answersOf(values).total))
  }

  observedPerSecond(metric: MetricName): number {
    return Math.round(
      this.#buckets(metric).reduce((sum, count) => sum + count, 0) / (this.#seconds || 1),
    )
  }

  latency(metric: MetricName): LatencyStatus {
    const buckets = this.#buckets(metric)
    const count = buckets.reduce((sum, one) => sum + one, 0)
    if (count === 0) return {}
    return { p50Ms: boundOf(buckets, count * 0.5), p99Ms: boundOf(buckets, count * 0.99) }
  }

  #buckets(metric: MetricName): number[] {
    const first = placeOf(metric)
    return Array.from(
      { length: durationBounds.length + 1 },
      (_, bucket) => this.#now.values[first + bucket]! - this.#before.values[first + bucket]!,
    )
  }
}

/** The upper bound of the bucket in which that many are reached; above the last one, that. */
function boundOf(buckets: readonly number[], wanted: number): number {
  let count = 0
  const bucket = buckets.findIndex((one) => (count += one) >= wanted)
  return 1000 * (durationBounds[bucket] ?? durationBounds.at(-1)!)
}

function isoTime(micros: number): string {
  return new Date(micros / 1000).toISOString()
}
