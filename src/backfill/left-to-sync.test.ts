import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import {
  removedIndexKind,
  sourceIncarnationKind,
  syncRunKind,
  type SourceIncarnation,
  type SyncRun,
} from '../state/records.ts'
import { newState } from '../../test/support/metadata.ts'
import { notBetween, whyLeftToSync } from './left-to-sync.ts'

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

function run(stands: SyncRun['state']) {
  const value = { state: stands, pid: 1, startedAt: '', endedAt: null, error: null }
  return { op: 'put', kind: syncRunKind, key: 'run', value } as const
}

/** Time passes by sleeping alone. */
function fakeClock() {
  let ms = 0
  return {
    now: () => ms,
    sleep: async (more: number, signal: AbortSignal | undefined) => {
      signal?.throwIfAborted()
      ms += more
    },
    random: () => 0,
  }
}

test('a target index that sync is making anew just now is looked at again; one that stays wrong is not waited for longer', async () => {
  const state = await newState()
  const { signal } = new AbortController()
  const wrong = new MigrationError('MA_TARGET_INDEX', 'no index')
  let looks = 0
  const look = async (): Promise<string> => {
    if (++looks % 4 !== 0) throw wrong
    return 'made anew'
  }
  await assert.rejects(notBetween(state, { signal, clock: fakeClock() }, look), wrong)
  assert.equal(looks, 1, 'nobody is at work on it')
  await state.commit([run('stopped')])
  await assert.rejects(notBetween(state, { signal, clock: fakeClock() }, look), wrong)
  await state.commit([run('running')])
  assert.equal(await notBetween(state, { signal, clock: fakeClock() }, look), 'made anew')
  assert.equal(looks, 4)
  const never = (): Promise<string> => Promise.reject(wrong)
  await assert.rejects(notBetween(state, { signal, clock: fakeClock() }, never), wrong)
  const other = new MigrationError('MA_CLUSTER_AUTH', 'no')
  const isOther = (): Promise<string> => Promise.reject(other)
  await assert.rejects(notBetween(state, { signal, clock: fakeClock() }, isOther), other)
  const stopped = { signal: AbortSignal.abort(), clock: fakeClock() }
  await assert.rejects(notBetween(state, stopped, never), { code: 'MA_STOPPED' })
})
