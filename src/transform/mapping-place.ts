import { isFields } from './field-place.ts'
import type { Fields, Mapping, Value } from './module.ts'
import { define } from './source-text.ts'

/** The `properties` that hold a field, and its name there; undefined where the mapping does not have the field. */
function placeOf(mapping: Mapping, path: string): { properties: Fields; name: string } | undefined {
  const properties = mapping['properties']
  if (!isFields(properties)) return undefined
  if (Object.hasOwn(properties, path)) return { properties, name: path }
  for (let end = path.indexOf('.'); end >= 0; end = path.indexOf('.', end + 1)) {
    const below = properties[path.slice(0, end)]
    const found = isFields(below) ? placeOf(below, path.slice(end + 1)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** Definition of a field; undefined where the mapping does not have it. */
export function definitionOf(mapping: Mapping, path: string): Value | undefined {
  const place = placeOf(mapping, path)
  return place?.properties[place.name]
}

export function removeDefinition(mapping: Mapping, path: string): void {
  const place = placeOf(mapping, path)
  if (place !== undefined) delete place.properties[place.name]
}

/** Gives a field a definition, with the objects above it. Throws Error where a field that is no object is above. */
export function setDefinition(mapping: Mapping, path: string, definition: Value): void {
  const place = placeOf(mapping, path)
  if (place !== undefined) {
    define(place.properties, place.name, definition)
    return
  }
  const names = path.split('.')
  let at: Fields = mapping
  for (const name of names.slice(0, -1)) {
    const properties = propertiesOf(at)
    const next: Value = (properties[name] ??= { properties: {} } as Fields)
    const type = isFields(next) ? (next['type'] ?? 'object') : undefined
    if (!isFields(next) || (type !== 'object' && type !== 'nested')) {
      throw new Error(
        `${path} cannot be mapped: ${name} is a field of type ${JSON.stringify(type)}`,
      )
    }
    at = next
  }
  define(propertiesOf(at), names.at(-1)!, definition)
}

function propertiesOf(at: Fields): Fields {
  const properties = (at['properties'] ??= {})
  return isFields(properties) ? properties : {}
}
