import assert from 'node:assert/strict'
import test from 'node:test'
import type { Json, JsonObject } from '../base/json.ts'
import type { LedgerEntry } from '../state/records.ts'
import { compareIndex } from './compare-metadata.ts'
import type { ExistingIndex } from './existing.ts'
import { differences, differenceText } from './json-difference.ts'
import type { PlannedChange, PlannedIndex } from './plan.ts'

test('differences() gives what either side has', () => {
  const wanted: Json = { a: 1, b: [1, 2], c: { d: 'x' }, e: true }
  const found: Json = { a: '1', b: [1, 3], c: {}, f: 0, e: 'true' }
  assert.deepEqual(differences(wanted, found), [
    { path: 'b[1]', wanted: 2, found: 3 },
    { path: 'c.d', wanted: 'x' },
    { path: 'f', found: 0 },
  ])
  assert.deepEqual(differences([1], [1, 2]), [{ path: '(root)', wanted: [1], found: [1, 2] }])
})

test('differenceText() says both values, cut where they are long, and where a side has none', () => {
  const list = differences({ a: 'x'.repeat(200), b: { c: 1 } }, { a: 2, d: [null] })
  assert.equal(
    differenceText(list),
    `a (wanted "${'x'.repeat(79)}…, there 2), b (wanted {"c":1}, there nothing), d (wanted nothing, there [null])`,
  )
})

const planned = (body: JsonObject, more: Partial<PlannedIndex> = {}): PlannedIndex =>
  ({
    ...{ kind: 'index', name: 'i', targetIndex: 'i', fenceAlias: 'fence', action: 'create' },
    ...{ changes: [], withheld: {}, body },
    ...more,
  }) as unknown as PlannedIndex

const existing = (index: Partial<ExistingIndex>): ExistingIndex => ({
  ...{ uuid: 'U', settings: {}, mappings: {}, aliases: {} },
  ...index,
})

const body = {
  settings: { 'index.refresh_interval': '5s', 'index.number_of_replicas': '1' },
  mappings: { properties: { o: { type: 'object', properties: { n: { type: 'long' } } } } },
  aliases: { a: {} },
}

test('compareIndex() sees through forms, the fence, what is lent to the backfill, and what the switch has set', () => {
  const found = existing({
    settings: {
      'index.uuid': 'U',
      'index.creation_date': '1',
      'index.refresh_interval': '-1',
      'index.number_of_replicas': '1',
      'index.default_pipeline': 'p',
    },
    mappings: { properties: { o: { properties: { n: { type: 'long' } } } } },
    aliases: { a: {}, fence: { is_hidden: true } },
  })
  const lent: LedgerEntry = {
    ...{ side: 'target', index: 'i', setting: 'index.refresh_interval', until: 'backfill' },
    ...{ oldValue: '5s', newValue: '-1', changedAt: '', restoredAt: null },
  }
  const one = planned(body, { withheld: { 'index.default_pipeline': 'p' } })
  const { verdict, differences, announced } = compareIndex(one, found, [lent])
  assert.deepEqual([verdict, differences], ['equal', []])
  assert.match(announced[0]!.reason, /for the time of the backfill/)
  const paths = compareIndex(planned(body), found, []).differences.map(({ path }) => path)
  assert.deepEqual(paths, ['settings.index.refresh_interval', 'settings.index.default_pipeline'])
})

test('compareIndex() takes doc values that a field has anyway for nothing said', () => {
  const fields = (more: JsonObject): JsonObject => ({
    properties: { k: { type: 'keyword', ...more }, b: { type: 'binary', ...more } },
  })
  const one = planned({ mappings: fields({ doc_values: true }) })
  const { differences } = compareIndex(one, existing({ mappings: fields({}) }), [])
  assert.deepEqual(differences, [{ path: 'mappings.properties.b.doc_values', wanted: true }])
})

test('compareIndex() knows which index takes malformed values where the field does not say', () => {
  const fields = (more: JsonObject): JsonObject => ({
    properties: { at: { type: 'date', ...more } },
  })
  const compared = (said: boolean, settings: JsonObject) => {
    const one = planned({ settings, mappings: fields({ ignore_malformed: said }) })
    return compareIndex(one, existing({ settings, mappings: fields({}) }), []).verdict
  }
  const lenient = { 'index.mapping.ignore_malformed': 'true' }
  assert.equal(compared(false, {}), 'equal')
  assert.equal(compared(true, lenient), 'equal')
  assert.equal(compared(true, {}), 'different')
  assert.equal(compared(false, lenient), 'different')
})

test('compareIndex() sees through what the plugin k-NN writes down of an index for vectors', () => {
  const settings = { 'index.knn': 'true' }
  const vectors = (method: JsonObject, more: JsonObject): JsonObject => ({
    properties: { v: { type: 'knn_vector', dimension: 8, method, ...more } },
  })
  const method = { name: 'hnsw', engine: 'lucene' }
  const one = planned({ settings, mappings: vectors(method, { data_type: 'byte' }) })
  const added = {
    'index.knn.derived_source.enabled': 'true',
    'index.merge.policy.floor_segment': '2mb',
    'index.merge.policy.max_merge_at_once': '10',
  }
  const written = vectors({ ...method, parameters: {} }, { data_type: 'BYTE', doc_values: true })
  const pathsOf = (there: JsonObject, mappings: JsonObject): string[] => {
    const found = existing({ settings: { ...settings, ...there }, mappings })
    return compareIndex(one, found, []).differences.map(({ path }) => path)
  }
  assert.deepEqual(pathsOf(added, written), [])
  const floor = { 'index.merge.policy.floor_segment': '4mb' }
  const other = vectors({ ...method, parameters: { m: 4 } }, { data_type: 'BINARY' })
  assert.deepEqual(pathsOf({ ...added, ...floor }, other), [
    'settings.index.merge.policy.floor_segment',
    'mappings.properties.v.method.parameters',
    'mappings.properties.v.data_type',
  ])
  const plain = compareIndex(planned({}), existing({ settings: added }), [])
  assert.equal(plain.verdict, 'different', 'without index.knn nobody adds them')
})

test('compareIndex() expects fields that documents bring below what a rule made an object, and nowhere else', () => {
  const o = { properties: { f: {}, g: {} } }
  const brought = { properties: { a: { type: 'text' } } }
  const at = (name: string): ExistingIndex =>
    existing({ mappings: { properties: { o: { properties: { f: {}, g: {}, [name]: brought } } } } })
  const path = 'mappings.properties.o.properties.f.type'
  const change: PlannedChange = {
    ...{ path, what: 'changed', from: 'flattened', to: 'object', reason: '', loss: true },
  }
  const one = planned({ mappings: { properties: { o } } }, { changes: [change] })
  assert.equal(compareIndex(one, at('f'), []).verdict, 'announced')
  assert.equal(compareIndex(one, at('g'), []).verdict, 'different')
})

test('compareIndex() tells what nobody has announced, what was, and what is missing', () => {
  const other = compareIndex(planned(body), existing({ aliases: { b: {} } }), [])
  assert.equal(other.verdict, 'different')
  assert.deepEqual(
    other.differences.map(({ path }) => path),
    [
      'settings.index.refresh_interval',
      'settings.index.number_of_replicas',
      'mappings.properties',
      'aliases.a',
      'aliases.b',
    ],
  )
  const loss: PlannedChange = { path: 'mappings.x', what: 'dropped', reason: 'gone', loss: true }
  const lossy = compareIndex(planned({}, { changes: [loss] }), existing({}), [])
  assert.deepEqual([lossy.verdict, lossy.announced], ['announced', [loss]])
  const both = compareIndex(planned(body, { changes: [loss] }), existing({}), [])
  assert.equal(both.verdict, 'different', 'a loss that was announced hides nothing else')
  const stream = { name: 's', position: 0, timestampField: '@timestamp' }
  const behind = planned({}, { stream })
  assert.equal(compareIndex(behind, existing({ dataStream: 's' }), []).verdict, 'equal')
  assert.deepEqual(compareIndex(behind, existing({}), []).differences, [
    { path: 'data_stream', wanted: 's' },
  ])
  const refused = planned({}, { action: 'refused', reason: 'because' })
  const { verdict, reason } = compareIndex(refused, undefined, [])
  assert.deepEqual([verdict, reason], ['missing', 'because'])
})
