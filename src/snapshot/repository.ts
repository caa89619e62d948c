import { CorruptData, MigrationError } from '../base/errors.ts'
import type { BlobEntry, BlobStore } from '../blob/byte-source.ts'
import { requireNotEncrypted } from './encrypted.ts'
import { readWhole } from './metadata-blob.ts'
import { openSnapshot } from './open-snapshot.ts'
import { readOldRoot } from './old-root.ts'
import { parseIncompatible, parseRoot } from './root.ts'
import type { Root, RootSnapshot } from './root.ts'
import { isRefused, readLatestGeneration } from './root-without-listing.ts'
import { oldRootBlob } from './snapshot-blobs.ts'
import type { Repository, SnapshotSummary } from './snapshot.ts'

const incompatibleBlob = 'incompatible-snapshots'

/**
 * Opens a snapshot repository as Elasticsearch since 5.0 and OpenSearch lay it out. Layout of the blobs:
 *
 *   index-N                                  the root; the highest N counts (index.latest is a hint, and may be stale:
 *                                            it is used where the place tells no listing)
 *   snap-<snapshot uuid>.dat                 the snapshot
 *   meta-<snapshot uuid>.dat                 the cluster's metadata
 *   indices/<index id>/meta-<id>.dat         an index's metadata
 *   indices/<index id>/<shard>/snap-<snapshot uuid>.dat    the shard's files
 *   indices/<index id>/<shard>/__<id>[.part<n>]            their bytes
 *
 * Before 5.0 the root is `index`, and names stand for ids (old-root.ts); before 2.0 blobs have other names
 * (snapshot-blobs.ts). Throws MA_REPOSITORY for a place that is none, FormatTooNew for a newer layout.
 */
export async function openRepository(store: BlobStore): Promise<Repository> {
  const blobs = await store.list('')
  const generation = blobs ? findGeneration(store, blobs) : await readLatestGeneration(store)
  const listed =
    generation === undefined
      ? await readOldRoot(store, blobs)
      : await readRoot(store, generation, blobs)
  listed.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return {
    location: store.location,
    ...(generation !== undefined && { generation }),
    snapshots: listed.map(summary),
    async openSnapshot(name) {
      const snapshot = listed.find((each) => each.name === name)
      if (snapshot === undefined) throw noSnapshot(store, name, listed)
      return openSnapshot(store, snapshot)
    },
  }
}

async function readRoot(
  store: BlobStore,
  generation: number,
  blobs: readonly BlobEntry[] | undefined,
): Promise<RootSnapshot[]> {
  const file = `index-${generation}`
  const root = await openRoot(store, file)
  return [...root.snapshots, ...(await readIncompatible(store, root, blobs))]
}

async function openRoot(store: BlobStore, file: string): Promise<Root> {
  const bytes = await readWhole(store, file)
  try {
    return parseRoot(bytes, file)
  } catch (error) {
    if (error instanceof CorruptData) await requireNotEncrypted(store, bytes, file)
    throw error
  }
}

/** undefined: the root is that of engines before 5.0. */
function findGeneration(store: BlobStore, blobs: readonly BlobEntry[]): number | undefined {
  let generation = -1
  for (const { name } of blobs) {
    const found = /^index-(0|[1-9]\d{0,15})$/.exec(name)
    if (found !== null) generation = Math.max(generation, Number(found[1]))
  }
  if (generation >= 0) return generation
  if (blobs.some(({ name }) => name === oldRootBlob)) return undefined
  throw new MigrationError('MA_REPOSITORY', notRepository(store, blobs))
}

function notRepository(store: BlobStore, blobs: readonly BlobEntry[]): string {
  const names = blobs.slice(0, 5).map(({ name }) => name)
  const found = names.length === 0 ? 'no files' : names.join(', ') + (blobs.length > 5 ? ', …' : '')
  return (
    `${store.location} is not a snapshot repository: it holds neither index-N nor index (found: ${found}). ` +
    'Give the folder that the repository was registered with, base_path included; one without any snapshot is empty.'
  )
}

async function readIncompatible(
  store: BlobStore,
  root: Root,
  blobs: readonly BlobEntry[] | undefined,
): Promise<RootSnapshot[]> {
  if (!root.format.incompatibleSnapshots) return []
  if (blobs?.some(({ name }) => name === incompatibleBlob) === false) return []
  let bytes: Buffer
  try {
    bytes = await readWhole(store, incompatibleBlob)
  } catch (error) {
    if (blobs === undefined && isRefused(error)) return []
    throw error
  }
  return parseIncompatible(bytes, incompatibleBlob)
}

function summary(listed: RootSnapshot): SnapshotSummary {
  const { name, uuid, state, engineVersion, indices, damage } = listed
  return {
    name,
    uuid,
    state,
    ...(engineVersion !== undefined && { engineVersion }),
    ...(damage && { damage: damage.message }),
    indices: [...indices.keys()].sort(),
  }
}

function noSnapshot(
  store: BlobStore,
  name: string,
  listed: readonly RootSnapshot[],
): MigrationError {
  const names = listed.map((each) => each.name)
  const shown = names.slice(0, 50).join(', ') + (names.length > 50 ? `, … (${names.length})` : '')
  return new MigrationError(
    'MA_SNAPSHOT',
    `there is no snapshot ${name} in ${store.location}; there ${names.length === 1 ? 'is' : 'are'}: ${shown || 'none'}`,
    { details: { snapshot: name, snapshots: names } },
  )
}
