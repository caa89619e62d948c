import type { Directory } from '../blob/byte-source.ts'
import { readIdAndSuffix, type SegmentId } from '../bytes/codec.ts'
import { readFormat, segmentInfoFormats } from './formats.ts'
import { readWholeFile, segmentFileName } from './files.ts'

/** What a `.si` file says of a segment, whatever its version. */
export interface SegmentInfo {
  /** Version of Lucene that wrote the segment, e.g. `8.7.0`. */
  readonly luceneVersion: string
  /** Documents have the numbers [0, maxDoc). */
  readonly maxDoc: number
  /** True when the segment's files are members of a `.cfs`. */
  readonly compound: boolean
  /** What the formats noted for themselves. */
  readonly attributes: ReadonlyMap<string, string>
}

/**
 * Reads `<segment>.si` by the layout that its header names. What stands after the attributes (the sort order of the
 * index) is covered by the checksum and not needed.
 */
export async function readSegmentInfo(
  directory: Directory,
  segment: { name: string; id: SegmentId },
): Promise<SegmentInfo> {
  const cursor = await readWholeFile(directory, segmentFileName(segment.name, '', 'si'))
  const { row } = readFormat(segmentInfoFormats, cursor)
  readIdAndSuffix(cursor, { id: segment.id, suffix: '' })
  return row.read(cursor)
}
