import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import { generateRequests } from './generate-requests.ts'
import type { SearchableIndex } from './source-fields.ts'

const shop: SearchableIndex = {
  name: 'shop',
  fields: [
    { name: 'color', form: 'keyword', values: ['red', 'blue'] },
    { name: 'name', form: 'text', values: ['hiking shoe 1', 'running shoe 2'] },
    { name: 'n', form: 'number', values: [1, 5, 30] },
    { name: 'at', form: 'date', values: ['2019-01-10T10:00:00Z'] },
  ],
}
const version = { flavour: 'elasticsearch', major: 7, minor: 10 } as const

test('the same seed makes the same requests, and every kind of them', () => {
  const make = (seed: number) =>
    generateRequests([shop], { count: 400, random: seededRandom(seed), version })
  assert.deepEqual(make(1), make(1))
  assert.notDeepEqual(make(1), make(2))
  const names = new Set(make(1).map(({ name }) => name))
  for (const kind of [
    'match',
    'term',
    'range',
    'bool',
    'sort',
    'page',
    'search-after',
    'terms-buckets',
    'histogram',
    'date-histogram',
    'stats',
    'cardinality',
  ]) {
    assert.ok(names.has(kind), kind)
  }
})

test('only fields that there are are asked for, in forms that the version takes', () => {
  const [, name] = shop.fields
  const texts = generateRequests([{ name: 'a/b', fields: [name!] }], {
    ...{ count: 50, random: seededRandom(1), version },
  })
  assert.ok(texts.every(({ path }) => path === '/a%2Fb/_search'))
  assert.ok(texts.every(({ body }) => /"name"/.test(body!) && !/"color"|"n"|"at"/.test(body!)))
  const old = generateRequests([shop], {
    ...{ count: 400, random: seededRandom(1) },
    version: { flavour: 'elasticsearch', major: 5, minor: 6 },
  })
  assert.ok(old.some(({ body }) => body!.includes('"interval":"')))
  assert.ok(!old.some(({ body }) => body!.includes('calendar_interval')))
})

test('without an index that has fields nothing is made', () => {
  assert.deepEqual(generateRequests([], { count: 5, random: seededRandom(1), version }), [])
})
