import type { Directory } from '../blob/byte-source.ts'
import { readIdAndSuffix, type SegmentId } from '../bytes/codec.ts'
import { fieldInfosFormats, readFormat } from './formats.ts'
import { generationText, readWholeFile, segmentFileName } from './files.ts'

/** One field of a segment, whatever the version of the file that says so. */
export interface FieldInfo {
  readonly name: string
  readonly number: number
  /** True for a field with one number per document in doc values. */
  readonly numericDocValues: boolean
  /** Generation of the doc values that replace those written with the segment; -1: none. */
  readonly docValuesGen: number
  /** Suffix of the doc values files of this field, e.g. `Lucene80_0`; undefined where it has none. */
  readonly docValuesSuffix?: string
  /** True where the doc values of the field have an index to skip by (Lucene 9.12 and 10). */
  readonly docValuesSkipIndex: boolean
  /** What the formats noted for themselves. */
  readonly attributes: ReadonlyMap<string, string>
}

/** The fields of a segment by name. */
export type FieldInfos = ReadonlyMap<string, FieldInfo>

/** Reads `<segment>.fnm`, or `<segment>_<generation>.fnm` once doc values were updated. */
export async function readFieldInfos(
  directory: Directory,
  segment: { name: string; id: SegmentId },
  generation: number,
): Promise<FieldInfos> {
  const suffix = generation < 0 ? '' : generationText(generation)
  const cursor = await readWholeFile(directory, segmentFileName(segment.name, suffix, 'fnm'))
  const { row, version } = readFormat(fieldInfosFormats, cursor)
  readIdAndSuffix(cursor, { id: segment.id, suffix })
  const fields = new Map<string, FieldInfo>()
  for (const field of row.read(cursor, version)) fields.set(field.name, field)
  cursor.expectEnd()
  return fields
}
