import { CorruptData, MigrationError, Unsupported } from '../base/errors.ts'
import type { BlobStore } from '../blob/byte-source.ts'
import { parseDataStreams } from './data-streams.ts'
import { oldestEngineMajor } from './formats.ts'
import { parseGlobalMetadata } from './global-metadata.ts'
import { parseIndexMetadata } from './index-metadata.ts'
import type { RootIndex, RootSnapshot } from './root.ts'
import { openShardFiles } from './shard-files.ts'
import { shardFolders } from './shard-folder.ts'
import { framedBlobs, type SnapshotBlobs } from './snapshot-blobs.ts'
import { parseSnapshotInfo } from './snapshot-info.ts'
import type { SnapshotInfo } from './snapshot-info.ts'
import { noGlobalMetadata, type IndexMetadata, type Snapshot } from './snapshot.ts'
import { requireHeldDocuments } from './unreadable-index.ts'

/** Opens one snapshot and compares what the root says of it with the snapshot's own, checked blob. */
export async function openSnapshot(store: BlobStore, listed: RootSnapshot): Promise<Snapshot> {
  if (listed.damage !== undefined) throw listed.damage
  if (listed.state === 'INCOMPATIBLE' || listed.state === 'IN_PROGRESS') {
    throw new MigrationError(
      'MA_SNAPSHOT',
      listed.state === 'IN_PROGRESS'
        ? `snapshot ${listed.name} is still being made: wait for it to end`
        : `snapshot ${listed.name} is listed as incompatible: it was made by an engine before 5.0; make a new one`,
      { details: { snapshot: listed.name, state: listed.state } },
    )
  }
  const { blobs = framedBlobs } = listed
  const path = blobs.snapshot(listed.uuid)
  const info = parseSnapshotInfo(await blobs.read(store, path, 'snapshot'), path)
  checkAgainstRoot(info, listed, path)
  const { name, uuid, state, engineVersion, indices, startTimeMs, endTimeMs, shardFailures } = info
  const folderOf = shardFolders(store)
  return {
    name,
    uuid,
    state,
    engineVersion,
    indices: [...indices].sort(),
    startTimeMs,
    endTimeMs,
    shardFailures,
    async readGlobalMetadata() {
      if (!info.includeGlobalState) return noGlobalMetadata
      const blob = blobs.globalMetadata(uuid)
      return parseGlobalMetadata(await blobs.read(store, blob, 'metadata'), blob)
    },
    async readDataStreams() {
      if (info.dataStreams.length === 0) return []
      const blob = blobs.globalMetadata(uuid)
      const streams = parseDataStreams(await blobs.read(store, blob, 'metadata'), blob)
      return streams.filter(({ name: stream }) => info.dataStreams.includes(stream))
    },
    async readIndexMetadata(index) {
      const { id, metadataId } = findIndex(listed, index)
      const blob = blobs.indexMetadata(id, metadataId)
      const json = await blobs.read(store, blob, 'index-metadata')
      const metadata = parseIndexMetadata(json, blob, index)
      requireHeldDocuments(blob, metadata)
      if (!blobs.checked) await requireAllShards(store, { id, blob, metadata, blobs, uuid })
      return metadata
    },
    async openShard(index, shard) {
      const { id, shardPaths } = findIndex(listed, index)
      const failure = shardFailures.find((each) => each.index === index && each.shard === shard)
      if (failure !== undefined) throw failedShard(name, failure)
      const { store: holding, folder } = await folderOf({ id, shardPaths, shard })
      return openShardFiles(holding, {
        index,
        shard,
        folder,
        snapshotUuid: uuid,
        blobs,
      })
    },
  }
}

/** A shard beyond those that unchecked metadata tells of would be lost without a word. */
async function requireAllShards(
  store: BlobStore,
  about: { id: string; blob: string; metadata: IndexMetadata; blobs: SnapshotBlobs; uuid: string },
): Promise<void> {
  const { id, blob, metadata, blobs, uuid } = about
  const { numberOfShards } = metadata
  const listing = await store.list(`indices/${id}/${numberOfShards}`)
  if (!listing?.some(({ name }) => `/${name}` === blobs.shardFiles('', uuid))) return
  throw new CorruptData({
    file: blob,
    offset: 0,
    expected: 'as many shards of the index as the snapshot holds',
    found: `${numberOfShards}, and shard ${numberOfShards} is there too`,
  })
}

const failuresShown = 5

/**
 * Refuses a snapshot that does not hold every shard of the given indices (default: of all): PARTIAL ones unless
 * `allowPartial`, others that did not succeed always. Throws MA_SNAPSHOT that names the shards and their causes.
 */
export function requireComplete(
  snapshot: Snapshot,
  options: { allowPartial?: boolean | undefined; indices?: readonly string[] } = {},
): void {
  const { name, state } = snapshot
  if (state === 'SUCCESS') return
  const { allowPartial, indices = snapshot.indices } = options
  const lacking = snapshot.shardFailures.filter(({ index }) => indices.includes(index))
  const listed = snapshot.shardFailures.length > 0
  if (state === 'PARTIAL' && (allowPartial || (listed && lacking.length === 0))) return
  throw new MigrationError(
    'MA_SNAPSHOT',
    [
      `snapshot ${name} is ${state}, not SUCCESS`,
      ...lacking.slice(0, failuresShown).map(({ index, shard, reason }) => {
        return `shard ${index}/${shard} is not in it: ${reason.split('\n', 1)[0]!.slice(0, 200)}`
      }),
      ...(lacking.length > failuresShown ? [`and ${lacking.length - failuresShown} more`] : []),
      state === 'PARTIAL'
        ? 'Make a new snapshot, exclude these indices, or go on without these shards with --allow-partial.'
        : 'Make a new snapshot.',
    ].join('\n'),
    { details: { snapshot: name, state, shardFailures: lacking } },
  )
}

function checkAgainstRoot(info: SnapshotInfo, listed: RootSnapshot, path: string): void {
  if (info.shallow) throw shallowSnapshot(path)
  if (info.engine === 'elasticsearch' && info.engineMajor < oldestEngineMajor) {
    throw new Unsupported({
      file: path,
      offset: 0,
      expected: `a snapshot made by Elasticsearch ${oldestEngineMajor}.0 or later`,
      found: `one made by ${info.engineVersion}`,
    })
  }
  compare(path, 'name', info.name, listed.name)
  compare(path, 'uuid', info.uuid, listed.uuid)
  if (listed.state !== 'UNKNOWN') compare(path, 'state', info.state, listed.state)
  compare(
    path,
    'indices',
    JSON.stringify([...info.indices].sort()),
    JSON.stringify([...listed.indices.keys()].sort()),
  )
}

function shallowSnapshot(file: string): Unsupported {
  return new Unsupported({
    file,
    offset: 0,
    expected: 'a snapshot that holds the files of its shards',
    found:
      'a shallow one of OpenSearch, whose files lie in a remote store (make one without remote_store_index_shallow_copy)',
  })
}

function compare(file: string, what: string, found: string, expected: string): void {
  if (found === expected) return
  throw new CorruptData({
    file,
    offset: 0,
    expected: `${what} ${expected.slice(0, 200)}, as the repository's root says`,
    found: found.slice(0, 200),
  })
}

function findIndex(listed: RootSnapshot, index: string): RootIndex {
  const found = listed.indices.get(index)
  if (found !== undefined) return found
  throw new MigrationError('MA_SNAPSHOT', `there is no index ${index} in snapshot ${listed.name}`, {
    details: { snapshot: listed.name, index },
  })
}

function failedShard(
  snapshot: string,
  { index, shard, reason }: { index: string; shard: number; reason: string },
): MigrationError {
  return new MigrationError(
    'MA_SNAPSHOT',
    `shard ${shard} of index ${index} is not in snapshot ${snapshot}: ${reason}`,
    { details: { snapshot, index, shard } },
  )
}
