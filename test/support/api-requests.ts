/** Requests of every API (test/fixtures/api/requests.txt), in a form that a real engine carries out. */
import { readFileSync } from 'node:fs'

export interface ApiRequest {
  readonly method: string
  readonly target: string
  readonly body?: string
}

const file = new URL('../fixtures/api/requests.txt', import.meta.url)

/** All of them, with the names of the fixture: index `i`, type `t`, id `1`, and `x` for everything else. */
export function apiRequests(): ApiRequest[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(' '))
    .flatMap((line) => {
      const [methods = '', target = ''] = line.trim().split(' ')
      return methods.split('|').map((method) => requestOf(method, target))
    })
}

function requestOf(method: string, target: string): ApiRequest {
  const body = method === 'GET' || method === 'DELETE' ? readBody(target) : bodyOf(target)
  return body === undefined ? { method, target } : { method, target, body }
}

/** What a request must hold that the engine looks at more than its path. */
const bodies: readonly [RegExp, string][] = [
  [/\/_bulk/, '{"index":{"_index":"i","_id":"b"}}\n{"n":1}\n'],
  [/\/_msearch\/template$/, '{"index":"i"}\n{"source":{"query":{"match_all":{}}}}\n'],
  [/_msearch$/, '{"index":"i"}\n{"query":{"match_all":{}}}\n'],
  [/\/_search\/template$/, '{"source":{"query":{"match_all":{}}}}'],
  [/\/_render\/template/, '{"source":{"query":{"match_all":{}}}}'],
  [/\/_search\/scroll/, '{"scroll_id":"x"}'],
  [
    /\/_simulate/,
    '{"docs":[{"_index":"i","_id":"s","_source":{"n":1}}],"pipeline":{"processors":[]}}',
  ],
  [/\/_mget$/, '{"docs":[{"_index":"i","_id":"1"}]}'],
  [/\/_mtermvectors$/, '{"docs":[{"_index":"i","_id":"1"}]}'],
  [/\/_analyze$/, '{"text":"a b"}'],
  [
    /\/_rank_eval$/,
    '{"requests":[{"id":"a","request":{"query":{"match_all":{}}},"ratings":[]}],"metric":{"precision":{}}}',
  ],
  [/\/_scripts\/painless\/_execute$/, '{"script":{"source":"1"}}'],
  [/\/_scripts\//, '{"script":{"lang":"painless","source":"1"}}'],
  [/\/_search\/template\//, '{"template":{"query":{"match_all":{}}}}'],
  [/\/_(delete|update)_by_query$/, '{"query":{"match_all":{}}}'],
  [/\/_reindex$/, '{"source":{"index":"i"},"dest":{"index":"reindexed"}}'],
  [/\/_update(\/|$)/, '{"doc":{"n":2}}'],
  [/\/_index_template\//, '{"index_patterns":["nothing-*"]}'],
  [/\/_component_template\//, '{"template":{}}'],
  [/\/_template\//, '{"index_patterns":["nothing-*"]}'],
  [/\/_ingest\/pipeline\//, '{"processors":[]}'],
  [/\/_mappings?(\/|$)/, '{"properties":{"made":{"type":"keyword"}}}'],
  [/\/_cluster\/settings$/, '{"transient":{"indices.recovery.max_bytes_per_sec":"41mb"}}'],
  [/\/_settings$/, '{"index":{"refresh_interval":"7s"}}'],
  [/\/_aliases$/, '{"actions":[{"add":{"index":"i","alias":"made"}}]}'],
  [/\/_alias(es)?\//, '{}'],
  [/\/_(shrink|split|clone)\//, '{}'],
  [/\/_snapshot\/x$/, '{"type":"fs","settings":{"location":"x"}}'],
  [/\/_cluster\/reroute$/, '{"commands":[]}'],
  [/\/_search$|\/_count$|\/_explain|\/_validate/, '{"query":{"match_all":{}}}'],
  [/\/_(doc|create)(\/|$)/, '{"n":1}'],
  [/^\/i\/t/, '{"n":1}'],
]

function bodyOf(target: string): string {
  return bodies.find(([pattern]) => pattern.test(target))?.[1] ?? '{}'
}

function readBody(target: string): string | undefined {
  return /_msearch|_mget|_mtermvectors|_analyze|_rank_eval|_search|_simulate|_execute|_render|_bulk/.test(
    target,
  )
    ? bodyOf(target)
    : undefined
}
