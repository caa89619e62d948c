import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import { dividedOtherwise, partsOf } from './parts.ts'
import type { MappingsByType, RuleChoices } from './rules/rule.ts'

function parts(mappings: MappingsByType, types: RuleChoices['types']) {
  const index = { name: 'blog', uuid: 'U', mappings } as unknown as IndexMetadata
  return partsOf(index, { types, typeField: 'kind' })
}

const forum: MappingsByType = {
  _default_: { dynamic: 'strict', properties: { join: {} } },
  vote: { _parent: { type: 'answer' } },
  answer: { _parent: { type: 'question' }, properties: { join: { type: 'long' } } },
  question: {},
  'A/User': {},
}
const join = { field: 'parent_join', parents: { vote: 'answer', answer: 'question' } }

test('an index with one type is one part, whose documents go as they are', () => {
  for (const types of ['union', 'keep', 'split', 'refuse'] as const) {
    for (const mappings of [{}, { doc: {} }, { _default_: {}, doc: {} }]) {
      const [part, ...others] = parts(mappings, types)
      assert.deepEqual(others, [])
      assert.deepEqual([part!.name, part!.types, part!.idsMayMeet], ['blog', null, false])
    }
  }
})

test('union leaves ids as they are, keep writes the type; both join children to their parents', () => {
  const [union] = parts(forum, 'union')
  assert.deepEqual([union!.types, union!.idsMayMeet], [{ only: null, keepIn: null, join }, true])
  const [keep] = parts(forum, 'keep')
  assert.deepEqual([keep!.types, keep!.idsMayMeet], [{ only: null, keepIn: 'kind', join }, false])
  assert.equal(parts({ a: {}, b: {} }, 'union')[0]!.types, null)
  assert.equal(parts(forum, 'refuse')[0]!.idsMayMeet, false)
})

test('split makes a part of each type, those that are joined together, each with its own fence', () => {
  const divided = parts(forum, 'split')
  assert.deepEqual(
    divided.map(({ name, targetName, types, idsMayMeet, index }) => {
      return [name, targetName, types!.only, types!.join, idsMayMeet, Object.keys(index.mappings)]
    }),
    [
      [
        ...['blog#question', 'blog-question', ['question', 'vote', 'answer'], join, true],
        ['question', 'vote', 'answer', '_default_'],
      ],
      ['blog#A%2FUser', 'blog-a/user', ['A/User'], null, false, ['A/User', '_default_']],
    ],
  )
  const fences = divided.map(({ fenceAlias }) => fenceAlias)
  assert.equal(new Set(fences).size, 2)
  for (const { fences: all } of divided) assert.deepEqual(all, fences)
})

test('an index that was divided otherwise before is not made a second time', () => {
  const [whole] = parts(forum, 'union')
  const divided = parts(forum, 'split')
  const aliases = (...names: string[]) => new Map(names.map((name) => [name, ['there']]))
  const [first, second] = divided.map(({ fenceAlias }) => fenceAlias)
  assert.equal(dividedOtherwise(divided[0]!, aliases(first!, second!, 'osmigrate-V-0')), undefined)
  assert.match(dividedOtherwise(divided[0]!, aliases(whole!.fenceAlias))!, /there on the target/)
  assert.match(dividedOtherwise(whole!, aliases(second!))!, /another metadata.types/)
  assert.equal(dividedOtherwise(whole!, aliases(whole!.fenceAlias)), undefined)
})

test('parents that go round in a circle end', () => {
  const circle = { a: { _parent: { type: 'b' } }, b: { _parent: { type: 'a' } }, c: {} }
  assert.ok(parts(circle, 'split').length >= 1)
})
