import { isJsonObject, type Json } from '../../base/json.ts'
import type { AskedSearch } from './answer-difference.ts'
import { isObject, own } from './answer-value.ts'
import { parseAnswer, type SearchRequest } from './search-request.ts'

/** The searches of a request; undefined in the place of one that is not understood. Empty: it is no search. */
export function askedSearches({
  path,
  body,
}: Pick<SearchRequest, 'path' | 'body'>): (AskedSearch | undefined)[] {
  const mark = path.indexOf('?')
  const names = (mark < 0 ? path : path.slice(0, mark)).split('/')
  const parameters = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1))
  if (names.includes('_msearch')) return searchLines(body ?? '').map((line) => asked(line))
  if (names.at(-1) === 'scroll' || names.at(-2) === 'scroll')
    return [{ startsLater: true, estimates: new Set() }]
  if (!names.includes('_search')) return []
  const search = body === undefined || body.trim() === '' ? {} : parseAnswer(body)
  return [isObject(search) ? asked({ ...search, ...ofParameters(parameters) }) : undefined]
}

/** msearch = *(header LF search LF) */
function searchLines(body: string): unknown[] {
  const lines = body.split('\n')
  while (lines.at(-1)?.trim() === '') lines.pop()
  return lines.filter((_, i) => i % 2 === 1).map(parseAnswer)
}

/** Parameters win over the body. */
function ofParameters(parameters: URLSearchParams): { from?: number; sort?: Json } {
  const from = parameters.get('from')
  const sort = parameters.get('sort')
  return {
    ...(from !== null && { from: Number(from) }),
    ...(sort !== null && { sort: sort.split(',').map((one) => one.split(':')[0]!) }),
  }
}

function asked(search: unknown): AskedSearch | undefined {
  if (!isObject(search)) return undefined
  const sort = own(search, 'sort')
  const estimates = new Set<string>()
  collectEstimates(own(search, 'aggregations') ?? own(search, 'aggs'), '', estimates)
  return {
    startsLater: Number(own(search, 'from') ?? 0) > 0 || own(search, 'search_after') !== undefined,
    ...(sort !== undefined && { sort: (Array.isArray(sort) ? sort : [sort]).map(sortKind) }),
    estimates,
  }
}

/** sort = "field" | { "field": order } */
function sortKind(one: unknown): 'score' | 'place' | 'value' {
  const name = isJsonObject(one) ? Object.keys(one)[0] : one
  if (name === '_score') return 'score'
  return name === '_doc' || name === '_shard_doc' ? 'place' : 'value'
}

const estimated = [
  ...['cardinality', 'percentiles', 'percentile_ranks', 'median_absolute_deviation'],
  ...['boxplot', 'significant_terms', 'significant_text', 'rare_terms', 'variable_width_histogram'],
]

function collectEstimates(aggregations: unknown, above: string, found: Set<string>): void {
  if (!isObject(aggregations)) return
  for (const [name, one] of Object.entries(aggregations)) {
    const path = above === '' ? name : `${above}>${name}`
    if (estimated.some((type) => own(one, type) !== undefined)) found.add(path)
    collectEstimates(own(one, 'aggregations') ?? own(one, 'aggs'), path, found)
  }
}
