import type { Cursor } from '../bytes/cursor.ts'
import { readFields } from './doc-values-fields.ts'
import { skipMonotonic } from './doc-values-v70.ts'
import type { DocValuesSegment } from './doc-values-v70.ts'
import type { DocsWithField, NumericEntry, PackedValues } from './numeric-entry.ts'
import { readMonotonicMeta } from './packed.ts'
import type { SortedEntry, TermsEntry } from './sorted-entry.ts'

const formatDelta = 0
const formatGcd = 1
const formatTable = 2
const formatMonotonic = 3
const formatConstant = 4
const formatSparse = 5

const setWithAddresses = 0
const setSingleValued = 1
const setTable = 2

const binaryFixed = 0
const binaryVariable = 1
const binaryPrefix = 2

/**
 * Lucene54DocValuesMetadata (Lucene 5.4 to 6.6), of which numeric fields are kept. Sorted fields are headers whose parts
 * follow as entries of their own with the same field number: the terms as a binary one, the ordinals as numbers, -1 for
 * none.
 *
 *   dvm     = (field:vint, type:byte, entry)*, -1:vint, footer
 *   type    = 0 numeric | 1 binary | 2 sorted: nothing | 3 sorted set, 4 sorted numeric: set
 *   numeric = format:vint, missing:int64 (-1 none missing, -2 all),
 *             (docs:vlong, blockShift:vint, monotonic (sparse)), offset:int64, count:vlong,
 *             (delta: min:int64, bits:vint | gcd: min:int64, gcd:int64, bits:vint |
 *              table: size:vint, int64[size], bits:vint | monotonic: blockShift:vint, monotonic of maxDoc + 1 |
 *              constant: int64 | sparse: kind:byte, field:vint, type:byte, numeric), end:int64
 *   binary  = format:vint, missing:int64, lengthMin:vint, lengthMax:vint, count:vlong, offset:int64,
 *             (prefix: int64, packedVersion:vint, blockSize:vint, int64 |
 *              variable: int64, blockShift:vint, monotonic of count + 1, end:int64)
 *   set     = format:vint, (table: size:int32, int64[size], sets:int32, int32[sets])
 *
 * Specified in org.apache.lucene.codecs.lucene54.Lucene54DocValuesProducer.
 */
export function readDocValuesMetaV54(
  cursor: Cursor,
  { maxDoc }: DocValuesSegment,
): Map<number, NumericEntry> {
  return readFields(cursor, {
    numeric: () => readNumeric(cursor, maxDoc),
    skipBinary: (cursor) => void readBinary(cursor),
    skipSet,
  })
}

/** One sorted field of the same file. */
export function readSortedV54(
  cursor: Cursor,
  { maxDoc }: DocValuesSegment,
  field: number,
): SortedEntry | undefined {
  let terms: TermsEntry | undefined
  const entries = readFields(cursor, {
    numeric: () => readNumeric(cursor, maxDoc),
    skipBinary: (cursor, of) => {
      const entry = readBinary(cursor)
      if (of === field) terms = entry
    },
    skipSet,
  })
  const ordinals = entries.get(field)
  return terms && ordinals && { ordinals, terms }
}

/** undefined for the form that is no field's numbers. */
function readNumeric(cursor: Cursor, maxDoc: number): NumericEntry | undefined {
  const format = cursor.readVInt()
  const missing = cursor.readInt64()
  if (format === formatSparse) return readSparse(cursor, missing, maxDoc)
  const offset = cursor.readInt64()
  const valueCount = cursor.readVLong()
  if (format === formatMonotonic) {
    skipMonotonic(cursor, maxDoc + 1, cursor.readVInt())
  } else {
    const values = readValues(cursor, format, offset)
    return { docs: docsOf(missing), valueCount, values }
  }
  cursor.skip(8)
  return undefined
}

/** Which documents, then the numbers of these alone. */
function readSparse(cursor: Cursor, docsOffset: number, maxDoc: number): NumericEntry | undefined {
  const count = cursor.readVLong()
  const blockShift = cursor.readVInt()
  const blocks = readMonotonicMeta(cursor, count, blockShift)
  const end = cursor.readInt64()
  cursor.readVLong()
  cursor.skip(1)
  cursor.readVInt()
  cursor.skip(1)
  const values = readNumeric(cursor, maxDoc)
  cursor.skip(8)
  if (values === undefined) return undefined
  if (count > maxDoc) throw cursor.corrupt(`at most ${maxDoc} documents`, `${count}`)
  const where = { offset: docsOffset, byteLength: end - docsOffset }
  return { ...values, docs: { kind: 'listed', ...where, blocks, count, blockShift } }
}

/** Of a field that is not sorted nobody asks for it. */
function readBinary(cursor: Cursor): TermsEntry {
  const format = cursor.readVInt()
  cursor.skip(8)
  const termBytes = cursor.readVInt()
  cursor.readVInt()
  const count = cursor.readVLong()
  const offset = cursor.readInt64()
  switch (format) {
    case binaryFixed:
      return { kind: 'fixed', offset, count, termBytes }
    case binaryPrefix: {
      const byteLength = cursor.readInt64() - offset
      cursor.readVInt()
      cursor.readVInt()
      cursor.skip(8)
      return { kind: 'blocks', form: 'v54', offset, count, byteLength }
    }
    case binaryVariable: {
      const start = cursor.readInt64()
      const blockShift = cursor.readVInt()
      const blocks = readMonotonicMeta(cursor, count + 1, blockShift)
      const addresses = {
        offset: start,
        byteLength: cursor.readInt64() - start,
        blocks,
        blockShift,
      }
      return { kind: 'addressed', offset, count, addresses }
    }
    default:
      throw cursor.corrupt('a binary format of 0 to 2', `${format}`)
  }
}

/** `set` of the grammar. */
export function skipSet(cursor: Cursor): void {
  const format = cursor.readVInt()
  if (format === setTable) {
    cursor.skip(cursor.readInt32() * 8)
    cursor.skip(cursor.readInt32() * 4)
  } else if (format !== setWithAddresses && format !== setSingleValued) {
    throw cursor.corrupt('a set format of 0 to 2', `${format}`)
  }
}

export function docsOf(missing: number): DocsWithField {
  if (missing === -1) return { kind: 'all' }
  return missing === -2 ? { kind: 'none' } : { kind: 'bits', offset: missing }
}

export function readValues(cursor: Cursor, format: number, offset: number): PackedValues {
  switch (format) {
    case formatConstant: {
      const value = cursor.readBigInt64()
      cursor.skip(8)
      return { kind: 'constant', value }
    }
    case formatDelta:
    case formatGcd: {
      const min = cursor.readBigInt64()
      const gcd = format === formatGcd ? cursor.readBigInt64() : 1n
      const bitsPerValue = cursor.readVInt()
      const byteLength = cursor.readInt64() - offset
      return { kind: 'linear', offset, byteLength, bitsPerValue, min, gcd }
    }
    case formatTable: {
      const size = cursor.readCount('values of a table', 8)
      const table: bigint[] = []
      for (let i = 0; i < size; i++) table.push(cursor.readBigInt64())
      const bitsPerValue = cursor.readVInt()
      const byteLength = cursor.readInt64() - offset
      return { kind: 'table', offset, byteLength, bitsPerValue, table }
    }
    default:
      throw cursor.corrupt('a numeric format of 0 to 5', `${format}`)
  }
}
