import type { JsonObject } from '../../src/base/json.ts'
import { majorOf } from '../../src/engines/engine-row.ts'
import { ask } from './capture.ts'
import { send, type EngineFacts } from './engines.ts'
import { pathsOf, type OperationKind } from './random-client-operations.ts'

/** What random clients find: indices of every kind that changes how a write is followed, with aliases and pipelines. */
export async function prepareIndices(engine: EngineFacts, prefix: string): Promise<void> {
  await putPipelines(engine, prefix)
  const properties = {
    n: { type: 'long' },
    text: { type: 'text' },
    exact: { type: 'keyword' },
    group: { type: 'text', fields: { keyword: { type: 'keyword' } } },
  }
  const make = (name: string, settings: JsonObject, aliases: JsonObject = {}): Promise<unknown> =>
    send(engine, 'PUT', `/${prefix}${name}${typedQuery(engine)}`, {
      settings: { number_of_replicas: 0, ...settings },
      mappings: { properties },
      aliases,
    })
  const alias = (name: string, body: JsonObject): JsonObject => ({ [prefix + name]: body })
  await make('plain', { number_of_shards: 2 }, alias('plain-alias', {}))
  await make('lazy', { number_of_shards: 1, refresh_interval: '-1' })
  await make('routed', { number_of_shards: 3 }, alias('routing-alias', { routing: 'r2' }))
  await make('external', { number_of_shards: 1 })
  await make('copied', { number_of_shards: 2 })
  await make('rolling-000001', { number_of_shards: 1 }, alias('rolling', { is_write_index: true }))
  const hasDefault = !(await refuses(
    make('piped', { number_of_shards: 1, default_pipeline: `${prefix}marks` }),
  ))
  if (!hasDefault) await make('piped', { number_of_shards: 1 })
}

function typedQuery({ kind, version }: EngineFacts): string {
  return kind === 'elasticsearch' && majorOf(version) === 6 ? '?include_type_name=false' : ''
}

async function refuses(request: Promise<unknown>): Promise<boolean> {
  return request.then(
    () => false,
    () => true,
  )
}

/** Engines without the module of processors have none. */
async function putPipelines(engine: EngineFacts, prefix: string): Promise<void> {
  const pipelines: { [name: string]: JsonObject[] } = {
    marks: [{ set: { field: 'marked', value: 'by the pipeline' } }],
    routes: [{ set: { field: '_routing', value: 'r3' } }],
  }
  for (const [name, processors] of Object.entries(pipelines)) {
    await refuses(send(engine, 'PUT', `/_ingest/pipeline/${prefix}${name}`, { processors }))
  }
}

/** What removes all that prepareIndices() and the clients made. */
export async function removeIndices(engine: EngineFacts, prefix: string): Promise<void> {
  // By their names: newer engines refuse to delete by a pattern.
  const found = await send<JsonObject>(engine, 'GET', `/${prefix}*/_alias`).catch(() => ({}))
  for (const index of Object.keys(found)) await refuses(send(engine, 'DELETE', `/${index}`))
  for (const name of ['marks', 'routes']) {
    await refuses(send(engine, 'DELETE', `/_ingest/pipeline/${prefix}${name}`))
  }
}

/** Asks for one of each kind that some engine lacks: which it cannot do, and what it says. */
export async function probeKinds(
  engine: EngineFacts,
  prefix: string,
): Promise<ReadonlyMap<OperationKind, string>> {
  const paths = pathsOf(engine.kind, engine.version)
  const plain = `${prefix}plain`
  const script = { source: 'ctx._source.probed = 1', lang: 'painless' }
  const probes: [OperationKind[], string, string, JsonObject][] = [
    [['pipeline'], 'PUT', `${paths.document(plain, 'probe')}?pipeline=${prefix}marks`, { n: 0 }],
    [
      ['routing-pipeline'],
      'PUT',
      `${paths.document(`${prefix}routed`, 'probe')}?pipeline=${prefix}routes`,
      { n: 0 },
    ],
    [['default-pipeline'], 'PUT', paths.document(`${prefix}piped`, 'probe'), { n: 0 }],
    [['index'], 'PUT', paths.document(plain, 'probe'), { n: 0 }],
    [['update-script', 'scripted-upsert'], 'POST', paths.update(plain, 'probe'), { script }],
    [
      ['update-by-query'],
      'POST',
      `/${plain}/_update_by_query?conflicts=proceed`,
      { script, query: { term: { n: 0 } } },
    ],
    [
      ['delete-by-query'],
      'POST',
      `/${plain}/_delete_by_query?conflicts=proceed`,
      { query: { term: { n: 0 } } },
    ],
    [
      ['reindex'],
      'POST',
      '/_reindex',
      { conflicts: 'proceed', source: { index: plain }, dest: { index: `${prefix}copied` } },
    ],
    [
      ['if-seq-no'],
      'PUT',
      `${paths.document(plain, 'probe')}?if_seq_no=1000000&if_primary_term=1`,
      { n: 0 },
    ],
  ]
  const lacking = new Map<OperationKind, string>()
  for (const [kinds, method, target, body] of probes) {
    const request = {
      method,
      target,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }
    const answer = await ask(engine.url, request)
    // 409: it is understood, and refused as it should be.
    if (answer.status < 300 || answer.status === 409) continue
    for (const kind of kinds) lacking.set(kind, answer.body.toString().replaceAll(/\s+/g, ' '))
  }
  return lacking
}
