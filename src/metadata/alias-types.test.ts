import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../base/json.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import { planAliases } from './alias-types.ts'
import { partsOf } from './parts.ts'
import type { MappingsByType, RuleChoices } from './rules/rule.ts'

const forum: MappingsByType = { q: {}, a: { _parent: { type: 'q' } }, u: {} }

/** What becomes of a filter, or that something is lost. */
function filterOf(mappings: MappingsByType, types: RuleChoices['types'], filter: Json): Json[] {
  const aliases = { some: { filter, index_routing: '1' }, other: {} }
  const index = { name: 'blog', uuid: 'U', mappings, aliases } as unknown as IndexMetadata
  return partsOf(index, { types, typeField: 'kind' }).map((part) => {
    const { aliases, changes } = planAliases(part)
    assert.deepEqual(aliases['other'], {})
    const { filter: to, index_routing } = aliases['some'] as JsonObject
    assert.equal(index_routing, '1')
    const isSame = JSON.stringify(to) === JSON.stringify(filter)
    assert.deepEqual(
      changes.map(({ loss, what }) => [loss, what]),
      changes.length === 0 ? [] : [isSame ? [true, 'noted'] : [false, 'changed']],
    )
    return changes.length > 0 && isSame ? 'lost' : to!
  })
}

test('a filter by type asks for what holds the type on the target', () => {
  const ofA = { term: { _type: 'a' } }
  const both = { bool: { filter: [{ terms: { _type: ['a', 'q'] } }, { term: { n: 1 } }] } }
  const all = { match_all: {} }
  const none = { match_none: {} }
  const cases: [MappingsByType, RuleChoices['types'], Json, Json[]][] = [
    [{ doc: {} }, 'union', { type: { value: 'doc' } }, [all]],
    [{ doc: {} }, 'union', { term: { _type: { value: 'gone' } } }, [none]],
    [{}, 'union', { term: { n: 1 } }, [{ term: { n: 1 } }]],
    [forum, 'keep', ofA, [{ terms: { kind: ['a'] } }]],
    [forum, 'union', ofA, [{ terms: { join: ['a'] } }]],
    [forum, 'union', { type: { value: 'u' } }, ['lost']],
    [forum, 'split', ofA, [{ terms: { join: ['a'] } }, none]],
    [
      forum,
      'split',
      both,
      [both, both].map((_, i) => ({ bool: { filter: [i ? none : all, { term: { n: 1 } }] } })),
    ],
    [{ a: {}, b: {} }, 'union', both, ['lost']],
    [{ doc: {} }, 'union', { prefix: { _type: 'd' } }, ['lost']],
    [forum, 'keep', { term: { _parent: 'q#1' } }, ['lost']],
    [
      forum,
      'union',
      { has_child: { type: 'a', query: { match_all: {} } } },
      [{ has_child: { type: 'a', query: { match_all: {} } } }],
    ],
  ]
  for (const [mappings, types, filter, expected] of cases) {
    assert.deepEqual(filterOf(mappings, types, filter), expected, JSON.stringify([types, filter]))
  }
})
