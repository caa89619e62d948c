import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { metadataVerdictKind } from '../state/metadata-verdict.ts'
import { openSqliteStore } from '../state/sqlite-store.ts'
import type { ComparedObject, MetadataComparison } from './compare-metadata.ts'
import { drawMetadataVerdict, keepMetadataVerdict } from './metadata-verdict.ts'

const times = {
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:09.000Z',
  select: {},
}

function object(
  verdict: ComparedObject['verdict'],
  more: Partial<ComparedObject> = {},
): ComparedObject {
  return { kind: 'index', name: verdict, verdict, differences: [], announced: [], ...more }
}

function comparison(
  objects: ComparedObject[],
  more: Partial<MetadataComparison> = {},
): MetadataComparison {
  return { objects, notCarried: [], onlyOnTarget: [], equal: false, ...more }
}

const lost = { path: 'mappings.a', what: 'dropped', reason: 'no such type', loss: true } as const
const stranger = { kind: 'index-template', name: 'own', inPlaceOf: ['logs'] } as const

test('a verdict on metadata is equal, announced where the plan has told of all, else different', () => {
  const verdicts = [
    comparison([object('equal')], { equal: true }),
    comparison([object('equal'), object('announced', { announced: [lost] })]),
    comparison([], { notCarried: [{ kind: 'user', name: 'kim', reason: 'security' }] }),
    comparison([object('different')]),
    comparison([object('missing')]),
    comparison([object('equal')], { onlyOnTarget: [stranger] }),
  ].map((one) => drawMetadataVerdict(one, times).verdict)
  assert.deepEqual(verdicts, [
    'equal',
    'announced',
    'announced',
    'different',
    'different',
    'different',
  ])
})

test('a verdict on metadata names at most a hundred findings, what nobody announced first', () => {
  const many = Array.from({ length: 120 }, () => object('announced', { announced: [lost] }))
  const { findings, findingsAll, counts } = drawMetadataVerdict(
    comparison([...many, object('different', { differences: [{ path: 'settings.index.x' }] })]),
    times,
  )
  assert.deepEqual([findings.length, findingsAll, counts.announced], [100, 121, 120])
  assert.deepEqual(findings[0], {
    kind: 'index',
    name: 'different',
    what: 'different',
    why: 'settings.index.x',
  })
  assert.equal(findings[1]?.why, 'mappings.a: no such type')
})

test('the newest twenty verdicts on metadata are kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-verdicts-'))
  const state = await openSqliteStore(folder, 'write')
  try {
    for (let second = 10; second < 35; second++) {
      const startedAt = `2026-01-01T00:00:${second}.000Z`
      const verdict = drawMetadataVerdict(comparison([]), { ...times, startedAt })
      await keepMetadataVerdict(state, verdict)
    }
    const kept = await state.list(metadataVerdictKind)
    assert.equal(kept.length, 20)
    assert.equal(kept[0]?.key, '2026-01-01T00:00:15.000Z')
  } finally {
    await state.close()
    rmSync(folder, { recursive: true })
  }
})
