import type { Cursor } from '../bytes/cursor.ts'
import { readFields } from './field-infos-v60.ts'
import type { FieldInfo } from './field-infos.ts'

const versionSkipIndex = 2

/**
 * Lucene90FieldInfos (Lucene 9.0 to 9.3) and Lucene94FieldInfos (9.4 and later): the layout of Lucene 6.0, version 2,
 * in little-endian, with vectors.
 *
 *   field = name:string, number:vint, bits:byte, indexOptions:byte, docValuesType:byte,
 *           skipIndex:byte (94, version 2+), docValuesGen:int64, attributes:map, pointDimensions:vint,
 *           (pointIndexDimensions:vint, pointBytes:vint) (when pointDimensions > 0),
 *           vectorDimensions:vint, vectorEncoding:byte (94), vectorSimilarity:byte
 *
 * Specified in org.apache.lucene.codecs.lucene90.Lucene90FieldInfosFormat and lucene94.Lucene94FieldInfosFormat.
 */
export function readFieldInfosV90(cursor: Cursor): FieldInfo[] {
  return readFields(cursor, {
    points: true,
    pointIndexDimensions: true,
    skipIndex: false,
    vectorBytes: 1,
  })
}

export function readFieldInfosV94(cursor: Cursor, version: number): FieldInfo[] {
  const skipIndex = version >= versionSkipIndex
  return readFields(cursor, { points: true, pointIndexDimensions: true, skipIndex, vectorBytes: 2 })
}
