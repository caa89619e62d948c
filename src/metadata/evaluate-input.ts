import type { Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { StateStore } from '../state/store.ts'
import type { MetadataOptions } from './options.ts'
import type { OpenShard } from './shards.ts'
import type { SourceLook } from './source-form.ts'

/** What the plan is made from. */
export interface EvaluateInput {
  readonly repository: string
  readonly snapshot: Snapshot
  readonly target: Cluster
  readonly select: Selection
  readonly options: MetadataOptions
  /** What this migration did before; undefined at the first look. */
  readonly state?: StateStore
  /** Needed where metadata.shards asks for another count: tells whether a shard holds routed documents. */
  readonly openShard?: OpenShard
  /** Tells what the stored fields keep of documents. */
  readonly sourceLook: SourceLook
  /** Carries over what there is of indices whose `_source` is not the document as it was sent. */
  readonly allowPartialSource: boolean
  readonly signal?: AbortSignal
}
