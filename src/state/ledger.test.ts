import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { changeSetting, openEntries, restoreSettings, type SettingAccess } from './ledger.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { StateStore } from './store.ts'

const refresh = { side: 'target', index: 'a', setting: 'index.refresh_interval' } as const
const off = { ...refresh, newValue: '-1', until: 'backfill' } as const

/** Settings held in memory; `failNext` makes the next change fail as a killed process would: not done. */
class Settings implements SettingAccess {
  values = new Map<string, string | null>([['a', null]])
  failNext = false
  applied = 0

  async read({ index }: { index: string | null }): Promise<string | null | undefined> {
    return this.values.get(index ?? '')
  }

  async apply({ index }: { index: string | null }, value: string | null): Promise<void> {
    if (this.failNext) {
      this.failNext = false
      throw new Error('killed')
    }
    this.applied++
    this.values.set(index ?? '', value)
  }
}

async function temporaryStore(t: TestContext): Promise<StateStore> {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-ledger-'))
  const store = await openSqliteStore(join(folder, 'm'), 'write')
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return store
}

test('a changed setting is put back to what it was, once', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  await changeSetting(state, settings, off)
  assert.equal(settings.values.get('a'), '-1')
  assert.equal((await restoreSettings(state, settings)).length, 1)
  assert.equal(settings.values.get('a'), null)
  assert.deepEqual(await restoreSettings(state, settings), [])
  assert.equal(settings.applied, 2)
})

test('a change repeated after a kill keeps the first old value', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  await changeSetting(state, settings, off)
  await changeSetting(state, settings, off)
  await restoreSettings(state, settings)
  assert.equal(settings.values.get('a'), null)
})

test('killed between record and change: the change can be made again, or put back', async (t) => {
  for (const again of [true, false]) {
    const state = await temporaryStore(t)
    const settings = new Settings()
    settings.failNext = true
    await assert.rejects(changeSetting(state, settings, off), /killed/)
    assert.equal((await openEntries(state)).length, 1)
    if (again) {
      await changeSetting(state, settings, off)
      assert.equal(settings.values.get('a'), '-1')
    }
    await restoreSettings(state, settings)
    assert.equal(settings.values.get('a'), null)
    assert.equal((await openEntries(state)).length, 0)
  }
})

test('killed while putting back: the second attempt ends it', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  await changeSetting(state, settings, off)
  settings.failNext = true
  await assert.rejects(restoreSettings(state, settings), /killed/)
  assert.equal((await openEntries(state)).length, 1)
  await restoreSettings(state, settings)
  assert.equal(settings.values.get('a'), null)
})

test('a value that somebody else has set meanwhile is left, and said so', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  await changeSetting(state, settings, off)
  settings.values.set('a', '30s')
  const [restored] = await restoreSettings(state, settings)
  assert.equal(restored?.outcome, 'left')
  assert.equal(settings.values.get('a'), '30s')
})

test('a setting of an index that is gone is closed without a change', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  await changeSetting(state, settings, off)
  settings.values.delete('a')
  const [restored] = await restoreSettings(state, settings)
  assert.equal(restored?.outcome, 'gone')
  assert.equal((await openEntries(state)).length, 0)
})

test('a setting that has the wanted value already is not noted', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  settings.values.set('a', '-1')
  await changeSetting(state, settings, off)
  assert.equal((await openEntries(state)).length, 0)
})

test('restoreSettings() touches only the step that it is asked for', async (t) => {
  const state = await temporaryStore(t)
  const settings = new Settings()
  settings.values.set('b', 'x')
  await changeSetting(state, settings, off)
  await changeSetting(state, settings, { ...off, index: 'b', until: 'close' })
  await restoreSettings(state, settings, { until: 'backfill' })
  assert.deepEqual(
    (await openEntries(state)).map(({ value }) => value.index),
    ['b'],
  )
})
