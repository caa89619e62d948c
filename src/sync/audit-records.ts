import { kind } from '../state/store.ts'
import type { Explained } from './account-records.ts'

/**
 * - `caught-up`: every number that the source had given out by `asOf` is accounted for.
 * - `open`: some are not, or something else is; what, is told.
 * - `not-provable`: the source numbers nothing (before 6.0), so that only a comparison tells.
 */
export type AuditState = 'caught-up' | 'open' | 'not-provable'

/** What the last look found, in all. Key: `audit`. */
export type AuditVerdict = {
  verdict: AuditState
  /** Of the index that is furthest behind; null: never yet. */
  asOf: string | null
  /** When the look ended. */
  at: string
  indices: number
  /** Names of those that are not caught up, 100 at most; `audit-index` tells more of each. */
  open: string[]
  openCount: number
  /** All streams of the log were read up to where they ended when the look began. */
  streamsRead: boolean
  shards: number
  accounted: number
  missing: number
  /** Above the global checkpoint of their shard. */
  pending: number
  explained: Explained
  /** How long the look took. */
  ms: number
  /** Pages of documents that it found, and comparisons of ids that it made. */
  searches: number
  comparisons: number
}
export const auditVerdictKind = kind<AuditVerdict>('audit-verdict')

/** What the last look found of one index. Key: name of the source index. */
export type AuditIndex = {
  index: string
  verdict: AuditState
  asOf: string | null
  at: string
  /** What the audit of it waits for, or why it could not look; null: nothing. */
  waiting: string | null
  shards: AuditShard[]
  /** What did not come by way of the log, since the audit of this index began. */
  found: Findings
  comparison: {
    at: string
    ms: number
    source: number
    target: number
    differing: number
  } | null
}
export const auditIndexKind = kind<AuditIndex>('audit-index')

export type Findings = {
  /** Documents found by their numbers. */
  search: number
  /** By comparison: on the source alone, on the target alone, on both with another number. */
  missing: number
  extra: number
  other: number
  /** When the last of them was found. */
  lastAt: string | null
  /** On the target at a higher number than on the source, and no read mends it; a few by name. */
  ahead: { id: string; routing: string | null; source: number | null; target: number }[]
}

export type AuditShard = {
  shard: number
  /** null: the engine has none. */
  maxSeqNo: number | null
  globalCheckpoint: number | null
  accounted: number
  explained: Explained
  /** Up to the global checkpoint. */
  missing: number
  /** The first of them, 20 at most. */
  ranges: { from: number; to: number }[]
  /** Since when the first of them has been missing. */
  since: string | null
}
