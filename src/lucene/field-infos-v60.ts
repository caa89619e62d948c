import type { Cursor } from '../bytes/cursor.ts'
import type { FieldInfo } from './field-infos.ts'

const docValuesNone = 0
const docValuesNumeric = 1
const docValuesTypeMax = 5
/** Numbers are given out one by one, and tables are made by them: far above any index, far below all memory. */
const numberMax = 0xff_ffff

/**
 * Lucene60FieldInfos (Lucene 6.0 to 8.x). Version 1 (7.4) uses one more bit, version 2 (8.0) one more vint.
 *
 *   fnm   = count:vint, field*
 *   field = name:string, number:vint, bits:byte, indexOptions:byte, docValuesType:byte (0 none, 1 numeric, …),
 *           docValuesGen:int64, attributes:map, pointDimensions:vint,
 *           (pointIndexDimensions:vint (2+), pointBytes:vint) (when pointDimensions > 0)
 *
 * Specified in org.apache.lucene.codecs.lucene60.Lucene60FieldInfosFormat; the attributes that name the doc values
 * format of a field are those of PerFieldDocValuesFormat.
 */
export function readFieldInfosV60(cursor: Cursor, version: number): FieldInfo[] {
  const count = cursor.readCount('fields', 14)
  const fields: FieldInfo[] = []
  for (let i = 0; i < count; i++) {
    const name = cursor.readString()
    const number = cursor.readVInt()
    if (number < 0 || number > numberMax) throw cursor.corrupt('a field number', `${number}`)
    cursor.skip(2)
    const docValuesType = cursor.readByte()
    if (docValuesType > docValuesTypeMax) {
      throw cursor.corrupt('a doc values type of 0 to 5', `${docValuesType}`)
    }
    const docValuesGen = cursor.readInt64()
    const attributes = cursor.readMapOfStrings()
    if (cursor.readVInt() !== 0) {
      if (version >= 2) cursor.readVInt()
      cursor.readVInt()
    }
    const docValuesSuffix = docValuesType === docValuesNone ? undefined : suffixOf(attributes)
    fields.push({
      name,
      number,
      numericDocValues: docValuesType === docValuesNumeric,
      docValuesGen,
      ...(docValuesSuffix !== undefined && { docValuesSuffix }),
    })
  }
  return fields
}

function suffixOf(attributes: Map<string, string>): string | undefined {
  const format = attributes.get('PerFieldDocValuesFormat.format')
  const suffix = attributes.get('PerFieldDocValuesFormat.suffix')
  return format === undefined || suffix === undefined ? undefined : `${format}_${suffix}`
}
