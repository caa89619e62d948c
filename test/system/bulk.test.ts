import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { BulkDelivery, BulkWait } from '../../src/cluster/bulk.ts'
import { deliverBulk } from '../../src/cluster/bulk.ts'
import type { BulkBody, BulkOutcome } from '../../src/cluster/bulk-body.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import { requireTarget } from '../../src/cluster/version.ts'
import { bulkBody, SkippingClock } from '../support/bulk-bodies.ts'
import type { TestItem } from '../support/bulk-bodies.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import type { TestEngine } from '../support/engines.ts'
import { closedPort, startFaultProxy } from '../support/fault-proxy.ts'
import { startGateway } from '../support/gateway.ts'

const target = await useEngine('opensearch', '3')
/** Its limits are so low that a test can meet them. */
const narrow = await useEngine('opensearch', '2', {
  settings: { 'http.max_content_length': '1mb', 'indexing_pressure.memory.limit': '256kb' },
})
const { skip } = target
const bothEngines = [
  { name: 'OpenSearch 3', engine: target },
  { name: 'OpenSearch 2', engine: narrow },
]

/** An index with the alias that it is written by. */
async function makeIndex(
  engine: TestEngine,
  stem: string,
): Promise<{ index: string; alias: string }> {
  const index = uniqueName(stem)
  const alias = `${index}-fence`
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { n: { type: 'long' }, text: { type: 'text', index: false } } },
    aliases: { [alias]: {} },
  })
  return { index, alias }
}

function items(count: number, textLength = 0): TestItem[] {
  const text = 'x'.repeat(textLength)
  return Array.from({ length: count }, (_, n) => ({
    id: `id-${n}`,
    version: 7,
    source: { n, text },
  }))
}

const patience = { waitMaxMs: 30 * 60_000 }

async function deliver(
  url: string,
  delivery: { alias: string; body: BulkBody } & Partial<Omit<BulkDelivery, 'alias' | 'stream'>>,
): Promise<BulkOutcome> {
  const cluster = await connectCluster('target', { url: [url] })
  try {
    const { signal } = new AbortController()
    return await deliverBulk(cluster, {
      ...patience,
      signal,
      clock: new SkippingClock(),
      ...delivery,
    })
  } finally {
    await cluster.close()
  }
}

async function idsIn(engine: TestEngine, index: string): Promise<string[]> {
  await send(engine, 'POST', `/${index}/_refresh`)
  const found = await send<{ hits: { hits: { _id: string }[] } }>(
    engine,
    'POST',
    `/${index}/_search`,
    {
      size: 10_000,
      _source: false,
    },
  )
  return found.hits.hits.map((hit) => hit._id).sort()
}

const idsOf = (list: readonly TestItem[]): string[] => list.map((item) => item.id).sort()

for (const { name, engine } of bothEngines) {
  test(`${name}: a body is written once, by one request, also compressed`, { skip }, async () => {
    const { index, alias } = await makeIndex(engine, 'plain')
    const sent = items(500, 50)
    for (const gzip of [false, true]) {
      const body = bulkBody(sent)
      const outcome = await deliver(engine.url, { alias, body, gzip })
      assert.equal(outcome.written, 500)
      assert.equal(outcome.requests, 1)
      assert.equal(outcome.waits, 0)
      assert.ok(
        gzip ? outcome.bytesSent < body.bytes.length / 2 : outcome.bytesSent === body.bytes.length,
      )
    }
    assert.deepEqual(await idsIn(engine, index), idsOf(sent))
  })

  test(`${name}: the default pipeline of the index changes nothing`, { skip }, async () => {
    const { index, alias } = await makeIndex(engine, 'pipeline')
    const pipeline = uniqueName('pipeline')
    await send(engine, 'PUT', `/_ingest/pipeline/${pipeline}`, {
      processors: [{ set: { field: 'text', value: 'changed by the pipeline' } }],
    })
    await send(engine, 'PUT', `/${index}/_settings`, { 'index.default_pipeline': pipeline })
    const outcome = await deliver(engine.url, { alias, body: bulkBody(items(2, 3)) })
    assert.equal(outcome.written, 2)
    for (const { id, source } of items(2, 3)) {
      assert.deepEqual((await send(engine, 'GET', `/${index}/_doc/${id}`))['_source'], source)
    }
    // Only to know that the pipeline would have worked.
    await send(engine, 'PUT', `/${index}/_doc/plain`, { n: 1 })
    const plain = await send<{ _source: JsonObject }>(engine, 'GET', `/${index}/_doc/plain`)
    assert.equal(plain._source['text'], 'changed by the pipeline')
  })

  test(`${name}: an older version is a conflict that tells the newer one`, { skip }, async () => {
    const { alias } = await makeIndex(engine, 'conflict')
    const sent = items(4)
    await deliver(engine.url, { alias, body: bulkBody(sent) })
    sent[2] = { ...sent[2]!, version: 3 }
    const outcome = await deliver(engine.url, { alias, body: bulkBody(sent) })
    assert.equal(outcome.written, 3)
    assert.deepEqual(
      outcome.conflicts.map((problem) => [problem.item, problem.status]),
      [[2, 409]],
    )
    assert.match(outcome.conflicts[0]!.reason, /current version \[7\] is higher than/)
  })

  test(`${name}: what the mapping refuses is refused by position and cause`, { skip }, async () => {
    const { index, alias } = await makeIndex(engine, 'mapping')
    const sent = items(5)
    sent[1] = { ...sent[1]!, source: { n: 'not a number' } }
    sent[3] = { ...sent[3]!, source: { n: { an: 'object' } } }
    const outcome = await deliver(engine.url, { alias, body: bulkBody(sent) })
    assert.equal(outcome.written, 3)
    assert.deepEqual(
      outcome.refused.map((problem) => [problem.item, problem.status, problem.type]),
      [
        [1, 400, 'mapper_parsing_exception'],
        [3, 400, 'mapper_parsing_exception'],
      ],
    )
    assert.match(outcome.refused[0]!.reason, /field \[n\].*For input string/)
    assert.deepEqual(await idsIn(engine, index), ['id-0', 'id-2', 'id-4'])
  })

  test(`${name}: an id of 600 bytes is found and refused alone`, { skip }, async () => {
    const { index, alias } = await makeIndex(engine, 'poison')
    const sent = items(100)
    for (const item of [13, 99]) sent[item] = { ...sent[item]!, id: 'é'.repeat(300) + item }
    const outcome = await deliver(engine.url, { alias, body: bulkBody(sent) })
    assert.equal(outcome.written, 98)
    assert.deepEqual(outcome.refused.map((problem) => problem.item).sort(), [13, 99])
    for (const { reason } of outcome.refused)
      assert.match(reason, /must be no longer than 512 bytes/)
    assert.ok(outcome.requests <= 4 * 7, `${outcome.requests} requests`)
    const expected = idsOf(sent.filter((_, item) => item !== 13 && item !== 99))
    assert.deepEqual(await idsIn(engine, index), expected)
  })

  test(`${name}: without its alias nothing is written and nothing created`, { skip }, async () => {
    const { index, alias } = await makeIndex(engine, 'fence')
    const body = bulkBody(items(3))
    for (const name of [`${alias}-gone`, index]) {
      await assert.rejects(deliver(engine.url, { alias: name, body }), {
        code: 'MA_TARGET_INDEX',
        message: new RegExp(`alias ${name}: 404 index_not_found_exception`),
      })
    }
    const { indices } = await send<{ indices: { name: string }[] }>(
      engine,
      'GET',
      `/_resolve/index/${index}*`,
    )
    assert.deepEqual(
      indices.map((found) => found.name),
      [index],
    )
    assert.deepEqual(await idsIn(engine, index), [])
  })

  test(`${name}: a closed index stops the run by name`, { skip }, async () => {
    const { index, alias } = await makeIndex(engine, 'closed')
    await send(engine, 'POST', `/${index}/_close`)
    await assert.rejects(deliver(engine.url, { alias, body: bulkBody(items(3)) }), {
      code: 'MA_TARGET_INDEX',
      message: /index_closed_exception|index closed/,
    })
  })
}

test(
  'a write block is waited for, said aloud, and ends the run when it stays',
  { skip },
  async () => {
    const { index, alias } = await makeIndex(target, 'block')
    const body = bulkBody(items(3))
    const block = (value: boolean) =>
      send(target, 'PUT', `/${index}/_settings`, { 'index.blocks.write': value })
    await block(true)
    const waits: BulkWait[] = []
    const clock = new SkippingClock(async (times) => {
      if (times === 3) await block(false)
    })
    const outcome = await deliver(target.url, {
      alias,
      body,
      clock,
      onWait: (wait) => waits.push(wait),
    })
    assert.equal(outcome.written, 3)
    assert.equal(outcome.waits, 3)
    assert.deepEqual(
      waits.map((wait) => [wait.attempt, wait.status]),
      [1, 2, 3].map((attempt) => [attempt, 403]),
    )
    assert.match(waits[0]!.what, /cluster_block_exception.*index write/)
    assert.ok(waits[2]!.sinceMs > waits[1]!.sinceMs)

    await block(true)
    const patience = { clock: new SkippingClock(), waitMaxMs: 60_000 }
    await assert.rejects(deliver(target.url, { alias, body, ...patience }), {
      code: 'MA_TARGET_INDEX',
      retryable: true,
      message: /no progress for 60 s: 403 cluster_block_exception/,
    })
    assert.equal(patience.clock.slept, 60_000)
  },
)

test('a body above http.max_content_length is halved until it fits', async () => {
  const { index, alias } = await makeIndex(narrow, 'large')
  const sent = items(40, 100_000)
  sent[17] = { ...sent[17]!, source: { n: 17, text: 'x'.repeat(1_200_000) } }
  const outcome = await deliver(narrow.url, { alias, body: bulkBody(sent) })
  assert.equal(outcome.written, 39)
  assert.equal(outcome.tooLarge, true)
  assert.deepEqual(
    outcome.refused.map((problem) => [problem.item, problem.status, problem.type]),
    [[17, 413, 'request_entity_too_large']],
  )
  // Above the indexing pressure, too, so that the target answers 429 to what it takes over HTTP.
  assert.ok(outcome.waits > 0)
  assert.deepEqual(await idsIn(narrow, index), idsOf(sent.filter((_, item) => item !== 17)))
})

/** A proxy before the target that is gone when the test ends. */
async function proxied(t: TestContext) {
  const proxy = await startFaultProxy(target.port)
  t.after(() => proxy.close())
  return proxy
}

const isBulk = (requestLine: string): boolean => requestLine.includes('/_bulk')

test(
  'an answer that is cut or never comes is no success, and is sent again',
  { skip },
  async (t) => {
    for (const fault of ['cut', 'hold'] as const) {
      const { index, alias } = await makeIndex(target, fault)
      const proxy = await proxied(t)
      let faults = 2
      proxy.fault = (line) => (isBulk(line) && faults-- > 0 ? fault : 'none')
      const sent = items(50)
      const waits: BulkWait[] = []
      const outcome = await deliver(proxy.url, {
        alias,
        body: bulkBody(sent),
        requestTimeoutMs: 1_000,
        onWait: (wait) => waits.push(wait),
      })
      assert.equal(outcome.written, 50)
      assert.equal(outcome.requests, 3)
      assert.equal(outcome.conflicts.length, 0)
      assert.match(waits[0]!.what, fault === 'cut' ? /connection was cut/ : /no answer to POST/)
      assert.deepEqual(await idsIn(target, index), idsOf(sent))
    }
  },
)

test('a body that never gets through is halved', { skip }, async (t) => {
  const { index, alias } = await makeIndex(target, 'halved')
  const proxy = await proxied(t)
  // A network element that cannot take much: the answers to long requests never arrive whole.
  proxy.fault = (line) => (isBulk(line) && lastLength(proxy.sent()) > 10_000 ? 'cut' : 'none')
  const sent = items(40, 1_000)
  const outcome = await deliver(proxy.url, { alias, body: bulkBody(sent) })
  assert.equal(outcome.written, 40)
  assert.deepEqual(await idsIn(target, index), idsOf(sent))
})

function lastLength(sent: string): number {
  return Number(/.*content-length: (\d+)/is.exec(sent)?.[1])
}

test('an unreachable target is waited for until it is back', { skip }, async (t) => {
  const { index, alias } = await makeIndex(target, 'back')
  const proxy = await startFaultProxy(target.port)
  const cluster = await connectCluster('target', { url: [proxy.url] })
  t.after(() => cluster.close())
  const port = Number(new URL(proxy.url).port)
  await proxy.close()
  const clock = new SkippingClock(async (times) => {
    if (times !== 5) return
    const again = await startFaultProxy(target.port, port)
    t.after(() => again.close())
  })
  const { signal } = new AbortController()
  const outcome = await deliverBulk(cluster, {
    ...patience,
    alias,
    body: bulkBody(items(5)),
    signal,
    clock,
  })
  assert.equal(outcome.written, 5)
  assert.deepEqual(await idsIn(target, index), idsOf(items(5)))
})

test(
  'waiting for an unreachable target ends by its bound, or by the signal',
  { skip },
  async (t) => {
    const proxy = await startFaultProxy(target.port)
    const dead = `http://127.0.0.1:${await closedPort()}`
    const cluster = await connectCluster('target', { url: [dead, proxy.url] })
    t.after(() => cluster.close())
    await proxy.close()
    const body = bulkBody(items(2))
    const { signal } = new AbortController()
    const clock = new SkippingClock()
    const delivery = { ...patience, alias: 'a', body, clock }
    await assert.rejects(deliverBulk(cluster, { ...delivery, signal }), {
      code: 'MA_CLUSTER_UNREACHABLE',
      retryable: true,
      message: /no progress for 1800 s: .*refused/,
    })
    assert.equal(clock.slept, 30 * 60_000)

    const stopping = new AbortController()
    const stopped = deliverBulk(cluster, {
      ...patience,
      alias: 'a',
      body,
      signal: stopping.signal,
      clock: new SkippingClock((times) => {
        if (times === 3) stopping.abort()
      }),
    })
    await assert.rejects(stopped, { code: 'MA_STOPPED' })
  },
)

test('an OpenSearch that calls itself 7.10.2 is known for what it is', async () => {
  const options = { url: [narrow.url] }
  const honest = await connectCluster('target', options)
  const setting = 'compatibility.override_main_response_version'
  await honest.request('PUT', '/_cluster/settings', { body: { transient: { [setting]: true } } })
  const { body, headers } = await honest.request<{ version: object }>('GET', '/')
  assert.partialDeepStrictEqual(body.version, { number: '7.10.2' })
  assert.equal(headers['content-encoding'], 'gzip')
  const pretending = await connectCluster('target', options)
  assert.deepEqual(pretending.version, honest.version)
  requireTarget(pretending)
  await Promise.all([honest.close(), pretending.close()])
})

test('a document that meets 500 for ever is refused alone', { skip }, async (t) => {
  const { index, alias } = await makeIndex(target, 'gateway')
  const gateway = await startGateway(target.url, async (request, forward) =>
    request.body.includes('id-0"') ? { status: 500, body: '<h1>oops</h1>' } : forward(),
  )
  t.after(() => gateway.close())
  const clock = new SkippingClock()
  const outcome = await deliver(gateway.url, { alias, body: bulkBody(items(16)), clock })
  assert.equal(outcome.written, 15)
  assert.deepEqual(outcome.refused, [
    { item: 0, status: 500, type: 'http_500', reason: '<h1>oops</h1>' },
  ])
  assert.ok(clock.slept >= 2 * 60_000, 'it was given time to pass')
  assert.ok(clock.slept < 10 * 60_000, `${clock.slept} ms`)
  assert.equal((await idsIn(target, index)).length, 15)
})

test('where every document meets 500, the target is to blame', { skip }, async (t) => {
  const { alias } = await makeIndex(target, 'broken')
  const gateway = await startGateway(target.url, async (request, forward) =>
    request.path.includes('/_bulk') ? { status: 500, body: '' } : forward(),
  )
  t.after(() => gateway.close())
  await assert.rejects(deliver(gateway.url, { alias, body: bulkBody(items(16)) }), {
    code: 'MA_CLUSTER_UNREACHABLE',
    retryable: true,
  })
})

test('a shortened or replaced answer is never taken for success', { skip }, async (t) => {
  const { alias } = await makeIndex(target, 'shortened')
  const changes: ((body: string) => string)[] = [
    (body) => body.replace(',{"index":{"status":201}}]', ']'),
    (body) => body.slice(0, -1),
    () => '<h1>Maintenance</h1>',
    () => '',
  ]
  for (const [round, change] of changes.entries()) {
    const gateway = await startGateway(target.url, async (request, forward) => {
      const answer = await forward()
      return request.path.includes('/_bulk') ? { ...answer, body: change(answer.body) } : answer
    })
    t.after(() => gateway.close())
    const sent = items(3).map((item) => ({ ...item, id: `${round}-${item.id}` }))
    await assert.rejects(deliver(gateway.url, { alias, body: bulkBody(sent) }), {
      code: 'MA_CLUSTER_RESPONSE',
    })
  }
})
