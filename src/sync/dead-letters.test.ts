import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { openSqliteStore } from '../state/sqlite-store.ts'
import type { StateStore } from '../state/store.ts'
import { SyncDeadLetters } from './dead-letters.ts'
import { syncDeadLetterKey, syncDeadLetterKind, type SyncDeadLetter } from './records.ts'

async function newState(t: TestContext): Promise<StateStore> {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-letters-'))
  const state = await openSqliteStore(folder, 'write')
  t.after(async () => {
    await state.close()
    rmSync(folder, { recursive: true })
  })
  return state
}

function letter(index: string, id: string): Omit<SyncDeadLetter, 'at' | 'state'> {
  return { index, id, routing: null, seqNo: 1, status: 400, cause: 'mapper', reason: 'no' }
}

async function mark(
  state: StateStore,
  one: Pick<SyncDeadLetter, 'index' | 'id' | 'routing'>,
  as: SyncDeadLetter['state'],
): Promise<void> {
  const key = syncDeadLetterKey(one)
  const { value } = (await state.get(syncDeadLetterKind, key))!
  await state.commit([{ op: 'put', kind: syncDeadLetterKind, key, value: { ...value, state: as } }])
}

test('an index with too many dead letters is to be stopped at the first new one, also in the next process', async (t) => {
  const state = await newState(t)
  const letters = await SyncDeadLetters.load(state, 2)
  assert.equal(await letters.put(letter('a', '1')), undefined)
  assert.equal(await letters.put(letter('a', '2')), undefined)
  assert.equal(await letters.put(letter('b', '1')), undefined)
  assert.equal(await letters.put(letter('a', '2')), undefined, 'the same document counts once')
  assert.match((await letters.put(letter('a', '3')))!, /refused 3 .* \(2\)/)
  const next = await SyncDeadLetters.load(state, 2)
  assert.equal(await next.put(letter('a', '3')), undefined)
  assert.match((await next.put(letter('a', '4')))!, /refused 4 /)
  assert.equal(next.count, 5)
})

test('it is written to again when its letters are sent again, or so many are discarded that few are left', async (t) => {
  const state = await newState(t)
  const letters = await SyncDeadLetters.load(state, 1)
  await letters.put(letter('a', '1'))
  await letters.put(letter('a', '2'))
  assert.deepEqual(await letters.takeAgain(), { again: [], mended: [] })
  await mark(state, letter('a', '1'), 'again')
  const asked = { again: [{ index: 'a', id: '1', routing: null }], mended: ['a'] }
  assert.deepEqual(await letters.takeAgain(), asked)
  assert.equal(await letters.put(letter('a', '1')), undefined, 'refused again, it is nothing new')
  assert.match((await letters.put(letter('a', '3')))!, /refused 3 /)
  await mark(state, letter('a', '1'), 'discarded')
  assert.deepEqual(await letters.takeAgain(), { again: [], mended: [] })
  await letters.written(letter('a', '2'))
  assert.deepEqual(await letters.takeAgain(), { again: [], mended: ['a'] })
  assert.equal(letters.count, 1)
})
