import type { JsonObject } from '../base/json.ts'
import type { Directory } from '../blob/byte-source.ts'

/** A snapshot as the repository's root lists it. */
export interface SnapshotSummary {
  readonly name: string
  readonly uuid: string
  /** SUCCESS, PARTIAL, FAILED, IN_PROGRESS or INCOMPATIBLE; DAMAGED where its own blob cannot be read. */
  readonly state: string
  /** Why a DAMAGED one cannot be read. */
  readonly damage?: string
  /** Version of the engine that made it, as text; undefined where the root does not say. */
  readonly engineVersion?: string
  readonly indices: readonly string[]
}

/**
 * Index templates and the like, as the snapshot's global metadata has them; empty where it was left out. Legacy
 * templates have `mappings` as IndexMetadata has them: by type name, with that level taken off.
 */
export interface GlobalMetadata {
  readonly legacyTemplates: { readonly [name: string]: JsonObject }
  readonly componentTemplates: { readonly [name: string]: JsonObject }
  readonly indexTemplates: { readonly [name: string]: JsonObject }
  /** Everything as read, for what is not carried over yet. */
  readonly raw: JsonObject
}

export const noGlobalMetadata: GlobalMetadata = {
  legacyTemplates: {},
  componentTemplates: {},
  indexTemplates: {},
  raw: {},
}

/** A data stream: a name for the indices behind it, of which the newest is written to. */
export interface DataStream {
  readonly name: string
  /** The indices behind it, the newest last. */
  readonly indices: readonly string[]
  /** Indices of documents that it could not take (Elasticsearch 8.15 and later). */
  readonly failureIndices: readonly string[]
  readonly hidden: boolean
  /** The engine's own. */
  readonly system: boolean
  /** Its aliases, with options as indices have them: `filter`, and `is_write_index` where it is the one written to. */
  readonly aliases: { readonly [alias: string]: JsonObject }
  /** As read. */
  readonly raw: JsonObject
}

export interface IndexMetadata {
  readonly name: string
  /** `index.uuid` on the source: one half of the incarnation. */
  readonly uuid: string
  /** `index.version.created` of the source as a number, e.g. 7100299. */
  readonly createdVersion: number
  readonly numberOfShards: number
  /** From the metadata, never a default by version: with 5 against 640, 33 of 40 ids move. */
  readonly numberOfRoutingShards: number
  readonly routingPartitionSize: number
  /** Of each shard when the snapshot was begun; engines before 5 have none. */
  readonly primaryTerms?: readonly number[]
  readonly state: 'open' | 'close'
  /** Hidden (`index.hidden`), or the engine's own by what the engine says of it. */
  readonly apart?: 'hidden' | 'system'
  /** Flat: `index.number_of_shards` → text; a list (analysis filters …) stays one, whose items may hold commas. */
  readonly settings: { readonly [name: string]: string | readonly string[] }
  /** By type name, the type name's level taken off; `_doc` for 7 and later. */
  readonly mappings: { readonly [type: string]: JsonObject }
  readonly aliases: { readonly [name: string]: JsonObject }
}

/** One opened snapshot. All reading is by blob range; nothing is kept on disk. */
export interface Snapshot extends SnapshotSummary {
  readonly startTimeMs: number
  readonly endTimeMs: number
  /** Shards that the engine could not copy, each with its reason: what makes a snapshot PARTIAL. */
  readonly shardFailures: readonly { index: string; shard: number; reason: string }[]
  readGlobalMetadata(): Promise<GlobalMetadata>
  /** Those that the snapshot holds, whether made with the global metadata or without. */
  readDataStreams(): Promise<DataStream[]>
  readIndexMetadata(index: string): Promise<IndexMetadata>
  openShard(index: string, shard: number): Promise<ShardFiles>
}

/** The files of one shard in a snapshot, under their Lucene names, whatever blobs hold them. */
export interface ShardFiles extends Directory {
  readonly index: string
  readonly shard: number
  /** As the store is: see BlobStore. */
  readonly isFar: boolean
  /** Sum of the lengths of all files, read or not. */
  readonly byteLength: number
  /** What the snapshot says of each file. */
  file(name: string): ShardFile
}

export interface ShardFile {
  readonly name: string
  readonly byteLength: number
  /** CRC32 of all bytes but the 8 of the checksum itself, as the engine notes it (base 36 text); undefined if absent. */
  readonly checksum?: string
  /** Lucene version that wrote the file. */
  readonly writtenBy?: string
  /** Blobs that hold it, in order; empty for a virtual file, whose bytes are in the shard's file list. */
  readonly blobs: readonly string[]
}

export interface Repository {
  readonly location: string
  /** N of `index-N`; undefined where only engines before 5.0 have written. */
  readonly generation?: number
  readonly snapshots: readonly SnapshotSummary[]
  /** Opens a snapshot by name; throws MA_SNAPSHOT that lists the names there are. */
  openSnapshot(name: string): Promise<Snapshot>
}
