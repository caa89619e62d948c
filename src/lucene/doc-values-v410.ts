import type { Cursor } from '../bytes/cursor.ts'
import { docsOf, readValues, skipSet } from './doc-values-v54.ts'
import { readFields } from './doc-values-fields.ts'
import type { NumericEntry } from './numeric-entry.ts'

const formatMonotonic = 3

const binaryFixed = 0
const binaryVariable = 1
const binaryPrefix = 2

/**
 * Lucene49ValuesMetadata (Lucene 4.9), Lucene410ValuesMetadata (4.10) and Lucene50DocValuesMetadata (5.0 to 5.3), of
 * which only numeric fields are kept. Sorted fields are headers whose parts follow as entries of their own with the
 * same field number.
 *
 *   dvm     = (field:vint, type:byte, entry)*, -1:vint, footer
 *   type    = 0 numeric | 1 binary | 2 sorted: nothing | 3 sorted set, 4 sorted numeric: set
 *   numeric = format:vint, missing:int64 (-1 none missing; 5.0+: -2 all), offset:int64, count:vlong,
 *             (delta: min:int64, bits:vint | gcd: min:int64, gcd:int64, bits:vint |
 *              table: size:vint, int64[size], bits:vint | monotonic: packedVersion:vint, blockSize:vint |
 *              constant: int64 (5.0+)), end:int64
 *   binary  = format:vint, missing:int64, lengthMin:vint, lengthMax:vint, count:vlong, offset:int64,
 *             (variable: int64, packedVersion:vint, blockSize:vint |
 *              prefix: interval:vint (4.9), int64, packedVersion:vint, blockSize:vint, int64 (4.10+))
 *   set     = …as in Lucene 5.4…; tables since 5.3 (version 1)
 *
 * Specified in org.apache.lucene.codecs.lucene49.Lucene49DocValuesProducer, lucene410.Lucene410DocValuesProducer and
 * lucene50.Lucene50DocValuesProducer.
 */
export function readDocValuesMetaV410(cursor: Cursor): Map<number, NumericEntry> {
  return readFields(cursor, { numeric: readNumeric, skipBinary, skipSet })
}

export function readDocValuesMetaV49(cursor: Cursor): Map<number, NumericEntry> {
  return readFields(cursor, { numeric: readNumeric, skipBinary: skipBinaryV49, skipSet })
}

/** undefined for addresses, which are no field's numbers. */
function readNumeric(cursor: Cursor): NumericEntry | undefined {
  const format = cursor.readVInt()
  const missing = cursor.readInt64()
  const offset = cursor.readInt64()
  const valueCount = cursor.readVLong()
  if (format !== formatMonotonic) {
    return { docs: docsOf(missing), valueCount, values: readValues(cursor, format, offset) }
  }
  cursor.readVInt()
  cursor.readVInt()
  cursor.skip(8)
  return undefined
}

function skipBinary(cursor: Cursor): void {
  const format = skipBinaryHead(cursor)
  skipAddresses(cursor, format)
  if (format === binaryPrefix) cursor.skip(8)
}

function skipBinaryV49(cursor: Cursor): void {
  const format = skipBinaryHead(cursor)
  if (format === binaryPrefix) cursor.readVInt()
  skipAddresses(cursor, format)
}

/** Gives the format. */
function skipBinaryHead(cursor: Cursor): number {
  const format = cursor.readVInt()
  cursor.skip(8)
  cursor.readVInt()
  cursor.readVInt()
  cursor.readVLong()
  cursor.skip(8)
  if (format !== binaryFixed && format !== binaryVariable && format !== binaryPrefix) {
    throw cursor.corrupt('a binary format of 0 to 2', `${format}`)
  }
  return format
}

function skipAddresses(cursor: Cursor, format: number): void {
  if (format === binaryFixed) return
  cursor.skip(8)
  cursor.readVInt()
  cursor.readVInt()
}
