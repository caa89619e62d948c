import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prefixed, renameIndices } from './index-names.ts'
import type { PlainRequest } from './plan-request.ts'

const nameOf = prefixed('s-')

function renamed(method: string, path: string, body?: object | string): PlainRequest | undefined {
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  const request = { method, path, ...(text !== undefined && { body: text }) }
  return renameIndices(request, nameOf, { typed: false })
}

test('names in paths stand below the prefix: lists, patterns, exclusions, dates, all', () => {
  const cases: readonly [string, string, string][] = [
    ['GET', '/shop/_search?q=a', '/s-shop/_search?q=a'],
    ['GET', '/shop,-shop-old,log*/_search', '/s-shop,-s-shop-old,s-log*/_search'],
    ['GET', '/_search', '/s-*/_search'],
    ['GET', '/_all/_count', '/s-*/_count'],
    ['GET', '/*/_count', '/s-*/_count'],
    ['GET', '/%3Clog-%7Bnow%2Fd%7D%3E/_search', '/%3Cs-log-%7Bnow%2Fd%7D%3E/_search'],
    ['PUT', '/shop/_doc/1?refresh', '/s-shop/_doc/1?refresh&pipeline=_none'],
    ['PUT', '/shop/_doc/shop?pipeline=x', '/s-shop/_doc/shop?pipeline=_none'],
    ['DELETE', '/shop/_doc/a%2Fb', '/s-shop/_doc/a%2Fb'],
    ['DELETE', '/shop', '/s-shop'],
    ['DELETE', '/_all', '/s-*'],
    ['DELETE', '/*', '/s-*'],
    [
      'POST',
      '/shop/_delete_by_query?conflicts=proceed',
      '/s-shop/_delete_by_query?conflicts=proceed',
    ],
    ['POST', '/_all/_update_by_query?pipeline=p', '/s-*/_update_by_query?pipeline=_none'],
    ['PUT', '/shop/_alias/shop', '/s-shop/_alias/s-shop'],
    ['DELETE', '/_all/_alias/*', '/s-*/_alias/s-*'],
    ['PUT', '/shop/_clone/shop', '/s-shop/_clone/s-shop'],
    ['POST', '/logs/_rollover/logs-2', '/s-logs/_rollover/s-logs-2'],
    ['POST', '/_refresh', '/s-*/_refresh'],
    ['POST', '/a%2Cb/_refresh', '/s-a,s-b/_refresh'],
  ]
  for (const [method, path, expected] of cases) {
    assert.equal(renamed(method, path)?.path, expected, `${method} ${path}`)
  }
})

test('names in bodies stand below the prefix, and pipelines are switched off', () => {
  const lines = [
    { index: { _index: 'shop', _id: '1', pipeline: 'p' } },
    { a: 1 },
    { delete: { _index: 'shop', _id: '2' } },
    { create: { _id: '3' } },
    { _index: 'stays' },
    { update: { _index: 'log', _id: '4' } },
    { doc: {} },
  ]
  const bulk = renamed('POST', '/deflt/_bulk', lines.map((line) => JSON.stringify(line)).join('\n'))
  assert.equal(bulk?.path, '/s-deflt/_bulk?pipeline=_none')
  assert.deepEqual(
    bulk?.body
      ?.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { index: { _index: 's-shop', _id: '1', pipeline: '_none' } },
      { a: 1 },
      { delete: { _index: 's-shop', _id: '2' } },
      { create: { _id: '3' } },
      { _index: 'stays' },
      { update: { _index: 's-log', _id: '4' } },
      { doc: {} },
    ],
  )
  const bodyOf = (request: PlainRequest | undefined): unknown => JSON.parse(request?.body ?? 'null')
  assert.deepEqual(
    bodyOf(
      renamed('POST', '/_aliases', {
        actions: [
          { add: { index: 'shop', alias: 'all' } },
          { remove: { indices: ['a', '*'], aliases: ['x'] } },
          { remove_index: { index: 'old' } },
        ],
      }),
    ),
    {
      actions: [
        { add: { index: 's-shop', alias: 's-all' } },
        { remove: { indices: ['s-a', 's-*'], aliases: ['s-x'] } },
        { remove_index: { index: 's-old' } },
      ],
    },
  )
  assert.deepEqual(
    bodyOf(
      renamed('PUT', '/shop', {
        settings: { index: { default_pipeline: 'p', number_of_shards: 1 }, final_pipeline: 'q' },
        aliases: { all: { filter: { term: { a: 1 } } } },
      }),
    ),
    {
      settings: { index: { number_of_shards: 1 } },
      aliases: { 's-all': { filter: { term: { a: 1 } } } },
    },
  )
  assert.deepEqual(
    bodyOf(
      renamed('PUT', '/shop/_settings', {
        'index.default_pipeline': 'p',
        'index.refresh_interval': '1s',
      }),
    ),
    { 'index.refresh_interval': '1s' },
  )
  assert.deepEqual(
    bodyOf(
      renamed('POST', '/_reindex', {
        source: { index: ['a', 'b'] },
        dest: { index: 'c', pipeline: 'p' },
      }),
    ),
    { source: { index: ['s-a', 's-b'] }, dest: { index: 's-c', pipeline: '_none' } },
  )
  assert.deepEqual(bodyOf(renamed('PUT', '/shop/_alias', { alias: 'all', index: 'other' })), {
    ...{ alias: 's-all', index: 's-other' },
  })
  assert.equal(
    renamed('POST', '/_msearch', '{}\n{"size":0}\n{"index":"a"}\n{}\n')?.body,
    '{"index":"s-*"}\n{"size":0}\n{"index":"s-a"}\n{}\n',
  )
  assert.deepEqual(bodyOf(renamed('POST', '/_mget', { docs: [{ _index: 'a', _id: '1' }] })), {
    docs: [{ _index: 's-a', _id: '1' }],
  })
})

test('what could write elsewhere, or is not understood, is not let through', () => {
  const cases: readonly [string, string, (object | string)?][] = [
    ['POST', '/_bulk', '{"index":{"_id":"1"}}\n{}\n'],
    ['POST', '/_bulk', '{"index":{"_index":"other:a"}}\n{}\n'],
    ['POST', '/_bulk', '{"index":{"_index":"a"},"delete":{"_index":"b"}}\n{}\n'],
    ['POST', '/_bulk', '{"index":{"_index":["a"]}}\n{}\n'],
    ['POST', '/_bulk', '{"index":{"_index":"a"}}\n'],
    ['POST', '/_bulk', 'no json\n{}\n'],
    ['POST', '/cluster:shop/_delete_by_query', {}],
    [
      'POST',
      '/_reindex',
      { source: { index: 'a' }, dest: { index: 'b' }, script: { source: "ctx._index='c'" } },
    ],
    ['POST', '/_reindex', { source: { remote: { host: 'h' }, index: 'a' }, dest: { index: 'b' } }],
    ['POST', '/_reindex', { source: { index: 'a' } }],
    ['POST', '/_aliases', { actions: [{ add: { alias: 'x' } }] }],
    ['POST', '/_aliases', { actions: [{ swap: { index: 'x' } }] }],
    ['PUT', '/_template/t', { index_patterns: ['*'] }],
    ['PUT', '/_index_template/t', { index_patterns: ['*'] }],
    ['PUT', '/_ingest/pipeline/p', {}],
    ['PUT', '/_cluster/settings', {}],
    ['PUT', '/_settings', {}],
    ['DELETE', '/_snapshot/r/s'],
    ['POST', '/_snapshot/r/s/_restore', {}],
    ['PUT', '/_data_stream/logs'],
    ['POST', '/_plugins/_sql', { query: 'delete from shop' }],
    ['POST', '/_unknown', {}],
    ['PUT', '/shop/_search', {}],
    ['GET', '/_search?index=shop'],
    ['PUT', '/shop/_doc/1?source=x'],
    ['DELETE', '/_query'],
    ['PUT', '/_create_from/a/b'],
  ]
  for (const [method, path, body] of cases) {
    assert.equal(
      renamed(method, path, body),
      undefined,
      `${method} ${path} ${JSON.stringify(body)}`,
    )
  }
})
