import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openSqliteStore } from '../state/sqlite-store.ts'
import { Gaps } from './gaps.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-gaps-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const until = Date.parse('2026-01-01T00:00:00Z')
const place = { stream: 'edge.0', offset: 7 }

function gap(indices?: readonly string[]) {
  return {
    kind: 'gap' as const,
    ...{ proxy: 'edge.0', from: (until - 1000) * 1000, until: until * 1000, requests: 3 },
    cause: 'log full',
    ...(indices && { indices }),
  }
}

function audit(looked: { [index: string]: number }) {
  return { names: () => Object.keys(looked), lookedAt: (index: string) => looked[index] }
}

const before = until + 5_000
const behind = until + 20_000

test('a gap is explained when the audit has looked behind it at all that it may have changed', async () => {
  const state = await openSqliteStore(path.join(folder, 'one'), 'sync')
  try {
    const gaps = await Gaps.load(state)
    await gaps.note(gap(['logs-*']), place)
    await gaps.note(gap(['logs-*']), place)
    assert.equal(gaps.open.length, 1)
    assert.equal(gaps.explained(audit({ 'logs-1': before, other: behind })).length, 0)
    assert.equal(gaps.explained(audit({ 'logs-1': behind, 'logs-2': before })).length, 0)
    const changes = gaps.explained(audit({ 'logs-1': behind, other: before }))
    assert.equal(changes.length, 1)
    await state.commit(changes)
    assert.equal(gaps.open.length, 0)
    await gaps.note(gap(['logs-*']), place)
    assert.equal((await Gaps.load(state)).open.length, 0, 'read again after a restart')
  } finally {
    await state.close()
  }
})

test('a gap without names, or with names that are no indices, concerns all indices', async () => {
  const state = await openSqliteStore(path.join(folder, 'two'), 'sync')
  try {
    const gaps = await Gaps.load(state)
    await gaps.note(gap(), place)
    await gaps.note(gap(['an-alias']), { ...place, offset: 8 })
    assert.equal(gaps.explained(audit({ a: behind, b: before })).length, 0)
    assert.equal(gaps.explained(audit({ a: behind, b: behind })).length, 2)
  } finally {
    await state.close()
  }
})

test('sync and backfill write one state, and each only once', async () => {
  const both = path.join(folder, 'both')
  const sync = await openSqliteStore(both, 'sync')
  const backfill = await openSqliteStore(both, 'write')
  try {
    await assert.rejects(openSqliteStore(both, 'sync'), {
      code: 'MA_LOCKED',
      message: /sync already runs .*osmigrate sync stop/,
    })
    await assert.rejects(openSqliteStore(both, 'write'), { code: 'MA_LOCKED' })
  } finally {
    await sync.close()
    await backfill.close()
  }
})
