import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReadRequest, TransformModule } from './module.ts'
import type { Step } from './pipeline.ts'
import { indicesOf, transformRequest } from './request.ts'

function step(request: TransformModule['request'], indices?: readonly string[]): Step {
  const common = { name: './shop.ts', options: { field: 'title' }, allowDrop: false }
  return { ...common, ...(indices && { indices }), ...(request && { request }) }
}

const search: ReadRequest = { method: 'GET', path: '/shop-1,logs/_search?q=a', body: '{"n":1.0}' }

test('the steps for an index of the path run in their order, each with its options', () => {
  const steps = [
    step((r, { index, options }) => ({
      ...r,
      body: `${r.body} ${index} ${String(options['field'])}`,
    })),
    step(undefined),
    step((r) => ({ ...r, path: r.path.replace('shop-1', 'shop') }), ['shop-*']),
    step(() => assert.fail('it is for another index'), ['orders']),
  ]
  assert.deepEqual(transformRequest(steps, search), {
    method: 'GET',
    path: '/shop,logs/_search?q=a',
    body: '{"n":1.0} shop-1,logs title',
  })
  assert.deepEqual(search.path, '/shop-1,logs/_search?q=a', 'the request that came is left alone')
  assert.deepEqual(transformRequest([], search), search)
})

test('a path that names no index is for every step', () => {
  const steps = [step((r) => ({ ...r, method: 'POST' }), ['orders'])]
  assert.equal(transformRequest(steps, { method: 'GET', path: '/_search' }).method, 'POST')
  const names = [
    '/',
    '',
    '/_cat/indices',
    '/a%2Fb/_search',
    '/%E0%A4%A/_count',
    '/x?y=/z',
    '/*/_doc/1',
  ]
  assert.deepEqual(names.map(indicesOf), [[], [], [], ['a/b'], ['%E0%A4%A'], ['x'], ['*']])
})

test('what a step throws, or gives back that is no request, names the step', () => {
  const cases: [TransformModule['request'], RegExp][] = [
    [
      () => {
        throw new TypeError('no such field')
      },
      /shop.ts: TypeError: no such field/,
    ],
    [() => undefined as never, /returned undefined; return the request/],
    [() => Promise.resolve(search) as never, /returned a promise/],
    [(r) => ({ ...r, path: '_search' }), /does not begin with a slash/],
    [(r) => ({ ...r, method: 'get' }), /the method that it returned is none/],
    [(r) => ({ ...r, body: { n: 1 } as never }), /JSON.stringify/],
  ]
  for (const [request, message] of cases) {
    assert.throws(() => transformRequest([step(request)], search), {
      code: 'MA_TRANSFORM',
      message,
    })
  }
})
