import { isUnreadable } from '../base/errors.ts'
import type { BlobEntry, BlobStore } from '../blob/byte-source.ts'
import { Fields, isPathSegment } from './fields.ts'
import { parseContent, readWhole } from './metadata-blob.ts'
import type { RootSnapshot } from './root.ts'
import { isRefused } from './root-without-listing.ts'
import { bareBlobs, framedBlobs, oldRootBlob, type SnapshotBlobs } from './snapshot-blobs.ts'
import { parseSnapshotInfo, type SnapshotInfo } from './snapshot-info.ts'

/**
 * The snapshots of a repository that no engine since 5.0 has written to. The root, specified in BlobStoreRepository of
 * Elasticsearch 1.x and 2.x, lists names alone, so each snapshot's own blob is read:
 *
 *   root = { snapshots: [name] }
 *
 * The name stands for the uuid of later versions, and the name of an index for its id. 2.x leaves the snapshots that
 * 1.x made as they are: which of the two made one is told by the name of its blob. A snapshot whose blob cannot be read
 * is listed as DAMAGED. `entries` is undefined where the place tells no listing.
 */
export async function readOldRoot(
  store: BlobStore,
  entries: readonly BlobEntry[] | undefined,
): Promise<RootSnapshot[]> {
  const root = new Fields(
    oldRootBlob,
    '',
    parseContent(await readWhole(store, oldRootBlob), oldRootBlob),
  )
  const names = entries && new Set(entries.map(({ name }) => name))
  const snapshots: RootSnapshot[] = []
  for (const [i, name] of root.texts('snapshots').entries()) {
    if (!isPathSegment(name)) throw root.wrong(`snapshots[${i}]`, 'a name without slashes', name)
    snapshots.push(await readOldSnapshot(store, name, names))
  }
  return snapshots
}

async function readOldSnapshot(
  store: BlobStore,
  name: string,
  names: ReadonlySet<string> | undefined,
): Promise<RootSnapshot> {
  try {
    const { info, blobs } = await readInfo(store, name, names)
    const { state, engineVersion } = info
    const indices = new Map(
      info.indices.map((id) => [id, { id, metadataId: name, shardPaths: 'fixed' as const }]),
    )
    return { name, uuid: name, state, engineVersion, indices, blobs }
  } catch (error) {
    // One that cannot be read says nothing of the others; a place that cannot be reached does.
    if (!isUnreadable(error)) throw error
    return { name, uuid: name, state: 'DAMAGED', damage: error, indices: new Map() }
  }
}

async function readInfo(
  store: BlobStore,
  name: string,
  names: ReadonlySet<string> | undefined,
): Promise<{ info: SnapshotInfo; blobs: SnapshotBlobs }> {
  const readAs = async (blobs: SnapshotBlobs) => {
    const path = blobs.snapshot(name)
    return { info: parseSnapshotInfo(await blobs.read(store, path, 'snapshot'), path), blobs }
  }
  if (names !== undefined) {
    return readAs(names.has(bareBlobs.snapshot(name)) ? bareBlobs : framedBlobs)
  }
  try {
    return await readAs(framedBlobs)
  } catch (error) {
    if (!isRefused(error)) throw error
    return readAs(bareBlobs)
  }
}
