import type { Cursor } from '../bytes/cursor.ts'
import { readDocs, readDocValuesMeta, skipAddresses, skipMonotonic } from './doc-values-v70.ts'
import type { DocValuesLayout, DocValuesSegment } from './doc-values-v70.ts'
import { skipBinary } from './doc-values-v80.ts'
import { skipTermsDictV90 } from './doc-values-v90.ts'
import type { NumericEntry, PackedValues } from './numeric-entry.ts'
import { readMonotonicMeta } from './packed.ts'
import { tsdbBlockShift } from './tsdb-block.ts'

const versionCompressedBinary = 1
const versionBlockShift = 2
/** Blocks are of 2^7 or 2^9 values. */
const blockShiftMax = 12

const oneOrdinal = -1
const ordinalRanges = -2

/**
 * ES819TSDBDocValuesMetadata: Elasticsearch's own format for indices of the modes `time_series` and `logsdb`, since 9.1
 * also for `_seq_no`. Version 1 compresses binary values, version 2 (both 9.3) says how long blocks are, and they may be
 * longer than 128. Only numeric fields are kept. Specified in
 * org.elasticsearch.index.codec.tsdb.es819.ES819TSDBDocValuesProducer.
 *
 *   dvm           = blockShift:byte (2+), …as in Lucene 9.0, of other entries…
 *   numeric       = valueCount:int64, docCount:int32,
 *                   (blocks, indexOffset:int64, indexLength:int64, offset:int64, length:int64) (valueCount > 0), docs
 *   blocks        = -1:int32 (all are ordinal 0) | -2:int32, ordinals:vint, blockShift:byte, monotonic of ordinals + 1
 *                 | blockShift:int32, monotonic: where each block of values begins, from `offset`
 *   docs          = …as in Lucene 8.0…
 *   sorted        = numeric, termsDict
 *   sortedSet     = 0:byte, sorted | 1:byte, sortedNumeric, termsDict
 *   sortedNumeric = numeric, (addressesOffset:int64, blockShift:vint, monotonic, length:int64) (docCount ≠ valueCount)
 *   binary        = compression:byte (1+), …as in Lucene 9.0…
 *                 | 1:byte (1+), dataOffset:int64, dataLength:int64, docs, docCount:int32, lengthMin:int32, lengthMax:int32,
 *                   (offset:int64, blocks:vint, vint, vint, blockShift:vint, monotonic of blocks + 1, length:int64,
 *                    offset:int64, monotonic of blocks + 1, length:int64) (docCount > 0)
 *   termsDict     = …as in Lucene 9.0…
 */
export function readDocValuesMetaEs819(
  cursor: Cursor,
  segment: DocValuesSegment,
): Map<number, NumericEntry> {
  const { version } = segment
  const shift = version >= versionBlockShift ? readBlockShift(cursor) : tsdbBlockShift
  return readDocValuesMeta(cursor, segment, layoutOf(version, shift))
}

function readBlockShift(cursor: Cursor): number {
  const shift = cursor.readByte()
  if (shift < tsdbBlockShift || shift > blockShiftMax) {
    throw cursor.corrupt(`blocks of 2^${tsdbBlockShift} to 2^${blockShiftMax} values`, `2^${shift}`)
  }
  return shift
}

const docsLayout = { docsExtraBytes: 3, rankPowerAt: 2 }

function layoutOf(version: number, shift: number): DocValuesLayout {
  const skipSortedNumeric = (cursor: Cursor): void => {
    const { valueCount, docCount } = readNumeric(cursor, shift)
    if (docCount !== valueCount) skipAddresses(cursor, docCount + 1)
  }
  return {
    ...docsLayout,
    numericExtraBytes: 0,
    readNumeric: (cursor) => readNumeric(cursor, shift),
    skipBinary(cursor) {
      const compressed = version >= versionCompressedBinary && cursor.readByte() !== 0
      if (compressed) skipCompressedBinary(cursor)
      else skipBinary(cursor, false)
    },
    skipSorted(cursor) {
      readNumeric(cursor, shift)
      skipTermsDictV90(cursor)
    },
    skipMultiSorted(cursor) {
      skipSortedNumeric(cursor)
      skipTermsDictV90(cursor)
    },
    skipSortedNumeric,
  }
}

function skipCompressedBinary(cursor: Cursor): void {
  cursor.skip(2 * 8)
  readDocs(cursor, docsLayout)
  const docCount = cursor.readInt32()
  cursor.skip(2 * 4)
  if (docCount === 0) return
  cursor.skip(8)
  const blocks = cursor.readVInt()
  cursor.readVInt()
  cursor.readVInt()
  const blockShift = cursor.readVInt()
  skipMonotonic(cursor, blocks + 1, blockShift)
  cursor.skip(2 * 8)
  skipMonotonic(cursor, blocks + 1, blockShift)
  cursor.skip(8)
}

function readNumeric(cursor: Cursor, shift: number): NumericEntry & { docCount: number } {
  const valueCount = cursor.readInt64()
  const docCount = cursor.readInt32()
  const values: PackedValues =
    valueCount > 0 ? readValues(cursor, valueCount, shift) : { kind: 'constant', value: 0n }
  return { valueCount, docCount, values, docs: readDocs(cursor, docsLayout) }
}

function readValues(cursor: Cursor, valueCount: number, shift: number): PackedValues {
  const blockShift = cursor.readInt32()
  if (blockShift === oneOrdinal || blockShift === ordinalRanges) {
    if (blockShift === ordinalRanges) {
      const ordinals = cursor.readVInt()
      skipMonotonic(cursor, ordinals + 1, cursor.readByte())
    }
    cursor.skip(4 * 8)
    return { kind: 'constant', value: 0n }
  }
  const count = Math.ceil(valueCount / 2 ** shift)
  const blocks = readMonotonicMeta(cursor, count, blockShift)
  const index = {
    offset: cursor.readInt64(),
    byteLength: cursor.readInt64(),
    blocks,
    count,
    blockShift,
  }
  return { kind: 'tsdb', shift, offset: cursor.readInt64(), byteLength: cursor.readInt64(), index }
}
