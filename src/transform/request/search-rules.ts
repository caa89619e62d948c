import { geo } from './query-parameter-rules.ts'
import {
  anyVersion,
  done,
  dropKeys,
  elasticsearch,
  renameKey,
  replaceKey,
  textOf,
  type BodyRule,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const search5 = `${es}/5.6/breaking_50_search_changes.html`
const search6 = `${es}/6.8/breaking_60_search_changes.html`

/** The root of a search, and what stands directly in it. */
export const searchRules: readonly BodyRule[] = [
  {
    at: 'search',
    name: 'fields-of-search',
    ...about(elasticsearch({ before: '5' }), ['"fields"'], search5),
    why: 'fields comes from _source or what is stored, and leaves _source out only when told to',
    does: (search) => {
      const { fields } = search
      if (fields === undefined || '_source' in search) return false
      const names = (Array.isArray(fields) ? fields : [fields]).filter((name) => name !== '_source')
      const hasSource = Array.isArray(fields) ? fields.includes('_source') : fields === '_source'
      replaceKey(search, 'fields', { fields: names, _source: hasSource })
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { fields: ['n', 'color'], sort: ['n'], size: 5 },
        after: { fields: ['n', 'color'], _source: false, sort: ['n'], size: 5 },
        without: 'other',
      },
    ],
  },
  {
    at: 'search',
    name: 'filter-of-search',
    ...about(elasticsearch({ before: '5' }), ['"filter"'], search5),
    why: 'what filters hits behind the aggregations is called post_filter since 5',
    does: (search, name) =>
      name === 'search' ? renameKey(search, 'filter', 'post_filter') : false,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { filter: { term: { color: 'red' } } },
        after: { post_filter: { term: { color: 'red' } } },
      },
    ],
  },
  {
    at: 'search',
    name: 'fielddata-fields',
    ...about(elasticsearch({ before: '6' }), ['"fielddata_fields"'], search6),
    why: 'fielddata_fields is called docvalue_fields since 5',
    does: (search) => renameKey(search, 'fielddata_fields', 'docvalue_fields'),
    cases: [
      {
        on: '5.6 > 3.6',
        before: { fielddata_fields: ['n'], sort: ['n'], size: 3 },
        after: { docvalue_fields: ['n'], sort: ['n'], size: 3 },
      },
    ],
  },
  {
    at: 'search',
    name: 'timeout-without-unit',
    ...about(elasticsearch({ before: '5' }), ['"timeout"'], search5),
    why: 'a time has a unit since 5',
    does: (search) => {
      const { timeout } = search
      if (typeof timeout !== 'number' && !/^\d+$/.test(textOf(timeout))) return false
      search.timeout = `${typeof timeout === 'number' ? timeout : textOf(timeout)}ms`
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { timeout: 5000, size: 0 },
        after: { timeout: '5000ms', size: 0 },
      },
    ],
  },
  {
    at: 'search',
    name: 'negative-from',
    ...about(
      elasticsearch({ from: '5', before: '8' }),
      ['"from"'],
      `${es}/8.19/migrating-8.0.html`,
    ),
    why: 'a negative from stood for 0',
    does: (search) =>
      typeof search.from === 'number' && search.from < 0 ? dropKeys(search, ['from']) : false,
    cases: [{ on: '7.10 > 3.6', before: { from: -1, sort: ['n'] }, after: { sort: ['n'] } }],
  },
  {
    at: 'search',
    name: 'gone-from-search',
    ...about(elasticsearch({ before: '5' }), ['"facets"', '"partial_fields"'], search5),
    loses: 'cannot',
    why: 'facets and partial fields are gone, and nothing is in their place',
    does: (search) => ('facets' in search || 'partial_fields' in search ? done : false),
    cases: [
      {
        on: '1.7 > 3.6',
        before: { facets: { a: { terms: { field: 'color' } } } },
        after: { facets: { a: { terms: { field: 'color' } } } },
        untried: 'the target refuses it',
      },
    ],
  },
  {
    at: 'search',
    name: 'search-of-newer-sources',
    ...about(
      elasticsearch({ from: '7.11' }),
      ['"runtime_mappings"', '"knn"', '"retriever"', '"rank"', '"sub_searches"'],
      'https://docs.opensearch.org/latest/api-reference/search-apis/search/',
    ),
    loses: 'cannot',
    why: 'OpenSearch has another form for runtime fields (derived), vectors (the query knn) and retrievers',
    does: (search) =>
      ['runtime_mappings', 'knn', 'retriever', 'rank', 'sub_searches'].some((key) => key in search)
        ? done
        : false,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { retriever: { standard: {} } },
        after: { retriever: { standard: {} } },
        untried: 'the target refuses it',
      },
    ],
  },
  {
    at: 'sort',
    name: 'sort-parameters',
    ...about(elasticsearch({ before: '5' }), ['"ignore_unmapped"', '"reverse"'], search5),
    why: 'the order is called order, and what sorts unmapped fields unmapped_type since 5',
    does: (sort) => {
      const { ignore_unmapped: unmapped, reverse } = sort
      const fired = dropKeys(sort, ['ignore_unmapped', 'reverse'])
      if (unmapped === true) sort.unmapped_type ??= 'long'
      if (typeof reverse === 'boolean') sort.order ??= reverse ? 'desc' : 'asc'
      return fired
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: {
          sort: [{ zzz: { order: 'asc', ignore_unmapped: true } }, { n: { reverse: true } }],
        },
        after: {
          sort: [{ zzz: { order: 'asc', unmapped_type: 'long' } }, { n: { order: 'desc' } }],
        },
      },
    ],
  },
  {
    at: 'sort',
    name: 'sort-by-distance',
    ...about(
      elasticsearch({ before: '6' }),
      ['sloppy_arc', '"coerce"', '"ignore_malformed"', '"optimize_bbox"'],
      search6,
    ),
    why: 'distances are exact since 6, and what is wrong is treated as validation_method says',
    does: (sort, name) => (name === '_geo_distance' ? geo(sort) : false),
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          sort: [{ _geo_distance: { place: { lat: 50, lon: 8 }, distance_type: 'sloppy_arc' } }],
        },
        after: { sort: [{ _geo_distance: { place: { lat: 50, lon: 8 }, distance_type: 'arc' } }] },
      },
    ],
  },
  {
    at: 'highlight',
    name: 'highlighter-names',
    ...about(elasticsearch({ before: '6' }), ['highlighter', 'postings'], search6),
    why: 'highlighters have short names since 5, and postings became unified',
    does: (highlight) => {
      const name = highlighters[textOf(highlight.type)]
      if (name === undefined) return false
      highlight.type = name
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: {
          query: { match: { name: 'odd' } },
          highlight: { fields: { name: { type: 'highlighter' } } },
        },
        after: {
          query: { match: { name: 'odd' } },
          highlight: { fields: { name: { type: 'plain' } } },
        },
      },
    ],
  },
  {
    at: 'script',
    name: 'old-script-languages',
    ...about(
      elasticsearch({ before: '6' }),
      ['"file"', 'groovy', 'javascript', 'python', 'mvel'],
      search6,
    ),
    loses: 'cannot',
    why: 'scripts are written in painless or expression, and are not kept in files',
    does: ({ lang, file }) =>
      file !== undefined ||
      ['groovy', 'javascript', 'js', 'python', 'mvel'].includes(lang as string)
        ? done
        : false,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { script_fields: { x: { script: { inline: '1', lang: 'groovy' } } } },
        after: { script_fields: { x: { script: { inline: '1', lang: 'groovy' } } } },
        untried: 'the target refuses it',
      },
    ],
  },
  {
    at: 'header',
    name: 'search-type-in-header',
    ...about(elasticsearch({ before: '5' }), ['"search_type"'], search5),
    why: 'search types count, scan and …_and_fetch are gone since 5',
    does: (header, _name, _context, next) => {
      const type = header.search_type
      if (type === 'count' && next !== undefined) {
        delete header.search_type
        next.size = 0
        return done
      }
      if (typeof type !== 'string' || !type.endsWith('_and_fetch')) return false
      header.search_type = type.replace('and', 'then')
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: {
          line: 'POST /_msearch',
          body: [{ index: 'shop', search_type: 'count' }, { query: { term: { color: 'red' } } }],
        },
        after: {
          line: 'POST /_msearch?rest_total_hits_as_int=true',
          body: [{ index: 'shop' }, { query: { term: { color: 'red' } }, size: 0 }],
        },
        fired: ['exact-totals', 'search-type-in-header'],
      },
    ],
  },
]

/** What these rules have in common. */
function about(
  source: BodyRule['source'],
  mentions: readonly string[],
  link: string,
): Pick<BodyRule, 'source' | 'target' | 'mentions' | 'link' | 'loses'> {
  return { source, target: anyVersion, mentions, link, loses: 'nothing' }
}

const highlighters: Readonly<Record<string, string>> = {
  highlighter: 'plain',
  'fast-vector-highlighter': 'fvh',
  'postings-highlighter': 'unified',
  postings: 'unified',
}
