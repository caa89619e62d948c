import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import { parseVersion } from '../cluster/version.ts'
import { noGlobalMetadata, type GlobalMetadata } from '../snapshot/snapshot.ts'
import { settingsBeside, withoutAbsent } from './composed.ts'
import type { RuleFacts } from './rule-facts.ts'
import { defaultChoices } from './rules/rule.ts'
import { translateTemplate, type TranslatedTemplate } from './templates.ts'

const factsFor = (flavour: 'elasticsearch' | 'opensearch', source: string): RuleFacts => ({
  source: parseVersion(flavour, source)!,
  created: parseVersion(flavour, source)!,
  target: parseVersion('opensearch', '3.6.0')!,
  choices: defaultChoices,
  awarenessCopies: 1,
  searchPipelines: new Set<string>(),
})
const component = (settings: JsonObject, properties?: JsonObject): JsonObject => ({
  template: { settings, ...(properties && { mappings: { properties } }) },
})
const cluster = (
  componentTemplates: { [name: string]: JsonObject },
  indexTemplates: { [name: string]: JsonObject },
): GlobalMetadata => ({ ...noGlobalMetadata, componentTemplates, indexTemplates })

function translated(
  kind: TranslatedTemplate['kind'],
  name: string,
  global: GlobalMetadata,
  facts: RuleFacts,
): TranslatedTemplate {
  const all = kind === 'index-template' ? global.indexTemplates : global.componentTemplates
  return translateTemplate(kind, name, all[name]!, facts, settingsBeside(kind, name, global))
}
const contentOf = ({ body }: TranslatedTemplate): JsonObject => body.template as JsonObject

test('withoutAbsent() leaves out optional components that the source does not have, and says so', () => {
  const template = {
    composed_of: ['there', 'logs@custom', 'gone'],
    ignore_missing_component_templates: ['logs@custom', 'there'],
  }
  const found = withoutAbsent(template, cluster({ there: {} }, {}))
  assert.deepEqual(found.template.composed_of, ['there', 'gone'])
  assert.deepEqual(
    found.changes.map(({ path, from, loss }) => [path, from, loss]),
    [['composed_of', ['logs@custom'], false]],
  )
  const plain = { composed_of: ['gone'] }
  assert.deepEqual(withoutAbsent(plain, cluster({}, {})), { template: plain, changes: [] })
})

test('settingsBeside() gives the settings of all parts that a part is used with', () => {
  const global = cluster(
    {
      a: component({ refresh_interval: '1s' }),
      b: component({ codec: 'default' }),
      c: component({ hidden: true }),
    },
    {
      one: { composed_of: ['a', 'b'], ...component({ 'index.number_of_shards': 2 }) },
      two: { composed_of: ['c'] },
    },
  )
  assert.deepEqual(settingsBeside('component-template', 'a', global), {
    'index.codec': 'default',
    'index.number_of_shards': '2',
  })
  assert.deepEqual(Object.keys(settingsBeside('index-template', 'one', global)), [
    'index.refresh_interval',
    'index.codec',
  ])
  assert.deepEqual(settingsBeside('component-template', 'c', global), {})
  assert.deepEqual(settingsBeside('legacy-template', 'a', global), {})
})

test('vectors in one component get what the index says in another', () => {
  const vector = { type: 'knn_vector', dimension: 4 }
  const global = cluster(
    {
      settings: component({ 'index.knn': true, 'index.knn.space_type': 'cosinesimil' }),
      fields: component({}, { vector }),
    },
    { both: { index_patterns: ['v-*'], composed_of: ['settings', 'fields'] } },
  )
  const facts = factsFor('opensearch', '2.19.0')
  const fields = translated('component-template', 'fields', global, facts)
  const method = { name: 'hnsw', engine: 'faiss', space_type: 'cosinesimil', parameters: {} }
  assert.deepEqual(contentOf(fields), {
    mappings: { properties: { vector: { ...vector, method } } },
  })
  assert.deepEqual(
    fields.changes.map(({ rule }) => rule),
    ['knn-index-level'],
  )
  assert.deepEqual(fields.beside, { 'index.knn': 'true' })
  const settings = translated('component-template', 'settings', global, facts)
  assert.deepEqual(contentOf(settings), { settings: { 'index.knn': 'true' } })
})

test('a filter that is gone from one component goes from the analysers of another', () => {
  const global = cluster(
    {
      filters: component({ analysis: { filter: { s: { type: 'standard' } } } }),
      analyzers: component({
        analysis: { analyzer: { a: { tokenizer: 'standard', filter: ['s', 'lowercase'] } } },
      }),
    },
    { both: { index_patterns: ['v-*'], composed_of: ['filters', 'analyzers'] } },
  )
  const facts = factsFor('elasticsearch', '7.10.2')
  const analyzers = translated('component-template', 'analyzers', global, facts)
  assert.deepEqual(contentOf(analyzers).settings, {
    'index.analysis.analyzer.a.tokenizer': 'standard',
    'index.analysis.analyzer.a.filter': ['lowercase'],
  })
  assert.deepEqual(
    analyzers.changes.map(({ path }) => path),
    ['settings.index.analysis.analyzer.a.filter'],
  )
  const filters = translated('component-template', 'filters', global, facts)
  assert.deepEqual(contentOf(filters), {})
  assert.deepEqual(
    filters.changes.map(({ path }) => path),
    ['settings.index.analysis.filter.s.type'],
  )
  assert.deepEqual(contentOf(translated('index-template', 'both', global, facts)), {})
})
