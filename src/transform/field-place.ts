import { isExactNumber } from './exact-number.ts'
import type { Fields, Value } from './module.ts'
import { define } from './source-text.ts'

/** Where a field is: a member of an object in a document. */
export interface FieldPlace {
  readonly holder: Fields
  readonly key: string
  /** The objects above, from the outermost, each with the key that leads on. */
  readonly above: readonly { readonly holder: Fields; readonly key: string }[]
  /** An array lies above: there may be many of it. */
  readonly inArray: boolean
}

/**
 * Every place that a dotted path names, as the engines see it: through arrays, and with dots in keys as well (`{"a.b":1}`
 * is `{"a":{"b":1}}` to them).
 */
export function placesOf(value: Value, path: string): FieldPlace[] {
  const found: FieldPlace[] = []
  visit(value, path, [], false, found)
  return found
}

function visit(
  value: Value | undefined,
  path: string,
  above: FieldPlace['above'],
  inArray: boolean,
  found: FieldPlace[],
): void {
  if (Array.isArray(value)) {
    for (const element of value) visit(element, path, above, true, found)
    return
  }
  if (!isFields(value)) return
  for (let end = path.indexOf('.'); end >= 0; end = path.indexOf('.', end + 1)) {
    const key = path.slice(0, end)
    if (!Object.hasOwn(value, key)) continue
    visit(value[key], path.slice(end + 1), [...above, { holder: value, key }], inArray, found)
  }
  if (Object.hasOwn(value, path)) found.push({ holder: value, key: path, above, inArray })
}

export function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
  )
}

export function valueAt({ holder, key }: FieldPlace): Value {
  return holder[key]!
}

/** Takes the field away, and the objects above that it leaves empty. */
export function removeAt({ holder, key, above }: FieldPlace): void {
  delete holder[key]
  for (const one of above.toReversed()) {
    const left = one.holder[one.key]
    if (!isFields(left) || Object.keys(left).length > 0) return
    delete one.holder[one.key]
  }
}

/** Gives the field a value, with the objects above it that are not there. Throws Error where something else is above. */
export function setField(source: Fields, path: string, value: Value): void {
  const places = placesOf(source, path)
  for (const { holder, key } of places) define(holder, key, value)
  if (places.length > 0) return
  let { holder, rest } = deepest(source, path)
  for (let end = rest.indexOf('.'); end >= 0; end = rest.indexOf('.')) {
    const next: Fields = {}
    define(holder, rest.slice(0, end), next)
    holder = next
    rest = rest.slice(end + 1)
  }
  define(holder, rest, value)
}

/** The deepest object that is there on the path, also under keys with dots, and what is left of the path from it. */
function deepest(source: Fields, path: string): { holder: Fields; rest: string } {
  for (let end = path.indexOf('.'); end >= 0; end = path.indexOf('.', end + 1)) {
    const key = path.slice(0, end)
    if (!Object.hasOwn(source, key)) continue
    const next = source[key]
    if (!isFields(next)) throw new Error(`${path} cannot be set: ${key} is no object`)
    return deepest(next, path.slice(end + 1))
  }
  return { holder: source, rest: path }
}

/**
 * Gives the value of one field to another, which must not be there: beside it, also in each element of an array, or
 * elsewhere in the document. With `keep` it stays where it was, too. Throws Error.
 */
export function moveField(
  source: Fields,
  { from, to, keep }: { from: string; to: string; keep: boolean },
): void {
  const places = placesOf(source, from)
  if (places.length === 0) return
  if (placesOf(source, to).length > 0) {
    throw new Error(`${from} cannot become ${to}: the document has a field ${to}`)
  }
  for (const place of places) {
    const value = valueAt(place)
    const key = keyBeside(place, from, to)
    if (key !== undefined) {
      define(place.holder, key, keep ? structuredCopy(value) : value)
      if (!keep) delete place.holder[place.key]
      continue
    }
    if (places.length > 1 || place.inArray) {
      throw new Error(`${from} cannot become ${to}: it lies in an array, or there are several`)
    }
    if (!keep) removeAt(place)
    setField(source, to, keep ? structuredCopy(value) : value)
  }
}

/** The key that makes it `to` in the same object; undefined where that lies elsewhere. */
function keyBeside({ key }: FieldPlace, from: string, to: string): string | undefined {
  const parent = from.slice(0, from.length - key.length)
  if (!to.startsWith(parent)) return undefined
  const beside = to.slice(parent.length)
  const sameDepth = beside.split('.').length === key.split('.').length
  return sameDepth && (!key.includes('.') || sharesParent(key, beside)) ? beside : undefined
}

function sharesParent(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf('.')) === b.slice(0, b.lastIndexOf('.'))
}

/** A copy that can be changed by itself; numbers keep their digits. */
function structuredCopy(value: Value): Value {
  if (Array.isArray(value)) return value.map(structuredCopy)
  if (!isFields(value)) return value
  const copy: Fields = {}
  for (const key of Object.keys(value)) define(copy, key, structuredCopy(value[key]!))
  return copy
}
