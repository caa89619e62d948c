import assert from 'node:assert/strict'
import test from 'node:test'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import { differingPaths } from '../json-difference.ts'
import { flattenSettings } from '../settings.ts'
import { casesOf, factsOf, runCase } from './cases.ts'
import { rules } from './table.ts'
import { translateContent, type Content } from './translate.ts'

const cases = casesOf(rules)

test('rules applied to what they made change nothing', () => {
  for (const one of cases) {
    const { settings, mapping, refused } = runCase(one)
    if (refused !== undefined) continue
    const again = translateContent({ settings, mappings: { _doc: mapping } }, factsOf(one))
    assert.deepEqual(
      { settings: again.settings, mapping: again.mapping },
      { settings, mapping },
      `${one.name}: ${one.title}`,
    )
  }
})

test('the order of keys changes nothing', () => {
  for (const one of cases) {
    if (one.kind === 'types') continue // the first type comes first
    const turned: Content = {
      settings: reversed(one.before.settings) as JsonObject,
      mappings: reversed(one.before.mappings) as Content['mappings'],
    }
    const { settings, mapping, changes } = translateContent(turned, factsOf(one))
    const straight = runCase(one)
    assert.deepEqual([settings, mapping], [straight.settings, straight.mapping], one.title)
    assert.equal(changes.length, straight.changes.length, one.title)
  }
})

test('nothing is changed without a line that says so', () => {
  for (const one of cases) {
    if (one.kind === 'types') continue // their lines name the types
    const { settings, mapping, changes } = runCase(one)
    const said = changes.filter(({ what }) => what !== 'noted').map(({ path }) => path)
    const differing = [
      ...differingPaths(one.before.mappings._doc!, mapping, 100).map((path) => `mappings.${path}`),
      ...Object.keys({ ...one.before.settings, ...settings })
        .filter(
          (name) =>
            differingPaths(one.before.settings[name] ?? null, settings[name] ?? null).length > 0,
        )
        .map((name) => `settings.${name}`),
    ]
    for (const path of differing) {
      const isSaid = said.some((place) => path.startsWith(place) || place.startsWith(path))
      assert.ok(isSaid || isRenamed(path, changes), `${one.name}: ${path} (${said.join(', ')})`)
    }
  }
})

/** What has a new name is told of under its old one. */
function isRenamed(path: string, changes: readonly { to?: Json }[]): boolean {
  return changes.some(
    ({ to }) => isJsonObject(to) && Object.keys(to).some((key) => path.endsWith(key)),
  )
}

test('nested and flat settings become the same', () => {
  const nested = flattenSettings({ index: { codec: 'legacy_default', blocks: { write: true } } })
  const flat = flattenSettings({ 'index.blocks.write': 'true', codec: 'legacy_default' })
  assert.deepEqual(nested, flat)
})

test('20,000 fields are translated in bounded time', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `field-${n}-ключ-鍵`)
  const field = { type: 'string', index: 'not_analyzed', norms: { enabled: false } }
  const properties = Object.fromEntries(names.map((name) => [name, field]))
  const one = cases.find(({ name, case: { on } }) => name === 'string' && on === '2.4 > 3.6')!
  const begun = performance.now()
  const { mapping, changes } = translateContent(
    { settings: {}, mappings: { doc: { properties } } },
    factsOf(one),
  )
  assert.ok(performance.now() - begun < 10_000)
  assert.equal(Object.keys(mapping.properties as JsonObject).length, names.length)
  assert.equal(changes.length, 1 + 3 * names.length)
})

test('what is not a mapping goes through as it is, for the target to refuse', () => {
  const one = cases.find(({ name }) => name === 'string')!
  for (const broken of [
    { properties: 'no' },
    { properties: { a: 1, b: null, c: [] } },
    { dynamic_templates: [1, { a: null }] },
    { properties: { a: { type: 'string', fields: 7 } } },
  ]) {
    const { mapping } = translateContent({ settings: {}, mappings: { _doc: broken } }, factsOf(one))
    assert.equal(Object.keys(mapping).length, 1)
  }
})

/** The same value with the keys of every object the other way round; lists stay. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  )
}
