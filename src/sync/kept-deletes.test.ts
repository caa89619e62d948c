import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { openSqliteStore } from '../state/sqlite-store.ts'
import type { StateStore } from '../state/store.ts'
import { KeptDeletes, type DeleteAgain, type KeptDelete } from './kept-deletes.ts'

async function newState(t: TestContext): Promise<StateStore> {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-kept-'))
  const state = await openSqliteStore(folder, 'write')
  t.after(async () => {
    await state.close()
    rmSync(folder, { recursive: true })
  })
  return state
}

function gone(id: string, number: number, index = 'i'): KeptDelete {
  return { index, targetUuid: 't', id, routing: null, type: null, number, version: null }
}

/** Applies what is due, and gives it. */
async function due(
  kept: KeptDeletes,
  { passed, filled }: { passed: number; filled: readonly string[] },
): Promise<string[]> {
  const applied: DeleteAgain[] = []
  const count = await kept.reapply({
    hasPassed: (ends) => Number(ends) <= passed,
    isFilled: async (index) => filled.includes(index),
    apply: async (deletes) => void applied.push(...deletes),
  })
  assert.equal(count, applied.length)
  return applied.map(({ index, id, seqNo }) => `${index}/${id}@${seqNo}`)
}

test('deletes are applied once more when the streams have passed their generation, and only then', async (t) => {
  const kept = await KeptDeletes.open(await newState(t))
  await kept.keep(gone('a', 1))
  await kept.closeGeneration(10)
  await kept.keep(gone('b', 2))
  await kept.closeGeneration(20)
  await kept.keep(gone('c', 3))
  const filled = ['i']
  assert.deepEqual(await due(kept, { passed: 9, filled }), [])
  assert.deepEqual(await due(kept, { passed: 10, filled }), ['i/a@1'])
  assert.deepEqual(await due(kept, { passed: 10, filled }), [])
  assert.deepEqual(await due(kept, { passed: 99, filled }), ['i/b@2'])
  assert.equal(await kept.count(), 0)
  await kept.closeGeneration(30)
  assert.deepEqual(await due(kept, { passed: 99, filled }), ['i/c@3'])
})

test('those of an index whose backfill runs wait for its end', async (t) => {
  const kept = await KeptDeletes.open(await newState(t))
  await kept.keep(gone('a', 1))
  await kept.keep(gone('b', 2, 'open'))
  await kept.closeGeneration(1)
  assert.deepEqual(await due(kept, { passed: 1, filled: ['i'] }), ['i/a@1'])
  assert.deepEqual(await due(kept, { passed: 1, filled: ['i'] }), [])
  assert.deepEqual(await due(kept, { passed: 1, filled: ['i', 'open'] }), ['open/b@2'])
})

test('what was stored is found by the next process; a generation that was not closed goes on', async (t) => {
  const state = await newState(t)
  const before = await KeptDeletes.open(state)
  await before.keep(gone('a', 1))
  await before.closeGeneration(1)
  await before.keep(gone('b', 2))
  await before.store()
  await before.keep(gone('lost', 3))
  const after = await KeptDeletes.open(state)
  await after.keep(gone('c', 4))
  await after.closeGeneration(2)
  assert.deepEqual(await due(after, { passed: 1, filled: ['i'] }), ['i/a@1'])
  assert.deepEqual(await due(after, { passed: 2, filled: ['i'] }), ['i/b@2', 'i/c@4'])
})

test('what fails to be applied stays kept', async (t) => {
  const kept = await KeptDeletes.open(await newState(t))
  await kept.keep(gone('a', 1))
  await kept.closeGeneration(1)
  const apply = (): Promise<void> => Promise.reject(new Error('stopped'))
  const isFilled = async (): Promise<boolean> => true
  await assert.rejects(kept.reapply({ hasPassed: () => true, isFilled, apply }), /stopped/)
  assert.deepEqual(await due(kept, { passed: 1, filled: ['i'] }), ['i/a@1'])
})

test('memory is bounded: many deletes go to the state by themselves', async (t) => {
  const kept = await KeptDeletes.open(await newState(t))
  for (let n = 0; n < 12_000; n++) await kept.keep(gone(`id${n}`, n))
  assert.equal(await kept.count(), 10_000)
  await kept.closeGeneration(1)
  assert.equal((await due(kept, { passed: 1, filled: ['i'] })).length, 12_000)
  assert.equal(await kept.count(), 0)
})
