import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import { mappingsByType, routedByMapping } from './mappings.ts'

const fields: JsonObject = { properties: { n: { type: 'long' } } }

test('mappingsByType() knows a type from a key of the mapping itself', () => {
  assert.deepEqual(mappingsByType([{ _doc: fields }]), { _doc: fields })
  assert.deepEqual(mappingsByType({ tweet: fields }), { tweet: fields })
  assert.deepEqual(mappingsByType(fields), { _doc: fields })
  const sourceOnly = { _source: { enabled: false } }
  assert.deepEqual(mappingsByType(sourceOnly), { _doc: sourceOnly })
  assert.deepEqual(mappingsByType({ dynamic: 'strict' }), { _doc: { dynamic: 'strict' } })
  assert.deepEqual(mappingsByType({}), {})
  assert.deepEqual(mappingsByType(undefined), {})
})

test('routedByMapping() finds required routing and join fields however deep', () => {
  assert.deepEqual(routedByMapping(fields), [])
  assert.deepEqual(
    routedByMapping({
      _routing: { required: true },
      properties: { a: { properties: { rel: { type: 'join', relations: { q: 'a' } } } } },
    }),
    ['the mapping requires routing', 'field "a.rel" is a join'],
  )
})
