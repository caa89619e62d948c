import type { Cursor } from '../bytes/cursor.ts'
import { fieldInfo, readFieldNumber } from './field-infos-v60.ts'
import type { FieldInfo } from './field-infos.ts'
import { readOldMap } from './old-collections.ts'

/**
 * Lucene46FieldInfos, version 2 (Lucene 4.9 and 4.10).
 *
 *   fnm   = count:vint, field*
 *   field = name:string, number:vint, bits:byte, types:byte (doc values in the low half, norms in the high one),
 *           docValuesGen:int64, attributes:oldMap
 *
 * Specified in org.apache.lucene.codecs.lucene46.Lucene46FieldInfosFormat.
 */
export function readFieldInfosV46(cursor: Cursor): FieldInfo[] {
  const count = cursor.readCount('fields', 16)
  const fields: FieldInfo[] = []
  for (let i = 0; i < count; i++) {
    const name = cursor.readString()
    const number = readFieldNumber(cursor)
    cursor.skip(1)
    const docValuesType = cursor.readByte() & 0x0f
    const docValuesGen = cursor.readInt64()
    const attributes = readOldMap(cursor)
    const read = { name, number, docValuesType, docValuesGen, attributes }
    fields.push(fieldInfo(cursor, { ...read, docValuesSkipIndex: false }))
  }
  return fields
}
