import type { Cursor } from '../bytes/cursor.ts'
import type { DocsWithField, NumericEntry, PackedValues } from './numeric-entry.ts'

const formatDelta = 0
const formatGcd = 1
const formatTable = 2
const formatMonotonic = 3
const formatConstant = 4
const formatSparse = 5

/**
 * Lucene54DocValuesMetadata (Lucene 5.4 to 6.6), as far as numeric fields are dense: those of fewer than one document
 * in a hundred (`sparse`) are passed over, and so are fields of all other types. What Elasticsearch 5 keeps of
 * versions is dense.
 *
 *   dvm     = (field:vint, type:byte (0 numeric, 1 binary, 2 sorted, 3 sorted set, 4 sorted numeric), entry)*,
 *             -1:vint, footer
 *   numeric = format:vint, missing:int64 (-1 none missing, -2 all), offset:int64, count:vlong,
 *             (delta: min:int64, bits:vint | gcd: min:int64, gcd:int64, bits:vint |
 *              table: size:vint, int64[size], bits:vint | monotonic: blockShift:vint, monotonic of maxDoc + 1 |
 *              constant: int64), end:int64
 *
 * Specified in org.apache.lucene.codecs.lucene54.Lucene54DocValuesProducer.
 */
export function readDocValuesMetaV54(cursor: Cursor): Map<number, NumericEntry> {
  const entries = new Map<number, NumericEntry>()
  for (let field = cursor.readVInt(); field !== -1; field = cursor.readVInt()) {
    const type = cursor.readByte()
    // Elasticsearch writes its own numeric fields first in the order of their numbers; the layout of the other types
    // depends on counts that stand elsewhere, so reading ends at the first of them.
    if (type !== 0) break
    const entry = readNumeric(cursor)
    if (entry === undefined) break
    entries.set(field, entry)
  }
  return entries
}

function readNumeric(cursor: Cursor): NumericEntry | undefined {
  const format = cursor.readVInt()
  const missing = cursor.readInt64()
  if (format === formatSparse || format === formatMonotonic) return undefined
  const offset = cursor.readInt64()
  const valueCount = cursor.readVLong()
  const { values } = readValues(cursor, format, offset)
  return { docs: docsOf(missing), valueCount, values }
}

function docsOf(missing: number): DocsWithField {
  if (missing === -1) return { kind: 'all' }
  return missing === -2 ? { kind: 'none' } : { kind: 'bits', offset: missing }
}

function readValues(cursor: Cursor, format: number, offset: number): { values: PackedValues } {
  switch (format) {
    case formatConstant: {
      const value = cursor.readBigInt64()
      cursor.skip(8)
      return { values: { kind: 'constant', value } }
    }
    case formatDelta:
    case formatGcd: {
      const min = cursor.readBigInt64()
      const gcd = format === formatGcd ? cursor.readBigInt64() : 1n
      const bitsPerValue = cursor.readVInt()
      const byteLength = cursor.readInt64() - offset
      return { values: { kind: 'linear', offset, byteLength, bitsPerValue, min, gcd } }
    }
    case formatTable: {
      const size = cursor.readCount('values of a table', 8)
      const table: bigint[] = []
      for (let i = 0; i < size; i++) table.push(cursor.readBigInt64())
      const bitsPerValue = cursor.readVInt()
      const byteLength = cursor.readInt64() - offset
      return { values: { kind: 'table', offset, byteLength, bitsPerValue, table } }
    }
    default:
      throw cursor.corrupt('a numeric format of 0 to 5', `${format}`)
  }
}
