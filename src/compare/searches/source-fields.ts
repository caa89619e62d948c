import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Cluster } from '../../cluster/cluster.ts'

/** How a field can be asked for. */
export type FieldForm = 'text' | 'keyword' | 'number' | 'date' | 'boolean'

/** A field of an index that can be searched, and some of the values that its documents have. */
export interface SearchField {
  readonly name: string
  readonly form: FieldForm
  readonly values: readonly (string | number | boolean)[]
}

export interface SearchableIndex {
  readonly name: string
  /** Those with values alone. */
  readonly fields: readonly SearchField[]
}

const documentsSampled = 100
const valuesMost = 50
const fieldsMost = 200
const valueLengthMost = 200

/**
 * What can be asked of an index of the source: the fields of its mapping (those within `nested` left out, which need a
 * clause of their own) with values from a few of its documents. Undefined where nothing can be asked: it is closed, has no
 * documents, or keeps no `_source`.
 */
export async function searchableIndex(
  source: Cluster,
  name: string,
  signal: AbortSignal,
): Promise<SearchableIndex | undefined> {
  const path = `/${encodeURIComponent(name)}`
  const accept = [400, 403, 404, 409]
  const mapping = await source.request('GET', `${path}/_mapping`, { signal, accept })
  const search = await source.request('POST', `${path}/_search`, {
    body: { size: documentsSampled },
    ...{ signal, accept, repeatable: true },
  })
  if (mapping.status !== 200 || search.status !== 200) return undefined
  const documents = sourcesOf(search.body)
  const forms = new Map<string, { form: FieldForm; path: string }>()
  for (const properties of propertiesOf(mapping.body)) collectFields(properties, '', forms)
  const fields = [...forms].flatMap(([field, { form, path: place }]) => {
    const values = documents
      .flatMap((document) => valuesAt(document, place.split('.')))
      .filter(isAskable)
    const distinct = [...new Set(values)].slice(0, valuesMost)
    return distinct.length === 0 ? [] : [{ name: field, form, values: distinct }]
  })
  return fields.length === 0 ? undefined : { name, fields: fields.slice(0, fieldsMost) }
}

function sourcesOf(body: JsonObject): JsonObject[] {
  const hits = isJsonObject(body.hits) ? body.hits.hits : undefined
  if (!Array.isArray(hits)) return []
  return hits.flatMap((hit) =>
    isJsonObject(hit) && isJsonObject(hit._source) ? [hit._source] : [],
  )
}

/** `{ index: { mappings: { properties } } }`, before 7 with a name of a type in between. */
function propertiesOf(body: JsonObject): JsonObject[] {
  return Object.values(body).flatMap((index) => {
    const mappings = isJsonObject(index) ? index.mappings : undefined
    if (!isJsonObject(mappings)) return []
    const roots = isJsonObject(mappings.properties) ? [mappings] : Object.values(mappings)
    return roots.flatMap((root) =>
      isJsonObject(root) && isJsonObject(root.properties) ? [root.properties] : [],
    )
  })
}

type Forms = Map<string, { form: FieldForm; path: string }>

/** `path` is where the value stands in a document: a multi-field has that of the field it belongs to. */
function collectFields(properties: JsonObject, prefix: string, into: Forms): void {
  for (const [key, value] of Object.entries(properties)) {
    if (!isJsonObject(value) || value.type === 'nested') continue
    const name = `${prefix}${key}`
    add(into, { name, path: name, mapping: value })
    if (isJsonObject(value.properties)) collectFields(value.properties, `${name}.`, into)
    if (!isJsonObject(value.fields)) continue
    for (const [sub, mapping] of Object.entries(value.fields)) {
      if (isJsonObject(mapping)) add(into, { name: `${name}.${sub}`, path: name, mapping })
    }
  }
}

function add(into: Forms, field: { name: string; path: string; mapping: JsonObject }): void {
  const form = formOf(field.mapping)
  if (form !== undefined) into.set(field.name, { form, path: field.path })
}

const numbers = [
  'long',
  'integer',
  'short',
  'byte',
  'double',
  'float',
  'half_float',
  'scaled_float',
  'unsigned_long',
]

function formOf({ type, index, doc_values: docValues }: JsonObject): FieldForm | undefined {
  if (index === false || index === 'no' || docValues === false) return undefined
  if (type === 'string') return index === 'not_analyzed' ? 'keyword' : 'text'
  if (type === 'text' || type === 'match_only_text') return 'text'
  if (type === 'keyword' || type === 'date' || type === 'boolean') return type
  return numbers.includes(type as string) ? 'number' : undefined
}

function valuesAt(value: Json | undefined, path: readonly string[]): Json[] {
  if (Array.isArray(value)) return value.flatMap((one) => valuesAt(one, path))
  if (value === undefined || value === null) return []
  if (path.length === 0) return [value]
  if (!isJsonObject(value)) return []
  // A name with dots may stand as it is, or as objects one in the other.
  for (let count = path.length; count > 0; count--) {
    const found = valuesAt(value[path.slice(0, count).join('.')], path.slice(count))
    if (found.length > 0) return found
  }
  return []
}

function isAskable(value: Json): value is string | number | boolean {
  if (typeof value === 'string') return value.trim() !== '' && value.length <= valueLengthMost
  return typeof value === 'number' || typeof value === 'boolean'
}
