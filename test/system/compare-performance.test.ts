/**
 * Both sides are one engine behind two relays: what differs between them is what the relays do. What is looked at is what
 * is said about the latencies, never the latencies.
 */
import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import {
  comparePerformance,
  reasonsWorse,
  type PerformanceInput,
} from '../../src/compare/performance/compare-performance.ts'
import type { AskedOfBoth } from '../../src/compare/performance/mix.ts'
import { addCounts, quantileOf } from '../../src/compare/performance/latency-histogram.ts'
import { makeMix } from '../../src/compare/performance/mix.ts'
import { performanceOptions } from '../../src/compare/performance/options.ts'
import { runTurn } from '../../src/compare/performance/turn.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startHttpRelay, type HttpRelay } from '../support/http-relay.ts'

const engine = await useEngine('opensearch', '3')
const { skip } = engine
const index = uniqueName('speed')

interface Sides {
  readonly source: { readonly relay: HttpRelay; readonly cluster: Cluster }
  readonly target: { readonly relay: HttpRelay; readonly cluster: Cluster }
}

async function bothSides(t: TestContext): Promise<Sides> {
  const side = async (name: 'source' | 'target') => {
    const relay = await startHttpRelay(engine.port)
    const cluster = await connectCluster(name, { url: [relay.url] })
    t.after(async () => {
      await cluster.close()
      await relay.close()
    })
    return { relay, cluster }
  }
  return { source: await side('source'), target: await side('target') }
}

/** Three shapes, told apart by a parameter that the relays see. */
function searches(): AskedOfBoth[] {
  const bodies = {
    plain: (i: number) => ({ query: { range: { n: { gte: i } } }, size: 3 }),
    slow: (i: number) => ({ query: { match: { text: `number ${i}` } } }),
    broken: (i: number) => ({ size: 0, aggs: { most: { max: { field: 'n' } } }, from: i % 2 }),
  }
  return Object.entries(bodies).flatMap(([name, body]) =>
    Array.from({ length: 10 }, (_, i) => {
      const request = {
        method: 'POST',
        path: `/${index}/_search?preference=${name}`,
        body: JSON.stringify(body(i)),
        origin: 'file' as const,
      }
      return { source: request, target: request }
    }),
  )
}

const input = (sides: Sides, options: object, signal = new AbortController().signal) =>
  ({
    source: sides.source.cluster,
    target: sides.target.cluster,
    asked: searches(),
    options: performanceOptions.parse({
      ...{ rounds: 12, turn: 300, warmUp: 400, connections: 1, rate: 30 },
      ...{ sourceBrake: { p99: 120_000, errorRate: 1 }, ...options },
    }),
    seed: 7,
    signal,
  }) satisfies PerformanceInput

if (skip === false) {
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { n: { type: 'long' }, text: { type: 'text' } } },
  })
  const lines = Array.from(
    { length: 300 },
    (_, n) => `{"index":{}}\n${JSON.stringify({ n, text: `the number ${n}` })}\n`,
  )
  await send(engine, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''))
  after(() => send(engine, 'DELETE', `/${index}`))
}

/** Milliseconds of the slowest of some searches, behind the first ones. */
async function slowestOf(cluster: Cluster, count: number): Promise<number> {
  let slowest = 0
  for (let i = -3; i < count; i++) {
    const begun = performance.now()
    await cluster.request('GET', `/${index}/_search`)
    if (i >= 0) slowest = Math.max(slowest, performance.now() - begun)
  }
  return slowest
}

test(
  'a target that is slow with one shape and fails with another is found, and nothing else',
  { skip },
  async (t) => {
    const sides = await bothSides(t)
    // On a busy machine answers take a second now and then: what is planted stands out from that.
    const delay = 150 + 8 * (await slowestOf(sides.source.cluster, 8))
    sides.target.relay.delayMs = ({ url = '' }) => (url.includes('preference=slow') ? delay : 0)
    sides.target.relay.answer = ({ url = '' }) =>
      url.includes('preference=broken') ? { status: 500, body: '{"error":{}}' } : undefined
    const found = await comparePerformance(input(sides, {}))
    const told = JSON.stringify({ ...found, resources: undefined })
    const shape = (text: string) => found.shapes.find(({ template }) => template.includes(text))!
    assert.equal(shape('"match"').verdict, 'slower', told)
    assert.notEqual(shape('"range"').verdict, 'slower', told)
    assert.equal(shape('"max"').verdict, 'cannot tell', told)
    assert.match(shape('"max"').why, /answers of the target were errors, 0 of \d+ of the source/)
    assert.equal(found.verdict, 'slower')
    assert.equal(
      reasonsWorse(found).length,
      2 + Number(found.closedLoop!.throughput.verdict === 'slower'),
    )
    assert.equal(found.endedEarly, null)
    assert.equal(found.shapes[0]!.key, shape('"match"').key, 'the worst stands first')
    assert.ok(found.resources.source.cpuMs !== null && found.resources.points.length > 1)
    assert.ok(shape('"range"').source.tookP50 !== null)
  },
)

test('a source that gets slow trips the brake, and nothing more is sent', { skip }, async (t) => {
  const sides = await bothSides(t)
  sides.source.relay.delayMs = ({ url = '' }) => (url.includes('_search') ? 300 : 0)
  const sourceBrake = { p99: 100, errorRate: 1 }
  const found = await comparePerformance(input(sides, { sourceBrake }))
  assert.match(found.endedEarly!, /^the brake of the source: 3 of the latest 3 answers .* 100 ms$/)
  assert.equal(found.verdict, 'cannot tell')
  assert.equal(found.all, null)
  const asked = (relay: HttpRelay) => relay.requests.filter((one) => one.includes('_search')).length
  assert.equal(asked(sides.source.relay), 3)
  assert.equal(asked(sides.target.relay), 0)
})

test('a source that fails trips the brake', { skip }, async (t) => {
  const sides = await bothSides(t)
  sides.source.relay.answer = ({ url = '' }) =>
    url.includes('_search') ? { status: 503, body: '{}' } : undefined
  const sourceBrake = { p99: 120_000, errorRate: 0.05 }
  const found = await comparePerformance(input(sides, { sourceBrake }))
  assert.match(found.endedEarly!, /3 of the latest 3 answers of the source were errors$/)
})

test('a load ends when its requests or its time are used up', { skip }, async (t) => {
  const sides = await bothSides(t)
  const few = await comparePerformance(
    input(sides, { requestsMax: 100, rounds: 5, turn: 100, warmUp: 0 }),
  )
  assert.ok(few.load.requests.source <= 101 && few.load.requests.target <= 101)
  const short = await comparePerformance(input(sides, { timeMax: 1000 }))
  assert.match(short.endedEarly!, /^timeMax: 1 s are over/)
})

test('a stop ends the load and what is under way', { skip }, async (t) => {
  const sides = await bothSides(t)
  const controller = new AbortController()
  const running = comparePerformance({
    ...input(sides, { rounds: 250, turn: 200, warmUp: 0 }, controller.signal),
    onProgress: ({ phase }) => {
      if (phase === 'closed loop') setTimeout(() => controller.abort(new Error('enough')), 50)
    },
  })
  await assert.rejects(running, /enough|stopped on request/)
})

test(
  'at a constant rate the wait behind a stall counts for every request of that time',
  { skip },
  async (t) => {
    const { target } = await bothSides(t)
    let stallEnds: number | undefined
    target.relay.delayMs = ({ url = '' }) => {
      if (!url.includes('_search')) return 0
      stallEnds ??= performance.now() + 800
      return Math.max(0, stallEnds - performance.now())
    }
    const { mix } = makeMix(searches(), 10)
    const requests = Array.from({ length: 50 }, (_, i) => mix.requests[i % mix.requests.length]!)
    const turn = await runTurn({
      ...{ cluster: target.cluster, requests, shapeCount: mix.shapes.length, load: { rate: 50 } },
      ...{ msMax: 60_000, timeoutMs: 60_000, signal: new AbortController().signal },
    })
    assert.equal(turn.requests, 50)
    assert.equal(turn.errors, 0)
    const latencies = addCounts(turn.shapes.map((shape) => shape.latencies))
    // Those of the first half second wait 300 ms or more.
    assert.ok(quantileOf(latencies, 0.5) > 250, `p50 ${quantileOf(latencies, 0.5)}`)
  },
)

test('the rate that a side keeps up with is found step by step', { skip }, async (t) => {
  const sides = await bothSides(t)
  let free = 0
  // One request after the other, 25 ms each: 40 a second at most.
  sides.target.relay.delayMs = ({ url = '' }) => {
    if (!url.includes('_search')) return 0
    free = Math.max(performance.now(), free) + 25
    return free - performance.now()
  }
  const options = { rounds: 5, turn: 100, warmUp: 0, rate: 25, saturation: 'target' }
  const { saturation, endedEarly } = await comparePerformance(input(sides, options))
  assert.equal(endedEarly, null)
  assert.equal(saturation!.source, null)
  const { rate, steps, endedBy } = saturation!.target!
  assert.ok(rate <= 41, JSON.stringify(saturation))
  assert.ok(steps.length >= 1 && steps.at(-1)!.rate > rate, JSON.stringify(saturation))
  assert.match(endedBy, /p99 of|a second|errors|load generator/)
})
