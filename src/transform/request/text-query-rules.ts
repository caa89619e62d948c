import type { Json, JsonObject } from '../../base/json.ts'
import {
  done,
  dropKeys,
  elasticsearch,
  namesOf,
  objectOf,
  openSearch,
  queryRule,
  renameKey,
  replaceKey,
  type BodyRule,
  type Done,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const search5 = `${es}/5.6/breaking_50_search_changes.html`
const search6 = `${es}/6.8/breaking_60_search_changes.html`
const breaking7 = `${es}/7.17/breaking-changes-7.0.html`

/** Queries that look for words. */
export const textQueryRules: readonly BodyRule[] = [
  queryRule({
    name: 'fuzzy-similarity',
    of: ['fuzzy'],
    mentions: ['"min_similarity"'],
    why: 'min_similarity is called fuzziness since 2',
    link: search5,
    does: (clause) => {
      const [value] = Object.values(objectOf(clause.fuzzy) ?? {})
      return renameKey(objectOf(value) ?? {}, 'min_similarity', 'fuzziness')
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { fuzzy: { name: { value: 'shoo', min_similarity: 1 } } },
        after: { fuzzy: { name: { value: 'shoo', fuzziness: 1 } } },
      },
    ],
  }),
  queryRule({
    name: 'rewrite-names',
    source: elasticsearch({ before: '6' }),
    of: ['prefix', 'wildcard', 'regexp', 'fuzzy', 'query_string', 'match', 'multi_match'],
    mentions: [
      'constant_score_auto',
      'constant_score_filter',
      'constant_score_default',
      '"prefix"',
    ],
    why: 'these ways of rewriting are one since 5, constant_score; the text of a prefix is its value',
    link: search6,
    does: rewrite,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { prefix: { color: { prefix: 'r', rewrite: 'constant_score_auto' } } },
        after: { prefix: { color: { value: 'r', rewrite: 'constant_score' } } },
      },
    ],
  }),
  queryRule({
    name: 'query-string-parameters-in-body',
    source: elasticsearch({ before: '7' }),
    of: ['query_string', 'multi_match'],
    mentions: [
      ...[
        '"lowercase_expanded_terms"',
        '"locale"',
        '"use_dis_max"',
        '"auto_generate_phrase_queries"',
      ],
      ...['"split_on_whitespace"', '"all_fields"', '"_all"'],
    ],
    why: 'these parameters are gone since 7, and did nothing since 6',
    link: breaking7,
    does: queryString,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          query_string: { query: 'name:odd', lowercase_expanded_terms: true, locale: 'en' },
        },
        after: { query_string: { query: 'name:odd' } },
      },
      {
        on: '6.8 > 3.6',
        before: { query_string: { query: 'odd', all_fields: true } },
        after: { query_string: { query: 'odd', fields: ['*'] } },
      },
      {
        on: '6.8 > 3.6',
        before: { multi_match: { query: 'odd', fields: ['name', 'color'], use_dis_max: true } },
        after: { multi_match: { query: 'odd', fields: ['name', 'color'] } },
      },
    ],
  }),
  queryRule({
    name: 'more-like-this-parameters',
    source: elasticsearch({ before: '6' }),
    of: ['more_like_this'],
    mentions: ['"like_text"', '"ids"', '"docs"', '"percent_terms_to_match"'],
    why: 'all that a document is to be like stands in like since 6',
    link: search6,
    does: moreLikeThis,
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          more_like_this: { fields: ['name'], like_text: 'odd', min_term_freq: 1, min_doc_freq: 1 },
        },
        after: {
          more_like_this: { fields: ['name'], like: ['odd'], min_term_freq: 1, min_doc_freq: 1 },
        },
      },
      {
        on: '5.6 > 3.6',
        before: {
          more_like_this: { fields: ['name'], ids: ['1'], min_term_freq: 1, min_doc_freq: 1 },
        },
        after: {
          more_like_this: {
            fields: ['name'],
            like: [{ _id: '1' }],
            min_term_freq: 1,
            min_doc_freq: 1,
          },
        },
      },
    ],
  }),
  queryRule({
    name: 'span-payloads',
    source: elasticsearch({ before: '6' }),
    of: ['span_near'],
    mentions: ['"collect_payloads"'],
    why: 'payloads are never collected since 5',
    link: search6,
    does: (clause) => dropKeys(objectOf(clause.span_near) ?? {}, ['collect_payloads']),
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          span_near: {
            clauses: [{ span_term: { name: 'shoe' } }],
            slop: 1,
            in_order: true,
            collect_payloads: false,
          },
        },
        after: {
          span_near: { clauses: [{ span_term: { name: 'shoe' } }], slop: 1, in_order: true },
        },
      },
    ],
  }),
  queryRule({
    name: 'combined-fields',
    source: elasticsearch({ from: '7.13' }),
    target: openSearch({ before: '3' }),
    of: ['combined_fields'],
    loses: 'meaning',
    why: 'fields are searched as one by cross_fields, which scores otherwise',
    link: `${es}/8.19/query-dsl-combined-fields-query.html`,
    does: (clause) => {
      const value = objectOf(clause.combined_fields)
      if (value === undefined) return false
      replaceKey(clause, 'combined_fields', { multi_match: { ...value, type: 'cross_fields' } })
      return done
    },
    cases: [
      {
        on: '8.19 > 2.19',
        before: { combined_fields: { query: 'odd', fields: ['name'] } },
        after: { multi_match: { query: 'odd', fields: ['name'], type: 'cross_fields' } },
      },
    ],
  }),
  queryRule({
    name: 'match-type',
    source: elasticsearch({ before: '6' }),
    of: ['match'],
    mentions: ['"type"', '"slop"'],
    why: 'phrases have queries of their own since 6',
    link: search6,
    does: matchType,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { match: { name: { query: 'shoe number', type: 'phrase' } } },
        after: { match_phrase: { name: { query: 'shoe number' } } },
      },
      {
        on: '2.4 > 3.6',
        before: { match: { name: { query: 'shoe num', type: 'phrase_prefix', slop: 1 } } },
        after: { match_phrase_prefix: { name: { query: 'shoe num', slop: 1 } } },
      },
      {
        on: '5.6 > 3.6',
        before: { match: { name: { query: 'shoe odd', type: 'boolean', slop: 1 } } },
        after: { match: { name: { query: 'shoe odd' } } },
      },
    ],
  }),
  queryRule({
    name: 'all-field',
    source: elasticsearch({ before: '7' }),
    of: ['match', 'match_phrase', 'term'],
    mentions: ['_all'],
    loses: 'meaning',
    why: 'there is no _all field: each field is searched for itself',
    link: `${es}/6.8/breaking_60_mappings_changes.html`,
    does: allField,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { match: { _all: { query: 'shoe odd', operator: 'and' } } },
        after: {
          multi_match: {
            query: 'shoe odd',
            operator: 'and',
            fields: ['*'],
            lenient: true,
            type: 'cross_fields',
          },
        },
        untried: 'each field scores for itself',
      },
    ],
  }),
]

const oldRewrites = ['constant_score_auto', 'constant_score_filter', 'constant_score_default']

function rewrite(clause: JsonObject, name: string): Done | false {
  const value = objectOf(clause[name]) ?? {}
  let fired: Done | false = false
  for (const options of [value, ...Object.values(value).map(objectOf)]) {
    if (options === undefined) continue
    for (const key of ['rewrite', 'fuzzy_rewrite']) {
      if (!oldRewrites.includes(options[key] as string)) continue
      options[key] = 'constant_score'
      fired = done
    }
    if (name === 'prefix' && options !== value && renameKey(options, 'prefix', 'value'))
      fired = done
  }
  return fired
}

function queryString(
  clause: JsonObject,
  name: string,
  { source }: { source: { major: number } },
): Done | false {
  const value = objectOf(clause[name])
  if (value === undefined) return false
  const { auto_generate_phrase_queries: phrases, all_fields: all, default_field: field } = value
  const fired = dropKeys(value, [
    ...['lowercase_expanded_terms', 'locale', 'use_dis_max', 'auto_generate_phrase_queries'],
    ...['split_on_whitespace', 'all_fields'],
  ])
  if (all === true) value.fields = ['*']
  const isAll = field === '_all'
  if (isAll) delete value.default_field
  if (fired === false && !isAll) return false
  if (isAll && source.major < 7)
    return { loses: 'meaning', note: 'there is no _all field: each field is searched for itself' }
  return phrases === true && source.major < 6
    ? { loses: 'meaning', note: 'words that an analyser splits are no phrases any more' }
    : done
}

function moreLikeThis(clause: JsonObject): Done | false {
  const value = objectOf(clause.more_like_this)
  if (value === undefined) return false
  const { like_text: text, ids, docs, percent_terms_to_match: percent } = value
  if (dropKeys(value, ['like_text', 'ids', 'docs', 'percent_terms_to_match']) === false)
    return false
  const like: Json[] = [
    ...(Array.isArray(value.like) ? value.like : value.like === undefined ? [] : [value.like]),
    ...(text === undefined ? [] : [text]),
    ...namesOf(ids).map((id) => ({ _id: id })),
    ...(Array.isArray(docs) ? docs : []),
  ]
  const { fields, ...rest } = value
  for (const key of Object.keys(value)) delete value[key]
  Object.assign(value, { ...(fields !== undefined && { fields }), like, ...rest })
  if (typeof percent === 'number') value.minimum_should_match = `${Math.round(percent * 100)}%`
  return done
}

function matchType(clause: JsonObject): Done | false {
  const [[field, value] = ['', null]] = Object.entries(objectOf(clause.match) ?? {})
  const options = objectOf(value)
  if (options === undefined || !('type' in options || 'slop' in options)) return false
  const { type, ...rest } = options
  const name = type === 'phrase' || type === 'phrase_prefix' ? `match_${type}` : 'match'
  if (name === 'match') delete rest.slop
  replaceKey(clause, 'match', { [name]: { [field]: rest } })
  return done
}

function allField(clause: JsonObject, name: string): Done | false {
  const value = objectOf(clause[name])?._all
  if (value === undefined) return false
  const options = objectOf(value) ?? { query: value }
  const { value: term, ...rest } = options
  const isAnd = rest.operator === 'and' || rest.operator === 'AND'
  const type = name === 'match_phrase' ? 'phrase' : isAnd ? 'cross_fields' : 'best_fields'
  const query = {
    ...rest,
    ...(term !== undefined && { query: term }),
    fields: ['*'],
    lenient: true,
    type,
  }
  replaceKey(clause, name, { multi_match: query })
  return done
}
