import type { Cursor } from '../bytes/cursor.ts'
import { readOldMap, readOldSet } from './old-collections.ts'
import type { SegmentInfo } from './segment-info.ts'

/**
 * Lucene46SegmentInfo, version 1 (Lucene 4.9 and 4.10), specified in the class of that name.
 *
 *   si = version:string, maxDoc:int32, compound:byte (1 or -1), diagnostics:oldMap, files:oldSet
 */
export function readSegmentInfoV46(cursor: Cursor): SegmentInfo {
  const luceneVersion = cursor.readString()
  const maxDoc = cursor.readInt32()
  if (maxDoc < 0) throw cursor.corrupt('a number of documents', `${maxDoc}`)
  const compound = cursor.readByte() === 1
  readOldMap(cursor)
  readOldSet(cursor)
  return { luceneVersion, maxDoc, compound, attributes: new Map() }
}
