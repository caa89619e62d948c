import { kind } from '../state/store.ts'
import type { Dropped } from './dropped.ts'

/** The run as a whole. Key: `run`. */
export type BackfillRun = {
  state: 'running' | 'stopped' | 'failed' | 'done'
  pid: number
  snapshot: string
  /** `2/5` where it does a share, else null. */
  share: string | null
  /** Of this run, not of the first one. */
  startedAt: string
  endedAt: string | null
  /** Why it failed. */
  error: { code: string; message: string } | null
  /** What was settled when this run began, so that a rate can be had. */
  before: Totals
  /** What the run waits for, e.g. a target that answers 429; null while it moves. */
  waiting: { on: string; since: string } | null
}
export const backfillRunKind = kind<BackfillRun>('backfill-run')

/** Of what is settled. */
export type Totals = {
  read: number
  written: number
  failed: number
  /** Not carried over, since the index keeps no `_source` of them. */
  withoutSource: number
  /** Written without the `_timestamp` or `_ttl` that they have on the source. */
  withTimestamp: number
  /** Left out by the transform, asked for or not. */
  dropped: number
  /** `_source` as JSON. */
  sourceBytes: number
  /** Share of the snapshot's shards that is settled, by their length. */
  snapshotBytes: number
}

/** One index as planned, once; a run that goes on takes the plan as it is. Key: source index name. */
export type BackfillIndex = {
  index: string
  snapshot: string
  snapshotUuid: string
  sourceUuid: string
  /** The target index that the checkpoints speak of: another one there means that all is to be written again. */
  targetUuid: string
  /** `2/5` where this host does a share of it (share.ts), else null. */
  share: string | null
  /** What the versions are made of: sequence numbers, or `_version` where an engine before 6.0 made the snapshot. */
  versionFrom: 'seqNo' | 'version'
  /** Of each shard when the snapshot was begun. Absent: not known. */
  primaryTerms?: number[]
  /** Fingerprint of the transform that the documents go through; null or absent (older plans): none. */
  transform?: string | null
  state: 'planned' | 'done' | 'failed'
  /** Why it failed; a later run tries again. */
  error: { code: string; message: string } | null
  /** Things to know about an index that is carried over, e.g. a filtered `_source`. */
  notes: string[]
}
export const backfillIndexKind = kind<BackfillIndex>('backfill-index')

/** One shard. Key: `index/shard`. */
export type BackfillShard = {
  index: string
  shard: number
  /** All files of the shard in the snapshot, or the part of them that this host does: its weight in the whole. */
  byteLength: number
  /**
   * open: not divided into work items yet; bad: cannot be read, tried again by a later run; lacking: the snapshot is
   * PARTIAL; elsewhere: another share has it whole.
   */
  state: 'open' | 'planned' | 'bad' | 'lacking' | 'elsewhere'
  /** `2/5` where the shard is cut between shares, else null. */
  part: string | null
  /** Segments whose checksum is compared only when all their items were read: see unchecked.ts. Absent: none. */
  unchecked?: string[]
  error: { code: string; message: string } | null
}
export const backfillShardKind = kind<BackfillShard>('backfill-shard')

/** A stretch of one segment. Key: `index/shard/segment/fromDoc`, the last with 10 digits. */
export type WorkItem = {
  index: string
  shard: number
  segment: string
  /** Lucene numbers [fromDoc, toDoc). */
  fromDoc: number
  toDoc: number
  storedBytes: number
  /** Everything below is settled: written, or a dead letter. Never passes a batch without an answer. */
  checkpoint: number
  done: boolean
  /** Of what lies below the checkpoint. */
  read: number
  written: number
  failed: number
  sourceBytes: number
  /** Documents without `_source`, where that was allowed for: not carried over. Absent: none. */
  withoutSource?: number
  /** Documents that are written, but had a `_timestamp` or `_ttl`, which is not carried over. Absent: none. */
  withTimestamp?: number
  /** What a transform left out, by reason. Absent: nothing. */
  dropped?: Dropped[]
  /** CRC-32 of the stored bytes that were read up to the checkpoint. Absent where they were checked before, or not all. */
  crc?: number
}
export const workItemKind = kind<WorkItem>('work-item')

export function workItemKey(item: WorkItem): string {
  const { index, shard, segment, fromDoc } = item
  return `${index}/${shard}/${segment}/${String(fromDoc).padStart(10, '0')}`
}

/** Another shell asks the run to stop. Key: `stop`. */
export type StopRequest = { at: string; pid: number }
export const stopRequestKind = kind<StopRequest>('stop-request')
