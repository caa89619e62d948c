import type { JsonObject } from '../../base/json.ts'
import type { RequestPath } from './request-path.ts'
import {
  anyVersion,
  done,
  elasticsearch,
  openSearch,
  type Done,
  type PathRule,
  type RuleContext,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const withTypes = elasticsearch({ before: '8' })

/** What the path names, and the APIs that have another name or none. */
export const pathRules: readonly PathRule[] = [
  {
    at: 'path',
    name: 'renamed-index',
    source: anyVersion,
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'the index has another name on the target',
    link: 'https://docs.opensearch.org/latest/api-reference/search-apis/search/',
    does: renamed,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { line: 'POST /old,other/_search', body: {} },
        after: { line: 'POST /new,other/_search', body: {} },
        untried: 'nothing is renamed where engines are asked',
      },
    ],
  },
  {
    at: 'path',
    name: 'types-in-path',
    source: withTypes,
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'OpenSearch has no mapping types, and takes what stands in their place for something else',
    link: `${es}/7.17/removal-of-types.html`,
    does: withoutTypes,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { line: 'POST /shop/item/_search', body: { size: 3, sort: ['n'] } },
        after: {
          line: 'POST /shop/_search?rest_total_hits_as_int=true',
          body: { size: 3, sort: ['n'] },
        },
        fired: ['types-in-path', 'exact-totals'],
      },
      {
        on: '7.10 > 3.6',
        before: { line: 'GET /shop/_doc/_count' },
        after: { line: 'GET /shop/_count' },
      },
      {
        on: '6.8 > 3.6',
        before: { line: 'GET /shop/item/1' },
        after: { line: 'GET /shop/_doc/1' },
      },
      {
        on: '6.8 > 3.6',
        before: { line: 'GET /shop/item/1/_source' },
        after: { line: 'GET /shop/_source/1' },
      },
      {
        on: '6.8 > 3.6',
        before: { line: 'GET /shop/item/_mget', body: { ids: ['1', '2'] } },
        after: { line: 'GET /shop/_mget', body: { ids: ['1', '2'] } },
      },
      {
        on: '6.8 > 3.6',
        before: { line: 'GET /shop/item/1/_explain', body: { query: { term: { color: 'blue' } } } },
        after: { line: 'GET /shop/_explain/1', body: { query: { term: { color: 'blue' } } } },
        untried: 'explanations say what Lucene did',
      },
      {
        on: '7.10 > 3.6',
        before: { line: 'GET /shop/_doc/1' },
        after: { line: 'GET /shop/_doc/1' },
        fired: [],
        without: 'same',
      },
    ],
  },
  {
    at: 'path',
    name: 'suggest-api',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'suggestions are a part of _search since 6',
    link: `${es}/6.8/breaking_60_search_changes.html`,
    does: (path) => {
      if (path.api !== '_suggest') return false
      path.api = '_search'
      path.addToBody = (body) => ({ size: 0, suggest: body })
      return done
    },
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          line: 'POST /shop/_suggest',
          body: { s: { text: 'shoo', term: { field: 'name' } } },
        },
        after: {
          line: 'POST /shop/_search?rest_total_hits_as_int=true',
          body: { size: 0, suggest: { s: { text: 'shoo', term: { field: 'name' } } } },
        },
        fired: ['suggest-api', 'exact-totals'],
      },
    ],
  },
  {
    at: 'path',
    name: 'search-exists-api',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'whether there is a hit is asked by a search that ends at the first one',
    link: `${es}/5.6/breaking_50_search_changes.html`,
    does: (path) => {
      if (path.api !== '_search/exists') return false
      path.api = '_search'
      path.query.set('size', '0')
      path.query.set('terminate_after', '1')
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { line: 'POST /shop/_search/exists', body: { query: { term: { n: 1 } } } },
        after: {
          line: 'POST /shop/_search?size=0&terminate_after=1&rest_total_hits_as_int=true',
          body: { query: { term: { n: 1 } } },
        },
        fired: ['search-exists-api', 'exact-totals'],
        untried: 'the answers have different forms',
      },
    ],
  },
  {
    at: 'path',
    name: 'exact-totals',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'hits.total is an object since 7, and counts no further than 10,000 unless asked to',
    link: `${es}/7.17/breaking-changes-7.0.html#hits-total-now-object-search-response`,
    does: ({ api, query }) => {
      if (!/^_m?search(\/template|\/scroll(\/.*)?)?$/.test(api)) return false
      if (query.has('rest_total_hits_as_int')) return false
      query.set('rest_total_hits_as_int', 'true')
      return done
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { line: 'POST /shop/_search', body: { size: 0 } },
        after: { line: 'POST /shop/_search?rest_total_hits_as_int=true', body: { size: 0 } },
        without: 'same',
      },
    ],
  },
  {
    at: 'path',
    name: 'point-in-time-api',
    source: elasticsearch({ from: '7.10' }),
    target: openSearch({ from: '2.4' }),
    mentions: [],
    loses: 'nothing',
    why: 'the API of points in time has another name',
    link: 'https://docs.opensearch.org/latest/search-plugins/searching-data/point-in-time-api/',
    does: (path) => {
      if (path.api !== '_pit') return false
      path.api = '_search/point_in_time'
      path.body = path.body?.replace(/^\s*\{\s*"id"\s*:/, '{"pit_id":')
      return done
    },
    cases: [
      {
        on: '7.10 > 3.6',
        before: { line: 'POST /shop/_pit?keep_alive=1m' },
        after: { line: 'POST /shop/_search/point_in_time?keep_alive=1m' },
        untried: 'the archives without the commercial modules have no points in time',
      },
      {
        on: '8.19 > 3.6',
        before: { line: 'DELETE /_pit', body: { id: 'a' } },
        after: { line: 'DELETE /_search/point_in_time', body: { pit_id: 'a' } },
        untried: 'ids belong to the cluster that made them',
      },
    ],
  },
  {
    at: 'path',
    name: 'scroll-id-as-text',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'the id of a scroll is JSON since 6, and was plain text',
    link: `${es}/6.8/breaking_60_rest_changes.html`,
    does: (path) => {
      const text = path.body?.trim() ?? ''
      if (path.api !== '_search/scroll' || text === '' || text.startsWith('{')) return false
      const isList = path.method === 'DELETE'
      path.body = JSON.stringify({ scroll_id: isList ? text.split(',') : text })
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { line: 'POST /_search/scroll?scroll=1m', body: 'cXVlcnk=' },
        after: {
          line: 'POST /_search/scroll?scroll=1m&rest_total_hits_as_int=true',
          body: { scroll_id: 'cXVlcnk=' },
        },
        fired: ['exact-totals', 'scroll-id-as-text'],
        untried: 'ids belong to the cluster that made them',
      },
    ],
  },
  {
    at: 'path',
    name: 'no-such-api',
    source: elasticsearch(),
    target: anyVersion,
    mentions: [],
    loses: 'cannot',
    why: 'OpenSearch has no such API',
    link: 'https://docs.opensearch.org/latest/api-reference/',
    does: ({ api }) => (missingApis.test(api) ? done : false),
    cases: [
      {
        on: '8.19 > 3.6',
        before: { line: 'POST /shop/_terms_enum', body: { field: 'color', string: 'r' } },
        after: { line: 'POST /shop/_terms_enum', body: { field: 'color', string: 'r' } },
        untried: 'the archives without the commercial modules have no such API either',
      },
    ],
  },
]

const missingApis =
  /^_(terms_enum|knn_search|async_search|eql|graph|xpack|sql|query|field_stats|percolate|mpercolate|mlt|rollup_search|mvt|fleet|semantic_search|application)(\/|$)/

/** APIs whose name stands in the place of the type. */
function withoutTypes(path: RequestPath, context: RuleContext): Done | false {
  const { types, indices } = path
  if (types === undefined) return false
  path.types = undefined
  if (path.api === '_termvector') path.api = '_termvectors'
  const parent = path.query.get('parent')
  if (parent !== undefined) path.query.rename('parent', 'routing')
  const named = types.includes('_all') ? undefined : types
  const places = (indices ?? []).map((index) => context.placeOf(index, named))
  path.indices = indices?.flatMap((index, at) => places[at]?.indices ?? [index])
  const typed = places.find((place) => place?.type !== undefined)?.type
  if (typed === undefined || named === undefined) {
    return places.some((place) => place?.holdsOthers)
      ? {
          loses: 'meaning',
          note: 'the target holds documents of other types in the same index, and they are found as well',
        }
      : done
  }
  if (path.id !== undefined) {
    path.id = `${typed.values[0]}#${path.id}`
    return done
  }
  if (path.query.has('q')) {
    return {
      loses: 'meaning',
      note: `documents of all types are found: put the type (${typed.field}) into the query`,
    }
  }
  path.addToBody = (body) => withFilter(body, { terms: { [typed.field]: [...typed.values] } })
  return done
}

function withFilter(body: JsonObject, filter: JsonObject): JsonObject {
  return { ...body, query: { bool: { must: [body.query ?? { match_all: {} }], filter: [filter] } } }
}

/** Where types are named they decide about the index, too (withoutTypes). */
function renamed(path: RequestPath, context: RuleContext): Done | false {
  const before = path.indices
  if (before === undefined || path.types !== undefined) return false
  const after = before.flatMap((index) => context.placeOf(index, undefined)?.indices ?? [index])
  path.indices = [...new Set(after)]
  return path.indices.join(',') === before.join(',') ? false : done
}
