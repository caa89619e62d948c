import type { JsonObject } from '../../base/json.ts'
import {
  done,
  dropKeys,
  elasticsearch,
  objectOf,
  queryRule,
  renameKey,
  replaceKey,
  type BodyRule,
  type Done,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const search5 = `${es}/5.6/breaking_50_search_changes.html`
const search6 = `${es}/6.8/breaking_60_search_changes.html`

const red = { term: { color: 'red' } }
const blue = { term: { color: 'blue' } }

/** What is written otherwise within clauses that have kept their names. */
export const queryParameterRules: readonly BodyRule[] = [
  queryRule({
    name: 'filter-in-clause',
    of: ['nested', 'has_child', 'has_parent'],
    mentions: ['"filter"'],
    why: 'what these clauses look for is called query since 2',
    link: search5,
    does: (clause, name) => renameIn(clause, name, 'filter', 'query'),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { nested: { path: 'tags', filter: { term: { 'tags.v': 7 } } } },
        after: { nested: { path: 'tags', query: { term: { 'tags.v': 7 } } } },
      },
    ],
  }),
  queryRule({
    name: 'constant-score-query',
    source: elasticsearch({ before: '6' }),
    of: ['constant_score'],
    why: 'constant_score takes a filter since 6',
    link: search6,
    does: (clause, name) => renameIn(clause, name, 'query', 'filter'),
    cases: [
      {
        on: '5.6 > 3.6',
        before: { constant_score: { query: red } },
        after: { constant_score: { filter: red } },
      },
    ],
  }),
  queryRule({
    name: 'score-mode-total',
    of: ['nested', 'has_child'],
    mentions: ['"total"', '"score_type"'],
    why: 'the sum of scores is called sum since 5',
    link: search5,
    does: (clause, name) => {
      const value = objectOf(clause[name])
      if (value === undefined) return false
      const fired = renameKey(value, 'score_type', 'score_mode')
      if (value.score_mode !== 'total') return fired
      value.score_mode = 'sum'
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { nested: { path: 'tags', score_mode: 'total', query: { term: { 'tags.v': 7 } } } },
        after: { nested: { path: 'tags', score_mode: 'sum', query: { term: { 'tags.v': 7 } } } },
      },
    ],
  }),
  queryRule({
    name: 'bool-parameters',
    source: elasticsearch({ before: '7' }),
    of: ['bool'],
    mentions: [
      '"disable_coord"',
      '"minimum_number_should_match"',
      '"mustNot"',
      '"minimum_should_match"',
    ],
    why: 'coordination is gone since 6, and the other names since 6',
    link: search6,
    does: bool,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { bool: { must: [red], disable_coord: true } },
        after: { bool: { must: [red] } },
      },
      {
        on: '5.6 > 3.6',
        before: { bool: { should: [red, blue], minimum_number_should_match: 1 } },
        after: { bool: { should: [red, blue], minimum_should_match: 1 } },
      },
      {
        on: '2.4 > 3.6',
        before: { bool: { must: [red], minimum_should_match: 1 } },
        after: { bool: { must: [red] } },
        without: 'other',
      },
    ],
  }),
  queryRule({
    name: 'terms-parameters',
    of: ['terms'],
    mentions: ['"execution"', '"minimum_match"', '"minimum_should_match"', '"disable_coord"'],
    why: 'terms finds any of the values, and has no other parameters since 5',
    link: search5,
    does: terms,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { bool: { filter: { terms: { color: ['red'], execution: 'bool' } } } },
        after: { bool: { filter: { terms: { color: ['red'] } } } },
      },
      {
        on: '1.7 > 3.6',
        before: { terms: { name: ['odd', 'shoe'], minimum_match: 2 } },
        after: {
          bool: {
            should: [{ term: { name: 'odd' } }, { term: { name: 'shoe' } }],
            minimum_should_match: 2,
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'filter-cache',
    source: elasticsearch({ before: '6' }),
    of: [
      ...[
        'term',
        'terms',
        'range',
        'prefix',
        'exists',
        'bool',
        'nested',
        'geo_distance',
        'geo_bounding_box',
      ],
      ...['geo_polygon', 'regexp', 'script', 'has_child', 'has_parent', 'ids', 'type'],
    ],
    mentions: ['"_cache"', '"_cache_key"'],
    why: 'engines decide by themselves what they cache since 2',
    link: `${es}/2.4/breaking_20_query_dsl_changes.html`,
    does: (clause, name) => dropKeys(objectOf(clause[name]) ?? {}, ['_cache', '_cache_key']),
    cases: [
      {
        on: '2.4 > 3.6',
        before: { term: { color: 'red', _cache: true } },
        after: { term: { color: 'red' } },
      },
    ],
  }),
  queryRule({
    name: 'geo-parameters',
    source: elasticsearch({ before: '6' }),
    of: ['geo_distance', 'geo_bounding_box', 'geo_polygon'],
    mentions: ['"optimize_bbox"', '"coerce"', '"ignore_malformed"', 'sloppy_arc'],
    why: 'distances are always exact since 6, and what is wrong is treated as validation_method says',
    link: search6,
    does: (clause, name) => geo(objectOf(clause[name])),
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          geo_distance: {
            ...{ distance: '150km', place: { lat: 50, lon: 8 }, optimize_bbox: 'memory' },
            ...{ distance_type: 'sloppy_arc', coerce: true },
          },
        },
        after: {
          geo_distance: {
            ...{ distance: '150km', place: { lat: 50, lon: 8 }, distance_type: 'arc' },
            validation_method: 'COERCE',
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'function-score-parameters',
    of: ['function_score'],
    mentions: ['"boost_factor"', '"filter"', '"script_score"'],
    why: 'boost_factor is weight, a filter is a query, and a script stands in script since 5',
    link: search5,
    does: functionScore,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { function_score: { query: red, boost_factor: 2 } },
        after: { function_score: { query: red, weight: 2 } },
      },
      {
        on: '2.4 > 3.6',
        before: { function_score: { filter: red, functions: [{ boost_factor: 2 }] } },
        after: {
          function_score: {
            query: { constant_score: { filter: red } },
            functions: [{ weight: 2 }],
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'query-of-newer-sources',
    source: elasticsearch({ from: '7.4' }),
    of: [
      ...[
        'pinned',
        'rule',
        'rule_query',
        'text_expansion',
        'sparse_vector',
        'semantic',
        'weighted_tokens',
      ],
      ...['shape', 'knn'],
    ],
    loses: 'cannot',
    why: 'OpenSearch has no such query',
    link: 'https://docs.opensearch.org/latest/query-dsl/',
    does: (clause, name) =>
      name === 'knn' && !('field' in (objectOf(clause.knn) ?? {})) ? false : done,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { pinned: { ids: ['3'], organic: red } },
        after: { pinned: { ids: ['3'], organic: red } },
        untried: 'the archives without the commercial modules have no such query either',
      },
    ],
  }),
]

function renameIn(clause: JsonObject, name: string, from: string, to: string): Done | false {
  return renameKey(objectOf(clause[name]) ?? {}, from, to)
}

function bool(
  clause: JsonObject,
  _name: string,
  { source }: { source: { major: number } },
): Done | false {
  const value = objectOf(clause.bool)
  if (value === undefined) return false
  const fired = [
    dropKeys(value, ['disable_coord']),
    source.major < 6 && renameKey(value, 'minimum_number_should_match', 'minimum_should_match'),
    source.major < 2 && renameKey(value, 'mustNot', 'must_not'),
    source.major < 5 && !('should' in value) && dropKeys(value, ['minimum_should_match']),
  ]
  return fired.find((one) => one !== false) ?? false
}

function terms(clause: JsonObject): Done | false {
  const value = objectOf(clause.terms)
  if (value === undefined) return false
  const least = value.minimum_match ?? value.minimum_should_match
  const keys = ['execution', 'disable_coord', 'minimum_match', 'minimum_should_match']
  if (dropKeys(value, keys) === false) return false
  const [[field, values] = ['', null]] = Object.entries(value)
  if (least !== undefined && least !== 1 && least !== '1' && Array.isArray(values)) {
    const should = values.map((one): JsonObject => ({ term: { [field]: one } }))
    replaceKey(clause, 'terms', { bool: { should, minimum_should_match: least } })
  }
  return done
}

/** Of a query by place, and of a sort by distance. */
export function geo(value: JsonObject | undefined): Done | false {
  if (value === undefined) return false
  const { coerce, ignore_malformed: ignore } = value
  let fired = dropKeys(value, ['optimize_bbox', 'coerce', 'ignore_malformed'])
  if (ignore === true) value.validation_method = 'IGNORE_MALFORMED'
  else if (coerce === true) value.validation_method = 'COERCE'
  if (value.distance_type === 'sloppy_arc' || value.distance_type === 'factor') {
    value.distance_type = value.distance_type === 'factor' ? 'plane' : 'arc'
    fired = done
  }
  return fired
}

function functionScore(clause: JsonObject): Done | false {
  const value = objectOf(clause.function_score)
  if (value === undefined) return false
  let fired: Done | false = false
  if (value.filter !== undefined && value.query === undefined) {
    replaceKey(value, 'filter', { query: { constant_score: { filter: value.filter } } })
    fired = done
  }
  const functions = Array.isArray(value.functions) ? value.functions : []
  for (const one of [value, ...functions.map((each) => objectOf(each))]) {
    if (one === undefined) continue
    if (renameKey(one, 'boost_factor', 'weight')) fired = done
    const script = objectOf(one.script_score)
    if (typeof script?.script !== 'string') continue
    const { script: source, params, lang, ...rest } = script
    const made = {
      source,
      ...(lang !== undefined && { lang }),
      ...(params !== undefined && { params }),
    }
    one.script_score = { script: made, ...rest }
    fired = done
  }
  return fired
}
