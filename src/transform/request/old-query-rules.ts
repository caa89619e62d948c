import type { Json, JsonObject } from '../../base/json.ts'
import {
  done,
  dropKeys,
  elasticsearch,
  objectOf,
  queryRule,
  replaceKey,
  type BodyRule,
  type Done,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const dsl2 = `${es}/2.4/breaking_20_query_dsl_changes.html`
const search5 = `${es}/5.6/breaking_50_search_changes.html`
const search6 = `${es}/6.8/breaking_60_search_changes.html`

const red = { term: { color: 'red' } }
const blue = { term: { color: 'blue' } }

/** Clauses that became others. The first key of a clause is its name. */
export const oldQueryRules: readonly BodyRule[] = [
  queryRule({
    name: 'filtered',
    why: 'filtered is a bool with a filter since 5',
    link: search5,
    does: (clause) => replaced(clause, 'filtered', filtered),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { filtered: { query: { match: { name: 'odd' } }, filter: red } },
        after: { bool: { must: { match: { name: 'odd' } }, filter: red } },
      },
      {
        on: '1.7 > 3.6',
        before: { filtered: { filter: { and: [red, { missing: { field: 'zzz' } }] } } },
        after: {
          bool: {
            must: { match_all: {} },
            filter: { bool: { must: [red, { bool: { must_not: { exists: { field: 'zzz' } } } }] } },
          },
        },
        fired: ['filtered', 'and-or', 'missing'],
      },
    ],
  }),
  queryRule({
    name: 'and-or',
    of: ['and', 'or'],
    why: 'and and or are must and should of a bool since 5',
    link: search5,
    does: (clause, name) =>
      replaced(clause, name, (value) => andOr(value, name === 'and' ? 'must' : 'should')),
    cases: [
      { on: '2.4 > 3.6', before: { or: [red, blue] }, after: { bool: { should: [red, blue] } } },
      {
        on: '2.4 > 3.6',
        before: { and: { filters: [red, { term: { n: 3 } }], _cache: true } },
        after: { bool: { must: [red, { term: { n: 3 } }] } },
      },
    ],
  }),
  queryRule({
    name: 'not',
    why: 'not is must_not of a bool since 5',
    link: search5,
    does: (clause) => replaced(clause, 'not', not),
    cases: [
      { on: '2.4 > 3.6', before: { not: red }, after: { bool: { must_not: red } } },
      {
        on: '1.7 > 3.6',
        before: { filtered: { filter: { not: { filter: red } } } },
        after: {
          bool: { must: { match_all: {} }, filter: { bool: { must_not: red } } },
        },
        fired: ['filtered', 'not'],
      },
    ],
  }),
  queryRule({
    name: 'missing',
    why: 'missing is must_not with exists since 5',
    link: search5,
    does: (clause) => replaced(clause, 'missing', (value) => missing(value)),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { missing: { field: 'color' } },
        after: { bool: { must_not: { exists: { field: 'color' } } } },
      },
    ],
  }),
  queryRule({
    name: 'query-as-filter',
    of: ['query', 'fquery'],
    why: 'queries and filters are one since 2',
    link: dsl2,
    does: (clause, name) =>
      replaced(clause, name, (value) =>
        objectOf(name === 'fquery' ? objectOf(value)?.query : value),
      ),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { bool: { filter: { query: red } } },
        after: { bool: { filter: red } },
      },
      {
        on: '2.4 > 3.6',
        before: { bool: { filter: { fquery: { query: red, _cache: true } } } },
        after: { bool: { filter: red } },
      },
    ],
  }),
  queryRule({
    name: 'limit',
    why: 'the limit of documents a shard looks at does nothing since 2',
    link: dsl2,
    does: (clause) => replaced(clause, 'limit', () => ({ match_all: {} })),
    cases: [{ on: '2.4 > 3.6', before: { limit: { value: 10 } }, after: { match_all: {} } }],
  }),
  queryRule({
    name: 'indices-query',
    source: elasticsearch({ before: '6' }),
    of: ['indices'],
    why: 'queries by index ask for _index since 6',
    link: search6,
    does: (clause) => replaced(clause, 'indices', indices),
    cases: [
      {
        on: '5.6 > 3.6',
        before: { indices: { indices: ['shop'], query: red, no_match_query: 'none' } },
        after: {
          bool: {
            should: [
              { bool: { must: [red], filter: [{ terms: { _index: ['shop'] } }] } },
              { bool: { must: [{ match_none: {} }], must_not: [{ terms: { _index: ['shop'] } }] } },
            ],
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'renamed-query',
    source: elasticsearch({ before: '6' }),
    of: ['in', 'mlt', 'geo_bbox', 'geo_box', 'fuzzy_match', 'match_fuzzy'],
    why: 'short names of queries are gone since 6',
    link: search6,
    does: (clause, name) => {
      replaceKey(clause, name, { [newNames[name]!]: clause[name]! })
      return done
    },
    cases: [
      { on: '5.6 > 3.6', before: { in: { color: ['red'] } }, after: { terms: { color: ['red'] } } },
      {
        on: '2.4 > 3.6',
        before: {
          geo_bbox: {
            place: { top_left: { lat: 60, lon: 0 }, bottom_right: { lat: 50.95, lon: 20 } },
          },
        },
        after: {
          geo_bounding_box: {
            place: { top_left: { lat: 60, lon: 0 }, bottom_right: { lat: 50.95, lon: 20 } },
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'geo-distance-range',
    source: elasticsearch({ before: '6' }),
    of: ['geo_distance_range'],
    loses: 'meaning',
    why: 'a ring is a circle without a smaller one since 5; its inner edge is left out',
    link: search5,
    does: (clause) => replaced(clause, 'geo_distance_range', geoRing),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { geo_distance_range: { from: '20km', to: '195km', place: { lat: 50, lon: 8 } } },
        after: {
          bool: {
            filter: { geo_distance: { distance: '195km', place: { lat: 50, lon: 8 } } },
            must_not: { geo_distance: { distance: '20km', place: { lat: 50, lon: 8 } } },
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'gone-query',
    source: elasticsearch({ before: '7' }),
    of: [
      ...['fuzzy_like_this', 'fuzzy_like_this_field', 'flt', 'geohash_cell', 'top_children'],
      ...['custom_score', 'custom_filters_score', 'custom_boost_factor', 'text', 'template'],
    ],
    loses: 'cannot',
    why: 'the query is gone, and there is none in its place',
    link: search5,
    does: () => done,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { geohash_cell: { place: { lat: 50, lon: 8 }, precision: 3 } },
        after: { geohash_cell: { place: { lat: 50, lon: 8 }, precision: 3 } },
        untried: 'the source cannot either without a geohash in its mapping',
      },
    ],
  }),
]

/** Puts another clause into the place of the one with this name; nothing where it has no form that is known. */
function replaced(
  clause: JsonObject,
  name: string,
  make: (value: Json) => JsonObject | undefined,
): Done | false {
  const other = make(clause[name]!)
  if (other === undefined) return false
  for (const key of Object.keys(clause)) delete clause[key]
  Object.assign(clause, other)
  return done
}

function withoutCache({ ...object }: JsonObject, names: readonly string[]): JsonObject {
  for (const name of [...names, '_cache', '_cache_key']) delete object[name]
  return object
}

function filtered(value: Json): JsonObject | undefined {
  const object = objectOf(value)
  if (object === undefined) return undefined
  const { query, filter } = object
  const must = objectOf(query) ?? { match_all: {} }
  const rest = withoutCache(object, ['query', 'filter', 'strategy'])
  return { bool: { must, ...(filter !== undefined && { filter }), ...rest } }
}

function andOr(value: Json, key: 'must' | 'should'): JsonObject | undefined {
  if (Array.isArray(value)) return { bool: { [key]: value } }
  const object = objectOf(value)
  const filters = object?.filters
  if (object === undefined || !Array.isArray(filters)) return undefined
  return { bool: { [key]: filters, ...withoutCache(object, ['filters']) } }
}

function not(value: Json): JsonObject | undefined {
  const object = objectOf(value)
  if (object === undefined) return undefined
  const rest = withoutCache(object, [])
  return { bool: { must_not: objectOf(rest.query) ?? objectOf(rest.filter) ?? rest } }
}

function missing(value: Json): JsonObject | undefined {
  const field = objectOf(value)?.field
  return typeof field === 'string' ? { bool: { must_not: { exists: { field } } } } : undefined
}

function indices(value: Json): JsonObject | undefined {
  const object = objectOf(value)
  const query = objectOf(object?.query ?? object?.filter)
  const names = object?.indices ?? object?.index
  if (object === undefined || query === undefined || names === undefined) return undefined
  const terms: JsonObject = { terms: { _index: Array.isArray(names) ? names : [names] } }
  const other = object.no_match_query ?? object.no_match_filter ?? 'all'
  const rest = objectOf(other) ?? (other === 'none' ? { match_none: {} } : { match_all: {} })
  return {
    bool: {
      should: [
        { bool: { must: [query], filter: [terms] } },
        { bool: { must: [rest], must_not: [terms] } },
      ],
    },
  }
}

const newNames: Readonly<Record<string, string>> = {
  in: 'terms',
  mlt: 'more_like_this',
  geo_bbox: 'geo_bounding_box',
  geo_box: 'geo_bounding_box',
  fuzzy_match: 'match',
  match_fuzzy: 'match',
}

function geoRing(value: Json): JsonObject | undefined {
  const object = objectOf(value)
  if (object === undefined) return undefined
  const { from, to, gt, gte, lt, lte, ...rest } = object
  dropKeys(rest, ['include_lower', 'include_upper'])
  const [inner, outer] = [from ?? gt ?? gte, to ?? lt ?? lte]
  const circle = (distance: Json): JsonObject => ({ geo_distance: { distance, ...rest } })
  return {
    bool: {
      ...(outer !== undefined && { filter: circle(outer) }),
      ...(inner !== undefined && { must_not: circle(inner) }),
    },
  }
}
