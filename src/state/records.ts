import type { DocumentTypes } from '../base/document-types.ts'
import type { JsonObject } from '../base/json.ts'
import { kind, type StateStore } from './store.ts'

/**
 * A target index that this migration made (or adopted), and what it must be to be written to. Key: source index name,
 * or `index#type` where an index became several (base/document-types.ts).
 */
export type TargetIndex = {
  index: string
  /** What becomes of documents because of their mapping types; absent: nothing. */
  types?: DocumentTypes
  /**
   * Documents of several types keep their ids: the UUID of the snapshot in which no two have one; null: not looked yet.
   * Absent where no two can meet.
   */
  distinctIn?: string | null
  /** Name on the target; the same as on the source unless renamed. */
  targetIndex: string
  /** The data stream that it is behind, by whose name it is selected. */
  dataStream?: string
  sourceUuid: string
  /** See SourceIncarnation; absent: 0. */
  life?: number
  /** Somebody else made it, and it was taken over: it is not deleted when the index of the source is. */
  adopted?: boolean
  /** `index.uuid` on the target; another one there means that it was deleted and made anew: the run stops by name. */
  targetUuid: string
  /** Base of the versions: a multiple of 2^40, 0 until the first turn. */
  epochBase: number
  /** `osmigrate-<sourceUuid>-<epoch>`, with `.<life>` behind it: the only name that documents are written to. */
  fenceAlias: string
  /**
   * Where it is behind a data stream of the target, which takes no alias: the pipeline that each write names in its
   * place, and the field that holds a document's time. Absent: it is not.
   */
  stream?: { pipeline: string; timestampField: string }
  sourceShards: number
  targetShards: number
  /** False where the target has another shard count, so that a routed document stops the index by name. */
  mayHoldRouted: boolean
  /** 'full' | what the mapping does to `_source`; anything but full is named in the plan and in the verdict. */
  sourceForm: 'full' | 'filtered' | 'disabled' | 'synthetic'
  /** How many documents that concerns, nested ones counted too; null where it is full. */
  sourceDocuments: number | null
  /** Clients gave the versions of its documents on the source: they are the versions on the target. Absent: they do not. */
  clientVersions?: true
  /** Settings kept off the target until the switch: pipelines, write blocks, lifecycle policies. */
  withheld: { [setting: string]: string }
}
export const targetIndexKind = kind<TargetIndex>('target-index')

/** An index of the live source as sync has last seen it. Key: its name. */
export type SourceIncarnation = {
  index: string
  uuid: string
  /** By number of the shard; null where the engine has not told. */
  histories: (string | null)[]
  /** What its metadata was like when the target's was last brought in step; null: it is not. */
  followed: string | null
  /** How often its numbers have begun anew under this UUID: each time its target index is made anew, with another fence. */
  life: number
}
export const sourceIncarnationKind = kind<SourceIncarnation>('source-incarnation')

/** An index of the target that was deleted since that of the source was. Key: its UUID on the target. */
export type RemovedIndex = {
  index: string
  targetIndex: string
  sourceUuid: string
  at: string
  why: string
}
export const removedIndexKind = kind<RemovedIndex>('removed-index')

/** A template, pipeline or script that was put on the target, as it was sent. Key: `kind/name`. */
export type CarriedObject = { kind: string; name: string; body: JsonObject }
export const carriedObjectKind = kind<CarriedObject>('carried-object')

/**
 * An object that a person has changed in a plan file (`metadata migrate --plan`), or left out there. Key: `kind name`. What
 * the source makes of the object later keeps the difference.
 */
export type PlanEdit = {
  kind: string
  name: string
  /** As it was planned. */
  planned: JsonObject
  /** As it was sent; null: it was left out. */
  edited: JsonObject | null
}
export const planEditKind = kind<PlanEdit>('plan-edit')

/** The incarnation of one source shard that was read from a snapshot. Key: `index/shard`. */
export type ShardIncarnation = {
  index: string
  shard: number
  sourceUuid: string
  /** undefined where the engine keeps none (before 6.x). */
  historyUuid: string | null
  snapshot: string
  maxSeqNo: number | null
  localCheckpoint: number | null
  /** Under which the snapshot was begun; absent where that is not known. */
  primaryTerm?: number
}
export const shardIncarnationKind = kind<ShardIncarnation>('shard-incarnation')

/** A setting changed on a cluster, written before the change. Key: time-ordered number, 12 digits. */
export type LedgerEntry = {
  side: 'source' | 'target'
  /** Index name on that side; null for a cluster setting. */
  index: string | null
  setting: string
  /** null: it was not set. */
  oldValue: string | null
  newValue: string | null
  changedAt: string
  /** null while the change stands. */
  restoredAt: string | null
  /** Which step puts it back: at the end of the backfill, or at close. */
  until: 'backfill' | 'close'
}
export const ledgerKind = kind<LedgerEntry>('ledger')

/** A document that the target refused, or that it holds at a higher version which no write of ours explains. Key: `index/shard/segment/doc`. */
export type DeadLetter = {
  index: string
  shard: number
  segment: string
  /** Lucene number in the segment: the snapshot still holds the document, so it is not copied here. */
  doc: number
  id: string
  routing: string | null
  version: number
  status: number
  /** Error type as the target named it, e.g. mapper_parsing_exception. */
  cause: string
  reason: string
  at: string
  state: 'open' | 'retried' | 'discarded'
}
export const deadLetterKind = kind<DeadLetter>('dead-letter')

/** The result of a comparison of one index. Key: source index name. */
export type Verdict = {
  index: string
  verdict: 'equal' | 'different' | 'unknown'
  /** Why it is unknown, or what the method cannot see. */
  note: string
  method: string
  source: number
  target: number
  equal: number
  different: number
  missing: number
  extra: number
  /** A few of the differing ids, by kind. */
  examples: JsonObject[]
  startedAt: string
  endedAt: string
  /** quick: ids and versions alone. Absent, as all that follows: written by an older program. */
  how?: 'full' | 'quick'
  from?: 'snapshot' | 'live'
  /** Documents of the source that are not meant to be on the target: in none of the counts above. */
  leftOut?: { dropped: number; deadLetters: number; discarded: number }
  cannotSee?: string[]
  /** Where the numbers of both sides stood before they were read; null: the side tells none. Others now: it was written to. */
  numbers?: { source: string | null; target: string | null }
  /** Documents that were written again because they differed. */
  repaired?: number
}
export const verdictKind = kind<Verdict>('verdict')

/** A document that differs, of the last verdict of its index. Key: `INDEX/NUMBER`, the number of six digits, from 1. */
export type DocumentDifference = {
  index: string
  number: number
  kind: 'different' | 'missing' | 'extra'
  id: string
  /** On the source, or on the side that has it. */
  routing: string | null
  /** Where it is another one on the target. */
  targetRouting?: string | null
}
export const documentDifferenceKind = kind<DocumentDifference>('document-difference')

/** Following the source, as a whole. Key: `run`. */
export type SyncRun = {
  state: 'running' | 'stopped' | 'failed'
  pid: number
  startedAt: string
  endedAt: string | null
  /** Why it failed. */
  error: { code: string; message: string } | null
}
export const syncRunKind = kind<SyncRun>('sync-run')

/** Whether sync writes to the target, or has: what is newer there than a snapshot came from the source. */
export async function isFollowed(state: StateStore): Promise<boolean> {
  return (await state.get(syncRunKind, 'run')) !== undefined
}
