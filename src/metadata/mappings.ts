import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'

/** The mapping of an object of the target, which has one. */
export function onlyMapping(byType: { readonly [type: string]: JsonObject }): JsonObject {
  return Object.values(byType)[0] ?? {}
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
