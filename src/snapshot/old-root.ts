import type { BlobEntry, BlobStore } from '../blob/byte-source.ts'
import { Fields, isPathSegment } from './fields.ts'
import { parseContent, readWhole } from './metadata-blob.ts'
import type { RootSnapshot } from './root.ts'
import { bareBlobs, framedBlobs } from './snapshot-blobs.ts'
import { parseSnapshotInfo } from './snapshot-info.ts'

/** The root's blob before Elasticsearch 5.0. */
export const oldRootBlob = 'index'

/**
 * The snapshots of a repository that no engine since 5.0 has written to. The root, specified in BlobStoreRepository of
 * Elasticsearch 1.x and 2.x, lists names alone, so each snapshot's own blob is read:
 *
 *   root = { snapshots: [name] }
 *
 * The name stands for the uuid of later versions, and the name of an index for its id. 2.x leaves the snapshots that
 * 1.x made as they are: which of the two made one is told by the name of its blob.
 */
export async function readOldRoot(
  store: BlobStore,
  entries: readonly BlobEntry[],
): Promise<RootSnapshot[]> {
  const root = new Fields(
    oldRootBlob,
    '',
    parseContent(await readWhole(store, oldRootBlob), oldRootBlob),
  )
  const names = new Set(entries.map(({ name }) => name))
  const snapshots: RootSnapshot[] = []
  for (const [i, name] of root.texts('snapshots').entries()) {
    if (!isPathSegment(name)) throw root.wrong(`snapshots[${i}]`, 'a name without slashes', name)
    const blobs = names.has(bareBlobs.snapshot(name)) ? bareBlobs : framedBlobs
    const path = blobs.snapshot(name)
    const info = parseSnapshotInfo(await blobs.read(store, path, 'snapshot'), path)
    const { state, engineVersion } = info
    const indices = new Map(
      info.indices.map((id) => [id, { id, metadataId: name, shardPaths: 'fixed' as const }]),
    )
    snapshots.push({ name, uuid: name, state, engineVersion, indices, blobs })
  }
  return snapshots
}
