import type { Cursor } from '../bytes/cursor.ts'

/**
 * Maps and sets of strings as Lucene wrote them before 5.1: as later ones, with their count as an int32.
 *
 *   oldMap = count:int32, (key:string, value:string)*;  oldSet = count:int32, string*
 *
 * Specified in org.apache.lucene.store.DataInput (readStringStringMap, readStringSet).
 */
export function readOldMap(cursor: Cursor): Map<string, string> {
  const count = cursor.checkCount(cursor.readInt32(), 'entries of a map', 2)
  const map = new Map<string, string>()
  for (let i = 0; i < count; i++) {
    const key = cursor.readString()
    map.set(key, cursor.readString())
  }
  return map
}

export function readOldSet(cursor: Cursor): Set<string> {
  const count = cursor.checkCount(cursor.readInt32(), 'entries of a set', 1)
  const set = new Set<string>()
  for (let i = 0; i < count; i++) set.add(cursor.readString())
  return set
}
