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
import { performanceOptions } from '../../src/compare/performance/options.ts'
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
      ...{ rounds: 7, turn: 500, warmUp: 400, connections: 1, rate: 30 },
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

test(
  'a target that is slow with one shape and fails with another is found, and nothing else',
  { skip },
  async (t) => {
    const sides = await bothSides(t)
    sides.target.relay.delayMs = ({ url = '' }) => (url.includes('preference=slow') ? 150 : 0)
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
