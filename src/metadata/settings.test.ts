import assert from 'node:assert/strict'
import test from 'node:test'
import { flattenSettings, translateSettings } from './settings.ts'

test('translateSettings() parts settings, with a line for each that does not go over', () => {
  const { settings, withheld, changes } = translateSettings({
    'index.uuid': 'a',
    'index.version.created': '7100299',
    'index.refresh_interval': '5s',
    'index.final_pipeline': 'stamp',
    'index.blocks.write': 'true',
    'index.lifecycle.name': 'hot',
    'index.routing.allocation.include._tier_preference': 'data_hot',
    'index.routing.allocation.require.box': 'warm',
    'index.routing.allocation.total_shards_per_node': '2',
    'index.analysis.filter.f.stopwords': ['a', 'b,c'],
  })
  assert.deepEqual(settings, {
    'index.refresh_interval': '5s',
    'index.routing.allocation.total_shards_per_node': '2',
    'index.analysis.filter.f.stopwords': ['a', 'b,c'],
  })
  assert.deepEqual(withheld, {
    'index.final_pipeline': 'stamp',
    'index.blocks.write': 'true',
    'index.lifecycle.name': 'hot',
  })
  assert.deepEqual(
    changes.map(({ path, what, loss }) => [path, what, loss]),
    [
      ['settings.index.blocks.write', 'withheld', false],
      ['settings.index.final_pipeline', 'withheld', false],
      ['settings.index.lifecycle.name', 'withheld', true],
      ['settings.index.routing.allocation.include._tier_preference', 'dropped', false],
      ['settings.index.routing.allocation.require.box', 'dropped', true],
      ['settings.index.uuid', 'dropped', false],
      ['settings.index.version.created', 'dropped', false],
    ],
  )
  assert.ok(changes.every(({ reason }) => reason !== ''))
})

test('flattenSettings() gives one form to nested, flat, and short names', () => {
  assert.deepEqual(
    flattenSettings({
      index: { refresh_interval: -1, analysis: { filter: { f: { stopwords: ['a', 1] } } } },
      number_of_shards: 2,
      'index.codec': 'best_compression',
      'index.blocks.write': null,
    }),
    {
      'index.refresh_interval': '-1',
      'index.analysis.filter.f.stopwords': ['a', '1'],
      'index.number_of_shards': '2',
      'index.codec': 'best_compression',
    },
  )
})
