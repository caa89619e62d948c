import { syncRunKind, type SyncRun } from '../state/records.ts'
import { kind, type StateStore } from '../state/store.ts'
import type { AuditVerdict } from './audit-records.ts'
import type { ForeignWrites } from './foreign-writes.ts'
import { startProofKind, type StartProof, type SyncGap } from './records.ts'
import type { WaitRecord } from './waits.ts'

/**
 * What sync tells of itself: in the state once a second, at `GET /status` of sync.listen, and by `sync status`. Times are
 * ISO 8601 in UTC; rates are those of the last ten seconds.
 */
export type SyncStatus = {
  /** 1; a reader refuses a higher one by name. */
  format: 1
  version: string
  startedAt: string
  at: string
  /** `draining`: reads no more, and ends when what was read is on the target. */
  state: 'running' | 'draining'
  /** `none`: there is no capture log; the audit alone follows the source. */
  mode: 'proxy' | 'none'
  perSecond: {
    /** Records of the log. */
    records: number
    /** Changes of documents that were taken: from the log, and from the audit. */
    changes: number
    /** Items that the target took, deletes among them. */
    written: number
    /** Documents read from the source. */
    sourceReads: number
    /** Bytes sent to the target. */
    bytes: number
  }
  /** Of this run. */
  totals: SyncTotals
  lag: Lag
  streams: StreamStatus[]
  /** Not explained yet; at most 100. */
  gaps: SyncGap[]
  gapCount: number
  /** Requests in them. */
  gapRequests: number
  deadLetters: number
  /** Somebody else writes to the target, as far as it was seen in this run. */
  foreignWrites: ForeignWrites[]
  /** All deletes that were kept before this time are applied once more; null: none were yet. */
  deletesAppliedTo: string | null
  waits: WaitRecord[]
  /** Indices to which nothing is written now, or whose numbers are not used. */
  indices: IndexTrouble[]
  /** Names of which something on the target is otherwise than on the source, that touches no document. */
  different: { name: string; what: string }[]
  /** null: it has not looked yet. */
  audit: AuditVerdict | null
  memory: { residentBytes: number; changeBytes: number }
}

/** What is in the log, or was read from it, and is not on the target. */
export type Lag = {
  /** null: not known. */
  records: number | null
  /** `records` or `bytes` are reckoned from what was read so far. */
  isEstimate: boolean
  bytes: number | null
  /** Since the oldest of it was recorded; 0: there is nothing. */
  seconds: number
}

export type StreamStatus = {
  stream: string
  log: string
  lag: Lag
  /** Requests whose answers are not in the log. */
  unanswered: number
  /** Newest record that was read. */
  recordedAt: string | null
}

export type IndexTrouble = {
  index: string
  /** `stopped`: nothing is written to it until somebody acts; `waiting`: until what is named has come; `doubtful`: all is read from the source. */
  state: 'stopped' | 'waiting' | 'doubtful'
  why: string
  since: string
}

export type SyncTotals = {
  records: number
  changes: number
  written: number
  /** The target held something newer already. */
  older: number
  /** Left to the audit, since their index is stopped or waits. */
  left: number
  sourceReads: number
  bytes: number
}

export const syncStatusKind = kind<SyncStatus>('sync-status')

/** The sync of a migration as any process sees it. */
export interface SyncView {
  /** `interrupted`: the record says running, but the process that wrote it is gone. */
  readonly state: 'none' | 'interrupted' | SyncRun['state']
  readonly run?: SyncRun
  readonly status?: SyncStatus
  /** Whether capture was proven to see the writes when the snapshot was made; absent: nobody asked. */
  readonly proof?: StartProof
}

export async function readSyncView(
  state: StateStore,
  { isRunning }: { isRunning: boolean },
): Promise<SyncView> {
  const run = (await state.get(syncRunKind, 'run'))?.value
  const status = (await state.get(syncStatusKind, 'status'))?.value
  const proof = (await state.get(startProofKind, 'start'))?.value
  if (run === undefined) return { state: 'none', ...(proof && { proof }) }
  const isGone = run.state === 'running' && !isRunning
  const stands = isGone ? 'interrupted' : run.state
  return { state: stands, run, ...(status && { status }), ...(proof && { proof }) }
}
