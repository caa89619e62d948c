import { kind } from '../state/store.ts'

/** How numbers came to be accounted for; how many by each way. */
export type Explained = {
  /** Up to the local checkpoint of the snapshot's commit. */
  snapshot: number
  /** The target acknowledged what capture had recorded. */
  captured: number
  /** The audit found their documents by a search; the target acknowledged them. */
  search: number
  /** No document holds them any more (overwritten, deleted, refused): ids and numbers of both sides were compared since. */
  comparison: number
}

/** What of one shard's numbers is accounted for, in one incarnation, on one target index. Key: `index/shard`. */
export type AccountRecord = {
  index: string
  shard: number
  uuid: string
  historyUuid: string | null
  /** UUIDs of the target indices that it speaks of, joined by commas; empty where none was known yet. */
  targets: string
  /** The last that were seen. */
  primaryTerm: number | null
  globalCheckpoint: number
  /** The global checkpoint as it was last seen under the term before: numbers up to there outlived the change. */
  floor: number
  /** Up to here the snapshot holds what they did; -1: nothing, or it is not known yet. */
  snapshotTo: number
  /** Only a comparison of ids tells what became of some of them. */
  isDoubtful: boolean
  /** IntervalSet.toJSON(). */
  numbers: number[]
  explained: Explained
}
export const accountKind = kind<AccountRecord>('account')
