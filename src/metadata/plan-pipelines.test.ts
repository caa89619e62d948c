import assert from 'node:assert/strict'
import test from 'node:test'
import { noGlobalMetadata } from '../snapshot/snapshot.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { metadataOptions } from './options.ts'
import { pipelinesLeft, planPipelines } from './plan-pipelines.ts'

const processors = [{ set: { field: 'a', value: 1 } }]
const global = {
  ...noGlobalMetadata,
  raw: {
    stored_scripts: {
      old: { lang: 'groovy', source: '1' },
      good: { lang: 'painless', source: '1' },
    },
    search_pipeline: {
      pipeline: [{ id: 'living', config: { request_processors: [{ filter_query: {} }] } }],
    },
    ingest: {
      pipeline: [
        { id: 'plain', config: { processors: [...processors, { pipeline: { name: 'deep' } }] } },
        { id: 'deep', config: { processors: [{ foreach: { processor: { enrich: {} } } }] } },
        { id: 'caller', config: { processors: [{ pipeline: { name: 'nowhere' } }] } },
        { id: 'logs@json', config: { processors, _meta: { managed: true } } },
        { id: 'xpack_monitoring_7', config: { processors } },
        { id: '.fleet', config: { processors } },
      ],
    },
  },
}
const version = { flavour: 'opensearch', text: '3.1.0', major: 3, minor: 1, patch: 0 } as const
const input = (options: object) =>
  ({
    target: { version },
    select: {},
    options: metadataOptions.parse(options),
  }) as unknown as EvaluateInput

test('without a target, what no OpenSearch can run is refused by name, and the engine’s own is left out', async () => {
  const planned = await planPipelines(input({}), global)
  assert.deepEqual(
    planned.map(({ kind, name, action }) => [kind, name, action]),
    [
      ['stored-script', 'good', 'create'],
      ['stored-script', 'old', 'refused'],
      ['ingest-pipeline', 'caller', 'create'],
      ['ingest-pipeline', 'deep', 'refused'],
      ['ingest-pipeline', 'plain', 'create'],
      ['search-pipeline', 'living', 'create'],
    ],
  )
  assert.match(planned[1]!.reason!, /no scripts in groovy/)
  assert.match(planned[3]!.reason!, /no processor enrich: install/)
  assert.deepEqual(planned[4]!.changes, [])
  assert.match(planned[2]!.changes[0]!.reason, /calls the pipeline nowhere/)
  const older = { ...input({}), target: { version: { ...version, major: 2, minor: 7 } } }
  assert.match((await planPipelines(older, global)).at(-1)!.reason!, /since 2.9/)
})

test('with metadata.pipelines off, all that stays behind is named', async () => {
  assert.deepEqual(await planPipelines(input({ pipelines: false }), global), [])
  assert.deepEqual(
    pipelinesLeft(input({ pipelines: false }), global).map(({ kind, name }) => [kind, name]),
    [
      ['stored script', 'good'],
      ['stored script', 'old'],
      ['ingest pipeline', 'caller'],
      ['ingest pipeline', 'deep'],
      ['ingest pipeline', 'plain'],
      ['search pipeline', 'living'],
    ],
  )
})
