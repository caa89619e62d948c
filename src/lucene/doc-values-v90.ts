import type { Cursor } from '../bytes/cursor.ts'
import { readDocValuesMeta, skipSortedNumeric, skipTerms } from './doc-values-v70.ts'
import type { DocValuesLayout, DocValuesSegment } from './doc-values-v70.ts'
import { layoutV80, skipBinary } from './doc-values-v80.ts'
import type { NumericEntry } from './numeric-entry.ts'

/** Terms lie in compressed blocks of 2^6. */
const termsShift = 6

/**
 * Lucene90DocValuesMetadata (Lucene 9.0 and later): the numbers as in Lucene 8.0, in little-endian. Only numeric fields
 * are kept. Ordinals are laid out as numbers are. Specified in
 * org.apache.lucene.codecs.lucene90.Lucene90DocValuesProducer.
 *
 *   dvm       = (field:int32, type:byte, skipIndex?, entry)*, -1:int32, footer
 *   skipIndex = offset:int64, length:int64, max:int64, min:int64, docs:int32, docMax:int32    (9.12+; .fnm says where)
 *   numeric   = …as in 8.0…
 *   binary    = …as in 8.0, not compressed…
 *   sorted    = numeric, termsDict
 *   sortedSet = 0:byte, sorted | 1:byte, sortedNumeric, termsDict
 *   termsDict = size:vlong, blockShift:int32, monotonic, lengthMax:int32, blockLengthMax:int32, int64[4],
 *               indexShift:int32, monotonic, int64[4]
 */
export function readDocValuesMetaV90(
  cursor: Cursor,
  segment: DocValuesSegment,
): Map<number, NumericEntry> {
  return readDocValuesMeta(cursor, segment, layout)
}

const layout: DocValuesLayout = {
  ...layoutV80,
  skipBinary: (cursor) => skipBinary(cursor, false),
  skipSorted(cursor, layout) {
    layout.readNumeric(cursor, layout)
    skipTermsDictV90(cursor)
  },
  skipMultiSorted(cursor, layout) {
    skipSortedNumeric(cursor, layout)
    skipTermsDictV90(cursor)
  },
}

export function skipTermsDictV90(cursor: Cursor): void {
  skipTerms(cursor, { size: cursor.readVLong(), termsShift, compressed: true })
}
