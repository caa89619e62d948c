import type { Json, JsonObject } from '../../base/json.ts'
import type { Version } from '../../base/version-range.ts'
import type { SearchRequest } from './search-request.ts'
import type { FieldForm, SearchableIndex, SearchField } from './source-fields.ts'

/** A kind of request, and what it is made of. */
interface Recipe {
  readonly name: string
  /** Forms of the fields that it takes, one field for each. */
  readonly takes: readonly (readonly FieldForm[])[]
  readonly make: (fields: readonly SearchField[], draw: Draw, version: Version) => JsonObject
}

const exact: readonly FieldForm[] = ['keyword', 'number', 'boolean']
const ordered: readonly FieldForm[] = ['number', 'date']
const sortable: readonly FieldForm[] = ['keyword', 'number', 'date']

/** What people ask most; forms that every version from Elasticsearch 2 on takes. */
const recipes: readonly Recipe[] = [
  recipe('match', [['text']], ([text], draw) => ({
    query: { match: { [text.name]: draw.words(text, 2) } },
  })),
  recipe('match-all-words', [['text']], ([text], draw) => ({
    query: { match: { [text.name]: { query: draw.words(text, 3), operator: 'and' } } },
  })),
  recipe('phrase', [['text']], ([text], draw) => ({
    query: { match_phrase: { [text.name]: draw.words(text, 2) } },
  })),
  recipe('multi-match', [['text'], ['text', 'keyword']], ([one, other], draw) => ({
    query: { multi_match: { query: draw.words(one, 2), fields: [one.name, other.name] } },
  })),
  recipe('query-string', [['text']], ([text], draw) => ({
    query: { simple_query_string: { query: draw.words(text, 2), fields: [text.name] } },
  })),
  recipe('term', [exact], ([field], draw) => ({
    query: { term: { [field.name]: draw.value(field) } },
  })),
  recipe('terms', [exact], ([field], draw) => ({
    query: { terms: { [field.name]: [draw.value(field), draw.value(field)] } },
  })),
  recipe('prefix', [['keyword']], ([field], draw) => ({
    query: { prefix: { [field.name]: String(draw.value(field)).slice(0, 2) } },
  })),
  recipe('exists', [[...exact, ...ordered, 'text']], ([field]) => ({
    query: { exists: { field: field.name } },
    size: 0,
  })),
  recipe('range', [ordered], ([field], draw) => ({ query: range(field, draw) })),
  recipe('bool', [['text'], exact, ordered], ([text, field, place], draw) => ({
    query: {
      bool: {
        must: [{ match: { [text.name]: draw.words(text, 2) } }],
        filter: [range(place, draw)],
        should: [{ term: { [field.name]: draw.value(field) } }],
      },
    },
  })),
  recipe('bool-not', [exact, ordered], ([field, place], draw) => ({
    query: {
      bool: {
        must_not: [{ term: { [field.name]: draw.value(field) } }],
        filter: [range(place, draw)],
      },
    },
  })),
  recipe('sort', [sortable], ([field], draw) => ({
    sort: [{ [field.name]: { order: draw.order() } }],
  })),
  recipe('sort-by-two', [sortable, sortable], ([one, other], draw) => ({
    sort: [{ [one.name]: { order: draw.order() } }, { [other.name]: { order: 'asc' } }],
  })),
  recipe('page', [sortable], ([field], draw) => ({
    ...{ from: 10 * (1 + draw.below(4)), size: 10 },
    sort: [{ [field.name]: { order: draw.order() } }],
  })),
  recipe('search-after', [['number', 'keyword']], ([field], draw) => ({
    sort: [{ [field.name]: { order: draw.order() } }],
    search_after: [draw.value(field)],
  })),
  recipe('terms-buckets', [['keyword', 'number', 'boolean']], ([field]) => ({
    ...{
      size: 0,
      aggs: { values: { terms: { field: field.name, size: 20, order: { _count: 'desc' } } } },
    },
  })),
  recipe('terms-with-stats', [['keyword', 'boolean'], ['number']], ([field, number]) => ({
    size: 0,
    aggs: {
      values: {
        terms: { field: field.name, size: 10 },
        aggs: { figures: { stats: { field: number.name } } },
      },
    },
  })),
  recipe('stats', [['number']], ([field]) => ({
    size: 0,
    aggs: { figures: { stats: { field: field.name } } },
  })),
  recipe('histogram', [['number']], ([field]) => ({
    size: 0,
    aggs: {
      classes: { histogram: { field: field.name, interval: spread(field), min_doc_count: 1 } },
    },
  })),
  recipe('date-histogram', [['date']], ([field], draw, version) => ({
    size: 0,
    aggs: {
      times: {
        date_histogram: {
          ...{ field: field.name, min_doc_count: 1 },
          [hasCalendar(version) ? 'calendar_interval' : 'interval']: draw.one([
            'month',
            'day',
            'hour',
          ]),
        },
      },
    },
  })),
  recipe('cardinality', [exact], ([field]) => ({
    size: 0,
    aggs: { count: { cardinality: { field: field.name } } },
  })),
]

/**
 * Makes so many requests from what indices of the source hold: each index and each kind of request has the same chance.
 * The same seed makes the same requests of the same indices. Empty where no index has a field to ask for.
 */
export function generateRequests(
  indices: readonly SearchableIndex[],
  { count, random, version }: { count: number; random: () => number; version: Version },
): SearchRequest[] {
  const draw = new Draw(random)
  const made: SearchRequest[] = []
  const possible = indices
    .map((index) => ({
      index,
      recipes: recipes.filter((one) => one.takes.every((forms) => hasForm(index, forms))),
    }))
    .filter((one) => one.recipes.length > 0)
  while (possible.length > 0 && made.length < count) {
    const { index, recipes: fitting } = draw.one(possible)
    const { name, takes, make } = draw.one(fitting)
    const fields = takes.map((forms) =>
      draw.one(index.fields.filter(({ form }) => forms.includes(form))),
    )
    const path = `/${encodeURIComponent(index.name)}/_search`
    const body = JSON.stringify(make(fields, draw, version))
    made.push({ method: 'POST', path, body, origin: 'generated', name })
  }
  return made
}

type Fields<Takes extends readonly unknown[]> = { readonly [At in keyof Takes]: SearchField }

function recipe<const Takes extends readonly (readonly FieldForm[])[]>(
  name: string,
  takes: Takes,
  make: (fields: Fields<Takes>, draw: Draw, version: Version) => JsonObject,
): Recipe {
  return { name, takes, make: (fields, ...rest) => make(fields as Fields<Takes>, ...rest) }
}

function hasForm({ fields }: SearchableIndex, forms: readonly FieldForm[]): boolean {
  return fields.some(({ form }) => forms.includes(form))
}

class Draw {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  order(): Json {
    return this.one(['asc', 'desc'])
  }

  value(field: SearchField): string | number | boolean {
    return this.one(field.values)
  }

  /** So many words at most that stand one behind the other in a value. */
  words(field: SearchField, most: number): string {
    const words = String(this.value(field))
      .split(/\s+/)
      .filter((word) => word !== '')
    const count = 1 + this.below(most)
    const from = this.below(Math.max(1, words.length - count + 1))
    return words.slice(from, from + count).join(' ')
  }
}

/** From one value that documents have to another. */
function range(field: SearchField, draw: Draw): JsonObject {
  const ends = [draw.value(field), draw.value(field)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return { range: { [field.name]: { gte: ends[0]!, lte: ends[1]! } } }
}

/** A round interval that makes some twenty classes. */
function spread({ values }: SearchField): number {
  const numbers = values.filter((value) => typeof value === 'number')
  const width = (Math.max(...numbers, 0) - Math.min(...numbers, 0)) / 20
  return width > 0 ? 10 ** Math.ceil(Math.log10(width)) : 1
}

function hasCalendar({ flavour, major, minor }: Version): boolean {
  return flavour === 'opensearch' || major > 7 || (major === 7 && minor >= 2)
}
