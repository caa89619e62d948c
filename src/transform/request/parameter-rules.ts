import { anyVersion, done, elasticsearch, openSearch, type Done, type PathRule } from './rule.ts'
import type { RequestPath } from './request-path.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const isSearch = ({ api }: RequestPath): boolean => /^_(m?search|count)(\/|$)/.test(api)

/** Parameters that have another name or none. */
export const parameterRules: readonly PathRule[] = [
  {
    at: 'path',
    name: 'source-include',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'these parameters end in s since 7',
    link: `${es}/7.17/breaking-changes-7.0.html`,
    does: ({ query }) => {
      const include = query.rename('_source_include', '_source_includes')
      const exclude = query.rename('_source_exclude', '_source_excludes')
      return include || exclude ? done : false
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { line: 'GET /shop/item/1?_source_include=n,color&_source_exclude=color' },
        after: { line: 'GET /shop/_doc/1?_source_includes=n,color&_source_excludes=color' },
        fired: ['types-in-path', 'source-include'],
      },
    ],
  },
  {
    at: 'path',
    name: 'search-type',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'search types count, scan and …_and_fetch are gone since 5',
    link: `${es}/5.6/breaking_50_search_changes.html`,
    does: searchType,
    cases: [
      {
        on: '2.4 > 3.6',
        before: {
          line: 'POST /shop/_search?search_type=count',
          body: { query: { term: { color: 'red' } } },
        },
        after: {
          line: 'POST /shop/_search?rest_total_hits_as_int=true&size=0',
          body: { query: { term: { color: 'red' } } },
        },
        fired: ['exact-totals', 'search-type'],
      },
      {
        on: '2.4 > 3.6',
        before: { line: 'POST /shop/_search?search_type=scan&scroll=1m', body: {} },
        after: {
          line: 'POST /shop/_search?scroll=1m&rest_total_hits_as_int=true&sort=_doc',
          body: {},
        },
        fired: ['exact-totals', 'search-type'],
        untried: 'the first page of a scan has no hits',
      },
      {
        on: '1.7 > 3.6',
        before: { line: 'POST /shop/_search?search_type=dfs_query_and_fetch', body: {} },
        after: {
          line: 'POST /shop/_search?search_type=dfs_query_then_fetch&rest_total_hits_as_int=true',
          body: {},
        },
        fired: ['exact-totals', 'search-type'],
      },
    ],
  },
  {
    at: 'path',
    name: 'fields-parameter',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'fields are asked for in the body; a document is got with stored fields alone',
    link: `${es}/5.6/breaking_50_search_changes.html`,
    does: (path) => {
      const fields = path.query.get('fields')
      if (fields === undefined || path.api === '_field_caps' || path.api.startsWith('_termvector'))
        return false
      if (!isSearch(path)) {
        path.query.rename('fields', 'stored_fields')
        return {
          loses: 'meaning',
          note: 'only stored fields are given back; the source gave others, too',
        }
      }
      path.query.delete('fields')
      const { addToBody } = path
      const names = fields.split(',').filter((name) => name !== '' && name !== '_source')
      const _source = fields.split(',').includes('_source')
      path.addToBody = (body) => ({ ...(addToBody?.(body) ?? body), fields: names, _source })
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { line: 'POST /shop/_search?fields=n,color', body: { sort: ['n'], size: 5 } },
        after: {
          line: 'POST /shop/_search?rest_total_hits_as_int=true',
          body: { sort: ['n'], size: 5, fields: ['n', 'color'], _source: false },
        },
        fired: ['exact-totals', 'fields-parameter'],
      },
    ],
  },
  {
    at: 'path',
    name: 'query-cache',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'query_cache is called request_cache since 2',
    link: `${es}/5.6/breaking_50_search_changes.html`,
    does: ({ query }) => (query.rename('query_cache', 'request_cache') ? done : false),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { line: 'POST /shop/_search?query_cache=true', body: { size: 0 } },
        after: {
          line: 'POST /shop/_search?request_cache=true&rest_total_hits_as_int=true',
          body: { size: 0 },
        },
        fired: ['exact-totals', 'query-cache'],
      },
    ],
  },
  {
    at: 'path',
    name: 'preference-of-nodes',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'nodes of the source are none of the target, and the names of these preferences have changed',
    link: `${es}/5.6/breaking_50_search_changes.html`,
    does: ({ query }) =>
      /^_(prefer|only)_nodes?(:|$)/.test(query.get('preference') ?? '') &&
      query.delete('preference')
        ? done
        : false,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { line: 'POST /shop/_search?preference=_prefer_node:xyz', body: { size: 0 } },
        after: { line: 'POST /shop/_search?rest_total_hits_as_int=true', body: { size: 0 } },
        fired: ['exact-totals', 'preference-of-nodes'],
      },
    ],
  },
  {
    at: 'path',
    name: 'preference-of-nodes-by-name',
    source: elasticsearch({ from: '5' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'nodes of the source are none of the target',
    link: `${es}/7.17/search-search.html`,
    does: ({ query }) =>
      /^_(prefer|only)_nodes:/.test(query.get('preference') ?? '') && query.delete('preference')
        ? done
        : false,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { line: 'POST /shop/_search?preference=_prefer_nodes:xyz', body: { size: 0 } },
        after: { line: 'POST /shop/_search', body: { size: 0 } },
        without: 'same',
      },
    ],
  },
  {
    at: 'path',
    name: 'preference-primary',
    source: elasticsearch({ before: '7' }),
    target: openSearch({ before: '2' }),
    mentions: [],
    loses: 'nothing',
    why: 'OpenSearch 1 has no preference for primaries or replicas',
    link: `${es}/7.17/breaking-changes-7.0.html`,
    does: ({ query }) =>
      /^_(primary|replica)(_first)?$/.test(query.get('preference') ?? '') &&
      query.delete('preference')
        ? done
        : false,
    cases: [
      {
        on: '6.8 > 1.3',
        before: { line: 'POST /shop/_search?preference=_primary', body: { size: 0 } },
        after: { line: 'POST /shop/_search?rest_total_hits_as_int=true', body: { size: 0 } },
        fired: ['exact-totals', 'preference-primary'],
      },
    ],
  },
  {
    at: 'path',
    name: 'query-string-parameters',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'analysis decides about the case of what is expanded since 5',
    link: `${es}/5.6/breaking_50_search_changes.html`,
    does: ({ query }) => {
      const dropped = ['lowercase_expanded_terms', 'locale'].map((name) => query.delete(name))
      return dropped.includes(true) ? done : false
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { line: 'GET /shop/_search?q=name:SHO*&lowercase_expanded_terms=true' },
        after: { line: 'GET /shop/_search?q=name:SHO*&rest_total_hits_as_int=true' },
        fired: ['exact-totals', 'query-string-parameters'],
      },
    ],
  },
  {
    at: 'path',
    name: 'parameters-of-newer-sources',
    source: elasticsearch({ from: '7.11' }),
    target: anyVersion,
    mentions: [],
    loses: 'nothing',
    why: 'OpenSearch does not know these parameters, which change no answer',
    link: `${es}/8.19/search-search.html`,
    does: ({ query }) => {
      const dropped = [
        'min_compatible_shard_node',
        'force_synthetic_source',
        'include_named_queries_score',
      ].map((name) => query.delete(name))
      return dropped.includes(true) ? done : false
    },
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          line: 'POST /shop/_search?force_synthetic_source=false&size=1',
          body: { sort: ['n'] },
        },
        after: { line: 'POST /shop/_search?size=1', body: { sort: ['n'] } },
      },
    ],
  },
]

function searchType({ query }: RequestPath): Done | false {
  const type = query.get('search_type')
  if (type === 'count') {
    query.delete('search_type')
    query.set('size', '0')
    return done
  }
  if (type === 'scan') {
    query.delete('search_type')
    query.set('sort', '_doc')
    return {
      loses: 'meaning',
      note: 'a scan is a scroll in the order of the index; its first page has hits already',
    }
  }
  if (type !== 'query_and_fetch' && type !== 'dfs_query_and_fetch') return false
  query.set('search_type', type.replace('and', 'then'))
  return done
}
