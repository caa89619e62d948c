import assert from 'node:assert/strict'
import test from 'node:test'
import { flattenSettings } from './settings.ts'

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

test('flattenSettings() gives a list back to the numbered names of engines before 6', () => {
  const analyzer = 'index.analysis.analyzer.a'
  assert.deepEqual(
    flattenSettings({
      [`${analyzer}.filter.1`]: 'lowercase',
      [`${analyzer}.filter.0`]: 'standard',
      [`${analyzer}.filter.3`]: 'lost',
      [`${analyzer}.tokenizer`]: 'standard',
    }),
    {
      [`${analyzer}.filter`]: ['standard', 'lowercase'],
      [`${analyzer}.filter.3`]: 'lost',
      [`${analyzer}.tokenizer`]: 'standard',
    },
  )
})
