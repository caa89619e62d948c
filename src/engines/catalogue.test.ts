import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineCatalogue, findEngine } from './catalogue.ts'
import type { EngineKind } from './engine-row.ts'

test('findEngine() knows versions and short names', () => {
  const cases: [EngineKind, string, boolean, string | undefined][] = [
    ['elasticsearch', '7.10.2', false, '7.10.2'],
    ['elasticsearch', '7', false, '7.10.2'],
    ['elasticsearch', '7', true, '7.17.28'],
    ['elasticsearch', '6', false, '6.8.23'],
    ['opensearch', '3', false, '3.6.0'],
    ['opensearch', '3', true, '3.4.0'],
    ['opensearch', '2', true, '2.19.4'],
    ['kafka', '4', false, '4.1.0'],
    ['elasticsearch', '7.10', false, '7.10.2'],
    ['elasticsearch', '5.6', false, '5.6.16'],
    ['elasticsearch', '6.2', false, '6.2.4'],
    ['elasticsearch', '7.17', false, '7.17.28'],
    ['opensearch', '3.6', false, '3.6.0'],
    ['opensearch', '2.19', true, '2.19.4'],
    ['elasticsearch', '7.1', false, undefined],
    ['elasticsearch', '7.11', false, undefined],
    ['opensearch', '', false, undefined],
  ]
  for (const [kind, version, security, expected] of cases) {
    assert.equal(findEngine(kind, version, security)?.version, expected, `${kind} ${version}`)
  }
})

test('the catalogue has one row a version, and one a short name', () => {
  const versions = engineCatalogue.map((row) => `${row.kind} ${row.version}`)
  assert.equal(new Set(versions).size, versions.length)
  const shorts = engineCatalogue.flatMap((row) => {
    const variants = row.short === 'both' ? ['plain', 'secured'] : row.short ? [row.short] : []
    return variants.map((variant) => `${row.kind} ${Number.parseInt(row.version)} ${variant}`)
  })
  assert.equal(new Set(shorts).size, shorts.length)
})
