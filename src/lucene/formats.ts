import { Unsupported } from '../base/errors.ts'
import { checkVersion, readAnyHeader } from '../bytes/codec.ts'
import type { Header } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'
import type { ChunkFlags } from './chunk.ts'
import { readDocValuesMetaV410, readDocValuesMetaV49 } from './doc-values-v410.ts'
import { readDocValuesMetaEs819 } from './doc-values-es819.ts'
import { readDocValuesMetaV54, readSortedV54 } from './doc-values-v54.ts'
import { readDocValuesMetaV70, readSortedV70 } from './doc-values-v70.ts'
import type { DocValuesSegment } from './doc-values-v70.ts'
import { readDocValuesMetaV80 } from './doc-values-v80.ts'
import { readDocValuesMetaV90 } from './doc-values-v90.ts'
import { readFieldInfosV46 } from './field-infos-v46.ts'
import { readFieldInfosV50, readFieldInfosV60 } from './field-infos-v60.ts'
import { readFieldInfosV90, readFieldInfosV94 } from './field-infos-v90.ts'
import type { FieldInfo } from './field-infos.ts'
import type { NumericEntry } from './numeric-entry.ts'
import type { SortedEntry } from './sorted-entry.ts'
import { readSegmentInfoV46 } from './segment-info-v46.ts'
import { readSegmentInfoV62, readSegmentInfoV70 } from './segment-info-v62.ts'
import type { SegmentInfo } from './segment-info.ts'

/**
 * The one table "format name + version → reader". Each file of a segment names its own format in its header, so the
 * name of the segment's codec, which also stands for postings, points and vectors, does not matter here. A new
 * version is a layout file and a row.
 */
export interface FormatRow {
  /** Inclusive; versions outside are FormatTooOld and FormatTooNew. */
  readonly minVersion: number
  readonly maxVersion: number
  /** True where integers behind the header are little-endian: formats of Lucene 9 and later. */
  readonly littleEndian?: boolean
}

export type FormatTable<Row extends FormatRow> = ReadonlyMap<string, Row>

interface SegmentInfoFormat extends FormatRow {
  read(cursor: Cursor): SegmentInfo
}

interface FieldInfosFormat extends FormatRow {
  read(cursor: Cursor, version: number): FieldInfo[]
}

export interface DocValuesFormat extends FormatRow {
  /** Codec in the header of the data file. */
  readonly dataCodec: string
  /** The numeric fields by field number; those of other types are passed over. */
  read(cursor: Cursor, segment: DocValuesSegment): Map<number, NumericEntry>
  /** One sorted field by number. Absent where no engine is known that kept anything of documents in one. */
  readSorted?(cursor: Cursor, segment: DocValuesSegment, field: number): SortedEntry | undefined
}

/** How the bytes of a chunk of stored fields are compressed. */
export type ChunkCompression =
  'lz4' | 'lz4-preset' | 'deflate' | 'deflate-preset' | 'zstd' | 'zstd-preset' | 'zstd-blocks'

export interface StoredFieldsFormat extends FormatRow {
  readonly compression: ChunkCompression
  /** Codec in the header of the index file while the index lies in blocks; undefined: it never does. */
  readonly legacyIndexCodec?: string
  /** Codec of the later index, less the endings `Meta` (.fdm) and `Idx` (.fdx). */
  readonly indexCodec: string
  /** Versions since which: the index is the later one; chunkBytes stand in the .fdm; a chunk says whether it is dirty. */
  readonly since: { readonly index: number; readonly meta: number; readonly dirtyBit: number }
  /** How the counts and lengths of a chunk's documents are packed; `lanes` has no version of its own. */
  readonly counts: 'packed' | 'lanes'
  /** By the version, unless said. */
  readonly chunkFlags?: ChunkFlags
  /** True: numbers among the fields have their full width. */
  readonly fixedNumbers?: boolean
}

export interface CompoundFormat extends FormatRow {
  /** Codec in the header of the `.cfs`. */
  readonly dataCodec: string
  /** Members begin at whole multiples of one of these many bytes. */
  readonly alignments: readonly number[]
}

export const segmentInfoFormats: FormatTable<SegmentInfoFormat> = new Map([
  ['Lucene46SegmentInfo', { minVersion: 1, maxVersion: 1, read: readSegmentInfoV46 }],
  ['Lucene50SegmentInfo', { minVersion: 1, maxVersion: 1, read: readSegmentInfoV62 }],
  ['Lucene62SegmentInfo', { minVersion: 0, maxVersion: 1, read: readSegmentInfoV62 }],
  ['Lucene70SegmentInfo', { minVersion: 0, maxVersion: 0, read: readSegmentInfoV70 }],
  ['Lucene86SegmentInfo', { minVersion: 0, maxVersion: 0, read: readSegmentInfoV70 }],
  [
    'Lucene90SegmentInfo',
    { minVersion: 0, maxVersion: 0, littleEndian: true, read: readSegmentInfoV70 },
  ],
])

export const fieldInfosFormats: FormatTable<FieldInfosFormat> = new Map([
  ['Lucene46FieldInfos', { minVersion: 2, maxVersion: 2, read: readFieldInfosV46 }],
  ['Lucene50FieldInfos', { minVersion: 1, maxVersion: 1, read: readFieldInfosV50 }],
  ['Lucene60FieldInfos', { minVersion: 0, maxVersion: 2, read: readFieldInfosV60 }],
  [
    'Lucene90FieldInfos',
    { minVersion: 0, maxVersion: 0, littleEndian: true, read: readFieldInfosV90 },
  ],
  [
    'Lucene94FieldInfos',
    { minVersion: 0, maxVersion: 2, littleEndian: true, read: readFieldInfosV94 },
  ],
])

export const docValuesFormats: FormatTable<DocValuesFormat> = new Map([
  [
    'Lucene49ValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      dataCodec: 'Lucene49DocValuesData',
      read: readDocValuesMetaV49,
    },
  ],
  [
    'Lucene410ValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      dataCodec: 'Lucene410DocValuesData',
      read: readDocValuesMetaV410,
    },
  ],
  [
    'Lucene50DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 1,
      dataCodec: 'Lucene50DocValuesData',
      read: readDocValuesMetaV410,
    },
  ],
  [
    'Lucene54DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      dataCodec: 'Lucene54DocValuesData',
      read: readDocValuesMetaV54,
      readSorted: readSortedV54,
    },
  ],
  [
    'Lucene70DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      dataCodec: 'Lucene70DocValuesData',
      read: readDocValuesMetaV70,
      readSorted: readSortedV70,
    },
  ],
  [
    'Lucene80DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 2,
      dataCodec: 'Lucene80DocValuesData',
      read: readDocValuesMetaV80,
    },
  ],
  [
    'Lucene90DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      littleEndian: true,
      dataCodec: 'Lucene90DocValuesData',
      read: readDocValuesMetaV90,
    },
  ],
  [
    'ES819TSDBDocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 2,
      littleEndian: true,
      dataCodec: 'ES819TSDBDocValuesData',
      read: readDocValuesMetaEs819,
    },
  ],
])

export const liveDocsFormats: FormatTable<FormatRow> = new Map([
  ['Lucene50LiveDocs', { minVersion: 0, maxVersion: 0 }],
  ['Lucene90LiveDocs', { minVersion: 0, maxVersion: 0, littleEndian: true }],
])

/** By the codec of the `.cfe`. */
export const compoundFormats: FormatTable<CompoundFormat> = new Map([
  [
    'CompoundFileWriterEntries',
    { minVersion: 1, maxVersion: 1, dataCodec: 'CompoundFileWriterData', alignments: [1] },
  ],
  [
    'Lucene50CompoundEntries',
    { minVersion: 0, maxVersion: 0, dataCodec: 'Lucene50CompoundData', alignments: [1] },
  ],
  [
    'Lucene90CompoundEntries',
    {
      minVersion: 0,
      maxVersion: 0,
      littleEndian: true,
      dataCodec: 'Lucene90CompoundData',
      alignments: [8, 64],
    },
  ],
])

/**
 * Lucene41 was written from 4.1 to 4.10 (with checksums, version 2, from 4.8 on), Lucene50 from 5.0 to 8.6 (version 1
 * with the old index, 2 from 8.5 on with the index of Lucene85FieldsIndex), Lucene87 from 8.7 on (version 4 from
 * 8.9 on), Lucene90 from 9.0 on. Zstd is Elasticsearch's own, for best_compression from 8.16 on; Custom… is OpenSearch's,
 * in 2.9 by itself and in its plugin custom-codecs from then on.
 */
export const storedFieldsFormats: FormatTable<StoredFieldsFormat> = new Map([
  [
    'Lucene41StoredFieldsData',
    {
      minVersion: 2,
      maxVersion: 2,
      compression: 'lz4',
      legacyIndexCodec: 'Lucene41StoredFieldsIndex',
      indexCodec: '',
      since: { index: Infinity, meta: Infinity, dirtyBit: Infinity },
      counts: 'packed',
      chunkFlags: 'none',
      fixedNumbers: true,
    },
  ],
  storedFieldsV50('Lucene50StoredFieldsFast', [1, 2], 'lz4'),
  storedFieldsV50('Lucene50StoredFieldsHigh', [1, 2], 'deflate'),
  storedFieldsV50('Lucene87StoredFieldsFast', [3, 4], 'lz4-preset'),
  storedFieldsV50('Lucene87StoredFieldsHigh', [3, 4], 'deflate-preset'),
  storedFieldsV90('Lucene90StoredFieldsFastData', 'lz4-preset'),
  storedFieldsV90('Lucene90StoredFieldsHighData', 'deflate-preset'),
  storedFieldsV90('ZstdStoredFields814', 'zstd'),
  storedFieldsV90('CustomStoredFieldsZstd', 'zstd-preset'),
  storedFieldsV90('CustomStoredFieldsZstdNoDict', 'zstd-blocks'),
])

function storedFieldsV50(
  name: string,
  [minVersion, maxVersion]: readonly [number, number],
  compression: ChunkCompression,
): [string, StoredFieldsFormat] {
  return [
    `${name}Data`,
    {
      minVersion,
      maxVersion,
      compression,
      legacyIndexCodec: `${name}Index`,
      indexCodec: 'Lucene85FieldsIndex',
      since: { index: 2, meta: 3, dirtyBit: 4 },
      counts: 'packed',
    },
  ]
}

function storedFieldsV90(
  name: string,
  compression: ChunkCompression,
): [string, StoredFieldsFormat] {
  return [
    name,
    {
      minVersion: 1,
      maxVersion: 1,
      littleEndian: true,
      compression,
      indexCodec: 'Lucene90FieldsIndex',
      since: { index: 1, meta: 1, dirtyBit: 1 },
      counts: 'lanes',
    },
  ]
}

/** What is read with a format that may be unknown, e.g. `the documents of segment _0`, for the message that says so. */
export interface ReadFor {
  readonly readFor: string
}

/** Reads a header, and sets the cursor to the byte order of what follows. See formatOf(). */
export function readFormat<Row extends FormatRow>(
  table: FormatTable<Row>,
  cursor: Cursor,
  what?: ReadFor,
): { row: Row; version: number } {
  const format = formatOf(table, readAnyHeader(cursor), cursor.file, what)
  cursor.littleEndian = format.row.littleEndian ?? false
  return format
}

/** The row for what a header says; Unsupported names a format that has none. */
export function formatOf<Row extends FormatRow>(
  table: FormatTable<Row>,
  header: Header,
  file: string,
  what?: ReadFor,
): { row: Row; version: number } {
  const { codec, version } = header
  const row = table.get(codec)
  if (row === undefined) {
    const expected = `one of the formats ${[...table.keys()].join(', ')}`
    const finding = { file, offset: 0, expected, found: codec.slice(0, 80) }
    throw new Unsupported(finding, what && adviceOn(codec, what))
  }
  checkVersion(file, 0, version, { codec, ...row })
  return { row, version }
}

function adviceOn(codec: string, { readFor }: ReadFor): string {
  return (
    `${codec.slice(0, 80)} holds ${readFor}, which therefore cannot be read: on the source, ` +
    'reindex into an index with the codec "default" and no index mode, and take a new snapshot; or look for a newer osmigrate'
  )
}
