import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseRequest } from './parse-request.ts'

/** Every function of the official clients is called, and what it asks for must be in the tables. */

const load = createRequire(import.meta.url)

/** Answers everything, and remembers what was asked. */
async function startRecorder(): Promise<{ server: Server; asked: Set<string>; url: string }> {
  const asked = new Set<string>()
  const server = createServer((request, response) => {
    asked.add(`${request.method} ${request.url!.split('?')[0]}`)
    request.resume()
    request.on('end', () => {
      response.setHeader('x-elastic-product', 'Elasticsearch')
      response.setHeader('content-type', 'application/json')
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Names of path segments in any of the clients; each function takes those that it knows. */
const segmentNames =
  'index id type name alias target new_index repository snapshot target_snapshot task_id node_id metric index_metric fields field block scroll_id job_id datafeed_id calendar_id event_id filter_id snapshot_id forecast_id model_id model_alias transform_id policy_id policy watch_id action_id username user role application privilege ids namespace service realm_name realms context lang index_uuid connector_id connector_sync_job_id query_id ruleset_id rule_id inference_id task_type synonyms_id synonyms_set lookup_name zoom x y collection_name event_type destination dest source source_index target_index alias_name category_id timestamp part feature thread_pool_patterns component node attribute awareness_attribute_name awareness_attribute_value decommission agent_id memory_id config_id workflow_id stat tenant action_group cluster_name'.split(
    ' ',
  )

function parametersOf(leftOut: readonly string[]): Record<string, unknown> {
  const names = segmentNames.filter((name) => !leftOut.includes(name))
  const given = names.map((name): [string, string] => [name, 'x'])
  return { ...(Object.fromEntries(given) as Record<string, string>), body: {} }
}

const parameterSets = [
  parametersOf([]),
  parametersOf(['type']),
  parametersOf(['id', 'name', 'metric', 'scroll_id', 'task_id', 'model_id', 'snapshot_id', 'type']),
  { body: {} },
]

type Callable = (parameters: unknown, options: unknown) => Promise<unknown>
const notApis = ['child', 'close', 'extend', 'on', 'once', 'off', 'emit', 'constructor', 'helpers']

/** The functions of a client, and of its namespaces. */
function functionsOf(client: object): Callable[] {
  const found: Callable[] = []
  const add = (owner: object, depth: number): void => {
    const names = new Set<string>()
    for (
      let at: object | null = owner;
      at !== null && at !== Object.prototype;
      at = Object.getPrototypeOf(at) as object | null
    ) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name)
    }
    for (const name of names) {
      if (
        notApis.includes(name) ||
        /^[_$]|connectionPool|transport|serializer|diagnostic/i.test(name)
      )
        continue
      const value: unknown = (owner as Record<string, unknown>)[name]
      if (typeof value === 'function') found.push((value as Callable).bind(owner))
      else if (depth === 0 && typeof value === 'object' && value !== null) add(value, 1)
    }
  }
  add(client, 0)
  return found
}

const clients = ['elasticsearch-7', '@elastic/elasticsearch', '@opensearch-project/opensearch']

for (const name of clients) {
  test(`what ${name} can ask for is in the tables, by every function of it`, async () => {
    const { server, asked, url } = await startRecorder()
    const { Client } = load(name) as { Client: new (options: object) => { close(): Promise<void> } }
    const client = new Client({ node: url, maxRetries: 0 })
    try {
      const calls = functionsOf(client)
      for (const parameters of parameterSets) {
        // What lacks something that it needs throws before it asks.
        await Promise.allSettled(calls.map(async (call) => call(parameters, {})))
      }
    } finally {
      await client.close()
      server.closeAllConnections()
      server.close()
    }
    assert.ok(asked.size > 300, String(asked.size))
    const unknown = [...asked].filter((request) => {
      const [method = '', path = ''] = request.split(' ')
      return method !== 'GET' && method !== 'HEAD' && parseRequest(method, path).api === 'unknown'
    })
    assert.deepEqual(unknown, [])
  })
}
