import { createHash } from 'node:crypto'
import type { SearchRequest } from './search-request.ts'

/** Requests that differ in values alone have one shape. */
export interface Shape {
  /** Hash of the template: 12 hex digits, the same in each run. */
  readonly key: string
  /** `POST /shop/_search {"query":{"match":{"name":"?"}}}`, keys in order, at most `templateLengthMost` characters. */
  readonly template: string
}

/**
 * Takes the values out of a request: numbers and texts become `?`, lists of them `["?"]`. What tells how something is
 * searched stays: names of fields, of aggregations and parameters, orders, types, intervals, scripts, and a size of 0.
 * Ids in the path and digits of index names go, so that the days of a log are one shape.
 */
export function shapeOf({ method, path, body }: SearchRequest): Shape {
  const mark = path.indexOf('?')
  const names = mark < 0 ? path : path.slice(0, mark)
  const query = mark < 0 ? '' : queryShape(path.slice(mark + 1))
  const parts = [`${method} ${pathShape(names)}${query}`]
  if (body !== undefined && body.trim() !== '') parts.push(bodyShape(body))
  const template = parts.join(' ')
  const key = createHash('sha256').update(template).digest('hex').slice(0, 12)
  return { key, template: shortened(template) }
}

const templateLengthMost = 2000

function shortened(template: string): string {
  if (template.length <= templateLengthMost) return template
  return `${template.slice(0, templateLengthMost - 1)}…`
}

/** APIs that name a document behind them: `/shop/_doc/1`, `/_search/scroll/DXF1…`. */
const beforeId = /\/(_doc|_source|_explain|_termvectors|scroll)\/[^/]+/g

function pathShape(path: string): string {
  return path.replace(beforeId, '/$1/?').replace(/\d+([-.]\d+)*/g, '?')
}

/** Parameters whose values tell how something is searched. */
const tellingParameters = new Set([
  ...['search_type', 'sort', 'default_operator', 'df', 'analyzer', '_source', 'stored_fields'],
  ...['track_total_hits', 'rest_total_hits_as_int', 'docvalue_fields', 'fields', 'typed_keys'],
])

function queryShape(query: string): string {
  const parts = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = ''] = part.split('=', 1)
      return tellingParameters.has(name) || part === name ? part : `${name}=?`
    })
  return parts.length === 0 ? '' : `?${parts.sort().join('&')}`
}

function bodyShape(body: string): string {
  const lines = body.trim().split('\n')
  const whole = parsed(body)
  if (whole !== undefined) return JSON.stringify(valueShape(whole, ''))
  const shapes = lines.map((line) => {
    const value = line.trim() === '' ? {} : parsed(line)
    return value === undefined ? '(no JSON)' : JSON.stringify(valueShape(value, ''))
  })
  return [...new Set(shapes)].join(' ')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Keys whose texts tell how something is searched. */
const tellingKeys = new Set([
  ...['field', 'fields', 'path', 'type', 'parent_type', 'child_type', 'index', 'sort', 'collapse'],
  ...['order', 'operator', 'default_operator', 'mode', 'score_mode', 'boost_mode', 'modifier'],
  ...['interval', 'calendar_interval', 'fixed_interval', 'format', 'time_zone', 'unit', 'lang'],
  ...['source', 'inline', 'script', '_source', 'includes', 'excludes', 'stored_fields'],
  ...['docvalue_fields', 'minimum_should_match', 'analyzer', 'fuzziness', 'rewrite'],
  ...['search_type', 'track_total_hits', 'zero_terms_query', 'default_field', 'buckets_path'],
  ...['numeric_type', 'relation', 'execution_hint', 'preference', 'suggest_mode'],
])

/** Clauses whose keys are names of fields, and the values what is looked for. */
const fieldClauses = new Set([
  ...['match', 'match_phrase', 'match_phrase_prefix', 'match_bool_prefix', 'common', 'text'],
  ...['term', 'prefix', 'wildcard', 'regexp', 'fuzzy', 'span_term'],
])

function valueShape(value: unknown, key: string, isTelling = tellingKeys.has(key)): unknown {
  if (Array.isArray(value)) return listShape(value, key, isTelling)
  if (typeof value === 'object' && value !== null) return objectShape(value, key)
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value === 'string') return isTelling ? value : '?'
  return key === 'size' && value === 0 ? 0 : '?'
}

function objectShape(value: object, key: string): unknown {
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const shapes = entries.map(([name, one]) => {
    // A list below `terms` is looked for, whatever the field is called; a text there belongs to an aggregation.
    const isValue = fieldClauses.has(key) || (key === 'terms' && Array.isArray(one))
    return [name, isValue ? valueShape(one, name, false) : valueShape(one, name)]
  })
  return Object.fromEntries(shapes)
}

/** Equal elements stand once. */
function listShape(values: readonly unknown[], key: string, isTelling: boolean): unknown[] {
  const shapes = new Map<string, unknown>()
  for (const value of values) {
    const shape = valueShape(value, key, isTelling)
    shapes.set(JSON.stringify(shape), shape)
  }
  return [...shapes.values()]
}
