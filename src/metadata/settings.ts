import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import { settingText } from '../cluster/settings.ts'

/** Settings by full name (`index.…`); a value is text, or a list of texts. */
export type FlatSettings = { [name: string]: Json }

/**
 * Brings settings to full flat names, however nested they come: `{ index: { refresh_interval: 5 } }` and
 * `{ 'index.refresh_interval': '5' }` mean the same. Numbers and booleans become text; lists are lists, also where they
 * come as `.0`, `.1` ….
 */
export function flattenSettings(settings: JsonObject): FlatSettings {
  const flat: FlatSettings = {}
  const walk = (object: JsonObject, prefix: string): void => {
    for (const [key, value] of Object.entries(object)) {
      const name = prefix === '' ? key : `${prefix}.${key}`
      if (isJsonObject(value)) walk(value, name)
      else if (value !== null) flat[fullName(name)] = plainValue(value)
    }
  }
  walk(settings, '')
  return withLists(flat)
}

/** Engines before 6 write a list as `filter.0`, `filter.1` …, which newer ones do not read as one. */
function withLists(flat: FlatSettings): FlatSettings {
  const numbered = Object.keys(flat).filter((name) => name.endsWith('.0'))
  for (const first of numbered) {
    const base = first.slice(0, -'.0'.length)
    if (base in flat) continue
    const list: Json[] = []
    for (let name = first; name in flat; name = `${base}.${list.length}`) {
      list.push(flat[name]!)
      delete flat[name]
    }
    flat[base] = list
  }
  return flat
}

function fullName(name: string): string {
  return name.startsWith('index.') || name.startsWith('opendistro.') ? name : `index.${name}`
}

function plainValue(value: Json): Json {
  if (Array.isArray(value)) return value.map(settingText)
  return settingText(value)
}
