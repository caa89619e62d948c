import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import { noGlobalMetadata } from '../snapshot/snapshot.ts'
import {
  pipelinesCalled,
  processorTypes,
  translatePipelines,
  translateScripts,
} from './pipelines.ts'

const global = (raw: JsonObject) => ({ ...noGlobalMetadata, raw })

test('translatePipelines() takes off what OpenSearch does not know, and names it', () => {
  const processors = [{ set: { field: 'a', value: 1 } }]
  const config = {
    processors,
    version: 3,
    _meta: { by: 'us' },
    deprecated: false,
    field_access_pattern: 'flexible',
    created_date_millis: 1,
  }
  const raw = {
    'meta-data': {
      ingest: {
        pipeline: [
          { id: 'a', config },
          { id: 'b', config: { processors } },
        ],
      },
    },
  }
  const [a, b] = translatePipelines(global(raw))
  assert.deepEqual(a!.body, { processors, version: 3 })
  assert.deepEqual(
    a!.changes.map(({ path, loss }) => [path, loss]),
    [
      ['_meta', true],
      ['deprecated', false],
      ['field_access_pattern', true],
      ['created_date_millis', false],
    ],
  )
  assert.deepEqual(b, { kind: 'ingest-pipeline', name: 'b', body: { processors }, changes: [] })
  assert.deepEqual(translatePipelines(noGlobalMetadata), [])
})

test('processorTypes() and pipelinesCalled() look into foreach and on_failure, however deep', () => {
  const pipeline = {
    processors: [
      { foreach: { field: 'list', processor: { inference: { model_id: 'm' } } } },
      { set: { field: 'a', value: 1, on_failure: [{ pipeline: { name: 'rescue' } }] } },
      { pipeline: { name: '{{kind}}' } },
    ],
    on_failure: [{ enrich: { on_failure: [{ append: {} }] } }],
  }
  assert.deepEqual(processorTypes(pipeline).sort(), [
    'append',
    'enrich',
    'foreach',
    'inference',
    'pipeline',
    'set',
  ])
  assert.deepEqual(pipelinesCalled(pipeline), ['rescue'])
})

test('translateScripts() reads every form in which engines have kept scripts', () => {
  const scripts = translateScripts(
    global({
      stored_scripts: {
        now: { lang: 'painless', source: 'return 1', options: {} },
        search: { lang: 'mustache', source: '{"size":1}', options: { content_type: 'x' } },
        code: { lang: 'painless', code: 'return 2' },
        'groovy#old#er': { script: '1 + 1' },
        'painless#text': 'return 3',
      },
    }),
  )
  assert.deepEqual(
    scripts.map(({ name, body }) => [name, body.script]),
    [
      ['now', { lang: 'painless', source: 'return 1' }],
      ['search', { lang: 'mustache', source: '{"size":1}', options: { content_type: 'x' } }],
      ['code', { lang: 'painless', source: 'return 2' }],
      ['old#er', { lang: 'groovy', source: '1 + 1' }],
      ['text', { lang: 'painless', source: 'return 3' }],
    ],
  )
})
