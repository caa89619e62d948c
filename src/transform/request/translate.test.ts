import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequestTranslator, type PlainRequest } from './translate.ts'
import type { RuleContext, TargetPlace, Version } from './rule.ts'

const es = (major: number, minor = 0): Version => ({ flavour: 'elasticsearch', major, minor })
const os = (major: number, minor = 0): Version => ({ flavour: 'opensearch', major, minor })
const nowhere: RuleContext['placeOf'] = () => undefined

function translated(
  request: PlainRequest,
  source: Version,
  placeOf = nowhere,
): ReturnType<ReturnType<typeof createRequestTranslator>> {
  return createRequestTranslator({ source, target: os(3, 6), placeOf })(request)
}

const search = (body: string): PlainRequest => ({ method: 'POST', path: '/shop/_search', body })

test('a request that needs no rule is the very one that was given', () => {
  const body = '{ "query" : {"match":{"name":"x"}}, "size": 10.0 }'
  for (const source of [es(7, 10), es(8, 19), os(2, 19)]) {
    const { fired, ...said } = translated(search(body), source)
    assert.deepEqual([said, fired], [search(body), []])
  }
  assert.equal(translated({ method: 'GET', path: '/' }, es(6, 8)).path, '/')
})

test('numbers that JavaScript cannot hold stay as they are written', () => {
  const asked =
    '{"query":{"bool":{"disable_coord":true,"filter":[{"term":{"id":9007199254740993}},{"range":{"x":{"gte":1.0,"lt":1e400}}}]}}}'
  const { body } = translated(search(asked), es(6, 8))
  assert.equal(
    body,
    '{"query":{"bool":{"filter":[{"term":{"id":9007199254740993}},{"range":{"x":{"gte":1.0,"lt":1e400}}}]}}}',
  )
})

test('names of rules are clauses only where clauses stand', () => {
  const values = search(
    '{"query":{"bool":{"filter":[{"term":{"missing":"filtered"}},{"match":{"and":"or"}}]}},"aggs":{"not":{"missing":{"field":"a"}}}}',
  )
  assert.equal(translated(values, es(2, 4)).body, values.body)
})

test('what is no JSON, and what is deeper than any engine reads, is passed on', () => {
  assert.equal(translated(search('{"filtered":'), es(2, 4)).body, '{"filtered":')
  const deep = `{"query":${'{"bool":{"must":'.repeat(5000)}{"filtered":{}}${'}}'.repeat(5000)}}`
  assert.ok(translated(search(deep), es(2, 4)).body!.length > 0)
})

test('a name written with escapes is found', () => {
  const { body } = translated(
    search(String.raw`{"query":{"\u0066iltered":{"filter":{"term":{"a":1}}}}}`),
    es(2, 4),
  )
  assert.equal(body, '{"query":{"bool":{"must":{"match_all":{}},"filter":{"term":{"a":1}}}}}')
})

test('every search of several is translated, and its line before it', () => {
  const body =
    '{"index":"old","type":"item"}\n{"query":{"filtered":{"filter":{"term":{"a":1}}}}}\n{}\n{"size":1}\n'
  const placeOf = (index: string): TargetPlace | undefined =>
    index === 'old' ? { indices: ['new'] } : undefined
  const { body: said, fired } = translated(
    { method: 'POST', path: '/_msearch', body },
    es(2, 4),
    placeOf,
  )
  assert.equal(
    said,
    '{"index":"new"}\n{"query":{"bool":{"must":{"match_all":{}},"filter":{"term":{"a":1}}}}}\n{}\n{"size":1}\n',
  )
  assert.deepEqual(fired.map(({ rule }) => rule).sort(), [
    ...['exact-totals', 'filtered', 'index-name-in-header', 'type-in-header'],
  ])
})

test('a type of an index that became several goes to its part; one kept in a field is asked for there', () => {
  const split = (_index: string, types: readonly string[] | undefined): TargetPlace => ({
    indices: types === undefined ? ['shop-a', 'shop-b'] : types.map((type) => `shop-${type}`),
  })
  const ofType = { method: 'GET', path: '/shop/a/_count' }
  assert.equal(translated(ofType, es(5, 6), split).path, '/shop-a/_count')
  assert.equal(
    translated({ method: 'GET', path: '/shop/_count' }, es(5, 6), split).path,
    '/shop-a,shop-b/_count',
  )
  const kept = (_index: string, types: readonly string[] | undefined): TargetPlace | undefined =>
    types && { indices: ['shop'], type: { field: 'doc_type', values: types } }
  assert.equal(
    translated(ofType, es(5, 6), kept).body,
    '{"query":{"bool":{"must":[{"match_all":{}}],"filter":[{"terms":{"doc_type":["a"]}}]}}}',
  )
  assert.equal(
    translated({ method: 'GET', path: '/shop/a/1' }, es(5, 6), kept).path,
    '/shop/_doc/a%231',
  )
  const mixed = (): TargetPlace => ({ indices: ['shop'], holdsOthers: true })
  assert.deepEqual(
    translated(ofType, es(5, 6), mixed).fired.map(({ rule, loses }) => [rule, loses]),
    [['types-in-path', 'meaning']],
  )
})

test('names in the path keep their commas, patterns and encoding', () => {
  const path = '/logs-*,%3Cday-%7Bnow%2Fd%7D%3E/item/_search?ignore_unavailable=true&q=a%2Bb'
  assert.equal(
    translated({ method: 'GET', path }, es(6, 8)).path,
    '/logs-*,%3Cday-%7Bnow%2Fd%7D%3E/_search?ignore_unavailable=true&q=a%2Bb&rest_total_hits_as_int=true',
  )
})
