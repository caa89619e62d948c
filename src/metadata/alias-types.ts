import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { IndexPart } from './parts.ts'
import type { PlannedChange } from './plan.ts'

/** Aliases as the target gets them. */
export interface PlannedAliases {
  readonly aliases: JsonObject
  readonly changes: readonly PlannedChange[]
}

/**
 * Filters of aliases that ask for mapping types ask on the target for what holds the type there: the field of `keep`, the
 * join field, or nothing at all where the index has no document of another type. The target would take such a filter as
 * it is, and find nothing.
 */
export function planAliases(part: IndexPart): PlannedAliases {
  const aliases: JsonObject = {}
  const changes: PlannedChange[] = []
  for (const [name, alias] of Object.entries(part.index.aliases)) {
    const { filter } = alias
    const rewriting = { part, lost: false }
    const to = filter === undefined ? undefined : rewritten(filter, rewriting)
    aliases[name] = to === undefined ? alias : { ...alias, filter: to }
    const path = `aliases.${name}.filter`
    if (rewriting.lost) {
      const reason =
        'it asks for mapping types, which documents of this index do not keep: it finds nothing by that (metadata.types: keep)'
      changes.push({ path, what: 'noted', from: filter!, reason, loss: true })
    } else if (JSON.stringify(to) !== JSON.stringify(filter)) {
      const reason = 'mapping types are asked for where the target has them'
      changes.push({ path, what: 'changed', from: filter!, to: to!, reason, loss: false })
    }
  }
  return { aliases, changes }
}

interface Rewriting {
  readonly part: IndexPart
  /** It asks for what the target does not have. */
  lost: boolean
}

function rewritten(query: Json, rewriting: Rewriting): Json {
  if (Array.isArray(query)) return query.map((one) => rewritten(one, rewriting))
  if (!isJsonObject(query)) return query
  const asked = typesAsked(query)
  if (asked !== undefined) {
    const instead = askFor(asked, rewriting.part)
    if (instead === undefined) rewriting.lost = true
    return instead ?? query
  }
  if (metaFields.some((name) => name in query)) rewriting.lost = true
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [key, rewritten(value, rewriting)]),
  )
}

const metaFields = ['_type', '_uid', '_parent']

/** The types of `{ term: { _type } }`, `{ terms: { _type } }` and `{ type: { value } }`; undefined for other queries. */
function typesAsked(query: JsonObject): string[] | undefined {
  const [kind, ...others] = Object.keys(query)
  const body = query[kind ?? '']
  if (others.length > 0 || !isJsonObject(body)) return undefined
  const value = kind === 'type' ? body.value : body._type
  switch (kind) {
    case 'type':
      return typeof value === 'string' ? [value] : undefined
    case 'term': {
      const text = isJsonObject(value) ? (value.value ?? value.term) : value
      return typeof text === 'string' ? [text] : undefined
    }
    case 'terms':
      return Array.isArray(value) ? value.map(String) : undefined
    case undefined:
    default:
      return undefined
  }
}

function askFor(asked: readonly string[], { index, types }: IndexPart): JsonObject | undefined {
  const held =
    types?.only ?? Object.keys({ ...index.mappings }).filter((one) => one !== '_default_')
  // Without a mapping nothing was ever written, and what will be has no other type.
  if (held.length === 0) held.push('_doc')
  if (types?.keepIn) return { terms: { [types.keepIn]: [...asked] } }
  if (held.every((type) => asked.includes(type))) return { match_all: {} }
  if (!held.some((type) => asked.includes(type))) return { match_none: {} }
  const { field, parents = {} } = types?.join ?? {}
  const joined = new Set(Object.entries(parents).flat())
  return field !== undefined && asked.every((type) => joined.has(type) || !held.includes(type))
    ? { terms: { [field]: [...asked] } }
    : undefined
}
