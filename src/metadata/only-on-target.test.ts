import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import { patternsOverlap, inPlaceOf } from './only-on-target.ts'
import type { MetadataPlan, TemplateKind } from './plan.ts'

test('patternsOverlap() finds a name that two patterns fit', () => {
  for (const [one, other] of [
    ['logs-*', 'logs-app-*'],
    ['*-app', 'logs-*'],
    ['a*c', 'ab*'],
    ['*', 'x'],
    ['', '*'],
    ['a*b*c', 'axc*bc'],
    ['a**', 'a'],
  ] as const) {
    assert.ok(patternsOverlap(one, other) && patternsOverlap(other, one), `${one} ${other}`)
  }
  for (const [one, other] of [
    ['logs-*', 'metrics-*'],
    ['a', 'ab'],
    ['*a', '*b'],
    ['a*c', 'b*c'],
    ['', 'a'],
  ] as const) {
    assert.ok(!patternsOverlap(one, other) && !patternsOverlap(other, one), `${one} ${other}`)
  }
})

const template = (pattern: string, priority?: number): JsonObject => ({
  index_patterns: [pattern],
  ...(priority !== undefined && { priority }),
})
const carried = {
  indexTemplates: [{ kind: 'index-template', name: 'logs' }],
  legacyTemplates: [{ kind: 'legacy-template', name: 'old' }],
  indices: [{ targetIndex: 'shop-000001' }, { targetIndex: 'logs-1' }],
} as unknown as MetadataPlan
const replaced = (
  kind: 'index-template' | 'legacy-template',
  one: JsonObject,
  others: { [name: string]: JsonObject } = {},
): string[] => {
  const existing: { [kind in TemplateKind]: { [name: string]: JsonObject } } = {
    'component-template': {},
    'index-template': { logs: template('logs-*', 100), ...others },
    'legacy-template': { old: template('old-*') },
  }
  existing[kind] = { ...existing[kind], strange: one }
  return inPlaceOf(carried, existing, { kind, name: 'strange' })
}

test('inPlaceOf() names what a template of the target takes from those that were carried over', () => {
  assert.deepEqual(replaced('index-template', template('logs-app-*', 200)), ['logs'])
  assert.deepEqual(replaced('index-template', template('logs-app-*', 50)), [])
  assert.deepEqual(replaced('index-template', template('old-*', 0)), ['old'])
  assert.deepEqual(replaced('legacy-template', template('*')), ['old', 'shop-000001'])
  assert.deepEqual(replaced('legacy-template', template('logs-*')), [])
})

test('inPlaceOf() names indices whose successors would get what no template of the source gives', () => {
  assert.deepEqual(replaced('index-template', template('shop-*')), ['shop-000001'])
  const other = { other: template('shop-*', 7) }
  assert.deepEqual(replaced('legacy-template', template('shop-*'), other), [])
})
