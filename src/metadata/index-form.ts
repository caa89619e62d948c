/** One form of an index, whichever engine prints it: what two sides say in other words is no difference. */
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { matcher } from '../base/select.ts'
import { objectOf, textOf, without } from './json-objects.ts'
import { flattenSettings } from './settings.ts'

/** Settings flat and without those that a cluster gives to each index; mappings without what only says the default. */
export function indexForm(index: JsonObject): JsonObject {
  const settings = flattenSettings(objectOf(index.settings))
  const isForVectors = settings['index.knn'] === 'true'
  for (const [name, value] of Object.entries(settings)) {
    if (ofEachIndex(name) || (isForVectors && ofVectors[name] === value)) delete settings[name]
  }
  return {
    settings,
    mappings: mappingForm(objectOf(index.mappings), malformedOf(settings)),
    aliases: { ...objectOf(index.aliases) },
  }
}

const ofEachIndex = matcher([
  'index.uuid',
  'index.creation_date',
  'index.provided_name',
  'index.version.*',
  'index.replication.type',
])

/** What the plugin k-NN of OpenSearch 3 gives to each index with `index.knn` that says nothing else. */
const ofVectors: { readonly [setting: string]: string } = {
  'index.knn.derived_source.enabled': 'true',
  'index.merge.policy.floor_segment': '2mb',
  'index.merge.policy.max_merge_at_once': '10',
}

/** Without what only says the default, which engines leave out or write down; empty `properties` and `fields` among it. */
function mappingForm(mapping: JsonObject, malformed: string): JsonObject {
  const form: JsonObject = {}
  for (const [key, value] of Object.entries(mapping)) {
    if (isDefault(mapping, key)) continue
    if (key === 'ignore_malformed' && textOf(value) === malformed) continue
    if (key !== 'properties' && key !== 'fields') form[key] = valueForm(key, value, mapping.type)
    else if (isJsonObject(value) && Object.keys(value).length > 0)
      form[key] = fieldsForm(value, malformed)
  }
  return form
}

/** What engines print otherwise than it was sent. */
function valueForm(key: string, value: Json, type: Json | undefined): Json {
  if (key === 'fielddata_frequency_filter') return { ...frequencyDefaults, ...objectOf(value) }
  if (key === 'contexts') return contextsForm(value)
  if (type !== 'knn_vector') return value
  if (key === 'data_type') return textOf(value).toLowerCase()
  if (key === 'method') return methodForm(objectOf(value))
  return value
}

/** k-NN writes down that a method has no parameters. */
function methodForm(method: JsonObject): JsonObject {
  const hasNone = Object.keys(objectOf(method.parameters)).length === 0
  return hasNone ? without(method, ['parameters']) : method
}

/** What `ignore_malformed` is in a field that does not say. */
function malformedOf(settings: JsonObject): string {
  return textOf(settings['index.mapping.ignore_malformed'] ?? 'false')
}

const frequencyDefaults = { min_segment_size: 0, max: 2 ** 31 - 1 }

/** Those that have doc values unless they say otherwise; on Elasticsearch 1 they had to say so. */
const withDocValues = [
  ...['keyword', 'boolean', 'date', 'ip', 'geo_point'],
  ...['byte', 'short', 'integer', 'long', 'float', 'double', 'knn_vector'],
]

/** `[key, value, type]`: of fields of any type where none is named. */
const defaults: readonly (readonly [key: string, value: string, type?: string])[] = [
  ['type', 'object'],
  ['analyzer', 'default'],
  ['search_analyzer', 'default_search'],
  ['fielddata', 'false'],
  ['format', 'strict_date_optional_time||epoch_millis', 'date'],
  ['eager_global_ordinals', 'true', 'join'],
  ...withDocValues.map((type) => ['doc_values', 'true', type] as const),
]

function isDefault(field: JsonObject, key: string): boolean {
  return defaults.some(
    ([name, value, type]) =>
      name === key && textOf(field[key]) === value && (type ?? field.type) === field.type,
  )
}

/** Engines print the type of a context of completion in capital letters. */
function contextsForm(contexts: Json): Json {
  if (!Array.isArray(contexts)) return contexts
  return contexts.map(objectOf).map((one) => ({ ...one, type: textOf(one.type).toLowerCase() }))
}

/** A name with dots is a path of objects, as engines write it down. */
function fieldsForm(fields: JsonObject, malformed: string): JsonObject {
  const form: JsonObject = {}
  for (const [name, field] of Object.entries(fields)) {
    const path = name.split('.')
    let at = form
    for (const part of path.slice(0, -1)) {
      const object = objectOf(at[part])
      const properties = { ...objectOf(object.properties) }
      at[part] = { ...object, properties }
      at = properties
    }
    const last = path.at(-1)!
    const own = mappingForm(objectOf(field), malformed)
    const properties = { ...objectOf(objectOf(at[last]).properties), ...objectOf(own.properties) }
    at[last] = { ...own, ...(Object.keys(properties).length > 0 && { properties }) }
  }
  return form
}
