import { CorruptData } from '../base/errors.ts'
import type { Directory } from '../blob/byte-source.ts'
import { readHeader, readIdAndSuffix, type SegmentId } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'
import { generationText, readWholeFile } from './files.ts'
import { readOldMap, readOldSet } from './old-collections.ts'

/** A commit point: the segments of a shard and what the engine noted beside them. */
export interface Commit {
  readonly generation: number
  /** Major version of Lucene that created the index; 6 where the file does not say. */
  readonly createdMajor: number
  readonly segments: readonly CommitSegment[]
  /** Elasticsearch: history_uuid, max_seq_no, local_checkpoint, translog_uuid … */
  readonly userData: ReadonlyMap<string, string>
}

export interface CommitSegment {
  readonly name: string
  /** null: written before Lucene 5.0. */
  readonly id: SegmentId
  readonly codec: string
  /** -1: no document of the segment is deleted for good. */
  readonly delGen: number
  readonly delCount: number
  /** -1: the field infos are those written with the segment. */
  readonly fieldInfosGen: number
  readonly docValuesGen: number
  /** Soft-deleted documents among those not deleted for good; undefined where the format does not count them. */
  readonly softDelCount?: number
}

/** Versions of `segments_N` that are read, both ends included. */
export const commitFormat = { codec: 'segments', minVersion: 3, maxVersion: 10 } as const

const format50 = 4
const format51 = 5
const format53 = 6
const format70 = 7
const format72 = 8
const format74 = 9

/**
 * Reads the newest `segments_N`. Throws CorruptData when there is none.
 *
 *   segments_N = indexHeader("segments", suffix = N base 36), lucene:vint[3] (6+), createdMajor:vint (7+), version:int64,
 *                counter:vlong (8+; int32 before), segmentCount:int32, minVersion:vint[3] (6+, when segmentCount > 0),
 *                segment*, userData:map, footer
 *   segment    = name:string, hasId:byte (4 to 6), id:byte[16] (when it has one), codec:string, delGen:int64, delCount:int32,
 *                fieldInfosGen:int64, docValuesGen:int64, softDelCount:int32 (9+), (hasCommitId:byte, byte[16]?) (10+),
 *                fieldInfosFiles:set, count:int32, (field:int32, files:set)*
 *
 * Before 5 maps and sets are those of old-collections.ts, and version 3 has a header without id and suffix, and no
 * hasId. Version 3 is Lucene 4.9 and 4.10, 4 is 5.0, 5 is 5.1 and 5.2, 6 is 5.3 to 6.x, 7 and 8 are 7.0 to 7.3, 9 is 7.4 to 8.5, 10 is 8.6 and later 8.x.
 * Specified in org.apache.lucene.index.SegmentInfos.
 */
export async function readCommit(directory: Directory): Promise<Commit> {
  const { name, generation } = newestCommit(directory)
  const cursor = await readWholeFile(directory, name)
  const { version: format } = readHeader(cursor, commitFormat)
  if (format >= format50) readIdAndSuffix(cursor, { suffix: generationText(generation) })
  if (format >= format53) for (let i = 0; i < 3; i++) cursor.readVInt()
  const createdMajor = format >= format70 ? cursor.readVInt() : 6
  cursor.skip(8)
  if (format > format70) cursor.readVLong()
  else cursor.skip(4)
  const segmentCount = cursor.checkCount(cursor.readInt32(), 'segments', 40)
  if (format >= format53 && segmentCount > 0) for (let i = 0; i < 3; i++) cursor.readVInt()
  const segments: CommitSegment[] = []
  for (let i = 0; i < segmentCount; i++) segments.push(readSegment(cursor, format))
  const userData = format < format51 ? readOldMap(cursor) : cursor.readMapOfStrings()
  cursor.expectEnd()
  return { generation, createdMajor, segments, userData }
}

function readSegment(cursor: Cursor, format: number): CommitSegment {
  const name = cursor.readString()
  const hasId = format >= format70 || (format >= format50 && cursor.readByte() === 1)
  const id = hasId ? Uint8Array.from(cursor.readBytes(16)) : null
  const codec = cursor.readString()
  const delGen = cursor.readInt64()
  const delCount = cursor.readInt32()
  const fieldInfosGen = cursor.readInt64()
  const docValuesGen = cursor.readInt64()
  const softDelCount = format > format72 ? cursor.readInt32() : undefined
  if (format > format74 && cursor.readByte() === 1) cursor.skip(16)
  const skipSet = (): Set<string> =>
    format < format51 ? readOldSet(cursor) : cursor.readSetOfStrings()
  skipSet()
  const fields = cursor.checkCount(cursor.readInt32(), 'fields with updates', 5)
  for (let i = 0; i < fields; i++) {
    cursor.skip(4)
    skipSet()
  }
  return {
    name,
    id,
    codec,
    delGen,
    delCount,
    fieldInfosGen,
    docValuesGen,
    ...(softDelCount !== undefined && { softDelCount }),
  }
}

function newestCommit(directory: Directory): { name: string; generation: number } {
  let newest = { name: '', generation: -1 }
  for (const name of directory.names()) {
    const match = /^segments_([0-9a-z]+)$/.exec(name)
    const generation = match === null ? -1 : parseInt(match[1]!, 36)
    if (generation > newest.generation) newest = { name, generation }
  }
  if (newest.generation < 0) {
    throw new CorruptData({
      file: directory.name,
      offset: 0,
      expected: 'a file segments_N',
      found: 'none of that name',
    })
  }
  return newest
}
