import { Unsupported } from '../base/errors.ts'
import { checkVersion } from '../bytes/codec.ts'
import type { Header } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'
import { readDocValuesMetaV54 } from './doc-values-v54.ts'
import { readDocValuesMetaV70 } from './doc-values-v70.ts'
import { readDocValuesMetaV80 } from './doc-values-v80.ts'
import { readFieldInfosV60 } from './field-infos-v60.ts'
import type { FieldInfo } from './field-infos.ts'
import type { NumericEntry } from './numeric-entry.ts'
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
}

export type FormatTable<Row extends FormatRow> = ReadonlyMap<string, Row>

interface SegmentInfoFormat extends FormatRow {
  read(cursor: Cursor): SegmentInfo
}

interface FieldInfosFormat extends FormatRow {
  read(cursor: Cursor, version: number): FieldInfo[]
}

interface DocValuesFormat extends FormatRow {
  /** Codec in the header of the data file. */
  readonly dataCodec: string
  /** The numeric fields by field number; those of other types are passed over. */
  read(cursor: Cursor, version: number, maxDoc: number): Map<number, NumericEntry>
}

/** How the bytes of a chunk of stored fields are compressed. */
export type ChunkCompression = 'lz4' | 'lz4-preset' | 'deflate' | 'deflate-preset'

interface StoredFieldsFormat extends FormatRow {
  readonly compression: ChunkCompression
  /** Codec in the header of the index file while the version is 1. */
  readonly legacyIndexCodec: string
}

export const segmentInfoFormats: FormatTable<SegmentInfoFormat> = new Map([
  ['Lucene62SegmentInfo', { minVersion: 0, maxVersion: 1, read: readSegmentInfoV62 }],
  ['Lucene70SegmentInfo', { minVersion: 0, maxVersion: 0, read: readSegmentInfoV70 }],
  ['Lucene86SegmentInfo', { minVersion: 0, maxVersion: 0, read: readSegmentInfoV70 }],
])

export const fieldInfosFormats: FormatTable<FieldInfosFormat> = new Map([
  ['Lucene60FieldInfos', { minVersion: 0, maxVersion: 2, read: readFieldInfosV60 }],
])

export const docValuesFormats: FormatTable<DocValuesFormat> = new Map([
  [
    'Lucene54DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      dataCodec: 'Lucene54DocValuesData',
      read: readDocValuesMetaV54,
    },
  ],
  [
    'Lucene70DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 0,
      dataCodec: 'Lucene70DocValuesData',
      read: readDocValuesMetaV70,
    },
  ],
  [
    'Lucene80DocValuesMetadata',
    {
      minVersion: 0,
      maxVersion: 1,
      dataCodec: 'Lucene80DocValuesData',
      read: readDocValuesMetaV80,
    },
  ],
])

/**
 * Lucene50 was written from 5.0 to 8.6 (version 1 with the old index, 2 and 3 from 8.5 on with the index of
 * Lucene85FieldsIndex), Lucene87 from 8.7 on.
 */
export const storedFieldsFormats: FormatTable<StoredFieldsFormat> = new Map([
  storedFields('Lucene50StoredFieldsFast', 1, 'lz4'),
  storedFields('Lucene50StoredFieldsHigh', 1, 'deflate'),
  storedFields('Lucene87StoredFieldsFast', 3, 'lz4-preset'),
  storedFields('Lucene87StoredFieldsHigh', 3, 'deflate-preset'),
])

function storedFields(
  name: string,
  minVersion: number,
  compression: ChunkCompression,
): [string, StoredFieldsFormat] {
  return [
    `${name}Data`,
    { minVersion, maxVersion: 3, compression, legacyIndexCodec: `${name}Index` },
  ]
}

/** The row for what a header says; Unsupported names a format that has none. */
export function formatOf<Row extends FormatRow>(
  table: FormatTable<Row>,
  header: Header,
  file: string,
): { row: Row; version: number } {
  const { codec, version } = header
  const row = table.get(codec)
  if (row === undefined) {
    const expected = `one of the formats ${[...table.keys()].join(', ')}`
    throw new Unsupported({ file, offset: 0, expected, found: codec.slice(0, 80) })
  }
  checkVersion(file, 0, version, { codec, ...row })
  return { row, version }
}
