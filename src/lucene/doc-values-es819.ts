import type { Cursor } from '../bytes/cursor.ts'
import { readDocs, readDocValuesMeta, skipAddresses, skipMonotonic } from './doc-values-v70.ts'
import type { DocValuesLayout, DocValuesSegment } from './doc-values-v70.ts'
import { skipBinary } from './doc-values-v80.ts'
import { skipTermsDictV90 } from './doc-values-v90.ts'
import type { NumericEntry, PackedValues } from './numeric-entry.ts'
import { readMonotonicMeta } from './packed.ts'
import { tsdbBlockShift } from './tsdb-block.ts'

const oneOrdinal = -1
const ordinalRanges = -2

/**
 * ES819TSDBDocValuesMetadata: Elasticsearch's own format for indices of the modes `time_series` and `logsdb`, since 9.1
 * also for `_seq_no` and `_version`. Only numeric fields are kept. Specified in
 * org.elasticsearch.index.codec.tsdb.es819.ES819TSDBDocValuesProducer.
 *
 *   dvm           = …as in Lucene 9.0, of other entries…
 *   numeric       = valueCount:int64, docCount:int32,
 *                   (blocks, indexOffset:int64, indexLength:int64, offset:int64, length:int64) (valueCount > 0), docs
 *   blocks        = -1:int32 (all are ordinal 0) | -2:int32, ordinals:vint, blockShift:byte, monotonic of ordinals + 1
 *                 | blockShift:int32, monotonic: where each block of 128 values begins, from `offset`
 *   docs          = …as in Lucene 8.0…
 *   sorted        = numeric, termsDict
 *   sortedSet     = 0:byte, sorted | 1:byte, sortedNumeric, termsDict
 *   sortedNumeric = numeric, (addressesOffset:int64, blockShift:vint, monotonic, length:int64) (docCount ≠ valueCount)
 *   binary and termsDict as in Lucene 9.0
 */
export function readDocValuesMetaEs819(
  cursor: Cursor,
  segment: DocValuesSegment,
): Map<number, NumericEntry> {
  return readDocValuesMeta(cursor, segment, layout)
}

const layout: DocValuesLayout = {
  docsExtraBytes: 3,
  rankPowerAt: 2,
  numericExtraBytes: 0,
  readNumeric: (cursor) => readNumeric(cursor),
  skipBinary: (cursor) => skipBinary(cursor, false),
  skipSorted(cursor) {
    readNumeric(cursor)
    skipTermsDictV90(cursor)
  },
  skipMultiSorted(cursor) {
    skipSortedNumeric(cursor)
    skipTermsDictV90(cursor)
  },
  skipSortedNumeric: (cursor) => skipSortedNumeric(cursor),
}

function skipSortedNumeric(cursor: Cursor): void {
  const { valueCount, docCount } = readNumeric(cursor)
  if (docCount !== valueCount) skipAddresses(cursor, docCount + 1)
}

function readNumeric(cursor: Cursor): NumericEntry & { docCount: number } {
  const valueCount = cursor.readInt64()
  const docCount = cursor.readInt32()
  const values: PackedValues =
    valueCount > 0 ? readValues(cursor, valueCount) : { kind: 'constant', value: 0n }
  return { valueCount, docCount, values, docs: readDocs(cursor, layout) }
}

function readValues(cursor: Cursor, valueCount: number): PackedValues {
  const blockShift = cursor.readInt32()
  if (blockShift === oneOrdinal || blockShift === ordinalRanges) {
    if (blockShift === ordinalRanges) {
      const ordinals = cursor.readVInt()
      skipMonotonic(cursor, ordinals + 1, cursor.readByte())
    }
    cursor.skip(4 * 8)
    return { kind: 'constant', value: 0n }
  }
  const count = Math.ceil(valueCount / 2 ** tsdbBlockShift)
  const blocks = readMonotonicMeta(cursor, count, blockShift)
  const index = {
    offset: cursor.readInt64(),
    byteLength: cursor.readInt64(),
    blocks,
    count,
    blockShift,
  }
  return { kind: 'tsdb', offset: cursor.readInt64(), byteLength: cursor.readInt64(), index }
}
