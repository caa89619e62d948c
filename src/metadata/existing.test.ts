import assert from 'node:assert/strict'
import test from 'node:test'
import type { TargetIndex } from '../state/records.ts'
import { decideIndex, templateDifference, type ExistingIndex } from './existing.ts'

const wanted = {
  name: 'logs',
  targetIndex: 'logs',
  sourceUuid: 'S1',
  fenceAlias: 'osmigrate-S1-0',
  body: {
    settings: { 'index.number_of_shards': '2' },
    mappings: { properties: { n: { type: 'long' } } },
    aliases: {},
  },
}
const record = (targetUuid: string, sourceUuid = 'S1'): TargetIndex => ({
  index: 'logs',
  targetIndex: 'logs',
  sourceUuid,
  targetUuid,
  epochBase: 0,
  fenceAlias: `osmigrate-${sourceUuid}-0`,
  sourceShards: 2,
  targetShards: 2,
  mayHoldRouted: true,
  sourceForm: 'full',
  sourceDocuments: null,
  withheld: {},
})
const existing = (uuid: string, more: Partial<ExistingIndex> = {}): ExistingIndex => ({
  uuid,
  settings: { 'index.number_of_shards': '2', 'index.uuid': uuid },
  mappings: { properties: { n: { type: 'long' } } },
  aliases: {},
  ...more,
})
const fenced = { aliases: { 'osmigrate-S1-0': {} } }

test('decideIndex() creates what was never made, also after a kill before it came to be', () => {
  assert.equal(decideIndex(wanted, undefined, undefined, false).action, 'create')
  assert.equal(decideIndex(wanted, record(''), undefined, false).action, 'create')
})

test('decideIndex() makes again what was deleted on the target, also for another incarnation', () => {
  assert.equal(decideIndex(wanted, record('T1'), undefined, false).action, 'create')
  assert.equal(decideIndex(wanted, record('T1', 'S0'), undefined, false).action, 'create')
})

test('decideIndex() knows its own index by uuid, or by the fence alias after a kill', () => {
  assert.equal(decideIndex(wanted, record('T1'), existing('T1'), false).action, 'exists-equal')
  assert.equal(
    decideIndex(wanted, record(''), existing('T1', fenced), false).action,
    'exists-equal',
  )
})

test('decideIndex() refuses by name what it did not make', () => {
  const foreign = decideIndex(wanted, undefined, existing('T1'), false)
  assert.equal(foreign.action, 'refused')
  assert.match(foreign.reason!, /index logs is on the target already/)
  assert.match(decideIndex(wanted, record('T1'), existing('T2'), false).reason!, /uuid T2.*uuid T1/)
  assert.equal(decideIndex(wanted, record(''), existing('T1'), false).action, 'refused')
})

test('decideIndex() joins what another host of the migration made, also while that one fills it', () => {
  const filling = existing('T1', {
    ...fenced,
    settings: { 'index.number_of_shards': '2', 'index.refresh_interval': '-1' },
    mappings: { properties: { n: { type: 'long' }, dynamic: { type: 'text' } } },
  })
  assert.equal(decideIndex(wanted, undefined, filling, false).action, 'exists-equal')
  assert.equal(decideIndex(wanted, record('T0'), filling, false).action, 'exists-equal')
  const settings = { 'index.number_of_shards': '1' }
  const other = existing('T1', { ...fenced, settings })
  const { action, reason } = decideIndex(wanted, undefined, other, true)
  assert.equal(action, 'refused')
  assert.match(reason!, /logs on the target.*other settings: index.number_of_shards/)
})

test('decideIndex() compares routing shards only where the target tells them', () => {
  const settings = { ...wanted.body.settings, 'index.number_of_routing_shards': '8' }
  const placed = { ...wanted, body: { ...wanted.body, settings } }
  const action = (told: object): string => {
    const there = existing('T1', { settings: { ...wanted.body.settings, ...told } })
    return decideIndex(placed, undefined, there, true).action
  }
  assert.equal(action({}), 'adopt')
  assert.equal(action({ 'index.number_of_routing_shards': '8' }), 'adopt')
  assert.equal(action({ 'index.number_of_routing_shards': '4' }), 'refused')
})

test('decideIndex() refuses another incarnation of the source index', () => {
  const { action, reason } = decideIndex(wanted, record('T1', 'S0'), existing('T1'), true)
  assert.equal(action, 'refused')
  assert.match(reason!, /another incarnation of logs \(uuid S1\).*\(uuid S0\)/)
})

test('decideIndex() adopts only what has the wanted mapping and settings, and no pipeline', () => {
  assert.equal(decideIndex(wanted, undefined, existing('T1'), true).action, 'adopt')
  const other = existing('T1', {
    settings: { 'index.number_of_shards': '1', 'index.final_pipeline': 'p' },
    mappings: { properties: { n: { type: 'text' } } },
  })
  const { action, reason } = decideIndex(wanted, undefined, other, true)
  assert.equal(action, 'refused')
  assert.equal(decideIndex(wanted, undefined, other, false).action, 'exists-different')
  assert.match(
    reason!,
    /settings.index.number_of_shards \(wanted "2", there "1"\), mappings.properties.n.type \(wanted "long", there "text"\), settings.index.final_pipeline \(wanted nothing, there "p"\)/,
  )
})

test('decideIndex() adopts a mapping that the target prints in another form', () => {
  const method = { name: 'hnsw', engine: 'lucene' }
  const vectors = (more: object, of: object): ExistingIndex['mappings'] => ({
    properties: { v: { type: 'knn_vector', dimension: 8, method: { ...method, ...of }, ...more } },
  })
  const body = { ...wanted.body, mappings: vectors({ data_type: 'byte' }, {}) }
  const printed = vectors({ data_type: 'BYTE' }, { parameters: {} })
  const action = (mappings: ExistingIndex['mappings']): string =>
    decideIndex({ ...wanted, body }, undefined, existing('T1', { mappings }), true).action
  assert.equal(action(printed), 'adopt')
  assert.equal(action(vectors({ data_type: 'BINARY' }, {})), 'refused')
})

test('templateDifference() sees through the forms that a template may have', () => {
  const sent = {
    index_patterns: ['a-*'],
    settings: { 'index.number_of_shards': '2' },
    mappings: { properties: { k: { type: 'keyword' } } },
  }
  const stored = {
    order: 0,
    index_patterns: ['a-*'],
    settings: { index: { number_of_shards: '2' } },
    mappings: { properties: { k: { type: 'keyword' } } },
    aliases: {},
  }
  assert.deepEqual(templateDifference(sent, stored), [])
  assert.deepEqual(templateDifference({ ...sent, index_patterns: ['b-*'] }, stored), [
    { path: 'index_patterns[0]', wanted: 'b-*', found: 'a-*' },
  ])
  assert.deepEqual(
    templateDifference(
      { index_patterns: ['x'], composed_of: [], template: { settings: { number_of_replicas: 0 } } },
      { index_patterns: ['x'], template: { settings: { index: { number_of_replicas: '0' } } } },
    ),
    [],
  )
})
