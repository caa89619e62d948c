/** The official clients, unchanged, through the proxy: bulk helpers, scrolls, points in time, async searches. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Client as Client8 } from '@elastic/elasticsearch'
import type * as OpenSearch from '@opensearch-project/opensearch'
import { Client as OpenSearchClient } from '@opensearch-project/opensearch'
import { readCaptureLog, startCapture, writeCaptureConfig } from '../support/capture.ts'
import { documents, throughProxy } from '../support/capture-clients.ts'
import { mergeRequests } from '../support/captured.ts'
import { cliFolder } from '../support/cli.ts'
import { useEngine } from '../support/engines.ts'

/** It has no types that are found, and the calls of the client that was made of it. */
const { Client: Client7 } = createRequire(import.meta.url)('elasticsearch-7') as typeof OpenSearch

/** What both of them can. */
async function workLikeSeven(client: OpenSearch.Client, index: string) {
  const { successful } = await client.helpers.bulk({
    datasource: documents,
    flushBytes: 8000,
    onDocument: ({ id }) => ({ index: { _index: index, _id: id } }),
    refreshOnCompletion: index,
  })
  assert.equal(successful, documents.length)
  await client.update({ index, id: 'd0', body: { doc: { n: -1 } } })
  await client.delete({ index, id: 'd1', refresh: true })
  const query = { term: { n: -1 } }
  const found = await client.search({ index, body: { query } })
  assert.equal(found.body.hits.hits.length, 1)
  let hits = 0
  const pages = client.helpers.scrollSearch({
    index,
    size: 100,
    body: { query: { match_all: {} } },
  })
  for await (const page of pages)
    hits += (page as unknown as { documents: unknown[] }).documents.length
  assert.equal(hits, documents.length - 1)
}

test('the client of Elasticsearch 7', async () => {
  await throughProxy(await useEngine('elasticsearch', '7'), async ({ url }, index) => {
    const client = new Client7({ node: url, compression: 'gzip', sniffOnStart: true })
    await workLikeSeven(client, index)
    await client.close()
  })
})

test('the client of Elasticsearch 8', async () => {
  const engine = await useEngine('elasticsearch', '8.19.0', { own: true })
  await throughProxy(engine, async ({ url }, index) => {
    const client = new Client8({ node: url, compression: true })
    const { successful } = await client.helpers.bulk({
      datasource: documents,
      flushBytes: 8000,
      onDocument: ({ id }) => ({ index: { _index: index, _id: id } }),
      refreshOnCompletion: index,
    })
    assert.equal(successful, documents.length)
    await client.update({ index, id: 'd0', doc: { n: -1 } })
    await client.delete({ index, id: 'd1', refresh: true })
    const { id } = await client.openPointInTime({ index, keep_alive: '1m' })
    const sort = [{ n: 'asc' as const }]
    const first = await client.search({ pit: { id }, size: 100, sort })
    const second = await client.search({
      pit: { id },
      size: 100,
      sort,
      search_after: first.hits.hits.at(-1)!.sort!,
    })
    assert.equal(second.hits.hits.length, 100)
    assert.equal((await client.closePointInTime({ id })).succeeded, true)
    let hits = 0
    for await (const page of client.helpers.scrollSearch({ index, size: 100 }))
      hits += page.documents.length
    assert.equal(hits, documents.length - 1)
    await client.close()
  })
})

// The engines that are run here come without the module for it: a server answers as the documentation has it.
test('an async search of the client of Elasticsearch 8, in a sample of all reads', async () => {
  const id = 'FmRldE8zREVEUzA2ZVpUeGs2ejJFUFEaMkZ5QTVrSTZSaVN3WlNFVmtlWHJsdzoxMDc='
  const running = { id, is_partial: true, is_running: true, start_time_in_millis: 1 }
  const response = { took: 5, timed_out: false, hits: { hits: [{ _id: '1' }] } }
  const answers: Record<string, object> = {
    'POST /shop/_async_search': { ...running, response },
    [`GET /_async_search/status/${id}`]: running,
    [`GET /_async_search/${id}`]: { ...running, is_running: false, is_partial: false, response },
    [`DELETE /_async_search/${id}`]: { acknowledged: true },
  }
  const server = http.createServer((request, reply) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname)
    const answer = answers[`${request.method} ${path}`]
    reply.setHeader('X-Elastic-Product', 'Elasticsearch')
    reply.setHeader('Content-Type', 'application/vnd.elasticsearch+json;compatible-with=8')
    reply.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const folder = cliFolder()
  const { port } = server.address() as AddressInfo
  writeCaptureConfig(folder, `http://127.0.0.1:${port}`, { reads: 1 })
  const proxy = await startCapture(folder)
  const client = new Client8({ node: proxy.url })
  const begun = await client.asyncSearch.submit({ index: 'shop', keep_on_completion: true })
  assert.equal((await client.asyncSearch.status({ id: begun.id! })).is_running, true)
  const found = await client.asyncSearch.get({ id: begun.id! })
  assert.deepEqual(found.response.hits.hits, [{ _id: '1' }])
  assert.equal((await client.asyncSearch.delete({ id: begun.id! })).acknowledged, true)
  await client.close()
  await proxy.stop()
  server.closeAllConnections()
  server.close()
  const recorded = mergeRequests(await readCaptureLog(folder))
  assert.deepEqual(
    recorded.map(({ request, response }) => [request.mayWrite, response?.status]),
    Array.from({ length: 4 }, () => [false, 200]),
  )
})

const openSearch = await useEngine('opensearch', '3')

test('the client of OpenSearch', { skip: openSearch.skip }, async () => {
  await throughProxy(openSearch, async ({ url }, index) => {
    const client = new OpenSearchClient({ node: url })
    await workLikeSeven(client, index)
    const pit = await client.createPit({ index: [index], keep_alive: '1m' })
    const id = pit.body.pit_id
    const body = { pit: { id }, size: 100, sort: [{ n: 'asc' as const }] }
    assert.equal((await client.search({ body })).body.hits.hits.length, 100)
    await client.deletePit({ body: { pit_id: [id] } })
    await client.close()
  })
})
