import { CorruptData, Unsupported } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import { readIdAndSuffix, readIndexHeader } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import type { CommitSegment } from './commit.ts'
import type { FieldInfo, FieldInfos } from './field-infos.ts'
import { generationText, readWholeFile, segmentFileName } from './files.ts'
import { docValuesFormats, readFormat } from './formats.ts'
import { NumericColumn } from './numeric-column.ts'
import type { NumericEntry } from './numeric-entry.ts'
import type { SortedEntry } from './sorted-entry.ts'
import { SortedTerms } from './sorted-terms.ts'

/** Longest header of a doc values data file. */
const docValuesHeadBytesMax = 128

/** What of a segment its doc values are found by. */
export interface DocValuesParts {
  /** All files of the shard. */
  readonly directory: Directory
  /** The files written with the segment: the same, or the members of its compound file. */
  readonly own: Directory
  readonly commit: CommitSegment
  readonly maxDoc: number
  readonly fieldInfos: FieldInfos
  /** What the `.dvm` files say, by suffix. */
  readonly metas: Map<string, Promise<DocValuesMeta>>
}

/** A sorted field: the number of its value of each document, and the values by number. The caller closes `source`. */
export interface OpenedSorted {
  readonly ordinals: NumericColumn
  readonly terms: SortedTerms
  readonly source: ByteSource
}

export function docValuesName(
  { commit }: DocValuesParts,
  field: { docValuesGen: number; docValuesSuffix?: string },
  extension: string,
): string {
  return segmentFileName(commit.name, docValuesSuffix(field), extension)
}

/** Suffix of the doc values files of a field, as of the newest generation. */
export function docValuesSuffix(field: { docValuesGen: number; docValuesSuffix?: string }): string {
  const { docValuesGen: generation, docValuesSuffix: suffix = '' } = field
  return generation < 0 ? suffix : `${generationText(generation)}_${suffix}`
}

/**
 * Opens the doc values of one field: those written with the segment, or the newest generation, which holds the numbers
 * of all documents again and lies beside the segment's own files.
 */
export async function openNumeric(
  parts: DocValuesParts,
  fieldName: string,
): Promise<{ column: NumericColumn; source: ByteSource } | undefined> {
  const found = await findNumeric(parts, fieldName)
  if (found === undefined) return undefined
  const { entry, row } = found
  const source = await openData(parts, found)
  try {
    checkEntry(entry, source, parts.maxDoc)
    return { column: new NumericColumn(source, entry, parts.maxDoc, row), source }
  } catch (error) {
    await source.close()
    throw error
  }
}

/** The same for a sorted field; undefined where the segment has none of that name, or in a format without one. */
export async function openSorted(
  parts: DocValuesParts,
  fieldName: string,
): Promise<OpenedSorted | undefined> {
  const place = await findField(parts, fieldName)
  const entry = place?.meta.readSorted(place.field.number)
  if (place === undefined || entry === undefined) return undefined
  const source = await openData(parts, { ...place, ...place.meta })
  try {
    checkEntry(entry.ordinals, source, parts.maxDoc)
    const ordinals = new NumericColumn(source, entry.ordinals, parts.maxDoc, place.meta.row)
    return { ordinals, terms: new SortedTerms(source, entry.terms), source }
  } catch (error) {
    await source.close()
    throw error
  }
}

/** Opens the data file of a field and reads its header. */
async function openData(
  parts: DocValuesParts,
  { home, field, suffix, row, version }: Place & Pick<DocValuesMeta, 'row' | 'version'>,
): Promise<ByteSource> {
  const source = await home.open(docValuesName(parts, field, 'dvd'))
  try {
    const head = await source.read(0, Math.min(docValuesHeadBytesMax, source.byteLength))
    readIndexHeader(new Cursor(source.name, head), {
      codec: row.dataCodec,
      minVersion: version,
      maxVersion: version,
      ...{ id: parts.commit.id, suffix },
    })
    return source
  } catch (error) {
    await source.close()
    throw error
  }
}

interface Place {
  readonly home: Directory
  readonly field: FieldInfo
  readonly suffix: string
}

async function findField(
  parts: DocValuesParts,
  fieldName: string,
): Promise<(Place & { meta: DocValuesMeta }) | undefined> {
  const field = parts.fieldInfos.get(fieldName)
  if (field === undefined) return undefined
  const home = field.docValuesGen < 0 ? parts.own : parts.directory
  const suffix = docValuesSuffix(field)
  return { home, field, suffix, meta: await readMeta(parts, home, { suffix, fieldName }) }
}

/** Where the numbers of a field lie; undefined where the segment has none. */
export async function findNumeric(parts: DocValuesParts, fieldName: string) {
  if (parts.fieldInfos.get(fieldName)?.numericDocValues !== true) return undefined
  const { meta, ...place } = (await findField(parts, fieldName))!
  const { row, version, entries, file } = meta
  const entry = entries.get(place.field.number)
  if (entry === undefined) {
    throw new Unsupported({
      file,
      offset: 0,
      expected: `numbers of field ${place.field.number} (${fieldName})`,
      found: 'none',
    })
  }
  return { ...place, entry, row, version }
}

export type DocValuesMeta = Awaited<ReturnType<typeof readMetaOf>>

/** Fields share their `.dvm`: each is read once. */
function readMeta(
  parts: DocValuesParts,
  home: Directory,
  of: DocValuesFile,
): Promise<DocValuesMeta> {
  const known = parts.metas.get(of.suffix) ?? readMetaOf(parts, home, of)
  parts.metas.set(of.suffix, known)
  return known
}

interface DocValuesFile {
  readonly suffix: string
  /** The field that it is read for. */
  readonly fieldName: string
}

async function readMetaOf(
  parts: DocValuesParts,
  home: Directory,
  { suffix, fieldName }: DocValuesFile,
) {
  const { name, id } = parts.commit
  const meta = await readWholeFile(home, segmentFileName(name, suffix, 'dvm'))
  const readFor = `the field ${fieldName} of segment ${name}`
  const { row, version } = readFormat(docValuesFormats, meta, { readFor })
  readIdAndSuffix(meta, { id, suffix })
  const fields = new Map([...parts.fieldInfos.values()].map((field) => [field.number, field]))
  const about = { version, maxDoc: parts.maxDoc, fields }
  const start = meta.position
  const entries = row.read(meta, about)
  const readSorted = (field: number): SortedEntry | undefined => {
    meta.seek(start)
    return row.readSorted?.(meta, about, field)
  }
  return { row, version, file: meta.file, entries, readSorted }
}

function checkEntry(entry: NumericEntry, source: ByteSource, maxDoc: number): void {
  const { valueCount, docs } = entry
  const max = docs.kind === 'none' ? 0 : maxDoc
  if (valueCount < 0 || valueCount > max || (docs.kind === 'all' && valueCount !== maxDoc)) {
    throw new CorruptData({
      file: source.name,
      offset: 0,
      expected: `numbers of at most ${max} documents`,
      found: `${valueCount}`,
    })
  }
}
