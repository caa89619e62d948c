import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressFor, withAddress } from './node-addresses.ts'
import { RequestHeadBytes } from './wire/heads.ts'

function requestOf(
  method: string,
  target: string,
  fields = 'Host: proxy:9200\r\n',
): RequestHeadBytes {
  const bytes = Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`)
  return new RequestHeadBytes(bytes, 0, bytes.length)
}

test('addressFor() takes the address that the client used, or the one that is set', () => {
  assert.equal(addressFor(requestOf('GET', '/_nodes/http'), true), 'proxy:9200')
  assert.equal(addressFor(requestOf('GET', '/_nodes/http'), 'es.example:443'), 'es.example:443')
  assert.equal(addressFor(requestOf('GET', '/_nodes/http'), false), undefined)
  assert.equal(addressFor(requestOf('GET', '/_nodes/http', ''), true), undefined)
})

test('addressFor() knows what clients that sniff ask for', () => {
  const sniffing = [
    '/_nodes',
    '/_nodes?pretty',
    '/_nodes/http',
    '/_nodes/_all/http',
    '/_nodes/_local/http,os?timeout=1s',
    '/_nodes/data:true',
  ]
  const other = [
    '/',
    '/_nodesx',
    '/_nodes/stats',
    '/_nodes/_all/stats/http',
    '/_nodes/hot_threads',
    '/_nodes/n1/hotthreads',
    '/_nodes/usage',
    '/_cat/nodes',
  ]
  for (const target of sniffing) assert.ok(addressFor(requestOf('GET', target), true), target)
  for (const target of other)
    assert.equal(addressFor(requestOf('GET', target), true), undefined, target)
  assert.equal(addressFor(requestOf('POST', '/_nodes/http'), true), undefined)
})

test('withAddress() changes the addresses of HTTP and no other byte', () => {
  const text = `{
  "nodes" : {
    "n" : {
      "name" : "\u00e9", "transport_address" : "127.0.0.1:9300", "roles" : [ "data" ],
      "settings" : { "http" : { "type" : { "default" : "netty4" }, "port" : "9200" } },
      "transport" : { "publish_address" : "127.0.0.1:9300" },
      "http" : {
        "bound_address" : [ "[::1]:9200", "127.0.0.1:9200" ],
        "publish_address" : "es-1/127.0.0.1:9200",
        "max_content_length_in_bytes" : 104857600
      }
    }
  }
}
`
  const expected = text
    .replace('[ "[::1]:9200", "127.0.0.1:9200" ]', '["p:1"]')
    .replace('"es-1/127.0.0.1:9200"', '"p:1"')
  assert.equal(withAddress(text, 'p:1'), expected)
})

test('withAddress() keeps the form of Elasticsearch 1.x', () => {
  assert.equal(
    withAddress(
      '{"http_address":"inet[/10.0.0.1:9200]","http":{"publish_address":"inet[/10.0.0.1:9200]"}}',
      'p:1',
    ),
    '{"http_address":"inet[/p:1]","http":{"publish_address":"inet[/p:1]"}}',
  )
})
