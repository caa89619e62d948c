import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { compareMetadata } from '../../src/metadata/compare-metadata.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, evaluate, migrate, newState, snapshotOf } from '../support/metadata.ts'

const six = await useEngine('elasticsearch', '6')
const seven = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3', { own: true })
const { skip } = targetEngine

const properties = (text: JsonObject): JsonObject => ({
  title: {
    type: 'text',
    analyzer: 'own',
    fields: { raw: { type: 'keyword', ignore_above: 256 } },
    ...text,
  },
  day: { type: 'date', format: 'yyyy-MM-dd||epoch_millis' },
  price: { type: 'scaled_float', scaling_factor: 100, coerce: false },
  place: { type: 'geo_point' },
  lines: {
    type: 'nested',
    dynamic: 'strict',
    properties: { n: { type: 'integer', index: false } },
  },
  owner: { properties: { name: { type: 'keyword', null_value: 'none' } }, dynamic: true },
  nothing: { type: 'object', enabled: false },
  joined: { type: 'join', relations: { question: ['answer', 'comment'] } },
  found: { type: 'completion' },
  same: { type: 'alias', path: 'day' },
  net: { type: 'ip', doc_values: false },
  when: { type: 'date_range' },
})

const sources = [
  { release: '6', engine: six, source: await connect('source', six), typed: true },
  { release: '7', engine: seven, source: await connect('source', seven), typed: false },
]
const target = skip ? sources[0]!.source : await connect('target', targetEngine)

for (const { release, engine, source, typed } of sources) {
  test(
    `after migrating Elasticsearch ${release} only what was announced differs, and later changes are told`,
    { skip },
    async () => {
      const stem = uniqueName('compared')
      const [index, template, pipeline, script, component, composed] = [
        ...['index', 'template', 'pipeline', 'script', 'component', 'composed'],
      ].map((part) => `${stem}-${part}`) as [string, string, string, string, string, string]
      const mapping = {
        dynamic: 'strict',
        _source: { enabled: true },
        _meta: { by: 'us' },
        dynamic_templates: [
          { texts: { match_mapping_type: 'string', mapping: { type: 'keyword' } } },
        ],
        properties: properties({}),
      }
      const analysis = {
        analyzer: {
          own: { type: 'custom', tokenizer: 'standard', filter: ['lowercase', 'stops'] },
        },
        filter: { stops: { type: 'stop', stopwords: ['a', 'b,c'] } },
      }
      const content = {
        settings: { number_of_replicas: 0, number_of_shards: 2, refresh_interval: '7s', analysis },
        mappings: typed ? { _doc: mapping } : mapping,
        aliases: { [`${stem}-alias`]: { filter: { term: { price: 1 } }, routing: 'r' } },
      }
      const withPipeline = {
        ...content,
        settings: { ...content.settings, default_pipeline: pipeline },
      }
      const body = { processors: [{ set: { field: 'a', value: 1 } }] }
      const composable = typed
        ? {}
        : {
            [`_component_template/${component}`]: { template: content, version: 3 },
            [`_index_template/${composed}`]: {
              ...{ index_patterns: [`${composed}-*`], composed_of: [component], priority: 7 },
              template: { mappings: { properties: { more: { type: 'keyword' } } } },
            },
          }
      const others: { [path: string]: JsonObject } = {
        [`_scripts/${script}`]: { script: { lang: 'painless', source: 'ctx.a = 1' } },
        ...composable,
      }
      await send(engine, 'PUT', `/_ingest/pipeline/${pipeline}`, body)
      for (const [path, one] of Object.entries(others)) await send(engine, 'PUT', `/${path}`, one)
      await send(engine, 'PUT', `/${index}`, withPipeline)
      await send(engine, 'PUT', `/_template/${template}`, {
        ...withPipeline,
        index_patterns: [`${template}-*`],
      })
      const snapshot = await snapshotOf(source, engine, [index])
      await send(engine, 'DELETE', `/_template/${template}`)
      await send(engine, 'DELETE', `/_ingest/pipeline/${pipeline}`)
      for (const path of Object.keys(others).reverse()) await send(engine, 'DELETE', `/${path}`)
      const state = await newState()
      const options = { templates: true, pipelines: true }
      await migrate({ snapshot, target, state, options })
      const compare = async () => {
        const plan = await evaluate({ snapshot, target, state, options })
        const { objects, equal } = await compareMetadata(plan, { target, changedMeanwhile: [] })
        const kinds = [index, template, pipeline, script, ...(typed ? [] : [component, composed])]
        const ours = kinds.map((name) => objects.find((one) => one.name === name)!)
        return { ours, equal }
      }
      const { ours } = await compare()
      assert.deepEqual(
        ours.map(({ name, verdict, differences }) => [name, verdict, differences]),
        ours.map(({ name }) => [name, 'equal', []]),
      )
      assert.deepEqual(
        ours.map(({ kind }) => kind),
        [
          ...['index', 'legacy-template', 'ingest-pipeline', 'stored-script'],
          ...(typed ? [] : ['component-template', 'index-template']),
        ],
      )
      const strange = `${stem}-strange`
      const index_patterns = [`${stem}-*`]
      await send(targetEngine, 'PUT', `/${strange}`)
      await send(targetEngine, 'PUT', `/_ingest/pipeline/${strange}`, body)
      await send(targetEngine, 'PUT', `/_component_template/${strange}`, { template: {} })
      await send(targetEngine, 'PUT', `/_index_template/${strange}`, { index_patterns })
      const plan = await evaluate({ snapshot, target, state, options })
      const select = { include: [`${stem}*`] }
      const { onlyOnTarget, equal } = await compareMetadata(plan, {
        target,
        changedMeanwhile: [],
        select,
      })
      assert.equal(equal, false)
      assert.deepEqual(
        onlyOnTarget
          .filter(({ name }) => name === strange)
          .map(({ kind, name, inPlaceOf }) => [kind, name, inPlaceOf]),
        [
          ['index-template', strange, [template, index]],
          ['component-template', strange, []],
          ['ingest-pipeline', strange, []],
          ['index', strange, []],
        ],
      )
      await send(targetEngine, 'DELETE', `/_index_template/${strange}`)
      await send(targetEngine, 'PUT', `/${index}/_settings`, { 'index.refresh_interval': '1s' })
      await send(targetEngine, 'PUT', `/${index}/_mapping`, {
        properties: { late: { type: 'long' } },
      })
      await send(targetEngine, 'DELETE', `/${index}/_alias/${stem}-alias`)
      await send(targetEngine, 'PUT', `/_ingest/pipeline/${pipeline}`, { processors: [] })
      await send(targetEngine, 'DELETE', `/_template/${template}`)
      const later = await compare()
      assert.equal(later.equal, false)
      const [changed, gone, piped] = later.ours
      assert.deepEqual(
        changed!.differences.map(({ path, wanted, found }) => [path, wanted, found]).slice(0, 2),
        [
          ['settings.index.refresh_interval', '7s', '1s'],
          ['mappings.properties.late', undefined, { type: 'long' }],
        ],
      )
      assert.equal(changed!.differences[2]!.path, `aliases.${stem}-alias`)
      assert.equal(gone!.verdict, 'missing')
      assert.equal(piped!.differences[0]!.path, 'processors')
    },
  )
}
