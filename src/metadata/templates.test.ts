import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import { parseVersion } from '../cluster/version.ts'
import { defaultChoices } from './rules/rule.ts'
import { translateTemplate } from './templates.ts'

function facts(source: string) {
  const version = parseVersion('elasticsearch', source)!
  const target = parseVersion('opensearch', '3.6.0')!
  return {
    source: version,
    created: version,
    target,
    choices: defaultChoices,
    awarenessCopies: 1,
    searchPipelines: new Set<string>(),
  }
}

test('translateTemplate() withholds pipelines, which would hold for every new index', () => {
  const legacy = translateTemplate(
    'legacy-template',
    'l',
    {
      order: 3,
      index_patterns: ['l-*'],
      settings: { index: { number_of_shards: '2', default_pipeline: 'p', final_pipeline: 'q' } },
      mappings: { _doc: { properties: { k: { type: 'keyword' } } } },
      aliases: { l: {} },
    },
    facts('7.10.2'),
  )
  assert.deepEqual(legacy.body, {
    order: 3,
    index_patterns: ['l-*'],
    settings: { 'index.number_of_shards': '2' },
    mappings: { properties: { k: { type: 'keyword' } } },
    aliases: { l: {} },
  })
  assert.deepEqual(legacy.withheld, { 'index.default_pipeline': 'p', 'index.final_pipeline': 'q' })
  const composable = translateTemplate(
    'index-template',
    'c',
    {
      index_patterns: ['c-*'],
      composed_of: ['base'],
      priority: 5,
      template: { settings: { 'index.default_pipeline': 'p' } },
    },
    facts('7.10.2'),
  )
  assert.deepEqual(composable.body, {
    index_patterns: ['c-*'],
    composed_of: ['base'],
    priority: 5,
    template: {},
  })
  assert.deepEqual(composable.withheld, { 'index.default_pipeline': 'p' })
})

test('translateTemplate() gives a template of several types the fields of all, and where they are split nothing is lost', () => {
  const mappings = {
    a: { properties: { x: { type: 'long' } } },
    b: { properties: { y: { type: 'date' } } },
  }
  const found = (['union', 'split'] as const).map((types) => {
    const { choices, ...rest } = facts('5.6.16')
    const own = { ...rest, choices: { ...choices, types } }
    const { body, changes } = translateTemplate(
      'legacy-template',
      't',
      { template: 't-*', mappings },
      own,
    )
    return [body.mappings, changes.some(({ loss }) => loss)]
  })
  const properties = { x: { type: 'long' }, y: { type: 'date' } }
  assert.deepEqual(found, [
    [{ properties }, true],
    [{ properties }, false],
  ])
})

test('translateTemplate() names every part that OpenSearch has no place for', () => {
  const { body, changes } = translateTemplate(
    'index-template',
    'c',
    {
      index_patterns: ['c-*'],
      allow_auto_create: true,
      template: { lifecycle: { data_retention: '7d' } },
    },
    facts('8.19.0'),
  )
  assert.deepEqual(body, { index_patterns: ['c-*'], template: {} })
  assert.deepEqual(
    changes.map(({ path, what, loss }) => [path, what, loss]),
    [
      ['template.lifecycle', 'dropped', true],
      ['allow_auto_create', 'dropped', true],
    ],
  )
})

test('translateTemplate() keeps a template for data streams as the target gives it back', () => {
  const { body, changes } = translateTemplate(
    'index-template',
    'd',
    {
      index_patterns: ['d-*'],
      data_stream: { hidden: true, allow_custom_routing: false },
      created_date_millis: 1795368318030,
    },
    facts('9.2.0'),
  )
  assert.deepEqual(body, {
    index_patterns: ['d-*'],
    data_stream: { timestamp_field: { name: '@timestamp' } },
    template: {},
  })
  assert.deepEqual(
    changes.map(({ path, what, loss }) => [path, what, loss]),
    [
      ['data_stream.hidden', 'dropped', true],
      ['data_stream.allow_custom_routing', 'dropped', false],
    ],
  )
})

test('translateTemplate() turns the one pattern of 5.x into a list, and unites several types', () => {
  const old = translateTemplate(
    'legacy-template',
    'old',
    {
      template: 'old-*',
      mappings: { a: { dynamic: 'strict' }, b: { dynamic: 'strict' } },
    },
    facts('5.6.16'),
  )
  assert.deepEqual(old.body, { index_patterns: ['old-*'], mappings: { dynamic: 'strict' } })
  assert.deepEqual(
    old.changes.map(({ rule, loss }) => [rule, loss]),
    [['types-union', true]],
  )
})

test('translateTemplate() says the copies that a balancing target asks of each part, as the parts beside it do', () => {
  const balancing = { ...facts('7.10.2'), awarenessCopies: 3, replicasUnsaid: '2' }
  const settingsOf = (own: JsonObject, beside: { [name: string]: string }) => {
    const source = { index_patterns: ['c-*'], template: { settings: own } }
    const { body, changes } = translateTemplate('index-template', 'c', source, balancing, beside)
    return [(body.template as JsonObject).settings, changes.map(({ what }) => what)]
  }
  const replicas = 'index.number_of_replicas'
  assert.deepEqual(settingsOf({}, {}), [{ [replicas]: '2' }, ['added']])
  assert.deepEqual(settingsOf({}, { [replicas]: '4' }), [{ [replicas]: '5' }, ['added']])
  assert.deepEqual(settingsOf({ [replicas]: '4' }, {}), [{ [replicas]: '5' }, ['changed']])
  const growing = { 'index.auto_expand_replicas': '0-all' }
  assert.deepEqual(settingsOf(growing, {}), [growing, []])
})
