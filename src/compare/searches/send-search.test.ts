import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVersion } from '../../cluster/version.ts'
import { notARead } from './send-search.ts'

const on = (version: string, line: string, body?: string): string | undefined => {
  const [method = '', path = ''] = line.split(' ')
  const flavour = version.startsWith('os') ? 'opensearch' : 'elasticsearch'
  const parsed = parseVersion(flavour, version.replace('os', ''))!
  return notARead({ version: parsed }, { method, path, ...(body !== undefined && { body }) })
}

test('only what reads there is sent, as that version understands it', () => {
  for (const line of [
    'POST /s/_search',
    'GET /s/_doc/1',
    'POST /_msearch',
    'GET /s/_count',
    'POST /_mget',
  ]) {
    for (const version of ['6.8.0', '7.10.2', '8.19.0', '9.2.0', 'os1.3.0', 'os3.6.0']) {
      assert.equal(on(version, line), undefined, `${version} ${line}`)
    }
  }
  assert.equal(on('6.8.0', 'POST /s/item/_search'), undefined)
  assert.equal(on('7.10.2', 'POST /s/_doc/_search'), undefined)
  // Without types it is a document with the id _search.
  for (const version of ['8.19.0', '9.2.0', 'os3.6.0']) {
    assert.equal(on(version, 'POST /s/_doc/_search'), 'change something', version)
  }
  for (const line of [
    'POST /s/_doc',
    'POST /s/_delete_by_query',
    'POST /_bulk',
    'DELETE /s',
    'POST /_reindex',
  ]) {
    assert.equal(on('os3.6.0', line), 'change something', line)
  }
})

test('a path is judged as it is sent: dots in it are gone by then', () => {
  assert.equal(on('os3.6.0', 'POST /s/_search/../_delete_by_query'), 'change something')
  assert.equal(on('os3.6.0', 'POST /s/_search/%2e%2e/_delete_by_query'), 'change something')
})

test('what goes on with a cursor of one cluster is not sent to another', () => {
  assert.match(on('7.10.2', 'POST /_search/scroll')!, /go on/)
  assert.match(on('os3.6.0', 'POST /_search', '{"pit":{"id":"a"}}')!, /go on/)
  assert.equal(on('os3.6.0', 'GET /_cluster/health'), 'are no searches')
})
