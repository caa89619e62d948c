import type { Cursor } from '../bytes/cursor.ts'
import {
  readDocValuesMeta,
  readNumericV70,
  skipMonotonic,
  skipMultiSortedV70,
  skipSortedNumeric,
  skipSortedV70,
  skipTerms,
} from './doc-values-v70.ts'
import type { DocValuesLayout, DocValuesSegment } from './doc-values-v70.ts'
import type { FieldInfo } from './field-infos.ts'
import type { NumericEntry } from './numeric-entry.ts'

const versionCompressedBinary = 1
const versionMode = 2
/** Attribute of a field in version 2: whether its binary values are compressed. */
const modeKey = 'Lucene80DocValuesFormat.mode'
/** Stands in the place of termsShift where terms are compressed, in blocks of 2^6. */
const termsCompressed = 0x60001
const termsCompressedShift = 6

/**
 * Lucene80DocValuesMetadata (Lucene 8.0 to 8.x): the layout of Lucene 7.0 with jump tables. Only numeric fields are
 * kept. Version 1 compresses binary values, version 2 (8.9) where the mode of the field says so, and then the blocks of
 * terms as well. Specified in org.apache.lucene.codecs.lucene80.Lucene80DocValuesProducer.
 *
 *   docs      = offset:int64 (-2 none, -1 all), length:int64, jumps:int16, rankPower:byte
 *   numeric   = docs, …as in 7.0…, jumpTableOffset:int64
 *   binary    = dataOffset:int64, dataLength:int64, docs, count:int32, lengthMin:int32, lengthMax:int32,
 *               (addressesOffset:int64, (chunks:vint, shift:vint, chunkMax:vint) (compressed), blockShift:vint,
 *                monotonic, length:int64) (compressed: when count > 0; else when lengthMin < lengthMax)
 *   termsDict = size:vlong, termsShift:int32 (0x60001: compressed), blockShift:int32, monotonic, lengthMax:int32,
 *               blockLengthMax:int32 (compressed), …as in 7.0…
 */
export function readDocValuesMetaV80(
  cursor: Cursor,
  segment: DocValuesSegment,
): Map<number, NumericEntry> {
  return readDocValuesMeta(cursor, segment, {
    ...layoutV80,
    skipBinary: (cursor, field) => skipBinary(cursor, isCompressed(segment.version, field)),
    skipSorted: (cursor, layout) => skipSortedV70(cursor, layout, skipTermsDict),
    skipMultiSorted: (cursor, layout) => skipMultiSortedV70(cursor, layout, skipTermsDict),
  })
}

/** Also good for 9.0. */
export const layoutV80: Pick<
  DocValuesLayout,
  'docsExtraBytes' | 'rankPowerAt' | 'numericExtraBytes' | 'readNumeric' | 'skipSortedNumeric'
> = {
  docsExtraBytes: 3,
  rankPowerAt: 2,
  numericExtraBytes: 8,
  readNumeric: readNumericV70,
  skipSortedNumeric,
}

function isCompressed(version: number, field: FieldInfo | undefined): boolean {
  if (version >= versionMode) return field?.attributes.get(modeKey) === 'BEST_COMPRESSION'
  return version >= versionCompressedBinary
}

export function skipBinary(cursor: Cursor, compressed: boolean): void {
  cursor.skip(16 + 16 + layoutV80.docsExtraBytes)
  const count = cursor.readInt32()
  const lengthMin = cursor.readInt32()
  const lengthMax = cursor.readInt32()
  if (!(compressed && count > 0) && lengthMin >= lengthMax) return
  cursor.skip(8)
  let addresses = count + 1
  if (compressed) {
    addresses = cursor.readVInt()
    cursor.readVInt()
    cursor.readVInt()
  }
  skipMonotonic(cursor, addresses, cursor.readVInt())
  cursor.skip(8)
}

function skipTermsDict(cursor: Cursor): void {
  const size = cursor.readVLong()
  const code = cursor.readInt32()
  const compressed = code === termsCompressed
  skipTerms(cursor, { size, termsShift: compressed ? termsCompressedShift : code, compressed })
}
