/** Two equal clusters of one version under load: never slower, in 19 of 20 runs. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connectCluster } from '../../src/cluster/connect.ts'
import {
  comparePerformance,
  reasonsWorse,
} from '../../src/compare/performance/compare-performance.ts'
import type { AskedOfBoth } from '../../src/compare/performance/mix.ts'
import { performanceOptions } from '../../src/compare/performance/options.ts'
import { send, uniqueName, useEngine, type TestEngine } from '../support/engines.ts'

const first = await useEngine('opensearch', '3', { own: true })
const second = await useEngine('opensearch', '3', { own: true })
const { skip } = first
const index = uniqueName('equal')
const documents = 20_000
const runs = 20

async function fill(engine: TestEngine): Promise<void> {
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: {
      properties: { n: { type: 'long' }, tag: { type: 'keyword' }, text: { type: 'text' } },
    },
  })
  const perBulk = 2000
  for (let from = 0; from < documents; from += perBulk) {
    const lines = Array.from({ length: perBulk }, (_, i) => {
      const n = from + i
      const document = { n, tag: `tag-${n % 50}`, text: `the number ${n} of ${n % 700} words` }
      return `{"index":{"_id":"${n}"}}\n${JSON.stringify(document)}\n`
    })
    await send(engine, 'POST', `/${index}/_bulk`, lines.join(''))
  }
  await send(engine, 'POST', `/${index}/_forcemerge?max_num_segments=1`)
  await send(engine, 'POST', `/${index}/_refresh`)
}

function searches(): AskedOfBoth[] {
  const bodies = [
    (i: number) => ({ query: { match: { text: `number ${i}` } } }),
    (i: number) => ({ query: { range: { n: { gte: i * 100 } } }, sort: [{ n: 'desc' }] }),
    (i: number) => ({
      size: 0,
      query: { term: { tag: `tag-${i}` } },
      aggs: { m: { max: { field: 'n' } } },
    }),
    (i: number) => ({ query: { match_phrase: { text: `of ${i} words` } }, size: 50 }),
  ]
  return bodies.flatMap((body) =>
    Array.from({ length: 20 }, (_, i) => {
      const path = `/${index}/_search?request_cache=false`
      const request = {
        ...{ method: 'POST', path, origin: 'file' as const },
        body: JSON.stringify(body(i)),
      }
      return { source: request, target: request }
    }),
  )
}

test('two equal clusters under load are not called slower', { skip }, async (t) => {
  await fill(first)
  await fill(second)
  const source = await connectCluster('source', { url: [first.url] })
  const target = await connectCluster('target', { url: [second.url] })
  after(() => Promise.all([source.close(), target.close()]))
  const verdicts: string[] = []
  let wrong = 0
  for (let seed = 1; seed <= runs; seed++) {
    const found = await comparePerformance({
      ...{ source, target, asked: searches(), seed },
      // The engines compile their code while they are asked: the first run warms them up for the others.
      options: performanceOptions.parse({
        ...{ rounds: 12, turn: 300, warmUp: seed === 1 ? 20_000 : 1000, connections: 2 },
        sourceBrake: { p99: 60_000, errorRate: 1 },
      }),
      signal: new AbortController().signal,
    })
    const reasons = reasonsWorse(found)
    if (reasons.length > 0) wrong++
    verdicts.push(found.verdict)
    t.diagnostic(`${seed}: ${found.verdict}: ${[found.why, ...reasons].join('; ')}`)
  }
  t.diagnostic(verdicts.join(', '))
  assert.ok(wrong <= runs / 20, `${wrong} of ${runs} runs called the target slower`)
})
