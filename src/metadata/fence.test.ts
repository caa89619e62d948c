import assert from 'node:assert/strict'
import test from 'node:test'
import { forbidding } from './fence.ts'

test('forbidding() keeps what was forbidden and allowed before', () => {
  assert.equal(forbidding('true'), '-osmigrate-*,-.ds-*,+*')
  assert.equal(forbidding('+a*,-b*'), '-osmigrate-*,-.ds-*,+a*,-b*')
  assert.equal(forbidding('false'), undefined)
  assert.equal(forbidding('-osmigrate-*,-.ds-*,+*'), undefined)
})
