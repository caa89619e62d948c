/** The same metadata written down in other ways: keys in another order, settings flat, nested or half of each. */
import { isJsonObject, type Json, type JsonObject } from '../../src/base/json.ts'

/** The same value with the keys of every object in another order. */
export function shuffled(random: () => number, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => shuffled(random, one))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, shuffled(random, inner)] as const,
  )
  return Object.fromEntries(inOtherOrder(random, entries))
}

/** Flat settings in another form: each split at some of its dots, with or without `index.`, numbers as such. */
export function randomForm(random: () => number, flat: JsonObject): JsonObject {
  const form: JsonObject = {}
  for (const [name, value] of inOtherOrder(random, Object.entries(flat))) {
    const bare = name.startsWith('index.') && random() < 0.3 ? name.slice('index.'.length) : name
    put(form, splitSomewhere(random, bare), plain(random, value))
  }
  return form
}

function splitSomewhere(random: () => number, name: string): string[] {
  const parts: string[] = []
  for (const word of name.split('.')) {
    if (parts.length === 0 || random() < 0.6) parts.push(word)
    else parts.push(`${parts.pop()}.${word}`)
  }
  return parts
}

/** At the path; where something else is in its way, whole. */
function put(form: JsonObject, path: string[], value: Json): void {
  let at = form
  for (const part of path.slice(0, -1)) {
    const next = Object.hasOwn(at, part) ? at[part] : (at[part] = {})
    if (!isJsonObject(next)) {
      form[path.join('.')] = value
      return
    }
    at = next
  }
  const last = path.at(-1)!
  if (Object.hasOwn(at, last)) form[path.join('.')] = value
  else at[last] = value
}

function plain(random: () => number, value: Json): Json {
  if (random() < 0.5 || typeof value !== 'string') return value
  if (value === 'true' || value === 'false') return value === 'true'
  return /^(0|[1-9]\d{0,9})$/.test(value) ? Number(value) : value
}

function inOtherOrder<T>(random: () => number, list: readonly T[]): T[] {
  return list
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}
