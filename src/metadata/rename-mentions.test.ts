import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import type { PlannedIndex, PlannedPipeline } from './plan.ts'
import { noteMentions } from './rename-mentions.ts'

const lookup = (index: string): JsonObject => ({
  filter: { terms: { user: { index, id: '1', path: 'users' } } },
})
const index = (name: string, targetIndex: string, aliases: JsonObject = {}): PlannedIndex =>
  ({ name, targetIndex, body: { aliases }, changes: [] }) as unknown as PlannedIndex
const pipeline = (value: string): PlannedPipeline => ({
  kind: 'ingest-pipeline',
  name: value,
  action: 'create',
  changes: [],
  body: { processors: [{ set: { field: '_index', value } }] },
})

test('noteMentions() says where a renamed index is spoken of by its old name', () => {
  const { pipelines, indices } = noteMentions({
    pipelines: [pipeline('users-1'), pipeline('users')],
    indices: [
      index('users-1', 'people-1'),
      index('users', 'users'),
      index('posts', 'posts', { mine: lookup('users-1'), all: lookup('users') }),
    ],
  })
  assert.deepEqual(
    pipelines.map(({ changes }) => changes.length),
    [1, 0],
  )
  const changes = indices.flatMap((one) => one.changes)
  assert.deepEqual(
    changes.map(({ path, loss }) => [path, loss]),
    [['aliases.mine.filter', true]],
  )
  assert.match(changes[0]!.reason, /users-1, which is people-1 on the target/)
})

test('noteMentions() says nothing where nothing is renamed', () => {
  const plan = { pipelines: [pipeline('a')], indices: [index('a', 'a', { mine: lookup('a') })] }
  assert.equal(noteMentions(plan), plan)
})
