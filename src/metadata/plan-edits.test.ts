import assert from 'node:assert/strict'
import test from 'node:test'
import { mergedEdit } from './plan-edits.ts'

test('what a person has changed in a plan stays so when the source changes other things', () => {
  const planned = { settings: { a: '1', b: '1', c: '1' }, mappings: { x: { type: 'text' } } }
  const edited = { settings: { a: '2', c: '1', d: '4' }, mappings: { x: { type: 'keyword' } } }
  const now = {
    settings: { a: '1', b: '9', c: '7' },
    mappings: { x: { type: 'text', boost: 2 }, y: { type: 'long' } },
  }
  assert.deepEqual(mergedEdit(planned, edited, now), {
    settings: { a: '2', c: '7', d: '4' },
    mappings: { x: { type: 'keyword', boost: 2 }, y: { type: 'long' } },
  })
})
