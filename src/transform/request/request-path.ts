import type { JsonObject } from '../../base/json.ts'

/**
 * Path and query string of a reading request, in parts that rules can change:
 *
 *     path  = "/" [ indices [ "/" type ] ] "/" api *( "/" segment )       /shop,logs-%2A/item/_search
 *           | "/" index "/" type "/" id [ "/" ( "_source" | "_explain" | "_termvectors" | "_termvector" | "_mlt" ) ]
 *           | "/" index "/" ( "_doc" | "_source" | "_explain" | "_termvectors" ) "/" id
 *     query = name [ "=" value ] *( "&" name [ "=" value ] )
 *
 * What stands between the slashes and in the query stays as it was sent unless a rule changes it.
 */
export interface RequestPath {
  readonly method: string
  /** As sent, apart at the commas and decoded; undefined: none is named. */
  indices: string[] | undefined
  /** Types of the source, decoded; undefined: none is named. */
  types: string[] | undefined
  /** The API and what stands behind it: `_search`, `_search/scroll`, `_validate/query`, `_doc` … */
  api: string
  /** Of a document: decoded. */
  id: string | undefined
  query: Parameters
  /** As sent; undefined: none. */
  body: string | undefined
  /** What the body becomes in the end; a request without one gets one. */
  addToBody?: (body: JsonObject) => JsonObject
}

/** The query string, in order; a value that is not changed is not encoded anew. */
export class Parameters {
  #pairs: { name: string; text: string }[]

  constructor(query: string) {
    this.#pairs = query
      .split('&')
      .filter((text) => text !== '')
      .map((text) => ({ name: decoded(text.split('=', 1)[0]!), text }))
  }

  has(name: string): boolean {
    return this.#pairs.some((pair) => pair.name === name)
  }

  /** Decoded; empty for a name without a value. */
  get(name: string): string | undefined {
    const text = this.#pairs.find((pair) => pair.name === name)?.text
    if (text === undefined) return undefined
    const at = text.indexOf('=')
    return at < 0 ? '' : decoded(text.slice(at + 1).replaceAll('+', ' '))
  }

  set(name: string, value: string): void {
    const text = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
    const found = this.#pairs.find((pair) => pair.name === name)
    if (found === undefined) this.#pairs.push({ name, text })
    else found.text = text
  }

  delete(name: string): boolean {
    const before = this.#pairs.length
    this.#pairs = this.#pairs.filter((pair) => pair.name !== name)
    return this.#pairs.length < before
  }

  rename(from: string, to: string): boolean {
    const value = this.get(from)
    if (value === undefined || this.has(to)) return false
    const pair = this.#pairs.find(({ name }) => name === from)!
    pair.name = to
    pair.text = `${to}=${encodeURIComponent(value).replaceAll('%2C', ',')}`
    return true
  }

  toString(): string {
    return this.#pairs.map(({ text }) => text).join('&')
  }
}

/** APIs behind which the id of a document stands. */
const documentApis = new Set(['_doc', '_source', '_explain', '_termvectors', '_create', '_update'])
/** Words behind a typed id: `/shop/item/1/_source`. */
const behindId = new Set(['_source', '_explain', '_termvectors', '_termvector', '_mlt'])

/**
 * Reads the parts of a path as an engine reads it that has types (`typed`: Elasticsearch below 8 and OpenSearch 1), or has
 * none. Undefined for a path without indices and API (`/`), and for one whose parts are not known here.
 */
export function parsePath(
  { method, path, body }: { method: string; path: string; body?: string },
  typed: boolean,
): RequestPath | undefined {
  const mark = path.indexOf('?')
  const segments = (mark < 0 ? path : path.slice(0, mark)).split('/').filter((one) => one !== '')
  const query = new Parameters(mark < 0 ? '' : path.slice(mark + 1))
  const parts = partsOf(segments, typed)
  const none = { types: undefined, id: undefined, indices: undefined }
  return parts && { method, query, body, ...none, ...parts }
}

function partsOf(
  segments: readonly string[],
  typed: boolean,
): (Partial<RequestPath> & { api: string }) | undefined {
  const [first, second, third, ...rest] = segments
  if (first === undefined) return undefined
  if (isApi(first)) return { api: segments.join('/') }
  const indices = listOf(first)
  if (second === undefined) return undefined
  if (documentApis.has(second) && third !== undefined && !isApi(third) && rest.length === 0) {
    return { indices, api: second, id: decoded(third) }
  }
  if (
    typed &&
    documentApis.has(second) &&
    third !== undefined &&
    rest.length === 1 &&
    behindId.has(rest[0]!)
  ) {
    return { indices, types: [second], api: rest[0]!, id: decoded(third) }
  }
  if (isApi(second) && !(typed && second === '_doc' && third !== undefined) && second !== '_all') {
    return { indices, api: segments.slice(1).join('/') }
  }
  return typed ? typedParts(indices, listOf(second), segments.slice(2)) : undefined
}

function typedParts(
  indices: string[],
  types: string[],
  [first, second, ...rest]: readonly string[],
): (Partial<RequestPath> & { api: string }) | undefined {
  if (first === undefined) return undefined
  if (isApi(first))
    return {
      indices,
      types,
      api: [first, second, ...rest].filter((one) => one !== undefined).join('/'),
    }
  if (second === undefined) return { indices, types, api: '_doc', id: decoded(first) }
  if (rest.length > 0 || !behindId.has(second)) return undefined
  return { indices, types, api: second, id: decoded(first) }
}

function isApi(segment: string): boolean {
  return segment.startsWith('_') && segment !== '_all'
}

function listOf(segment: string): string[] {
  return decoded(segment)
    .split(',')
    .filter((one) => one !== '')
}

function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Writes the parts; types that no rule took out stand where they stood. */
export function printPath({ indices, types, api, id, query }: RequestPath): string {
  const segments: string[] = []
  if (indices !== undefined) segments.push(printList(indices))
  if (types !== undefined) segments.push(printList(types))
  const isTypedId = types !== undefined && id !== undefined
  if (isTypedId) segments.push(encodeURIComponent(id), ...(api === '_doc' ? [] : [api]))
  else segments.push(api, ...(id === undefined ? [] : [encodeURIComponent(id)]))
  const parameters = query.toString()
  return `/${segments.join('/')}${parameters === '' ? '' : `?${parameters}`}`
}

function printList(names: readonly string[]): string {
  // The comma apart, date math in names (`<logs-{now/d}>`) must be encoded.
  return names.map((name) => encodeURIComponent(name).replaceAll('%2A', '*')).join(',')
}
