/**
 * Whether the parser knows what writes: every request of every API is put to a real engine, and what the engine holds
 * afterwards is looked at. What changed something must be said to write.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { parseRequest } from '../../src/traffic/api/parse-request.ts'
import { apiRequests } from './api-requests.ts'
import { ask } from './capture.ts'
import { send, type EngineFacts } from './engines.ts'

/** Paths of what these engines lack, and requests that end the engine, go on after their answer, or only take long. */
const notTried =
  /_plugins|_security|_ml|_snapshot|shutdown|_watcher|_ltr|_connector|_inference|hot_?threads/i
/** Changes to these can be seen in what contentOf() looks at. */
const tried = ['documents', 'by-query', 'indices', 'cluster']

const all = apiRequests()
  .filter(({ target }) => !notTried.test(target))
  .map((request) => ({ ...request, ...parseRequest(request.method, request.target) }))

/** Runs the tests on an engine that nobody else uses, as parts of one test. `surely`: APIs whose changes must be seen on it. */
export async function testEffects(
  context: TestContext,
  engine: EngineFacts,
  surely: readonly string[],
): Promise<void> {
  await context.test('no request that the parser takes for a read changes anything', async () => {
    await prepare(engine)
    const before = await contentOf(engine)
    const reads = all.filter(({ mayWrite }) => !mayWrite)
    const rest = reads.values()
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const request of rest) await put(engine, request.method, request.target, request.body)
      }),
    )
    if ((await contentOf(engine)) === before) return
    // Which ones it was.
    const writing: string[] = []
    await prepare(engine)
    for (const request of reads) {
      const was = await contentOf(engine)
      await put(engine, request.method, request.target, request.body)
      if ((await contentOf(engine)) === was) continue
      writing.push(`${request.method} ${request.target}`)
      await prepare(engine)
    }
    assert.deepEqual(writing, [])
  })

  await context.test(
    'of the writes enough change something for the test above to be one',
    async () => {
      const changing = new Set<string>()
      await prepare(engine)
      let was = await contentOf(engine)
      for (const request of all) {
        const { api, effect } = request
        if (!tried.includes(effect) || changing.has(api)) continue
        await put(engine, request.method, request.target, request.body)
        const now = await contentOf(engine)
        if (now === was) continue
        changing.add(api)
        was = now
        if (effect !== 'indices') continue
        await prepare(engine)
        was = await contentOf(engine)
      }
      assert.deepEqual(
        surely.filter((api) => !changing.has(api)),
        [],
      )
    },
  )
}

async function put(
  engine: EngineFacts,
  method: string,
  target: string,
  body?: JsonObject | string,
): Promise<void> {
  const type = target.includes('bulk') ? 'application/x-ndjson' : 'application/json'
  await ask(engine.url, {
    method,
    target,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: { 'content-type': type },
  }).catch(() => undefined) // old engines break off some of what they do not know
}

/** All that clients can change: metadata, settings, operations of the shards. */
async function contentOf(one: EngineFacts): Promise<string> {
  const state = await send(
    one,
    'GET',
    '/_cluster/state/metadata,blocks?filter_path=metadata,blocks',
  )
  const stats = await send(
    one,
    'GET',
    '/_stats/docs,indexing?level=shards&filter_path=indices.*.primaries.docs,indices.*.primaries.indexing.*_total,indices.*.shards.*.seq_no.max_seq_no',
  )
  return JSON.stringify([withoutNoise(state), stats])
}

/** Generations of the cluster's own, which no client asks for. */
function withoutNoise(state: object): object {
  return JSON.parse(
    JSON.stringify(state, (key, value: unknown) =>
      ['version', 'cluster_coordination', 'index-graveyard'].includes(key) ? undefined : value,
    ),
  ) as object
}

const atOnce = 8

/** What an engine of that version does not know it refuses, and is not asked about then. */
async function prepare(engine: EngineFacts): Promise<void> {
  await put(engine, 'DELETE', '/*')
  await put(engine, 'PUT', '/i', {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { n: { type: 'long' }, made_before: { type: 'keyword' } } },
    aliases: { a: { is_write_index: true } },
  })
  // With mappings that have no type Elasticsearch 1 refuses all of it, and a type of that name, too.
  await put(engine, 'PUT', '/i', { settings: { number_of_shards: 1, number_of_replicas: 0 } })
  await put(engine, 'PUT', '/i/_doc/1?refresh=true', { n: 1 })
  await put(engine, 'PUT', '/i/t/1?refresh=true', { n: 1 })
  await put(engine, 'PUT', '/_ingest/pipeline/x', { processors: [] })
  await put(engine, 'PUT', '/_template/x', { index_patterns: ['nothing-*'], order: 7 })
  await put(engine, 'PUT', '/_scripts/x', { script: { lang: 'painless', source: '2' } })
  await put(engine, 'PUT', '/_component_template/x', { template: { settings: { priority: 3 } } })
}
