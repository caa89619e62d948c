import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import type { PlannedChange } from './plan.ts'

export type TranslatedMapping =
  { readonly mapping: JsonObject; readonly changes: PlannedChange[] } | { readonly refused: string }

/**
 * The one mapping of an index from its mappings by type. `_default_` of 5.x and 6.x, which only served new types, is
 * left out. Several types cannot become one unasked: that is refused by name.
 */
export function mappingOfTypes(byType: { readonly [type: string]: JsonObject }): TranslatedMapping {
  const types = Object.keys(byType).filter((type) => type !== '_default_')
  if (types.length > 1) {
    return {
      refused: `the index has ${types.length} mapping types (${types.join(', ')}); only an index with one type can be carried over`,
    }
  }
  const [type] = types
  const mapping: JsonObject = { ...(type === undefined ? {} : byType[type]) }
  const changes: PlannedChange[] = []
  if (type !== undefined && type !== '_doc') {
    changes.push({
      path: 'mappings',
      what: 'changed',
      from: type,
      to: null,
      reason: `the type name "${type}" is taken off: the target has no types`,
      loss: false,
    })
  }
  if ('_default_' in byType) {
    changes.push({
      path: 'mappings._default_',
      what: 'dropped',
      reason: 'it only served new types, which the target does not have',
      loss: false,
    })
  }
  if ('_all' in mapping) {
    changes.push({
      path: 'mappings._all',
      what: 'dropped',
      from: mapping._all ?? null,
      reason: 'the field _all is gone since 7; queries without a field look at all fields',
      loss: false,
    })
    delete mapping._all
  }
  return { mapping, changes }
}

/** Keys that stand at the root of a mapping. A single key that is none of them is a type's name. */
const rootKeys = new Set([
  'properties',
  'dynamic',
  'dynamic_templates',
  'dynamic_date_formats',
  'date_detection',
  'numeric_detection',
  'runtime',
  'include_in_all',
])

/** Mappings as templates hold them (list or object, with or without a type's level), by type; `_doc` where none is named. */
export function mappingsByType(mappings: Json | undefined): { [type: string]: JsonObject } {
  if (Array.isArray(mappings)) return Object.assign({}, ...mappings.map(mappingsByType)) as never
  if (!isJsonObject(mappings)) return {}
  const keys = Object.keys(mappings)
  const typed =
    keys.length > 0 &&
    keys.every((key) => isTypeName(key) && isJsonObject(mappings[key])) &&
    !keys.some((key) => rootKeys.has(key))
  return typed
    ? (mappings as { [type: string]: JsonObject })
    : keys.length
      ? { _doc: mappings }
      : {}
}

function isTypeName(key: string): boolean {
  return key === '_doc' || key === '_default_' || !(key.startsWith('_') || rootKeys.has(key))
}

/** Why documents of an index with this mapping are routed: required routing and join fields. */
export function routedByMapping(mapping: JsonObject): string[] {
  const routing = mapping._routing
  const required =
    isJsonObject(routing) && (routing.required === true || routing.required === 'true')
  return [
    ...(required ? ['the mapping requires routing'] : []),
    ...('_parent' in mapping ? ['the mapping has a _parent'] : []),
    ...joinFields(mapping.properties, '').map((field) => `field "${field}" is a join`),
  ]
}

function joinFields(properties: Json | undefined, prefix: string): string[] {
  if (!isJsonObject(properties)) return []
  return Object.entries(properties).flatMap(([name, field]) => {
    if (!isJsonObject(field)) return []
    if (field.type === 'join') return [prefix + name]
    return joinFields(field.properties, `${prefix}${name}.`)
  })
}
