import type { IndexMetadata, Snapshot } from '../snapshot/snapshot.ts'
import {
  isUnknown,
  type IndexSize,
  type OrUnknown,
  type ShardSize,
  type Sizes,
} from './assessment.ts'
import { eachAtOnce } from '../base/each-at-once.ts'
import type { ShardTable } from './read-shards.ts'

const largestIndicesMax = 50
const largestShardsMax = 20
const shardsAtOnceMax = 8

/** What is kept of the metadata of an index. */
export type IndexShape = Pick<IndexMetadata, 'name' | 'numberOfShards' | 'state'> & {
  /** As the target will have them. */
  readonly replicas: number
}

/** An index with what is known of its bytes. */
export interface SizedIndex extends IndexSize {
  readonly isClosed: boolean
  readonly totalBytes: OrUnknown<number>
}

/** What an index takes, by the shards of the live cluster. */
export function sizeInCluster(index: IndexShape, table: OrUnknown<ShardTable>): SizedIndex {
  const found = isUnknown(table) ? undefined : table.indices.get(index.name)
  const bytes = (pick: 'primaryBytes' | 'totalBytes' | 'documents'): OrUnknown<number> => {
    if (isUnknown(table)) return table
    if (found === undefined || found.unknownShards > 0) {
      const what = `${found?.unknownShards ?? index.numberOfShards} primary shards of ${index.name} have no size`
      return {
        unknown:
          index.state === 'close' ? `${what}: it is closed` : `${what}: they are not started`,
      }
    }
    return found[pick]
  }
  return {
    ...base(index),
    documents: bytes('documents'),
    primaryBytes: bytes('primaryBytes'),
    totalBytes: bytes('totalBytes'),
  }
}

/** What an index takes in a snapshot: the files of its shards, by their lists alone. */
export async function sizeInSnapshot(
  index: IndexShape,
  snapshot: Snapshot,
): Promise<SizedIndex & { readonly shards: readonly ShardSize[] }> {
  const documents = { unknown: 'the lists of a snapshot do not count documents' }
  const failed = snapshot.shardFailures.filter((one) => one.index === index.name)
  const held = Array.from({ length: index.numberOfShards }, (_, shard) => shard).filter(
    (shard) => !failed.some((one) => one.shard === shard),
  )
  const shards = await eachAtOnce(held, shardsAtOnceMax, async (shard): Promise<ShardSize> => {
    const { byteLength } = await snapshot.openShard(index.name, shard)
    return { index: index.name, shard, documents, bytes: byteLength }
  })
  const primaryBytes =
    failed.length > 0
      ? { unknown: `the snapshot lacks ${failed.length} shards of ${index.name}` }
      : shards.reduce((sum, { bytes }) => sum + bytes, 0)
  return {
    ...base(index),
    documents,
    primaryBytes,
    totalBytes: { unknown: 'a snapshot holds primary shards alone' },
    shards,
  }
}

function base({ name, numberOfShards, state, replicas }: IndexShape) {
  return { index: name, primaryShards: numberOfShards, replicas, isClosed: state === 'close' }
}

/** The sums, and the largest. */
export function sizesOf(
  indices: readonly SizedIndex[],
  largestShards: readonly ShardSize[],
): Sizes {
  return {
    indices: indices.length,
    closedIndices: indices.filter(({ isClosed }) => isClosed).length,
    primaryShards: indices.reduce((sum, { primaryShards }) => sum + primaryShards, 0),
    documents: sumOf(indices.map(({ documents }) => documents)),
    primaryBytes: sumOf(indices.map(({ primaryBytes }) => primaryBytes)),
    totalBytes: sumOf(indices.map(({ totalBytes }) => totalBytes)),
    unsized: indices.flatMap(({ index, primaryBytes }) =>
      isUnknown(primaryBytes) ? [{ index, reason: primaryBytes.unknown }] : [],
    ),
    largestIndices: [...indices]
      .sort((a, b) => orZero(b.primaryBytes) - orZero(a.primaryBytes))
      .slice(0, largestIndicesMax)
      .map(({ isClosed: _closed, totalBytes: _total, ...size }) => size),
    largestShards: [...largestShards].sort((a, b) => b.bytes - a.bytes).slice(0, largestShardsMax),
  }
}

/** The sum of what is known; the reason where nothing is. What is left out is listed as `Sizes.unsized`. */
export function sumOf(values: readonly OrUnknown<number>[]): OrUnknown<number> {
  const known = values.filter((value): value is number => !isUnknown(value))
  const reason = values.find(isUnknown)
  if (known.length === 0 && reason !== undefined) return reason
  return known.reduce((sum, value) => sum + value, 0)
}

function orZero(value: OrUnknown<number>): number {
  return isUnknown(value) ? 0 : value
}
