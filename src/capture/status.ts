/**
 * What a proxy tells of itself at `GET /status` of its admin port, as JSON, and what `capture status` shows. Times are
 * ISO 8601 in UTC; rates and latencies are those of the last ten seconds.
 */
export interface CaptureStatus {
  /** 1; a reader refuses a higher one by name. */
  readonly format: 1
  readonly proxy: string
  readonly version: string
  readonly startedAt: string
  readonly at: string
  /** `draining`: accepts nobody any more and ends its connections as their requests end. */
  readonly state: 'running' | 'draining'
  /** Where requests go. */
  readonly route: 'source'
  /** host:port where clients are served. */
  readonly listen: readonly string[]
  /** Addresses of the source. */
  readonly source: readonly string[]
  readonly workers: { readonly running: number; readonly wanted: number }
  readonly connections: { readonly clients: number; readonly source: number }
  readonly requests: RequestStatus
  readonly latency: {
    /** What the proxy added to an answer. */
    readonly added: LatencyStatus
    /** From the last byte of the request at the source to the first byte of its answer. */
    readonly source: LatencyStatus
  }
  readonly log: LogStatus
  readonly memory: {
    /** Of all processes of the proxy. */
    readonly residentBytes: number
    /** Bodies held until their record is written. */
    readonly bodyBytes: number
  }
}

export interface RequestStatus {
  /** Since the proxy was started. */
  readonly total: number
  readonly perSecond: number
  /** Answers by the hundred of their status: `2xx`, `4xx` …; `0` where the source gave none. */
  readonly byStatus: { readonly [status: string]: number }
  /** May change something: recorded, thin or in a gap. */
  readonly writes: number
  /** Reads that were recorded as a sample. */
  readonly sampledReads: number
  /** Answered by the proxy itself in the place of the source. */
  readonly refused: number
}

/** Milliseconds, rounded up to the bound of the histogram's bucket; absent where there was none. */
export interface LatencyStatus {
  readonly p50Ms?: number
  readonly p99Ms?: number
}

export interface LogStatus {
  readonly kind: 'local' | 'kafka'
  /** The folder, or brokers and topic. */
  readonly place: string
  /** `unknown`: no worker has told of it yet. `failing`: appends are refused, for the cause that is told. `full`: at bytesMax. `thin`: above 80 % of it. */
  readonly state: 'unknown' | 'ok' | 'thin' | 'full' | 'failing'
  readonly since?: string
  readonly cause?: string
  readonly bytes: number
  /** Absent where there is no bound. */
  readonly bytesMax?: number
  readonly bytesPerSecond: number
  /** Until bytesMax at the present rate; absent where it is not growing or has no bound. */
  readonly secondsLeft?: number
  readonly records: number
  readonly thinRecords: number
  readonly gaps: number
  /** Requests that may have written and are in no record but a gap. */
  readonly requestsInGaps: number
  /** From `append` until the record is durable. */
  readonly append: LatencyStatus
  /** One flush: fdatasync, or the acknowledgement of the brokers. */
  readonly sync: LatencyStatus
  readonly syncsPerSecond: number
}
