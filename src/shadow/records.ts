import { kind } from '../state/store.ts'

/** Times in milliseconds; null: there is none yet. */
export type Latency = {
  p50: number | null
  p90: number | null
  p99: number | null
  max: number | null
}

/** Why a recorded exchange was not sent to the target. */
export type SkipReason =
  /** It does not answer from documents, or writes and writes are not replayed. */
  | 'kind'
  /** Its body is not in the log as it was sent: too long, redacted, or left out since the log was nearly full. */
  | 'incomplete'
  /** Its answer is not in the log. */
  | 'unanswered'
  /** It goes on with a scroll, a PIT or an async search that was not begun here. */
  | 'cursor'
  /** What it writes to cannot be kept within the prefix. */
  | 'guard'
  /** Request rules or a step of the user cannot say it to the target. */
  | 'untranslatable'

/** Requests that differ in values alone. */
export type ShapeFigures = {
  key: string
  template: string
  requests: number
  /** Answered otherwise than by the source. */
  different: number
  /** 5xx, 429, or no answer. */
  errors: { source: number; target: number }
  /** How many answers had such a finding. */
  findings: { [what: string]: number }
  latency: { source: Latency; target: Latency }
}

/** A replay of captured traffic. Key: `run`. */
export type ShadowRun = {
  /** 1; a reader refuses a higher one by name. */
  format: 1
  version: string
  /** `ended`: all that was to be replayed is. */
  state: 'running' | 'stopped' | 'ended' | 'failed'
  pid: number
  startedAt: string
  at: string
  endedAt: string | null
  error: { code: string; message: string } | null
  /** What was replayed, and how. */
  log: string
  method: string
  speed: number | 'max'
  rate: number | null
  writes: boolean
  indexPrefix: string | null
  target: string
  cannotSee: string[]
  /** Since the replay of this log began, over all runs. */
  totals: ShadowTotals
  skipped: { [Reason in SkipReason]?: number }
  rulesFired: { [rule: string]: number }
  statuses: { [pair: string]: number }
  /** Of this run. */
  perSecond: { sent: number }
  latency: { source: Latency; target: Latency }
  lag: ShadowLag
  /** Worst first, at most 200; the others are in the totals. */
  shapes: ShapeFigures[]
  waits: { key: string; what: string; since: string }[]
  tuples: string | null
  memory: { residentBytes: number; aheadBytes: number }
}

export type ShadowTotals = {
  /** Exchanges that were read from the log. */
  exchanges: number
  /** Requests that were sent and settled. */
  sent: number
  /** Of them, those that may write. */
  writes: number
  /** Sent again, since the target did not answer or was busy. */
  retries: number
  compared: number
  different: number
  statusDiffers: number
  errors: number
  sourceErrors: number
  /** Sent more than 100 ms after they were due. */
  late: number
  gaps: number
}

export type ShadowLag = {
  /** How far it is behind its own time table. */
  lateMs: number
  /** What is recorded and not read; null: not known. */
  bytes: number | null
  records: number | null
  /** When the newest request that was sent had been recorded. */
  recordedAt: string | null
}

export const shadowRunKind = kind<ShadowRun>('shadow-run')

/** Where a replay goes on. Key: `LOG STREAM`. */
export type ShadowCheckpoint = {
  log: string
  stream: string
  offset: number
  /** Positions behind it that are done with, too, since later requests may be answered sooner; the first 10,000. */
  beyond: number[]
  /** The file of tuples that is written, and how much of it belongs to what is done with; null: none. */
  tuples: { file: string; bytes: number } | null
  at: string
}
export const shadowCheckpointKind = kind<ShadowCheckpoint>('shadow-checkpoint')

/** Another shell asks the run for something. Key: `stop`. */
export type ShadowRequest = { at: string; pid: number }
export const shadowRequestKind = kind<ShadowRequest>('shadow-request')
