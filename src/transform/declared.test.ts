import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredStep } from './declared.ts'
import type { Mapping } from './module.ts'
import { Pipeline, stepWithoutInverse, transformMapping, type Step } from './pipeline.ts'
import type { DeclaredAction } from './spec.ts'

function stepOf(action: DeclaredAction): Step {
  const common = { name: action.kind, options: {}, allowDrop: false }
  return { ...common, ...declaredStep(action) }
}

interface Case {
  action: DeclaredAction
  before: string
  /** A pattern: why it becomes a dead letter. */
  after: string | RegExp
  /** False: the inverse gives back something else, or there is none. */
  back?: false
}

const rename = (pairs: { [from: string]: string }): DeclaredAction => {
  return { kind: 'rename', rename: pairs }
}
const copy = (pairs: { [from: string]: string }): DeclaredAction => ({ kind: 'copy', copy: pairs })
const long: DeclaredAction = { kind: 'convert', convert: { n: 'long' } }
const double: DeclaredAction = { kind: 'convert', convert: { n: 'double' } }
const keyword: DeclaredAction = { kind: 'convert', convert: { n: 'keyword' } }
const boolean: DeclaredAction = { kind: 'convert', convert: { n: 'boolean' } }

const cases: Case[] = [
  { action: rename({ a: 'b' }), before: '{"a":{"x":1.0},"c":2}', after: '{"c":2,"b":{"x":1.0}}' },
  { action: rename({ a: 'b' }), before: '{ "c":2 }', after: '{ "c":2 }' },
  {
    action: rename({ a: 'b' }),
    before: '{"a":18446744073709551615}',
    after: '{"b":18446744073709551615}',
  },
  {
    action: rename({ a: 'b' }),
    before: '{"a":1,"b":2}',
    after: /a cannot become b: .* has a field b/,
  },
  {
    action: rename({ 'u.n': 'u.name' }),
    before: '{"u":[{"n":1},{"m":2},[{"n":3}]]}',
    after: '{"u":[{"name":1},{"m":2},[{"name":3}]]}',
  },
  { action: rename({ 'u.n': 'u.name' }), before: '{"u.n":1}', after: '{"u.name":1}' },
  { action: rename({ 'u.n': 'name' }), before: '{"u":{"n":1}}', after: '{"name":1}' },
  {
    action: rename({ 'u.n': 'name' }),
    before: '{"u":{"n":1,"m":2}}',
    after: '{"u":{"m":2},"name":1}',
  },
  { action: rename({ 'u.n': 'name' }), before: '{"u":[{"n":1}]}', after: /lies in an array/ },
  {
    action: rename({ name: 'u.n' }),
    before: '{"name":null,"u":{"m":1}}',
    after: '{"u":{"m":1,"n":null}}',
  },
  { action: rename({ name: 'u.n' }), before: '{"name":null,"u":3}', after: /u is no object/ },
  { action: rename({ a: 'b', b: 'c' }), before: '{"a":1}', after: '{"c":1}' },
  { action: rename({ a: '__proto__' }), before: '{"a":{"x":1}}', after: '{"__proto__":{"x":1}}' },
  {
    action: copy({ a: 'b' }),
    before: '{"a":[{"x":12345678901234567890}]}',
    after: '{"a":[{"x":12345678901234567890}],"b":[{"x":12345678901234567890}]}',
  },
  { action: copy({ a: 'b' }), before: '{"a":1,"b":2}', after: /has a field b/ },
  { action: copy({ a: 'b' }), before: '{"b":2}', after: '{"b":2}' },
  { action: copy({ a: 'x.y' }), before: '{"a":1}', after: '{"a":1,"x":{"y":1}}' },
  {
    action: { kind: 'remove', remove: ['a.b', 'c'] },
    before: '{"a":{"b":1},"c":2,"d":3}',
    after: '{"d":3}',
    back: false,
  },
  {
    action: { kind: 'remove', remove: ['a.b'] },
    before: '{"a":[{"b":1,"c":2}],"a.b":3}',
    after: '{"a":[{"c":2}]}',
    back: false,
  },
  {
    action: { kind: 'set', set: { 'a.b': [1], c: null } },
    before: '{"c":1}',
    after: '{"c":null,"a":{"b":[1]}}',
    back: false,
  },
  {
    action: { kind: 'set', set: { 'a.b': 1 } },
    before: '{"a":[{"b":0},{"b":2}]}',
    after: '{"a":[{"b":1},{"b":1}]}',
    back: false,
  },
  {
    action: { kind: 'set', set: { 'a.b': 1 } },
    before: '{"a":"text"}',
    after: /a.b cannot be set: a is no object/,
  },
  { action: long, before: '{"n":["12",13,null]}', after: '{"n":[12,13,null]}', back: false },
  {
    action: long,
    before: '{"n":"9223372036854775807"}',
    after: '{"n":9223372036854775807}',
    back: false,
  },
  {
    action: long,
    before: '{"n":9223372036854775808}',
    after: /"9223372036854775808", which is no long/,
  },
  { action: long, before: '{"n":1.5}', after: /"1.5", which is no long/ },
  { action: long, before: '{"n":" 1"}', after: /no long/ },
  { action: long, before: '{"n":{"x":1}}', after: /n is an object/ },
  { action: double, before: '{"n":"1e3"}', after: '{"n":1000}', back: false },
  { action: double, before: '{"n":"NaN"}', after: /no double/ },
  { action: double, before: '{"n":""}', after: /no double/ },
  {
    action: keyword,
    before: '{"n":12345678901234567890}',
    after: '{"n":"12345678901234567890"}',
    back: false,
  },
  { action: keyword, before: '{"n":[true,"x"]}', after: '{"n":["true","x"]}', back: false },
  { action: boolean, before: '{"n":["true",false]}', after: '{"n":[true,false]}', back: false },
  { action: boolean, before: '{"n":1}', after: /no boolean/ },
]

for (const { action, before, after, back } of cases) {
  const { kind, ...what } = action
  test(`${kind} ${JSON.stringify(what)} of ${before}`, () => {
    const steps = [stepOf(action)]
    const about = { index: 'shop', mayRename: false }
    const there = new Pipeline(steps, { ...about, direction: 'document' })
    const document = { id: '1', routing: undefined, type: undefined, source: before }
    const result = there.run(document)
    if (after instanceof RegExp) {
      assert.ok('why' in result && result.why === 'failed', JSON.stringify(result))
      assert.match(result.reason, after)
      return
    }
    assert.ok(!('why' in result), JSON.stringify(result))
    assert.equal(result.source, after)
    if (back === false) {
      assert.ok(!('documentBack' in steps[0]!))
      return
    }
    const again = new Pipeline(steps, { ...about, direction: 'documentBack' }).run(result)
    assert.ok(!('why' in again), JSON.stringify(again))
    assert.deepEqual(JSON.parse(again.source), JSON.parse(before))
  })
}

const mapping: Mapping = {
  dynamic: 'strict',
  properties: {
    n: { type: 'keyword', fields: { raw: { type: 'text' } } },
    u: { properties: { name: { type: 'text' }, age: { type: 'long' } } },
  },
}

for (const [action, after] of [
  [
    rename({ 'u.name': 'title' }),
    { u: { properties: { age: { type: 'long' } } }, title: { type: 'text' } },
  ],
  [copy({ 'u.name': 'person.name' }), { person: { properties: { name: { type: 'text' } } } }],
  [{ kind: 'remove', remove: ['n', 'nowhere'] }, { n: undefined }],
  [long, { n: { type: 'long' } }],
  [{ kind: 'keepType', keepType: { field: 'kind' } }, { kind: { type: 'keyword' } }],
] as const) {
  test(`the mapping follows ${action.kind}`, () => {
    const text = transformMapping([stepOf(action)], { index: 'shop' }, JSON.stringify(mapping))
    const properties = { ...(mapping['properties'] as Mapping), ...after }
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ ...mapping, properties })))
  })
}

test('a field that the mapping has already is no place for another', () => {
  for (const [action, message] of [
    [rename({ n: 'u.age' }), /n cannot become u.age/],
    [rename({ n: 'u.age.n' }), /age is a field of type .long/],
  ] as const) {
    assert.throws(
      () => transformMapping([stepOf(action)], { index: 'shop' }, JSON.stringify(mapping)),
      {
        message,
      },
    )
  }
})

test('keepType writes the type into a field, and goes back', () => {
  const steps = [stepOf({ kind: 'keepType', keepType: { field: 'kind' } })]
  const about = { index: 'shop', mayRename: false }
  const document = { id: '7', routing: 'r', type: 'order', source: '{"x":1}' }
  const there = new Pipeline(steps, { ...about, direction: 'document' }).run(document)
  assert.deepEqual(there, { ...document, source: '{"x":1,"kind":"order"}' })
  const back = new Pipeline(steps, { ...about, direction: 'documentBack' })
  assert.deepEqual(back.run(there), document)
})

test('the way back goes through the steps from the last to the first', () => {
  const steps = [stepOf(rename({ a: 'b' })), stepOf(rename({ b: 'c.d' }))]
  const about = { index: 'shop', mayRename: false }
  const document = { id: '1', routing: undefined, type: undefined, source: '{"a":1}' }
  const there = new Pipeline(steps, { ...about, direction: 'document' }).run(document)
  assert.deepEqual(there, { ...document, source: '{"c":{"d":1}}' })
  const back = new Pipeline(steps, { ...about, direction: 'documentBack' })
  assert.deepEqual(back.run({ ...document, source: '{"c":{"d":1}}' }), document)
})

test('onlyTypes drops documents of other types, by name', () => {
  const steps = [stepOf({ kind: 'onlyTypes', onlyTypes: ['order'] })]
  const pipeline = new Pipeline(steps, { index: 'i', mayRename: false, direction: 'document' })
  const document = { id: '7', routing: undefined, type: 'order', source: '{}' }
  assert.deepEqual(pipeline.run(document), document)
  assert.deepEqual(pipeline.run({ ...document, type: 'user' }), {
    ...{ why: 'dropped', reason: 'of type user', allowed: false },
  })
})

test('the first step without an inverse is named; steps for other indices do not count', () => {
  const shape = { allowDrop: false, functions: ['document'] as const }
  const steps = [
    { ...shape, name: 'rename', functions: ['document', 'documentBack'] as const },
    { ...shape, name: 'remove', indices: ['logs-*'] },
  ]
  assert.equal(stepWithoutInverse(steps, 'shop'), undefined)
  assert.equal(stepWithoutInverse(steps, 'logs-1')?.name, 'remove')
})
