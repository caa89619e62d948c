import type { Json, JsonObject } from '../../base/json.ts'
import { objectOf, type BodyRule } from './rule.ts'

/**
 * Goes through the body of a search and shows each object, with the place where it stands, to `visit`, which may change
 * it: outer ones before inner ones, so that what a rule makes of a clause is looked at again.
 *
 *     search      = query, post_filter, filter : query; aggs, aggregations : aggregations; sort; rescore; highlight;
 *                   suggest; script_fields; collapse and inner_hits, which hold searches again
 *     query       = { name: value }, value holding queries at the places of `below`
 *     aggregations= { name: { type: value, aggs? } }
 */
export type Visit = (at: BodyRule['at'], object: JsonObject, name: string) => void

export class Walk {
  readonly #visit: Visit
  #depth = 0

  constructor(visit: Visit) {
    this.#visit = visit
  }

  search(value: Json | undefined): void {
    const search = objectOf(value)
    if (search === undefined) return
    this.#visit('search', search, 'search')
    for (const key of ['query', 'post_filter', 'filter', 'min_score_query']) this.query(search[key])
    this.#aggregations(search.aggs ?? search.aggregations)
    this.sort(search.sort)
    for (const one of listOf(search.rescore))
      this.query(objectOf(objectOf(one)?.query)?.rescore_query)
    this.#highlight(search.highlight)
    this.suggest(search.suggest)
    for (const field of Object.values(objectOf(search.script_fields) ?? {})) this.#scripts(field)
    for (const one of listOf(objectOf(search.collapse)?.inner_hits)) this.search(one)
  }

  /** One clause, or a list of them. */
  query(value: Json | undefined): void {
    if (Array.isArray(value)) {
      for (const one of value) this.query(one)
      return
    }
    const clause = objectOf(value)
    // Engines refuse what is deeper; a body made to be deep must not end the stack.
    if (clause === undefined || this.#depth > depthMax) return
    this.#depth++
    const [name] = Object.keys(clause)
    if (name !== undefined) this.#visit('query', clause, name)
    for (const [kind, below] of Object.entries(clause)) this.#below(kind, below)
    this.#depth--
  }

  #below(kind: string, value: Json): void {
    for (const body of listOf(value)) {
      const object = objectOf(body)
      if (object === undefined) continue
      for (const key of queriesBelow[kind] ?? []) this.query(object[key])
      for (const one of listOf(object.functions)) {
        this.query(objectOf(one)?.filter)
        this.#scripts(one)
      }
      if (placed.includes(kind)) this.#places(kind, object)
      if (scripted.includes(kind)) this.#scripts(object)
      this.search(object.inner_hits)
    }
  }

  #places(kind: string, object: JsonObject): void {
    if (kind === 'terms') for (const field of Object.values(object)) this.#place(field, kind)
    else if (kind === 'geo_shape') {
      for (const field of Object.values(object)) this.#place(objectOf(field)?.indexed_shape, kind)
    } else if (kind === 'percolate') this.#place(object, kind)
    else for (const key of ['like', 'unlike', 'docs']) this.#likes(object[key], kind)
  }

  #likes(value: Json | undefined, kind: string): void {
    for (const one of listOf(value)) this.#place(one, kind)
  }

  #place(value: Json | undefined, kind: string): void {
    const object = objectOf(value)
    if (object !== undefined) this.#visit('place', object, kind)
  }

  #aggregations(value: Json | undefined): void {
    if (this.#depth > depthMax) return
    this.#depth++
    for (const one of Object.values(objectOf(value) ?? {})) {
      const aggregation = objectOf(one)
      if (aggregation === undefined) continue
      for (const type of Object.keys(aggregation)) {
        if (type !== 'aggs' && type !== 'aggregations' && type !== 'meta')
          this.#aggregation(type, aggregation)
      }
      this.#aggregations(aggregation.aggs ?? aggregation.aggregations)
    }
    this.#depth--
  }

  #aggregation(type: string, aggregation: JsonObject): void {
    const body = objectOf(aggregation[type])
    if (body === undefined) return
    this.#visit('aggregation', body, type)
    if (type === 'filter') this.query(body)
    else if (type === 'filters' || type === 'adjacency_matrix') {
      const filters = body.filters ?? null
      for (const one of Array.isArray(filters) ? filters : Object.values(objectOf(filters) ?? {}))
        this.query(one)
    } else if (type === 'top_hits') this.search(body)
    else if (type === 'composite') this.#composite(body)
    else this.#scripts(body)
  }

  #composite(body: JsonObject): void {
    for (const source of listOf(body.sources)) {
      for (const named of Object.values(objectOf(source) ?? {})) {
        const one = objectOf(named) ?? {}
        for (const [type, value] of Object.entries(one)) {
          const below = objectOf(value)
          if (below !== undefined) this.#visit('aggregation', below, `composite ${type}`)
        }
      }
    }
  }

  sort(value: Json | undefined): void {
    for (const one of listOf(value)) {
      const element = objectOf(one)
      if (element === undefined) continue
      for (const [name, options] of Object.entries(element)) {
        const sort = objectOf(options)
        if (sort === undefined) continue
        this.#visit('sort', sort, name)
        this.query(sort.nested_filter)
        for (let nested = objectOf(sort.nested); nested; nested = objectOf(nested.nested)) {
          this.query(nested.filter)
        }
        this.#scripts(sort)
      }
    }
  }

  #highlight(value: Json | undefined): void {
    const highlight = objectOf(value)
    if (highlight === undefined) return
    this.#visit('highlight', highlight, '')
    this.query(highlight.highlight_query)
    const fields = listOf(highlight.fields).flatMap((one) => Object.entries(objectOf(one) ?? {}))
    for (const [name, options] of fields) {
      const field = objectOf(options)
      if (field === undefined) continue
      this.#visit('highlight', field, name)
      this.query(field.highlight_query)
    }
  }

  suggest(value: Json | undefined): void {
    for (const [name, one] of Object.entries(objectOf(value) ?? {})) {
      const suggester = objectOf(one)
      if (suggester !== undefined) this.#visit('suggest', suggester, name)
    }
  }

  /** `script` and what else holds one. */
  #scripts(value: Json | undefined): void {
    const object = objectOf(value)
    for (const key of scriptKeys) {
      const script = objectOf(object?.[key])
      if (script === undefined) continue
      // `script_score: { script: … }`
      const inner = objectOf(script.script)
      if (inner !== undefined || typeof script.script === 'string') this.#scripts(script)
      else this.#visit('script', script, key)
    }
  }
}

const depthMax = 200
const scriptKeys = [
  'script',
  'script_score',
  '_script',
  'init_script',
  'map_script',
  'combine_script',
  'reduce_script',
]
const scripted = ['script', 'script_score', 'function_score', 'terms_set', 'intervals']
const placed = ['terms', 'more_like_this', 'mlt', 'geo_shape', 'percolate']

/** Where the clauses of a clause stand. */
const queriesBelow: { readonly [clause: string]: readonly string[] } = {
  bool: ['must', 'should', 'filter', 'must_not', 'mustNot'],
  constant_score: ['filter', 'query'],
  dis_max: ['queries'],
  boosting: ['positive', 'negative'],
  function_score: ['query', 'filter'],
  script_score: ['query'],
  nested: ['query', 'filter'],
  has_child: ['query', 'filter'],
  has_parent: ['query', 'filter'],
  filtered: ['query', 'filter'],
  and: ['filters'],
  or: ['filters'],
  indices: ['query', 'filter', 'no_match_query', 'no_match_filter'],
  fquery: ['query'],
  pinned: ['organic'],
  span_multi: ['match'],
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
