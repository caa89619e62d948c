import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  removedIndexKind,
  sourceIncarnationKind,
  type SourceIncarnation,
} from '../state/records.ts'
import { newState } from '../../test/support/metadata.ts'
import { whyLeftToSync } from './left-to-sync.ts'

const index = { index: 'a#doc', sourceUuid: 'first' }

function seen(of: Partial<SourceIncarnation>) {
  const value = { index: 'a', uuid: 'first', histories: [null], followed: null, life: 0, ...of }
  return { op: 'put', kind: sourceIncarnationKind, key: 'a', value } as const
}

test('an index that sync sees as it was in the snapshot is filled', async () => {
  const state = await newState()
  assert.equal(await whyLeftToSync(state, index), undefined)
  await state.commit([seen({})])
  assert.equal(await whyLeftToSync(state, index), undefined)
})

test('an index that was made anew, restored or deleted since is left to sync', async () => {
  const state = await newState()
  await state.commit([seen({ uuid: 'second' })])
  assert.equal(await whyLeftToSync(state, index), 'was deleted and made anew')
  await state.commit([seen({ life: 1 })])
  assert.equal(await whyLeftToSync(state, index), 'was restored, or lost writes')
  const value = { index: 'a', targetIndex: 'a', sourceUuid: 'first', at: '', why: '' }
  await state.commit([
    { op: 'delete', kind: sourceIncarnationKind, key: 'a' },
    { op: 'put', kind: removedIndexKind, key: 'target-uuid', value },
  ])
  assert.equal(await whyLeftToSync(state, index), 'was deleted')
})
