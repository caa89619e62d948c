import type { Cursor } from '../bytes/cursor.ts'
import type { SegmentInfo } from './segment-info.ts'

/**
 * Lucene62SegmentInfo (Lucene 6.2 to 6.6), Lucene70SegmentInfo (7.0 to 8.5) and Lucene86SegmentInfo (8.6 and later
 * 8.x); the last two differ only in the sort order at the end. Specified in the classes of these names.
 *
 *   si = version:int32[3], (hasMinVersion:byte, minVersion:int32[3]?) (7.0+), maxDoc:int32, compound:byte (1 or -1),
 *        diagnostics:map, files:set, attributes:map, sort…
 */
export function readSegmentInfoV62(cursor: Cursor): SegmentInfo {
  return readFrom(cursor, false)
}

export function readSegmentInfoV70(cursor: Cursor): SegmentInfo {
  return readFrom(cursor, true)
}

function readFrom(cursor: Cursor, hasMinVersion: boolean): SegmentInfo {
  const version = [cursor.readInt32(), cursor.readInt32(), cursor.readInt32()]
  if (hasMinVersion && cursor.readByte() === 1) cursor.skip(12)
  const maxDoc = cursor.readInt32()
  if (maxDoc < 0) throw cursor.corrupt('a number of documents', `${maxDoc}`)
  const compound = cursor.readByte() === 1
  cursor.readMapOfStrings()
  cursor.readSetOfStrings()
  return {
    luceneVersion: version.join('.'),
    maxDoc,
    compound,
    attributes: cursor.readMapOfStrings(),
  }
}
