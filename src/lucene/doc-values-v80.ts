import type { Cursor } from '../bytes/cursor.ts'
import { readNumericV70, skipMonotonic, skipTermsDict } from './doc-values-v70.ts'
import type { DocValuesLayout } from './doc-values-v70.ts'
import type { NumericEntry } from './numeric-entry.ts'
import { readDocValuesMeta } from './doc-values-v70.ts'

const versionCompressedBinary = 1

/**
 * Lucene80DocValuesMetadata (Lucene 8.0 to 8.x): the layout of Lucene 7.0 with jump tables. Only numeric fields are
 * kept. Specified in org.apache.lucene.codecs.lucene80.Lucene80DocValuesProducer.
 *
 *   docs    = offset:int64 (-2 none, -1 all), length:int64, jumps:int16, rankPower:byte
 *   numeric = docs, …as in 7.0…, jumpTableOffset:int64
 *   binary  = dataOffset:int64, dataLength:int64, docs, count:int32, lengthMin:int32, lengthMax:int32,
 *             (addressesOffset:int64, (chunks:vint, shift:vint, chunkMax:vint) (version 1), blockShift:vint,
 *              monotonic, length:int64) (version 1: when count > 0; version 0: when lengthMin < lengthMax)
 */
export function readDocValuesMetaV80(cursor: Cursor, version: number): Map<number, NumericEntry> {
  return readDocValuesMeta(cursor, { ...layout, version })
}

const layout: Omit<DocValuesLayout, 'version'> = {
  docsExtraBytes: 3,
  rankPowerAt: 2,
  numericExtraBytes: 8,
  skipBinary(cursor, version) {
    cursor.skip(16 + 16 + 3)
    const count = cursor.readInt32()
    const lengthMin = cursor.readInt32()
    const lengthMax = cursor.readInt32()
    const compressed = version >= versionCompressedBinary
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
  },
  readNumeric: readNumericV70,
  skipTermsDict,
}
