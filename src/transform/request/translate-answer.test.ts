import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Version } from './rule.ts'
import { createAnswerTranslator } from './translate-answer.ts'

const version = (major: number, minor = 0): Version => ({ flavour: 'elasticsearch', major, minor })
const search = { method: 'POST', path: '/shop/item/_search' }
const found = (): object => ({
  took: 1,
  hits: {
    total: { value: 12, relation: 'eq' },
    hits: [
      {
        ...{ _index: 'shop', _id: '1', _score: 1, _source: { total: { value: 3 } } },
        inner_hits: { tags: { hits: { total: { value: 1, relation: 'eq' }, hits: [] } } },
      },
    ],
  },
})

test('an answer gets the number of hits and the type that a source before 7 gives', () => {
  const translate = createAnswerTranslator({ source: version(6, 8) })
  assert.deepEqual(translate(search, found()), {
    took: 1,
    hits: {
      total: 12,
      hits: [
        {
          ...{
            _index: 'shop',
            _type: 'item',
            _id: '1',
            _score: 1,
            _source: { total: { value: 3 } },
          },
          inner_hits: { tags: { hits: { total: 1, hits: [] } } },
        },
      ],
    },
  })
})

test('for a source of version 7 the total stays, and the type is _doc', () => {
  const translate = createAnswerTranslator({ source: version(7, 10) })
  const answer = translate({ method: 'POST', path: '/shop/_search' }, found()) as {
    hits: { total: object; hits: object[] }
  }
  assert.deepEqual(answer.hits.total, { value: 12, relation: 'eq' })
  assert.deepEqual(Object.keys(answer.hits.hits[0]!).slice(0, 3), ['_index', '_type', '_id'])
})

test('for a source of version 8 nothing changes but the id of a point in time', () => {
  const translate = createAnswerTranslator({ source: version(8, 19) })
  assert.deepEqual(translate(search, found()), found())
  const pit = { method: 'POST', path: '/shop/_pit?keep_alive=1m' }
  assert.deepEqual(translate(pit, { pit_id: 'a', creation_time: 1 }), { id: 'a', creation_time: 1 })
})

test('documents, lists of them, several searches and suggestions are said as the source says them', () => {
  const translate = createAnswerTranslator({ source: version(5, 6) })
  assert.deepEqual(
    translate({ method: 'GET', path: '/shop/item/1' }, { _index: 'shop', _id: '1', found: true }),
    { _index: 'shop', _type: 'item', _id: '1', found: true },
  )
  assert.deepEqual(
    translate({ method: 'POST', path: '/_mget' }, { docs: [{ _index: 'shop', _id: '1' }] }),
    { docs: [{ _index: 'shop', _type: '_doc', _id: '1' }] },
  )
  assert.deepEqual(
    translate(
      { method: 'POST', path: '/_msearch' },
      { responses: [{ hits: { total: { value: 2 }, hits: [] } }, { error: {}, status: 400 }] },
    ),
    { responses: [{ hits: { total: 2, hits: [] } }, { error: {}, status: 400 }] },
  )
  assert.deepEqual(
    translate(
      { method: 'POST', path: '/shop/_suggest' },
      { took: 1, hits: { total: 0, hits: [] }, _shards: { total: 1 }, suggest: { s: [] } },
    ),
    { _shards: { total: 1 }, s: [] },
  )
  assert.deepEqual(
    translate({ method: 'POST', path: '/shop/_search/exists' }, { hits: { total: 3, hits: [] } }),
    { exists: true },
  )
})

test('what is no object stays what it is', () => {
  const translate = createAnswerTranslator({ source: version(6) })
  for (const body of [undefined, null, 'text', 1, []]) assert.equal(translate(search, body), body)
})
