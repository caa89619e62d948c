import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { expandRoute } from './route-tree.ts'
import { parseRequest } from './parse-request.ts'

const file = new URL('../../../test/fixtures/api/requests.txt', import.meta.url)

test('requests of every API have the effect that they have', () => {
  let rows = 0
  let expected = ''
  const wrong: string[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    if (!line.startsWith(' ')) {
      expected = line
      continue
    }
    const [methods = '', path = ''] = line.trim().split(' ')
    for (const method of methods.split('|')) {
      rows++
      const { effect, api, mayWrite } = parseRequest(method, path)
      if (`${effect} ${api}` !== expected) wrong.push(`${method} ${path}: ${effect} ${api}`)
      assert.equal(mayWrite, !['read', 'cursor', 'monitor', 'upkeep'].includes(effect))
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(rows > 1100, String(rows))
})

/** Odd forms: method and target, then effect and API, then what stands in the path. */
const oddForms: readonly [string, string, string?, object?][] = [
  // Slashes at the end do not count, in between they do for the engine and may not for a proxy in front of it.
  ['POST /i/_search/', 'read search'],
  ['POST //i/_search', 'read search'],
  ['POST /i//_bulk', 'documents bulk'],
  ['PUT //i//_doc//1', 'documents index'],
  ['GET //i//_search', 'read search'],
  ['GET /', 'monitor unknown'],
  ['GET /?pretty', 'monitor unknown'],
  ['GET ', 'monitor unknown'],
  ['DELETE /', 'unknown unknown'],
  // The engine compares literal segments as they were sent: this is a name, and so a document.
  ['POST /i/%5Fsearch', 'documents index', '', { index: 'i', type: '_search' }],
  ['POST /%5Fbulk', 'indices create_index'],
  ['PUT /a%2Cb/_doc/x%2Fy%3Fz', 'documents index', '', { index: 'a,b', id: 'x/y?z' }],
  ['PUT /%3Clogs-%7Bnow%2Fd%7D%3E/_doc/1', 'documents index', '', { index: '<logs-{now/d}>' }],
  ['PUT /i/_doc/%zz', 'documents index', '', { id: '%zz' }],
  ['PUT /i/_doc/%C3%A9', 'documents index', '', { id: 'é' }],
  // A body in the query changes nothing about what is asked.
  ['POST /_bulk?source=%7B%7D&source_content_type=application/json', 'documents bulk'],
  ['GET /i/_search?source=%7B%7D', 'read search'],
  ['POST /i/_search?scroll=1m', 'read search'],
  ['GET /_search?_source=_bulk/', 'read search'],
  ['GET http://es:9200/i/_doc/1', 'read get'],
  ['PUT http://es:9200/i/_doc/1?x', 'documents index'],
  ['DELETE http://es:9200', 'unknown unknown'],
  // Names that are those of APIs elsewhere.
  ['PUT /i/_doc/_search', 'documents index', '', { id: '_search' }],
  ['POST /i/_doc/_search', 'read search'],
  ['POST /i/_doc/_bulk', 'documents bulk'],
  ['PUT /i/_doc/_mapping', 'indices put_mapping'],
  ['POST /i/_create/_bulk', 'documents create'],
  ['POST /i/_update/_search', 'documents update'],
  ['PUT /i/search/count', 'documents index', '', { type: 'search', id: 'count' }],
  ['DELETE /_all', 'indices delete_index', '', { index: '_all' }],
  ['DELETE /*', 'indices delete_index'],
  ['POST /i/_search/template', 'read search_template'],
  ['PUT /_search/template/x', 'cluster script'],
  ['POST /i/.percolator/1', 'documents index', '', { type: '.percolator' }],
  ['PUT /_river/my/_meta', 'unknown unknown'],
  // Methods that the engines do not have, or only in capitals.
  ['post /i/_search', 'unknown unknown'],
  ['PATCH /i/_doc/1', 'unknown unknown'],
  ['PROPFIND /', 'unknown unknown'],
  ['OPTIONS /i/_doc/1', 'monitor unknown'],
  ['HEAD /i', 'monitor unknown'],
  ['HEAD /i/_doc/1', 'read get'],
  // Unknown paths.
  ['POST /_some/plugin', 'unknown unknown'],
  ['GET /_some/plugin', 'monitor unknown'],
  ['POST /i/_some_day', 'unknown unknown', '', { index: 'i' }],
  ['PUT /i/_doc/1/2/3', 'unknown unknown'],
  ['DELETE /_plugins/_what/ever', 'cluster plugin'],
  ['POST /_ml/what/ever', 'cluster machine_learning'],
  // What a namespace may be called elsewhere.
  ['POST /_xpack/sql/translate', 'read sql'],
  ['POST /_xpack/security/_authenticate', 'cluster security'],
  ['POST /_xpack', 'cluster security'],
  ['GET /_xpack/usage', 'monitor unknown'],
  ['POST /_opendistro/_ppl', 'read ppl'],
]

for (const [request, expected, , parts] of oddForms) {
  test(`${request} is ${expected}`, () => {
    const at = request.indexOf(' ')
    const parsed = parseRequest(request.slice(0, at), request.slice(at + 1))
    assert.equal(`${parsed.effect} ${parsed.api}`, expected)
    if (parts) assert.deepEqual({ ...parsed.parts, ...parts }, parsed.parts)
  })
}

test('without types a segment after _doc is an id, whatever its name', () => {
  const typed = false
  assert.equal(parseRequest('POST', '/i/_doc/_search', { typed }).api, 'index')
  assert.equal(parseRequest('POST', '/i/t/_bulk', { typed }).mayWrite, true)
  assert.equal(parseRequest('POST', '/i/_search', { typed }).api, 'search')
})

test('where nobody knows whether there are types, what may write counts', () => {
  const typed = undefined
  assert.equal(parseRequest('POST', '/i/_doc/_search', { typed }).api, 'index')
  assert.equal(parseRequest('POST', '/i/t/_search', { typed }).api, 'search')
  assert.equal(parseRequest('GET', '/i/_doc/_search', { typed }).mayWrite, false)
  assert.equal(parseRequest('PUT', '/i/t/1', { typed }).api, 'index')
})

test('index names of the path are apart at the commas; without any they are not known', () => {
  assert.deepEqual(parseRequest('POST', '/a,b*,-c/_refresh').indices, ['a', 'b*', '-c'])
  assert.deepEqual(parseRequest('POST', '/a/_unknown').indices, ['a'])
  assert.equal(parseRequest('POST', '/_bulk').indices, undefined)
  assert.deepEqual(parseRequest('PUT', '/_plugins/_replication/f/_start').indices, ['f'])
})

test('expandRoute() leaves out what stands in brackets, in every way', () => {
  assert.deepEqual(expandRoute('[/{a}[/{b}]]/x[/y]'), [
    '/x',
    '/x/y',
    '/{a}/x',
    '/{a}/x/y',
    '/{a}/{b}/x',
    '/{a}/{b}/x/y',
  ])
  assert.throws(() => expandRoute('/a[/b'), /not closed/)
})
