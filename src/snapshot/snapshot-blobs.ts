import type { Json } from '../base/json.ts'
import type { BlobStore } from '../blob/byte-source.ts'
import { parseContent, readMetadataBlob, readWhole, type MetadataCodec } from './metadata-blob.ts'

/** The root's blob before Elasticsearch 5.0. */
export const oldRootBlob = 'index'

/** How the blobs of one snapshot are named and framed; `id` is the snapshot's uuid, before 5.0 its name. */
export interface SnapshotBlobs {
  snapshot(id: string): string
  globalMetadata(id: string): string
  /** `folder` is that of the index: its id, before 5.0 its name. */
  indexMetadata(folder: string, id: string): string
  /** `folder` is that of the shard. */
  shardFiles(folder: string, id: string): string
  read(store: BlobStore, path: string, codec: MetadataCodec): Promise<Json>
  /** False: metadata has no checksum, so what it says is compared with what is there. */
  readonly checked: boolean
}

/** Since Elasticsearch 2.0. */
export const framedBlobs: SnapshotBlobs = {
  snapshot: (id) => `snap-${id}.dat`,
  globalMetadata: (id) => `meta-${id}.dat`,
  indexMetadata: (folder, id) => `indices/${folder}/meta-${id}.dat`,
  shardFiles: (folder, id) => `${folder}/snap-${id}.dat`,
  read: readMetadataBlob,
  checked: true,
}

/**
 * Elasticsearch 1.x, specified in its BlobStoreRepository: JSON or SMILE, or that compressed by LZF, without frame or
 * checksum; one prefix for snapshots, the metadata of indices and the files of shards.
 */
export const bareBlobs: SnapshotBlobs = {
  snapshot: (id) => `snapshot-${id}`,
  globalMetadata: (id) => `metadata-${id}`,
  indexMetadata: (folder, id) => `indices/${folder}/snapshot-${id}`,
  shardFiles: (folder, id) => `${folder}/snapshot-${id}`,
  read: async (store, path) => parseContent(await readWhole(store, path), path),
  checked: false,
}
