import { allOf } from '../base/all-of.ts'
import { CorruptData, MigrationError } from '../base/errors.ts'
import type { Memory } from '../bytes/memory.ts'
import { readCommit } from '../lucene/commit.ts'
import type { Commit } from '../lucene/commit.ts'
import type { Verify } from '../lucene/files.ts'
import { openSegment } from '../lucene/segment.ts'
import type { Segment } from '../lucene/segment.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { createReadMemory, readSegmentBlocks } from './segment-blocks.ts'
import type { SegmentSummary, ShardReader } from './shard-reader.ts'
import { checkParts } from './stored-checksum.ts'

/** Stored fields of a shard are held in memory between check and use up to this many bytes in all. */
const heldBytesMaxDefault = 16 * 1024 * 1024

/** So many segments after the one that is read are prepared, where the store is far away. */
const preparedMax = 4

/** A number one higher is still exact. */
const seqNoMost = Number.MAX_SAFE_INTEGER - 1

/**
 * Opens a shard: its commit, and the small files of each segment. Nothing is yielded before check(). A short shard stays
 * in memory from there on; of a longer one the same bytes are read once more for the documents, or they are checked only
 * then: see ShardReader.checksWhileReading. With `checked` somebody has checked these very files just now. Throws
 * CorruptData, Unsupported, FormatTooOld, FormatTooNew or MA_BLOB_MISSING. The caller closes the reader.
 */
export async function openShardReader(
  files: ShardFiles,
  {
    verify: wanted,
    checked = false,
    heldBytesMax = heldBytesMaxDefault,
  }: { verify: Verify; checked?: boolean; heldBytesMax?: number },
): Promise<ShardReader> {
  const verify = checked ? 'touched' : wanted
  const commit = await readCommit(files)
  const segments = new Map<string, Segment>()
  const closeAll = async (): Promise<void> => {
    for (const segment of segments.values()) await segment.close()
  }
  try {
    if (verify === 'full') await checkLengths(files)
    // At the same time: far away each of their small files is a round trip.
    const opening = commit.segments.map((one) => openSegment(files, one, { verify }))
    let failed: PromiseRejectedResult | undefined
    for (const result of await Promise.allSettled(opening)) {
      if (result.status === 'fulfilled') segments.set(result.value.name, result.value)
      else failed ??= result
    }
    if (failed !== undefined) throw failed.reason
  } catch (error) {
    await closeAll()
    throw error
  }
  let checking: Promise<void> | undefined = checked ? Promise.resolve() : undefined
  // As many as segments were read at once.
  const idle: Memory[] = []
  const live = [...segments.values()].filter(({ liveCount }) => liveCount > 0)
  const hold = live.reduce((sum, { storedBytes }) => sum + storedBytes, 0) <= heldBytesMax
  const checksWhileReading = files.isFar && wanted === 'touched' && !hold
  const checkAll = async (only?: ReadonlySet<string>): Promise<void> => {
    const asked = live.filter(({ name }) => only?.has(name) ?? true)
    // What stays in memory all the same is asked for at the same time.
    if (hold) await allOf(asked.map((segment) => segment.check({ hold })))
    else for (const segment of asked) await segment.check({ hold })
  }
  const check = async (only?: ReadonlySet<string>): Promise<void> => {
    if (!checksWhileReading) await (checking ??= checkAll(only))
  }
  /** What is kept of a segment for reading is kept of the one that was read last, and of those to come. */
  let last: Segment | undefined
  const find = async (name: string): Promise<Segment> => {
    const segment = segments.get(name)
    if (segment === undefined) {
      throw new MigrationError('MA_STATE', `${files.name} has no segment ${name}`)
    }
    if (last === segment) return segment
    last = segment
    const at = live.indexOf(segment)
    const next = files.isFar && !hold ? live.slice(at + 1, at + 1 + preparedMax) : []
    for (const one of live) if (one !== segment && !next.includes(one)) await one.forgetChunks()
    for (const one of next) one.prepare()
    return segment
  }
  const userData = userDataOf(commit, files.name)
  // Documents are flushed before the engine notes the highest number.
  const seqNoMax = Math.min(userData.maxSeqNo ?? Infinity, seqNoMost)
  return {
    ...userData,
    segments: [...segments.values()].map(summaryOf),
    hasField: (name) => [...segments.values()].some(({ fieldInfos }) => fieldInfos.has(name)),
    check,
    checksWhileReading,
    async *readBlocks(name, range = {}) {
      const segment = await find(name)
      await check()
      const memory = idle.pop() ?? createReadMemory()
      try {
        const options = { ...range, seqNoMax, sum: checksWhileReading }
        yield* readSegmentBlocks(segment, options, memory)
        segment.release()
      } finally {
        idle.push(memory)
      }
    },
    async checkParts(name, parts) {
      const stored = await (await find(name)).openStoredFields()
      try {
        await checkParts(stored, parts)
      } finally {
        await stored.source.close()
      }
    },
    close: closeAll,
  }
}

/** The lengths in the snapshot's file list, against the files. */
async function checkLengths(files: ShardFiles): Promise<void> {
  for (const name of files.names()) {
    const source = await files.open(name)
    const { byteLength } = source
    await source.close()
    const listed = files.file(name).byteLength
    if (listed !== byteLength) {
      throw new CorruptData({
        file: name,
        offset: 0,
        expected: `${listed} bytes, as the snapshot's file list says`,
        found: `${byteLength}`,
      })
    }
  }
}

function summaryOf(segment: Segment): SegmentSummary {
  const { name, luceneVersion, maxDoc, liveCount, storedBytes } = segment
  return { name, luceneVersion, maxDoc, liveCount, storedBytes }
}

function userDataOf(
  { userData }: Commit,
  file: string,
): Pick<ShardReader, 'historyUuid' | 'maxSeqNo' | 'localCheckpoint'> {
  const historyUuid = userData.get('history_uuid')
  const maxSeqNo = numberOf(userData, 'max_seq_no', file)
  const localCheckpoint = numberOf(userData, 'local_checkpoint', file)
  return {
    ...(historyUuid !== undefined && { historyUuid }),
    ...(maxSeqNo !== undefined && { maxSeqNo }),
    ...(localCheckpoint !== undefined && { localCheckpoint }),
  }
}

function numberOf(
  userData: ReadonlyMap<string, string>,
  key: string,
  file: string,
): number | undefined {
  const text = userData.get(key)
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new CorruptData({
      file,
      offset: 0,
      expected: `a number as ${key} of the commit`,
      found: text,
    })
  }
  return value
}
