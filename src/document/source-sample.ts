import { readCommit } from '../lucene/commit.ts'
import { openSegment } from '../lucene/segment.ts'
import type { Segment } from '../lucene/segment.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { findEqualIds, type EqualIds } from './equal-ids.ts'
import { openShardReader } from './open-shard-reader.ts'
import { createReadMemory, readSegmentBlocks } from './segment-blocks.ts'
import type { ShardReader } from './shard-reader.ts'

/**
 * What the first document of a shard tells of `_source`:
 *
 *   whole     it is there, and nothing says that it was not kept as it was sent
 *   reduced   it is there, but the engine has kept the document beside it to recover from: `_source` is a part of it
 *   none      it is not there
 *   unknown   nothing lives in the shard
 */
export type SourceSample = 'whole' | 'reduced' | 'none' | 'unknown'

/**
 * Fields that exist only where `_source` is not kept as it was sent: what a replica recovers from (Elasticsearch since
 * 6.5, OpenSearch; its size in Elasticsearch since 8.18), and what a synthetic source cannot make from doc values.
 */
const telltaleFields = ['_recovery_source', '_recovery_source_size', '_ignored_source']

/** The ways to look at a shard, for those who may not import this folder. */
export const shardLook = {
  sample: sampleSource,
  count: countDocuments,
  equalIds: findEqualIdsIn,
  open: (files: ShardFiles): Promise<ShardReader> => openShardReader(files, { verify: 'touched' }),
}

/** Documents that are looked at first: a chunk of stored fields has up to so many. */
const firstDocs = 128

/**
 * Looks at the first live document of a shard, which costs about ten small reads. Throws what readCommit() and
 * openSegment() throw.
 */
export async function sampleSource(files: ShardFiles): Promise<SourceSample> {
  const commit = await readCommit(files)
  for (const one of commit.segments) {
    const segment = await openSegment(files, one, { verify: 'touched' })
    try {
      const sample = await sampleSegment(segment)
      if (sample !== 'unknown') return sample
    } finally {
      await segment.close()
    }
  }
  return 'unknown'
}

async function sampleSegment(segment: Segment): Promise<SourceSample> {
  if (segment.liveCount === 0) return 'unknown'
  for (const toDoc of [firstDocs, segment.maxDoc]) {
    const range = { toDoc, seqNoMax: Number.MAX_SAFE_INTEGER - 1, sum: false }
    for await (const block of readSegmentBlocks(segment, range, createReadMemory())) {
      if (block.count === 0) continue
      if (block.sourceStart[0]! < 0) return 'none'
      return telltaleFields.some((name) => segment.fieldInfos.has(name)) ? 'reduced' : 'whole'
    }
  }
  return 'unknown'
}

/**
 * Documents of a shard that are not deleted, by the counts of its segments. Nested documents count too: so many at most
 * are root documents.
 */
export async function countDocuments(files: ShardFiles): Promise<number> {
  const commit = await readCommit(files)
  let count = 0
  for (const one of commit.segments) {
    const segment = await openSegment(files, one, { verify: 'touched' })
    count += segment.liveCount
    await segment.close()
  }
  return count
}

async function findEqualIdsIn(
  files: ShardFiles,
  only: readonly string[] | null,
  signal?: AbortSignal,
): Promise<EqualIds> {
  const reader = await openShardReader(files, { verify: 'touched' })
  try {
    return await findEqualIds(reader, only, { signal })
  } finally {
    await reader.close()
  }
}
