/** An index of the source as it was when the view of the source was last read (source-view.ts). */
export interface SourceIndex {
  readonly name: string
  readonly uuid: string
  readonly isOpen: boolean
  readonly numberOfShards: number
  readonly numberOfRoutingShards: number
  readonly routingPartitionSize: number
  /** Whether `default_pipeline` or `final_pipeline` is set: what a client sent is not what is stored, then. */
  readonly runsPipeline: boolean
  /** A joined field, a `_parent`, or `_routing` required. */
  readonly mayRoute: boolean
  /** Aliases with the routing that writes through them get; null: none. */
  readonly aliases: ReadonlyMap<string, { readonly indexRouting: string | null }>
  /** Name of the data stream that it is behind. */
  readonly dataStream?: string
  /** By number of the shard. */
  readonly shards: readonly SourceShard[]
}

/** A shard's primary: what its numbers belong to, and how far they have got. null where the engine does not tell (before 6.x). */
export interface SourceShard {
  /** Before 6 `own`, or another text where the shard was restored from a snapshot; null while nobody tells. */
  readonly historyUuid: string | null
  readonly primaryTerm: number | null
  readonly maxSeqNo: number | null
  readonly localCheckpoint: number | null
  readonly globalCheckpoint: number | null
}
