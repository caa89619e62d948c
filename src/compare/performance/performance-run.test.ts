import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import { makeMix, mixWithout } from './mix.ts'
import { readCounters } from './node-stats.ts'
import { turnOrders } from './performance-run.ts'

test('turns come in random order, and what drifts in time meets both sides alike', () => {
  const orders = turnOrders(40, seededRandom(1))
  const firsts = orders.map(([first]) => first)
  assert.equal(firsts.filter((side) => side === 'source').length, 20)
  for (let i = 0; i < 40; i += 2) assert.notEqual(firsts[i], firsts[i + 1])
  const pairs = new Set(firsts.filter((_, i) => i % 2 === 0))
  assert.equal(pairs.size, 2)
  assert.deepEqual(orders, turnOrders(40, seededRandom(1)))
})

const asked = (path: string, body?: string) => {
  const request = { method: 'POST', path, origin: 'file' as const, ...(body && { body }) }
  return { source: request, target: { ...request, path: `${path}?target` } }
}

test('the mix holds the most frequent shapes, each request as often as it came', () => {
  const { mix, leftOut } = makeMix(
    [
      ...[asked('/a/_search'), asked('/b/_search'), asked('/b/_search')],
      ...[asked('/c/_msearch', '{}\n{}\n'), asked('/c/_msearch', '{}\n{}\n')],
    ],
    2,
  )
  assert.equal(leftOut, 1)
  assert.deepEqual(
    mix.shapes.map(({ share }) => share),
    [0.5, 0.5],
  )
  assert.equal(mix.requests[0]!.target.path, '/b/_search?target')
  assert.equal(mix.requests[2]!.source.headers['content-type'], 'application/x-ndjson')
  const less = mixWithout(mix, new Set(mix.requests.slice(0, 2)))
  assert.deepEqual(
    less.shapes.map(({ share }) => share),
    [0, 1],
  )
})

test('counters of nodes are added up, and a part of a sum is no sum', () => {
  const node = (cpu: number) => ({
    process: { cpu: { total_in_millis: cpu } },
    os: { cpu: { percent: cpu } },
    jvm: {
      mem: { heap_used_percent: 40 },
      gc: {
        collectors: {
          young: { collection_count: 2, collection_time_in_millis: 30 },
          old: { collection_count: 1, collection_time_in_millis: 5 },
        },
      },
    },
    fs: { io_stats: { total: { read_kilobytes: 1, write_kilobytes: 2 } } },
  })
  assert.deepEqual(readCounters({ nodes: { a: node(10), b: node(20) } }), {
    ...{ nodes: 2, cpuMs: 30, gcMs: 70, gcCount: 6, cpuPercent: 20, heapPercent: 40 },
    ...{ diskReadBytes: 2048, diskWriteBytes: 4096 },
  })
  const partly = readCounters({ nodes: { a: node(-1), b: { ...node(20), fs: {} } } })
  assert.equal(partly.cpuMs, null)
  assert.equal(partly.cpuPercent, 20)
  assert.equal(partly.diskReadBytes, null)
})
