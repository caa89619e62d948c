/** Documents of 1 KB into a real engine: straight, and through the proxy. In turns, so that its growth is shared. */
import os from 'node:os'
import { startEngine } from '../src/engines/engine.ts'
import type { LoadFound, LoadRequest } from './capture-load.ts'
import { cpuMs, startProxy, type Running } from './capture-parts.ts'
import { startLocalRecording } from './capture-recording.ts'
import { median } from './measured.ts'
import { alignedTable } from './report.ts'

export interface SourceResult {
  readonly part: string
  readonly requestsPerSecond: number
  /** Against what went straight, turn by turn. */
  readonly ofStraight: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the proxy's processes. */
  readonly cpuMsPerRequest: number
  readonly correct: boolean
  readonly failure?: string
}

interface Turn extends LoadFound {
  readonly cpuMsPerRequest: number
}

export interface SourceOptions {
  readonly turns: number
  readonly seconds: number
  readonly load: (request: LoadRequest) => Promise<LoadFound>
  readonly onProgress: (message: string) => void
}

const connections = 16
const ways = ['straight', 'proxy', 'local log'] as const
const kinds: readonly { readonly kind: 'post' | 'bulk'; readonly name: string }[] = [
  { kind: 'post', name: 'a document each' },
  { kind: 'bulk', name: 'bulks of 100' },
]
const warmUpSeconds = 10
/** Sixteen bulks at once are more than half of what tests' engines have. */
const heapMb = 2048

export async function measureSource(options: SourceOptions): Promise<SourceResult[]> {
  const engine = await startEngine({ kind: 'elasticsearch', version: '7', heapMb })
  const results: SourceResult[] = []
  try {
    const { port } = new URL(engine.url)
    await fetch(`${engine.url}/bench`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ settings: { number_of_shards: 1, number_of_replicas: 0 } }),
    })
    const proxies = await startWays(Number(port))
    try {
      for (const { kind, name } of kinds) {
        results.push(...(await measureKind(proxies, { kind, name, ...options })))
      }
    } finally {
      for (const proxy of proxies.values()) await proxy.stop()
    }
  } finally {
    await engine.stop()
  }
  return results
}

async function startWays(port: number): Promise<Map<(typeof ways)[number], Running>> {
  return new Map([
    ['straight', { port, pids: [], stop: async () => {} }],
    ['proxy', await startProxy(port, { entry: 'plain-worker.ts', recording: undefined })],
    ['local log', await startLocalRecording(port, os.tmpdir())],
  ])
}

async function measureKind(
  proxies: ReadonlyMap<string, Running>,
  { kind, name, turns, seconds, load, onProgress }: SourceOptions & (typeof kinds)[number],
): Promise<SourceResult[]> {
  const found = new Map(ways.map((way) => [way, [] as Turn[]]))
  for (const { port } of proxies.values()) {
    const seconds = Math.min(warmUpSeconds / ways.length, 2 * turns)
    await load({ ...{ port, connections, kind, seconds, rate: 0 } })
  }
  for (let turn = 0; turn < turns; turn++) {
    onProgress(`real source, ${name}: turn ${turn + 1} of ${turns}`)
    for (const way of ways) {
      const { port, pids } = proxies.get(way)!
      const before = cpuMs(pids)
      const one = await load({ ...{ port, connections, kind, seconds, rate: 0 } })
      found.get(way)!.push({ ...one, cpuMsPerRequest: (cpuMs(pids) - before) / one.requests })
    }
  }
  const straight = found.get('straight')!
  return ways.map((way) => resultOf(`${way}, ${name}`, found.get(way)!, straight))
}

function resultOf(part: string, all: readonly Turn[], straight: readonly Turn[]): SourceResult {
  const of = (value: (one: Turn) => number): number => median(all.map(value))
  const failure = all.find((one) => one.failure !== undefined)?.failure
  return {
    part,
    requestsPerSecond: of(({ requests, seconds }) => requests / seconds),
    ofStraight: median(all.map(({ requests }, turn) => requests / straight[turn]!.requests)),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuMsPerRequest: of(({ cpuMsPerRequest }) => cpuMsPerRequest),
    correct: failure === undefined,
    ...(failure !== undefined && { failure }),
  }
}

export function sourceTable(results: readonly SourceResult[]): string {
  return alignedTable([
    ['real source', 'req/s', 'of straight', 'p50 ms', 'p99 ms', 'CPU ms/req of the proxy', 'goal'],
    ...results.map((one) => [
      one.part,
      Math.round(one.requestsPerSecond).toLocaleString('en'),
      one.ofStraight.toFixed(2),
      one.p50Ms.toFixed(2),
      one.p99Ms.toFixed(2),
      one.cpuMsPerRequest === 0 ? '' : one.cpuMsPerRequest.toFixed(4),
      goalOf(one),
    ]),
  ])
}

function goalOf({ cpuMsPerRequest, ofStraight, correct, failure }: SourceResult): string {
  if (!correct) return `REQUESTS WERE LOST (${failure})`
  if (cpuMsPerRequest === 0) return ''
  return `req/s ≥ 0.95 of straight ${ofStraight >= 0.95 ? 'met' : 'NOT MET'}`
}
