import type { Json, JsonObject } from '../../base/json.ts'
import {
  anyVersion,
  done,
  dropKeys,
  elasticsearch,
  isFrom,
  namesOf,
  objectOf,
  renameKey,
  replaceKey,
  type BodyRule,
  type Done,
  type RuleContext,
} from './rule.ts'

const link = 'https://www.elastic.co/guide/en/elasticsearch/reference/7.17/removal-of-types.html'
const withTypes = elasticsearch({ before: '8' })

/** Mapping types within bodies: OpenSearch 2 has no field, no query and no key for them. */
export const typeRules: readonly BodyRule[] = [
  {
    at: 'query',
    of: ['type'],
    name: 'type-query',
    ...about('meaning', ['"type"'], 'all documents are of one type'),
    does: (clause, _name, context) => ofType(clause, [objectOf(clause.type)?.value], context),
    cases: [
      { on: '6.8 > 3.6', before: { type: { value: 'item' } }, after: { match_all: {} } },
      { on: '7.10 > 3.6', before: { type: { value: '_doc' } }, after: { match_all: {} } },
      { on: '7.10 > 3.6', before: { type: { value: 'item' } }, after: { match_none: {} } },
    ],
  },
  {
    at: 'query',
    of: ['term', 'terms', 'match', 'prefix', 'wildcard'],
    name: 'type-field',
    ...about('meaning', ['_type'], 'all documents are of one type'),
    does: (clause, name, context) => {
      const value = objectOf(clause[name])?._type
      if (value === undefined) return false
      const asked = objectOf(value)?.value ?? objectOf(value)?.query ?? value
      if (name === 'prefix' || name === 'wildcard') return ofType(clause, ['_doc'], context)
      return ofType(clause, Array.isArray(asked) ? asked : [asked], context)
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { bool: { filter: [{ term: { _type: 'item' } }, { term: { color: 'red' } }] } },
        after: { bool: { filter: [{ match_all: {} }, { term: { color: 'red' } }] } },
        without: 'other',
      },
      {
        on: '7.10 > 3.6',
        before: { terms: { _type: ['item', '_doc'] } },
        after: { match_all: {} },
        without: 'other',
      },
    ],
  },
  {
    at: 'query',
    of: ['ids'],
    name: 'ids-type',
    ...about('nothing', ['"ids"'], 'ids are unique in an index without types'),
    does: (clause) => dropKeys(objectOf(clause.ids) ?? {}, ['type', 'types']),
    cases: [
      {
        on: '6.8 > 3.6',
        before: { ids: { type: 'item', values: ['1', '2'] } },
        after: { ids: { values: ['1', '2'] } },
      },
    ],
  },
  {
    at: 'query',
    of: ['term', 'terms'],
    name: 'uid-field',
    ...about('nothing', ['_uid'], 'documents are known by their ids alone'),
    source: elasticsearch({ before: '7' }),
    does: (clause, name) => {
      const value = objectOf(clause[name])?._uid
      if (value === undefined) return false
      const uids = namesOf(objectOf(value)?.value ?? value)
      if (uids.length === 0) return false
      replaceKey(clause, name, { ids: { values: uids.map(withoutType) } })
      return done
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { terms: { _uid: ['item#1', 'item#2'] } },
        after: { ids: { values: ['1', '2'] } },
        without: 'other',
      },
    ],
  },
  {
    at: 'search',
    name: 'sort-by-type-or-uid',
    ...about('meaning', ['_type', '_uid'], 'there is no such field to sort by, and no sort value'),
    does: (search) => {
      const { sort } = search
      if (sort === undefined) return false
      const before = Array.isArray(sort) ? sort : [sort]
      const after = before.filter((one) => sortedBy(one) !== '_type').map(byId)
      if (after.length === before.length && after.every((one, at) => one === before[at]))
        return false
      search.sort = after
      return done
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { sort: ['_type', 'n'] },
        after: { sort: ['n'] },
        untried: 'sort values have no type',
      },
      {
        on: '6.8 > 3.6',
        before: { sort: [{ _uid: 'desc' }] },
        after: { sort: [{ _id: 'desc' }] },
        untried: 'sort values have no type',
      },
    ],
  },
  {
    at: 'aggregation',
    name: 'aggregation-by-type',
    ...about('cannot', ['_type'], 'there is no field _type to make buckets of'),
    does: ({ field }) => (field === '_type' ? done : false),
    cases: [
      {
        on: '7.10 > 3.6',
        before: { terms: { field: '_type' } },
        after: { terms: { field: '_type' } },
        untried: 'nothing is found on the target',
      },
    ],
  },
  {
    at: 'place',
    name: 'type-in-lookup',
    ...about(
      'nothing',
      ['"terms"', '"_type"', 'indexed_shape', 'percolate'],
      'a document is known by index and id',
    ),
    does: (place, kind) =>
      dropKeys(place, kind === 'terms' ? ['type'] : ['_type', 'type', 'document_type']),
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          query: { terms: { color: { index: 'shop', type: 'item', id: '1', path: 'color' } } },
        },
        after: { query: { terms: { color: { index: 'shop', id: '1', path: 'color' } } } },
      },
      {
        on: '6.8 > 3.6',
        before: {
          query: {
            more_like_this: {
              ...{ fields: ['name'], like: [{ _index: 'shop', _type: 'item', _id: '1' }] },
              ...{ min_term_freq: 1, min_doc_freq: 1 },
            },
          },
        },
        after: {
          query: {
            more_like_this: {
              ...{
                fields: ['name'],
                like: [{ _index: 'shop', _id: '1' }],
                min_term_freq: 1,
                min_doc_freq: 1,
              },
            },
          },
        },
      },
    ],
  },
  {
    at: 'header',
    name: 'type-in-header',
    ...about('nothing', ['"type"', '"types"'], 'searches of _msearch name no types'),
    does: (header, _name, context) => {
      const types = namesOf(header.types ?? header.type)
      if (dropKeys(header, ['type', 'types']) === false) return false
      const places = namesOf(header.index ?? header.indices).map((index) =>
        context.placeOf(index, types),
      )
      return places.some((place) => place?.type !== undefined || place?.holdsOthers)
        ? { loses: 'meaning', note: 'documents of other types are found as well' }
        : done
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          line: 'POST /_msearch',
          body: [
            { index: 'shop', type: 'item' },
            { size: 2, sort: ['n'] },
          ],
        },
        after: {
          line: 'POST /_msearch?rest_total_hits_as_int=true',
          body: [{ index: 'shop' }, { size: 2, sort: ['n'] }],
        },
        fired: ['exact-totals', 'type-in-header'],
      },
      {
        on: '7.10 > 3.6',
        before: {
          line: 'POST /_msearch',
          body: [
            { index: 'shop', types: ['_doc'] },
            { size: 2, sort: ['n'] },
          ],
        },
        after: { line: 'POST /_msearch', body: [{ index: 'shop' }, { size: 2, sort: ['n'] }] },
      },
    ],
  },
  {
    at: 'get',
    name: 'type-in-mget',
    ...about(
      'nothing',
      ['_type', '_routing', '_parent', '"parent"'],
      'a document is known by index and id',
    ),
    does: (document) => {
      const fired = dropKeys(document, ['_type'])
      const renamed = ['_routing', '_parent', 'parent'].map((key) =>
        renameKey(document, key, 'routing'),
      )
      return fired || (renamed.find((one) => one !== false) ?? false)
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          line: 'POST /_mget',
          body: { docs: [{ _index: 'shop', _type: 'item', _id: '1', _routing: '1' }] },
        },
        after: {
          line: 'POST /_mget',
          body: { docs: [{ _index: 'shop', _id: '1', routing: '1' }] },
        },
      },
    ],
  },
]

/** What these rules have in common. */
function about(
  loses: BodyRule['loses'],
  mentions: readonly string[],
  why: string,
): Pick<BodyRule, 'loses' | 'mentions' | 'why' | 'link' | 'source' | 'target'> {
  return { loses, mentions, why, link, source: withTypes, target: anyVersion }
}

/** Since 7 the only type is _doc; what it was before nobody can tell from the request. */
function ofType(
  clause: JsonObject,
  asked: readonly (Json | undefined)[],
  { source }: RuleContext,
): Done {
  const isAll = !isFrom(source, '7') || asked.includes('_doc')
  for (const key of Object.keys(clause)) delete clause[key]
  Object.assign(clause, isAll ? { match_all: {} } : { match_none: {} })
  return isFrom(source, '7') ? { loses: 'nothing' } : done
}

function withoutType(uid: string): string {
  return uid.slice(uid.indexOf('#') + 1)
}

function sortedBy(one: Json): string | undefined {
  if (typeof one === 'string') return one.split(':')[0]
  return Object.keys(objectOf(one) ?? {})[0]
}

function byId(one: Json): Json {
  if (sortedBy(one) !== '_uid') return one
  const element = objectOf(one)
  return element === undefined ? '_id' : { _id: element._uid! }
}
