import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { Fields } from './fields.ts'

test('an error about a member with a name without end stays a message', () => {
  const name = 'I'.repeat(30_000)
  const fields = new Fields('index-7', 'snapshots[1]', { [name]: 1 })
  const error = fields.wrong(name, 'ids of indices', name)
  assert.ok(error instanceof CorruptData)
  assert.ok(error.message.length < 1000, `${error.message.length} characters`)
  assert.match(error.message, /in field snapshots\[1\]\.II/)
})
