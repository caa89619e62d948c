import assert from 'node:assert/strict'
import test from 'node:test'
import { metadataOptions } from './options.ts'
import type { PlannedIndex } from './plan.ts'
import { newNames, refuseClashes, renameChanges, renamed } from './rename.ts'

test('renamed() takes the first rule that fits the whole name', () => {
  const rules = [
    { from: 'old-(.*)', to: 'new-$1' },
    { from: '(?<what>old|tmp)-.*', to: 'x-$<what>' },
  ]
  assert.equal(renamed('old-1', rules), 'new-1')
  assert.equal(renamed('tmp-1', rules), 'x-tmp')
  assert.equal(renamed('very-old-1', rules), 'very-old-1')
  assert.equal(renamed('b', [{ from: 'a|b', to: 'c' }]), 'c')
  assert.equal(renamed('ab', [{ from: 'a|b', to: 'c' }]), 'ab')
})

test('newNames() gives patterns of the new names', () => {
  const rules = ['new-$1-$2', 'x-$<what>', 'y-$&', 'z$$'].map((to) => ({ from: 'a', to }))
  assert.deepEqual(newNames(rules), ['new-*-*', 'x-*', 'y-*', 'z$'])
})

test('a rule with a wrong expression, or with a group that is none, is refused', () => {
  const issue = (from: string, to: string): string =>
    metadataOptions.safeParse({ rename: [{ from, to }] }).error?.issues[0]?.message ?? ''
  assert.match(issue('old-(.*', 'x'), /the pattern "old-\(\.\*"/)
  assert.match(issue('old-(.*)', 'x-$2'), /speaks of \$2/)
  assert.match(issue('old-(?<a>.*)', 'x-$<b>'), /speaks of \$<b>/)
  assert.match(issue('old', '$0'), /speaks of \$0/)
  for (const to of ['x-$1', 'x-$<a>', 'x-$$']) assert.equal(issue('old-(?<a>.*)', to), '')
})

test('renameChanges() names templates that fit the old name alone', () => {
  const templates = new Map([
    ['old', ['old-*']],
    ['every', ['*']],
  ])
  assert.deepEqual(renameChanges('old-1', 'old-1', templates), [])
  const [change, note] = renameChanges('old-1', 'new-1', templates)
  assert.deepEqual([change!.from, change!.to, change!.loss], ['old-1', 'new-1', false])
  assert.match(note!.reason, /^old fits old-1 and not new-1/)
  assert.equal(renameChanges('old-1', 'old-2', templates).length, 1)
})

const index = (
  name: string,
  targetIndex: string,
  more: Partial<PlannedIndex> = {},
): PlannedIndex => ({
  kind: 'index',
  name,
  targetIndex,
  action: 'create',
  changes: [],
  body: {},
  sourceUuid: name,
  fenceAlias: `osmigrate-${name}-0`,
  sourceShards: 1,
  targetShards: 1,
  mayHoldRouted: true,
  routedBy: [],
  sourceForm: 'full',
  sourceDocuments: null,
  withheld: {},
  ...more,
})
const refusals = (indices: PlannedIndex[]): { [name: string]: string | undefined } =>
  Object.fromEntries(
    refuseClashes(indices)
      .filter(({ action }) => action === 'refused')
      .map(({ name, reason }) => [name, reason]),
  )

test('refuseClashes() refuses both indices that would get one name, and nothing else', () => {
  const refused = refusals([index('a', 'x'), index('b', 'x'), index('c', 'c')])
  assert.deepEqual(Object.keys(refused), ['a', 'b'])
  assert.match(refused.a!, /^a and b would both be x/)
  assert.equal(refused.a, refused.b)
  const made = refusals([index('a', 'x', { action: 'exists-equal' }), index('b', 'x')])
  assert.deepEqual(Object.keys(made), ['b'])
})

test('refuseClashes() refuses an index that would get the name of an alias', () => {
  const body = { aliases: { x: {} } }
  const other = refusals([index('a', 'x'), index('b', 'b', { body })])
  assert.deepEqual(Object.keys(other), ['a'])
  assert.match(other.a!, /alias or data stream of b\./)
  assert.match(refusals([index('a', 'x', { body })]).a!, /alias or data stream of a\./)
  const stream = { name: 'x', position: 1, timestampField: '@timestamp' }
  assert.deepEqual(Object.keys(refusals([index('a', 'x'), index('b', 'b', { stream })])), ['a'])
  const gone = refusals([index('a', 'x'), index('b', 'b', { body, action: 'refused' })])
  assert.deepEqual(Object.keys(gone), ['b'])
})
