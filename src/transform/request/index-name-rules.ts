import type { JsonObject } from '../../base/json.ts'
import {
  anyVersion,
  done,
  namesOf,
  objectOf,
  replaceKey,
  type BodyRule,
  type Done,
  type RuleContext,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const always = { source: anyVersion, target: anyVersion, loses: 'nothing' } as const

/** Names of indices within bodies: those that are called otherwise on the target. */
export const indexNameRules: readonly BodyRule[] = [
  {
    at: 'search',
    name: 'index-names-in-body',
    mentions: ['"indices_boost"'],
    link: `${es}/7.17/search-search.html`,
    ...always,
    why: 'the index has another name on the target',
    does: (search, _name, context) => boosts(search, context),
    cases: [
      {
        on: '7.10 > 3.6',
        before: { indices_boost: [{ old: 2 }] },
        after: { indices_boost: [{ new: 2 }] },
        untried: 'nothing is renamed where engines are asked',
      },
    ],
  },
  {
    at: 'header',
    name: 'index-name-in-header',
    mentions: ['"index"', '"indices"'],
    link: `${es}/7.17/search-multi-search.html`,
    ...always,
    why: 'the index has another name on the target',
    does: (header, _name, context) =>
      ['index', 'indices']
        .map((key) => indexNames(header, key, context))
        .find((one) => one !== false) ?? false,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { line: 'POST /_msearch', body: [{ index: ['old', 'other'] }, {}] },
        after: { line: 'POST /_msearch', body: [{ index: ['new', 'other'] }, {}] },
        untried: 'nothing is renamed where engines are asked',
      },
    ],
  },
  {
    at: 'get',
    name: 'index-name-in-mget',
    mentions: ['"_index"'],
    link: `${es}/7.17/docs-multi-get.html`,
    ...always,
    why: 'the index has another name on the target',
    does: (document, _name, context) => indexNames(document, '_index', context),
    cases: [
      {
        on: '7.10 > 3.6',
        before: { line: 'POST /_mget', body: { docs: [{ _index: 'old', _id: '1' }] } },
        after: { line: 'POST /_mget', body: { docs: [{ _index: 'new', _id: '1' }] } },
        untried: 'nothing is renamed where engines are asked',
      },
    ],
  },
  {
    at: 'place',
    name: 'index-name-in-lookup',
    mentions: ['"index"', '"_index"'],
    link: `${es}/7.17/query-dsl-terms-query.html`,
    ...always,
    why: 'the index has another name on the target',
    does: (place, _name, context) =>
      ['index', '_index']
        .map((key) => indexNames(place, key, context))
        .find((one) => one !== false) ?? false,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { query: { terms: { color: { index: 'old', id: '1', path: 'color' } } } },
        after: { query: { terms: { color: { index: 'new', id: '1', path: 'color' } } } },
        untried: 'nothing is renamed where engines are asked',
      },
    ],
  },
  {
    at: 'query',
    of: ['term', 'terms', 'match'],
    name: 'index-name-in-query',
    mentions: ['_index'],
    link: `${es}/7.17/mapping-index-field.html`,
    ...always,
    why: 'the index has another name on the target',
    does: (clause, name, context) => {
      const options = objectOf(clause[name])
      return options === undefined ? false : indexNames(options, '_index', context)
    },
    cases: [
      {
        on: '7.10 > 3.6',
        before: { query: { bool: { filter: [{ terms: { _index: ['old', 'other'] } }] } } },
        after: { query: { bool: { filter: [{ terms: { _index: ['new', 'other'] } }] } } },
        untried: 'nothing is renamed where engines are asked',
      },
    ],
  },
]

function boosts(search: JsonObject, context: RuleContext): Done | false {
  const value = search.indices_boost
  let fired: Done | false = false
  const rename = (object: JsonObject): void => {
    for (const index of Object.keys(object)) {
      const names = context.placeOf(index, undefined)?.indices ?? [index]
      if (names.length === 1 && names[0] === index) continue
      replaceKey(object, index, Object.fromEntries(names.map((name) => [name, object[index]!])))
      fired = done
    }
  }
  for (const one of Array.isArray(value) ? value : [value ?? null]) {
    const object = objectOf(one)
    if (object !== undefined) rename(object)
  }
  return fired
}

function indexNames(object: JsonObject, key: string, context: RuleContext): Done | false {
  const value = object[key]
  const names = namesOf(value)
  const after = names.flatMap((name) => context.placeOf(name, undefined)?.indices ?? [name])
  const renamed = [...new Set(after)]
  if (renamed.join(',') === names.join(',')) return false
  object[key] = Array.isArray(value) || renamed.length > 1 ? renamed : renamed[0]!
  return done
}
