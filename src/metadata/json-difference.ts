import type { Json } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'

/** Paths at which two JSON values differ, keys in any order; at most `limit` of them. Numbers and text that print alike are equal, as settings and mappings come either way. */
export function differingPaths(wanted: Json, found: Json, limit = 10): string[] {
  const paths: string[] = []
  collect(wanted, found, '', paths, limit)
  return paths
}

function collect(a: Json, b: Json, path: string, paths: string[], limit: number): void {
  if (paths.length >= limit) return
  if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const inner = path === '' ? key : `${path}.${key}`
      if (a[key] === undefined || b[key] === undefined) {
        if (paths.length < limit) paths.push(inner)
      } else collect(a[key], b[key], inner, paths, limit)
    }
  } else if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    a.forEach((item, i) => collect(item, b[i]!, `${path}[${i}]`, paths, limit))
  } else if (plainText(a) !== plainText(b)) {
    paths.push(path === '' ? '(root)' : path)
  }
}

function plainText(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
