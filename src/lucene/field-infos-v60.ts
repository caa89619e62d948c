import type { Cursor } from '../bytes/cursor.ts'
import type { FieldInfo } from './field-infos.ts'

const docValuesNone = 0
const docValuesNumeric = 1
const docValuesTypeMax = 5
/** Numbers are given out one by one, and a table of bytes is made by them: far above any index. */
const numberMax = 0xf_ffff

/** What differs between the versions. */
export interface FieldInfosLayout {
  readonly points: boolean
  readonly pointIndexDimensions: boolean
  readonly skipIndex: boolean
  /** Bytes after the dimensions of vectors; undefined: there are no vectors. */
  readonly vectorBytes?: number
}

/** Lucene50FieldInfos (Lucene 5.1 to 5.5): as that of 6.0, without points. */
export function readFieldInfosV50(cursor: Cursor): FieldInfo[] {
  return readFields(cursor, { points: false, pointIndexDimensions: false, skipIndex: false })
}

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
  const pointIndexDimensions = version >= 2
  return readFields(cursor, { points: true, pointIndexDimensions, skipIndex: false })
}

/** Reads all fields, as every version since 5.0 orders them. */
export function readFields(cursor: Cursor, layout: FieldInfosLayout): FieldInfo[] {
  const count = cursor.readCount('fields', 14)
  const fields: FieldInfo[] = []
  for (let i = 0; i < count; i++) {
    const name = cursor.readString()
    const number = readFieldNumber(cursor)
    cursor.skip(2)
    const docValuesType = cursor.readByte()
    const docValuesSkipIndex = layout.skipIndex && cursor.readByte() !== 0
    const docValuesGen = cursor.readInt64()
    const attributes = cursor.readMapOfStrings()
    if (layout.points && cursor.readVInt() !== 0) {
      if (layout.pointIndexDimensions) cursor.readVInt()
      cursor.readVInt()
    }
    if (layout.vectorBytes !== undefined) {
      cursor.readVInt()
      cursor.skip(layout.vectorBytes)
    }
    const read = { name, number, docValuesType, docValuesGen, docValuesSkipIndex, attributes }
    fields.push(fieldInfo(cursor, read))
  }
  return fields
}

export function readFieldNumber(cursor: Cursor): number {
  const number = cursor.readVInt()
  if (number < 0 || number > numberMax) throw cursor.corrupt('a field number', `${number}`)
  return number
}

/** What the numbers of a file mean, which is the same in every version. */
export function fieldInfo(
  cursor: Cursor,
  {
    docValuesType,
    ...field
  }: Omit<FieldInfo, 'numericDocValues' | 'docValuesSuffix'> & { docValuesType: number },
): FieldInfo {
  if (docValuesType > docValuesTypeMax) {
    throw cursor.corrupt('a doc values type of 0 to 5', `${docValuesType}`)
  }
  const docValuesSuffix = docValuesType === docValuesNone ? undefined : suffixOf(field.attributes)
  return {
    ...field,
    numericDocValues: docValuesType === docValuesNumeric,
    ...(docValuesSuffix !== undefined && { docValuesSuffix }),
  }
}

function suffixOf(attributes: ReadonlyMap<string, string>): string | undefined {
  const format = attributes.get('PerFieldDocValuesFormat.format')
  const suffix = attributes.get('PerFieldDocValuesFormat.suffix')
  return format === undefined || suffix === undefined ? undefined : `${format}_${suffix}`
}
