import type { Apart } from '../base/select-indices.ts'
import type { Flavour } from '../cluster/cluster.ts'
import type { DataStream, GlobalMetadata, IndexMetadata } from '../snapshot/snapshot.ts'

/**
 * The metadata of a cluster, from whichever place: a snapshot of it (snapshot.Snapshot is one as it is), or the live
 * cluster (liveMetadata()). Both give the same, object by object.
 */
export interface ClusterMetadata {
  /** Names of all indices, hidden and system ones among them, sorted. */
  readonly indices: readonly string[]
  /** Those of them that are hidden or the engine's own; undefined in a snapshot, where each index tells. */
  readonly apart?: ReadonlyMap<string, Apart>
  /** Version of the engine, as text; undefined where a snapshot does not say. */
  readonly engineVersion?: string
  /** undefined in a snapshot, which does not say. */
  readonly flavour?: Flavour
  readGlobalMetadata(): Promise<GlobalMetadata>
  readDataStreams(): Promise<DataStream[]>
  /** Throws MA_SNAPSHOT or MA_SOURCE_INDEX when there is no such index, or it does not tell all that is needed. */
  readIndexMetadata(index: string): Promise<IndexMetadata>
}
