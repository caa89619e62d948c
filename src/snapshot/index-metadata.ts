import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import { Fields } from './fields.ts'
import { parseContent } from './metadata-blob.ts'
import type { IndexMetadata } from './snapshot.ts'

/**
 * The metadata of one index, meta-<id>.dat, specified in Elasticsearch's IndexMetadata (snapshot context):
 *
 *   { <index name>: { state: "open" | "close", routing_num_shards, primary_terms: [number], settings: { <flat name>: text | [text] },
 *                     mappings: [{ <type>: {...} } | compressed bytes], aliases: { <name>: {...} }, ... } }
 */
export function parseIndexMetadata(json: Json, file: string, index: string): IndexMetadata {
  const root = new Fields(file, '', json)
  // The root of the repository has no checksum; this blob has one, so its name counts.
  if (!root.has(index))
    throw root.wrong(index, `metadata of index ${index}`, Object.keys(json ?? {}))
  const fields = root.fields(index)
  const settings = parseSettings(fields.fields('settings'))
  const numberOfShards = numberSetting(fields, settings, 'index.number_of_shards', undefined)
  return {
    name: index,
    uuid: textSetting(fields, settings, 'index.uuid'),
    createdVersion: numberSetting(fields, settings, 'index.version.created', undefined),
    numberOfShards,
    // Absent before it existed: then the index could not be split and both were the same.
    numberOfRoutingShards: fields.optionalCount('routing_num_shards') ?? numberOfShards,
    routingPartitionSize: numberSetting(fields, settings, 'index.routing_partition_size', 1),
    state: parseState(fields),
    ...parsePrimaryTerms(fields),
    ...parseApart(fields, settings),
    settings,
    mappings: parseMappings(fields.object['mappings'] ?? [], fields),
    aliases: parseObjects(fields, 'aliases'),
  }
}

function parseState(fields: Fields): 'open' | 'close' {
  const state = fields.text('state')
  if (state !== 'open' && state !== 'close') throw fields.wrong('state', 'open or close', state)
  return state
}

/** By shard; there since 5.0. */
function parsePrimaryTerms(fields: Fields): Pick<IndexMetadata, 'primaryTerms'> {
  const terms = fields.object['primary_terms']
  if (!Array.isArray(terms)) return {}
  const primaryTerms = terms.filter((term) => typeof term === 'number')
  return primaryTerms.length === terms.length ? { primaryTerms } : {}
}

function parseApart(fields: Fields, settings: Settings): Pick<IndexMetadata, 'apart'> {
  if (fields.object['system'] === true) return { apart: 'system' }
  return settings['index.hidden'] === 'true' ? { apart: 'hidden' } : {}
}

type Settings = { [name: string]: string | string[] }

function parseSettings(fields: Fields): Settings {
  const entries: [string, string | string[]][] = []
  for (const [name, value] of Object.entries(fields.object)) {
    if (value === null) continue
    if (Array.isArray(value))
      entries.push([name, value.map((item) => settingText(fields, name, item))])
    else entries.push([name, settingText(fields, name, value)])
  }
  return Object.fromEntries(entries)
}

function settingText(fields: Fields, name: string, value: Json): string {
  if (typeof value === 'object') throw fields.wrong(name, 'a text or a list of texts', value)
  return String(value)
}

function textSetting(fields: Fields, settings: Settings, name: string): string {
  const value = Object.hasOwn(settings, name) ? settings[name] : undefined
  if (typeof value !== 'string') throw fields.wrong(`settings.${name}`, 'a text', value)
  return value
}

function numberSetting(
  fields: Fields,
  settings: Settings,
  name: string,
  absent: number | undefined,
): number {
  if (absent !== undefined && !Object.hasOwn(settings, name)) return absent
  const text = textSetting(fields, settings, name)
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw fields.wrong(`settings.${name}`, 'a number', text)
  }
  return value
}

/**
 * Mappings by type name. The engines write a list with one object a type, or, with the `binary` parameter, the same
 * as compressed bytes.
 */
export function parseMappings(value: Json, fields: Fields): { [type: string]: JsonObject } {
  const list = Array.isArray(value) ? value : [value]
  const mappings: [string, JsonObject][] = []
  for (const item of list) {
    const object =
      typeof item === 'string'
        ? parseContent(Buffer.from(item, 'base64'), `${fields.file} ${fields.at('mappings')}`)
        : item
    if (!isJsonObject(object)) throw fields.wrong('mappings', 'mappings by type', object)
    for (const [type, mapping] of Object.entries(object)) {
      if (!isJsonObject(mapping)) throw fields.wrong(`mappings.${type}`, 'a mapping', mapping)
      mappings.push([type, mapping])
    }
  }
  return Object.fromEntries(mappings)
}

/** An object of objects; empty where it is absent. */
export function parseObjects(fields: Fields, name: string): { [name: string]: JsonObject } {
  if (!fields.has(name)) return {}
  const inner = fields.fields(name)
  return Object.fromEntries(Object.keys(inner.object).map((key) => [key, inner.fields(key).object]))
}
