import type { Cursor } from '../bytes/cursor.ts'
import type { FieldInfo } from './field-infos.ts'
import type { DocsWithField, NumericEntry, PackedValues } from './numeric-entry.ts'
import type { SortedEntry, TermsEntry } from './sorted-entry.ts'

/** The segment whose doc values are read. */
export interface DocValuesSegment {
  readonly version: number
  readonly maxDoc: number
  readonly fields: ReadonlyMap<number, FieldInfo>
}

/** What differs between Lucene 7.0, 8.0 and 9.0. */
export interface DocValuesLayout {
  /** Bytes after offset and length of `docs`. */
  readonly docsExtraBytes: number
  /** Which of them is the rank power; undefined: there are no ranks. */
  readonly rankPowerAt?: number
  /** Bytes at the end of a numeric entry. */
  readonly numericExtraBytes: number
  readNumeric(cursor: Cursor, layout: DocValuesLayout): NumericEntry
  skipBinary(cursor: Cursor, field: FieldInfo | undefined): void
  skipSorted(cursor: Cursor, layout: DocValuesLayout, field: number): void
  /** What follows the byte 1 of a sorted set. */
  skipMultiSorted(cursor: Cursor, layout: DocValuesLayout): void
  skipSortedNumeric(cursor: Cursor, layout: DocValuesLayout): void
}

const tableSizeMax = 256

/**
 * Lucene70DocValuesMetadata (Lucene 7.0 to 7.7). Only numeric fields are kept.
 *
 *   dvm           = (field:int32, type:byte (0 numeric, 1 binary, 2 sorted, 3 sorted set, 4 sorted numeric), entry)*,
 *                   -1:int32, footer
 *   docs          = offset:int64 (-2 none, -1 all), length:int64
 *   numeric       = docs, valueCount:int64, tableSize:int32 (-1 none; below: -2 - blockShift),
 *                   table:int64[tableSize], bitsPerValue:byte, min:int64, gcd:int64, offset:int64, length:int64
 *   binary        = dataOffset:int64, dataLength:int64, docs, count:int32, lengthMin:int32, lengthMax:int32,
 *                   (addressesOffset:int64, blockShift:vint, monotonic, length:int64) (when lengthMin < lengthMax)
 *   sorted        = docs, count:int32, bitsPerValue:byte, offset:int64, length:int64, termsDict
 *   sortedSet     = 0:byte, sorted
 *                 | 1:byte, docs, bitsPerValue:byte, offset:int64, length:int64, count:int32, addressesOffset:int64,
 *                   blockShift:vint, monotonic, length:int64, termsDict
 *   sortedNumeric = numeric, count:int32,
 *                   (addressesOffset:int64, blockShift:vint, monotonic, length:int64) (when count ≠ valueCount)
 *   termsDict     = size:vlong, termsShift:int32, blockShift:int32, monotonic, lengthMax:int32, int64[4],
 *                   indexShift:int32, monotonic, int64[4]
 *   monotonic     = (min:int64, average:float32, offset:int64, bitsPerValue:byte) for each 2^blockShift values
 *
 * Specified in org.apache.lucene.codecs.lucene70.Lucene70DocValuesProducer.
 */
export function readDocValuesMetaV70(
  cursor: Cursor,
  segment: DocValuesSegment,
): Map<number, NumericEntry> {
  return readDocValuesMeta(cursor, segment, layoutV70)
}

const layoutV70: DocValuesLayout = {
  docsExtraBytes: 0,
  numericExtraBytes: 0,
  readNumeric: readNumericV70,
  skipBinary,
  skipSorted: (cursor, layout) => skipSortedV70(cursor, layout, skipTermsDict),
  skipMultiSorted: (cursor, layout) => skipMultiSortedV70(cursor, layout, skipTermsDict),
  skipSortedNumeric,
}

/** One sorted field of the same file. */
export function readSortedV70(
  cursor: Cursor,
  segment: DocValuesSegment,
  field: number,
): SortedEntry | undefined {
  let entry: SortedEntry | undefined
  readDocValuesMeta(cursor, segment, {
    ...layoutV70,
    skipSorted: (cursor, layout, of) => {
      const sorted = readSorted(cursor, layout)
      if (of === field) entry = sorted
    },
  })
  return entry
}

/** `sorted` of the grammar. */
function readSorted(cursor: Cursor, layout: DocValuesLayout): SortedEntry {
  const docs = readDocs(cursor, layout)
  const valueCount = cursor.readInt32()
  const bitsPerValue = cursor.readByte()
  const at = { offset: cursor.readInt64(), byteLength: cursor.readInt64() }
  const values: PackedValues =
    bitsPerValue === 0
      ? { kind: 'constant', value: 0n }
      : { kind: 'linear', ...at, bitsPerValue, min: 0n, gcd: 1n }
  const size = cursor.readVLong()
  const termsShift = cursor.readInt32()
  const where = skipTerms(cursor, { size, termsShift, compressed: false })
  const terms: TermsEntry = { kind: 'blocks', form: 'v70', count: size, ...where }
  return { ordinals: { docs, valueCount, values }, terms }
}

/** Bytes of what an index to skip by adds to the entry of its field: where it lies, its bounds, its counts. */
const skipIndexBytes = 4 * 8 + 2 * 4

/** Reads the entries of all fields, as every version since 7.0 orders them. */
export function readDocValuesMeta(
  cursor: Cursor,
  { fields }: DocValuesSegment,
  layout: DocValuesLayout,
): Map<number, NumericEntry> {
  const entries = new Map<number, NumericEntry>()
  for (let field = cursor.readInt32(); field !== -1; field = cursor.readInt32()) {
    const type = cursor.readByte()
    const info = fields.get(field)
    if (info?.docValuesSkipIndex === true) cursor.skip(skipIndexBytes)
    switch (type) {
      case 0:
        entries.set(field, layout.readNumeric(cursor, layout))
        break
      case 1:
        layout.skipBinary(cursor, info)
        break
      case 2:
        layout.skipSorted(cursor, layout, field)
        break
      case 3:
        if (cursor.readByte() === 0) layout.skipSorted(cursor, layout, -1)
        else layout.skipMultiSorted(cursor, layout)
        break
      case 4:
        layout.skipSortedNumeric(cursor, layout)
        break
      default:
        throw cursor.corrupt('a doc values type of 0 to 4', `${type}`)
    }
  }
  cursor.expectEnd()
  return entries
}

export function readNumericV70(cursor: Cursor, layout: DocValuesLayout): NumericEntry {
  const docs = readDocs(cursor, layout)
  const valueCount = cursor.readInt64()
  const tableSize = cursor.readInt32()
  if (tableSize > tableSizeMax) throw cursor.corrupt('a table of at most 256', `${tableSize}`)
  const table: bigint[] = []
  for (let i = 0; i < tableSize; i++) table.push(cursor.readBigInt64())
  const bitsPerValue = cursor.readByte()
  const min = cursor.readBigInt64()
  const gcd = cursor.readBigInt64()
  const at = { offset: cursor.readInt64(), byteLength: cursor.readInt64() }
  cursor.skip(layout.numericExtraBytes)
  return { docs, valueCount, values: values() }

  function values(): PackedValues {
    if (bitsPerValue === 0) return { kind: 'constant', value: min }
    if (tableSize < -1) return { kind: 'varying', ...at, shift: shiftOf(cursor, tableSize), gcd }
    if (tableSize >= 0) return { kind: 'table', ...at, bitsPerValue, table }
    return { kind: 'linear', ...at, bitsPerValue, min, gcd }
  }
}

function shiftOf(cursor: Cursor, tableSize: number): number {
  const shift = -2 - tableSize
  if (shift > 24) throw cursor.corrupt('blocks of at most 2^24 values', `2^${shift}`)
  return shift
}

/** `docs` of the grammar. */
export function readDocs(
  cursor: Cursor,
  { docsExtraBytes, rankPowerAt }: Pick<DocValuesLayout, 'docsExtraBytes' | 'rankPowerAt'>,
): DocsWithField {
  const docsOffset = cursor.readInt64()
  const docsLength = cursor.readInt64()
  const extra = cursor.readBytes(docsExtraBytes)
  const rankPower = rankPowerAt === undefined ? -1 : extra.readInt8(rankPowerAt)
  if (docsOffset === -2) return { kind: 'none' }
  if (docsOffset === -1) return { kind: 'all' }
  if (rankPower !== -1 && (rankPower < 7 || rankPower > 15)) {
    throw cursor.corrupt('a rank power of 7 to 15', `${rankPower}`)
  }
  const rankBytes = rankPower === -1 ? 0 : 1024 >> (rankPower - 7)
  return { kind: 'blocks', offset: docsOffset, byteLength: docsLength, rankBytes }
}

function skipBinary(cursor: Cursor): void {
  cursor.skip(16 + 16)
  const count = cursor.readInt32()
  const lengthMin = cursor.readInt32()
  const lengthMax = cursor.readInt32()
  if (lengthMin < lengthMax) skipAddresses(cursor, count + 1)
}

export function skipSortedV70(
  cursor: Cursor,
  { docsExtraBytes }: DocValuesLayout,
  skipTerms: (cursor: Cursor) => void,
): void {
  cursor.skip(16 + docsExtraBytes + 4 + 1 + 16)
  skipTerms(cursor)
}

export function skipMultiSortedV70(
  cursor: Cursor,
  { docsExtraBytes }: DocValuesLayout,
  skipTerms: (cursor: Cursor) => void,
): void {
  cursor.skip(16 + docsExtraBytes + 1 + 16)
  skipAddresses(cursor, cursor.readInt32() + 1)
  skipTerms(cursor)
}

export function skipSortedNumeric(cursor: Cursor, layout: DocValuesLayout): void {
  const { valueCount } = layout.readNumeric(cursor, layout)
  const count = cursor.readInt32()
  if (count !== valueCount) skipAddresses(cursor, count + 1)
}

export function skipAddresses(cursor: Cursor, count: number): void {
  cursor.skip(8)
  skipMonotonic(cursor, count, cursor.readVInt())
  cursor.skip(8)
}

function skipTermsDict(cursor: Cursor): void {
  const size = cursor.readVLong()
  skipTerms(cursor, { size, termsShift: cursor.readInt32(), compressed: false })
}

/** What follows the number of terms and the size of their blocks; gives where they lie. */
export function skipTerms(
  cursor: Cursor,
  { size, termsShift, compressed }: { size: number; termsShift: number; compressed: boolean },
): { offset: number; byteLength: number } {
  const blockShift = cursor.readInt32()
  skipMonotonic(cursor, blocksOf(size, termsShift), blockShift)
  cursor.skip(compressed ? 8 : 4)
  const where = { offset: cursor.readInt64(), byteLength: cursor.readInt64() }
  cursor.skip(16)
  const indexShift = cursor.readInt32()
  skipMonotonic(cursor, 1 + blocksOf(size, indexShift), blockShift)
  cursor.skip(32)
  return where
}

export function skipMonotonic(cursor: Cursor, count: number, blockShift: number): void {
  cursor.skip(blocksOf(count, blockShift) * 21)
}

function blocksOf(count: number, shift: number): number {
  return Math.ceil(count / 2 ** shift)
}
