import type { Json } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'

/** A place at which two JSON values differ; a side that has nothing there is undefined. */
export interface JsonDifference {
  readonly path: string
  readonly wanted?: Json
  readonly found?: Json
}

/** Paths at which two JSON values differ, as differences() finds them. */
export function differingPaths(wanted: Json, found: Json, limit = 10): string[] {
  return differences(wanted, found, limit).map(({ path }) => path)
}

/** Places at which two JSON values differ, keys in any order; at most `limit` of them. Numbers and text that print alike are equal, as settings and mappings come either way. */
export function differences(wanted: Json, found: Json, limit = 10): JsonDifference[] {
  const list: JsonDifference[] = []
  collect(wanted, found, '', list, limit)
  return list
}

/** For people: `a.b (wanted "x", there 1), c (wanted nothing, there 2)`; long values are cut. */
export function differenceText(list: readonly JsonDifference[]): string {
  return list
    .map(({ path, wanted, found }) => `${path} (wanted ${short(wanted)}, there ${short(found)})`)
    .join(', ')
}

const charsMax = 80

function short(value: Json | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > charsMax ? `${text.slice(0, charsMax)}…` : text
}

function collect(
  a: Json | undefined,
  b: Json | undefined,
  path: string,
  list: JsonDifference[],
  limit: number,
): void {
  if (list.length >= limit) return
  if (a === undefined || b === undefined) {
    list.push({ path, ...(a !== undefined && { wanted: a }), ...(b !== undefined && { found: b }) })
  } else if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      collect(a[key], b[key], path === '' ? key : `${path}.${key}`, list, limit)
    }
  } else if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    a.forEach((item, i) => collect(item, b[i], `${path}[${i}]`, list, limit))
  } else if (plainText(a) !== plainText(b)) {
    list.push({ path: path === '' ? '(root)' : path, wanted: a, found: b })
  }
}

function plainText(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
