import type { Cursor } from '../bytes/cursor.ts'
import type { NumericEntry } from './numeric-entry.ts'

/** How the entries of one format version are read, each from behind its type. */
export interface FieldReaders {
  /** undefined for a form that is no field's numbers. */
  numeric(cursor: Cursor): NumericEntry | undefined
  skipBinary(cursor: Cursor, field: number): void
  /** Sorted sets and sorted numbers: what stands before their entries proper. */
  skipSet(cursor: Cursor): void
}

/**
 * The fields of a `.dvm` from Lucene 4.10 to 6.x, to its end; numbers by field, all else passed over.
 *
 *   fields = (field:vint, type:byte, entry)*, -1:vint
 *   type   = 0 numeric | 1 binary | 2 sorted | 3 sorted set | 4 sorted numbers
 */
export function readFields(cursor: Cursor, readers: FieldReaders): Map<number, NumericEntry> {
  const entries = new Map<number, NumericEntry>()
  for (let field = cursor.readVInt(); field !== -1; field = cursor.readVInt()) {
    const type = cursor.readByte()
    switch (type) {
      case 0: {
        const entry = readers.numeric(cursor)
        if (entry !== undefined) entries.set(field, entry)
        break
      }
      case 1:
        readers.skipBinary(cursor, field)
        break
      case 2:
        break
      case 3:
      case 4:
        readers.skipSet(cursor)
        break
      default:
        throw cursor.corrupt('a doc values type of 0 to 4', `${type}`)
    }
  }
  cursor.expectEnd()
  return entries
}
