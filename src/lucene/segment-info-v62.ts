import type { Cursor } from '../bytes/cursor.ts'
import type { SegmentInfo } from './segment-info.ts'

/**
 * Lucene50SegmentInfo (Lucene 5.1 to 6.1), Lucene62SegmentInfo (6.2 to 6.6), Lucene70SegmentInfo (7.0 to 8.5), Lucene86SegmentInfo (8.6 and later 8.x)
 * and Lucene90SegmentInfo (9.0 and later, little-endian). 5.0 and 6.2, 7.0
 * and 8.6 differ only in the sort order at the end.
 * Lucene 9.9 added a byte without a new name or version (class Lucene99SegmentInfoFormat): the segment's own version
 * tells. Specified in the classes of these names.
 *
 *   si = version:int32[3], (hasMinVersion:byte, minVersion:int32[3]?) (7.0+), maxDoc:int32, compound:byte (1 or -1),
 *        hasBlocks:byte (1 or -1) (9.9+), diagnostics:map, files:set, attributes:map, sort…
 */
export function readSegmentInfoV62(cursor: Cursor): SegmentInfo {
  return readFrom(cursor, false)
}

export function readSegmentInfoV70(cursor: Cursor): SegmentInfo {
  return readFrom(cursor, true)
}

function readFrom(cursor: Cursor, hasMinVersion: boolean): SegmentInfo {
  const version = [cursor.readInt32(), cursor.readInt32(), cursor.readInt32()] as const
  if (hasMinVersion && cursor.readByte() === 1) cursor.skip(12)
  const maxDoc = cursor.readInt32()
  if (maxDoc < 0) throw cursor.corrupt('a number of documents', `${maxDoc}`)
  const compound = cursor.readByte() === 1
  if (version[0] > 9 || (version[0] === 9 && version[1] >= 9)) cursor.skip(1)
  cursor.readMapOfStrings()
  cursor.readSetOfStrings()
  return {
    luceneVersion: version.join('.'),
    maxDoc,
    compound,
    attributes: cursor.readMapOfStrings(),
  }
}
