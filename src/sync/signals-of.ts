import { bodyText, parseJson } from '../traffic/answered-items.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { CapturedRequest } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'
import { verdictOf, type AnsweredExchange } from './answered-exchange.ts'
import type { Signal } from './change.ts'
import { queryParameters } from './query-parameters.ts'

/** What requests other than those of single documents may have done. */
export function signalsOf(
  { request, parsed, response }: AnsweredExchange,
  bytesMax: number,
): readonly Signal[] {
  switch (parsed.effect) {
    case 'read':
    case 'cursor':
    case 'monitor':
    case 'upkeep':
      return request.mayWrite ? both(parsed, 'a request that was taken for a write') : []
    case 'by-query':
      return byQuerySignals({ request, parsed, response }, bytesMax)
    case 'indices':
      if (verdictOf(response?.status) === 'refused') return []
      return indexSignals(parsed)
    case 'cluster':
      if (verdictOf(response?.status) === 'refused' || apart.has(parsed.api)) return []
      return [{ what: 'metadata', indices: undefined, cause: parsed.api }]
    case 'unknown':
      if (verdictOf(response?.status) === 'refused') return []
      return both(parsed, `${request.method} of a path that is not known`)
    case 'documents':
      return []
  }
}

function both({ indices }: ParsedRequest, cause: string): Signal[] {
  return [
    { what: 'metadata', indices, cause },
    { what: 'documents', indices, cause },
  ]
}

/** APIs of the cluster that touch nothing of what is moved: neither indices nor what they are made of. */
const apart: ReadonlySet<string> = new Set([
  'search_pipeline',
  'logstash_pipeline',
  'reroute',
  'security',
  'watcher',
  'machine_learning',
  'monitoring',
  'fleet',
  'inference',
  'relevance',
  'profiling',
  'snapshot_lifecycle',
])

/** Refused before anything is carried out. With any other status a part of the documents may be changed. */
const refusedAtOnce: readonly number[] = [401, 405, 406, 415]

function byQuerySignals(
  { request, parsed, response }: AnsweredExchange,
  bytesMax: number,
): Signal[] {
  const { api } = parsed
  if (response !== undefined && refusedAtOnce.includes(response.status)) return []
  switch (api) {
    case 'delete_by_query':
    case 'update_by_query':
      return [{ what: 'documents', indices: parsed.indices, cause: api }]
    case 'reindex':
      // It makes the index that it writes to, where there is none.
      return both({ ...parsed, indices: destinationOf(request, bytesMax) }, api)
    case 'sql_plugin':
      return mayDelete(parsed, textOf(request, bytesMax))
        ? [{ what: 'documents', indices: undefined, cause: api }]
        : []
    default:
      return both({ ...parsed, indices: undefined }, api)
  }
}

function destinationOf(request: CapturedRequest, bytesMax: number): string[] | undefined {
  const body = parseJson(textOf(request, bytesMax) ?? '')
  const destination: Json | undefined = isJsonObject(body) ? body.dest : undefined
  const index = isJsonObject(destination) ? destination.index : undefined
  return typeof index === 'string' ? [index] : undefined
}

/** SQL that deletes says so, unless it is spelled with escapes or is not in the log. */
function mayDelete({ query }: ParsedRequest, body: string | undefined): boolean {
  const parameters = [...queryParameters(query).values()].join(' ')
  return body === undefined || /delete|\\u/i.test(`${parameters} ${body}`)
}

function textOf(request: CapturedRequest, bytesMax: number): string | undefined {
  const { body, bodyBytes, headers } = request
  if (body.length < bodyBytes) return undefined
  return bodyText({ body, encoding: headerValue(headers, 'content-encoding') }, bytesMax)
}

/** What they do changes which documents there are, too. */
const bringsDocuments: ReadonlySet<string> = new Set([
  'delete_index',
  'delete_mapping',
  'shrink',
  'split',
  'clone',
  'rollover',
  'downsample',
  'data_stream',
  'dangling',
  'restore',
  'follow',
  'ingestion',
])

/** What their paths name is all that they touch. */
const namedByPath: ReadonlySet<string> = new Set([
  'create_index',
  'delete_index',
  'delete_mapping',
  'open',
  'close',
  'block',
  'freeze',
  'put_mapping',
  'put_settings',
  'put_alias',
  'delete_alias',
  'shrink',
  'split',
  'clone',
  'index_lifecycle',
])

function indexSignals(parsed: ParsedRequest): Signal[] {
  const { api, indices, parts } = parsed
  const named =
    indices && namedByPath.has(api)
      ? [...indices, ...(parts.target === undefined ? [] : [parts.target])]
      : undefined
  const metadata: Signal = { what: 'metadata', indices: named, cause: api }
  return bringsDocuments.has(api)
    ? [metadata, { what: 'documents', indices: named, cause: api }]
    : [metadata]
}
