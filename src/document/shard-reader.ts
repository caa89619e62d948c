import type { DocumentBlock } from './document-block.ts'
import type { BlockRange } from './segment-blocks.ts'
import type { ChecksumPart } from './stored-checksum.ts'

export type { Verify } from '../lucene/files.ts'
export type { ChecksumPart } from './stored-checksum.ts'

/** A shard of a snapshot opened for reading documents. Made by openShardReader(files, options). */
export interface ShardReader {
  /** From the commit's user data: the start of the audit. undefined where the engine keeps none. */
  readonly historyUuid?: string
  readonly maxSeqNo?: number
  readonly localCheckpoint?: number
  readonly segments: readonly SegmentSummary[]
  /** True when some segment has this field (by its field infos), e.g. `_routing`. */
  hasField(name: string): boolean
  /**
   * Reads the stored fields of all segments from end to end against their checksums, once, so that of a shard that turns
   * out broken nothing has left; or of those segments alone that are to be read. The first readBlocks() does it where
   * nobody has. Errors as of openShardReader().
   */
  check(only?: ReadonlySet<string>): Promise<void>
  /**
   * True for a long shard in a store far away: check() reads nothing, since the stored fields are to be read once. They
   * are checked while documents are read: at the end of a segment that is read from end to end, else by checkParts().
   */
  readonly checksWhileReading: boolean
  /**
   * The live root documents of one segment with Lucene numbers in [fromDoc, toDoc), in order. The yielded block is
   * the same object each time. Memory is bounded by the largest chunk of stored fields, whatever the segment's size.
   */
  readBlocks(segment: string, range?: BlockRange): AsyncIterable<DocumentBlock>
  /**
   * Compares what the blocks of a segment told as their checksum with that of the file, and reads again what no part
   * tells. Throws CorruptData: then every document that came from the segment may be another than the one that was stored.
   */
  checkParts(segment: string, parts: readonly ChecksumPart[]): Promise<void>
  close(): Promise<void>
}

export interface SegmentSummary {
  readonly name: string
  readonly luceneVersion: string
  /** Lucene numbers are [0, maxDoc). */
  readonly maxDoc: number
  /** Documents neither deleted nor soft-deleted; nested children and tombstones still count. */
  readonly liveCount: number
  /** Bytes of stored fields as they lie in the repository. */
  readonly storedBytes: number
}
