import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAnswer, type SearchRequest } from './search-request.ts'
import { shapeOf } from './shape.ts'

const search = (body: unknown, path = '/shop/_search'): SearchRequest => ({
  method: 'POST',
  path,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  origin: 'file',
})

test('shapeOf() takes out values and keeps what tells how something is searched', () => {
  const { template, key } = shapeOf(
    search({
      query: { bool: { filter: [{ term: { color: 'red' } }, { range: { price: { gte: 10 } } }] } },
      sort: [{ price: { order: 'desc' } }, 'id'],
      size: 20,
    }),
  )
  assert.equal(
    template,
    'POST /shop/_search {"query":{"bool":{"filter":[{"term":{"color":"?"}},{"range":{"price":{"gte":"?"}}}]}},' +
      '"size":"?","sort":[{"price":{"order":"desc"}},"id"]}',
  )
  assert.match(key, /^[0-9a-f]{12}$/)
})

const same: [string, SearchRequest, SearchRequest][] = [
  [
    'another value and another order of keys',
    search({ query: { match: { name: 'red shoe' } }, size: 10 }),
    search({ size: 5, query: { match: { name: 'hat' } } }),
  ],
  [
    'more values in a list',
    search({ query: { terms: { color: ['red'] } } }),
    search({ query: { terms: { color: ['red', 'blue', 'green'] } } }),
  ],
  [
    'more clauses of one form',
    search({ query: { bool: { should: [{ term: { a: 1 } }] } } }),
    search({ query: { bool: { should: [{ term: { a: 1 } }, { term: { a: 2 } }] } } }),
  ],
  [
    'another day of a log',
    search({}, '/logs-2024.01.31/_search'),
    search({}, '/logs-2024.02.1/_search'),
  ],
  [
    'another document',
    { method: 'GET', path: '/shop/_doc/a?routing=1', origin: 'file' },
    { method: 'GET', path: '/shop/_doc/b?routing=2', origin: 'file' },
  ],
  [
    'more searches in one msearch',
    search('{}\n{"size":1}\n'),
    search('{}\n{"size":1}\n{}\n{"size":3}\n'),
  ],
]

for (const [what, one, other] of same) {
  test(`${what} is the same shape`, () => {
    assert.deepEqual(shapeOf(one), shapeOf(other))
  })
}

const different: [string, SearchRequest, SearchRequest][] = [
  ['another field', search({ query: { term: { a: 1 } } }), search({ query: { term: { b: 1 } } })],
  [
    'another order',
    search({ sort: [{ a: 'asc' }] }),
    search({ sort: [{ a: 'asc' }, { b: 'asc' }] }),
  ],
  ['no hits asked for', search({ size: 0 }), search({ size: 10 })],
  ['another index', search({}, '/shop/_search'), search({}, '/shops/_search')],
  [
    'another parameter',
    search({}, '/shop/_search?search_type=dfs_query_then_fetch'),
    search({}, '/shop/_search?search_type=query_then_fetch'),
  ],
]

for (const [what, one, other] of different) {
  test(`${what} is another shape`, () => {
    assert.notEqual(shapeOf(one).key, shapeOf(other).key)
  })
}

test('a body that is no JSON, and one of half a megabyte, have shapes', () => {
  assert.equal(shapeOf(search('{"query":')).template, 'POST /shop/_search (no JSON)')
  const filters = Array.from({ length: 20_000 }, (_, at) => ({ term: { [`field${at}`]: at } }))
  const { template } = shapeOf(search({ query: { bool: { filter: filters } } }))
  assert.equal(template.length, 2000)
})

test('parseAnswer() rounds no whole number, and gives undefined for what is no JSON', () => {
  assert.deepEqual(parseAnswer('{"a":9007199254740993,"b":9007199254740992.5,"c":1}'), {
    a: 9007199254740993n,
    b: 9007199254740992.5,
    c: 1,
  })
  assert.equal(parseAnswer('<html>'), undefined)
})
