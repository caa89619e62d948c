import assert from 'node:assert/strict'
import test from 'node:test'
import { forbidding } from './fence.ts'

test('forbidding() keeps what was forbidden and allowed before', () => {
  assert.equal(forbidding('true'), '-osmigrate-*,+*')
  assert.equal(forbidding('+a*,-b*'), '-osmigrate-*,+a*,-b*')
  assert.equal(forbidding('false'), undefined)
  assert.equal(forbidding('-osmigrate-*,+*'), undefined)
})
