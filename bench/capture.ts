/** PUTs of 1 KB over 16 connections, through whatever stands between; see capture-parts.ts. In turns, medians over runs. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { LoadFound, LoadRequest } from './capture-load.ts'
import { captureParts, cpuMs, memoryMb, startChild, type Running } from './capture-parts.ts'
import { recordingParts } from './capture-recording.ts'
import { alignedTable, measuredText } from './report.ts'

/** One line of the result; absent is what was not measured of it. */
export interface CaptureResult {
  readonly part: string
  readonly requestsPerSecond: number
  /** Of all processes of the part. */
  readonly cpuMsPerRequest?: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** At half of the requests per second above, beyond what the upstream alone takes at that rate. */
  readonly addedP50Ms?: number
  readonly addedP99Ms?: number
  /** With 1,000 connections that send requests. */
  readonly memoryMb?: number
  /** Against the pipe, run by run. */
  readonly ofPipe?: { readonly requests: number; readonly cpu: number }
  /** Every request was answered. */
  readonly correct: boolean
  /** The first that was not. */
  readonly failure?: string
}

export interface CaptureOptions {
  readonly runs: number
  readonly seconds: number
  /** Names of parts; default all. */
  readonly parts?: readonly string[]
  readonly onProgress: (message: string) => void
}

interface Run {
  readonly full: LoadFound
  readonly cpuMsPerRequest: number
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  readonly memoryMb: number
  /** The first request that was not answered, and how. */
  readonly failure: string | undefined
}

const connections = 16
const manyConnections = 1000
const manyPerSecond = 2000
const warmUpSecondsMax = 1.5

export async function measureCapture(options: CaptureOptions): Promise<CaptureResult[]> {
  const { runs, seconds, onProgress } = options
  const upstream = await startChild('capture-upstream.ts', [])
  const load = fork(path.join(import.meta.dirname, 'capture-load.ts'))
  const found = new Map<string, Run[]>()
  const straight: LoadFound[] = []
  const all = [...captureParts, ...recordingParts]
  const chosen = all.filter(({ name }) => options.parts?.includes(name) ?? true)
  try {
    for (let run = 0; run < runs; run++) {
      onProgress(`run ${run + 1} of ${runs}`)
      const { port } = upstream
      await runLoad(load, {
        port,
        connections,
        seconds: Math.min(seconds, warmUpSecondsMax),
        rate: 0,
      })
      straight.push(await runLoad(load, { port, connections, seconds, rate: 0 }))
      for (const { name, start } of chosen) {
        const running = await start(upstream.port)
        if (running === undefined) continue
        try {
          const all = found.get(name) ?? []
          found.set(name, [...all, await measure(load, { running, upstream, seconds })])
        } finally {
          await running.stop()
        }
      }
    }
  } finally {
    load.disconnect()
    await upstream.stop()
  }
  const pipe = found.get('pipe')
  return [
    { part: 'straight', ...loadFigures(straight), ...verdictOf(straight) },
    ...[...found].map(([part, all]) => resultOf(part, all, pipe)),
  ]
}

async function measure(
  load: ChildProcess,
  { running, upstream, seconds }: { running: Running; upstream: Running; seconds: number },
): Promise<Run> {
  const { port, pids } = running
  await runLoad(load, { port, connections, seconds: Math.min(seconds, warmUpSecondsMax), rate: 0 })
  const before = cpuMs(pids)
  const full = await runLoad(load, { port, connections, seconds, rate: 0 })
  const cpuMsPerRequest = (cpuMs(pids) - before) / full.requests
  const rate = Math.round(full.requests / full.seconds / 2)
  const half = await runLoad(load, { port, connections, seconds, rate })
  const alone = await runLoad(load, { port: upstream.port, connections, seconds, rate })
  const many = await runLoad(load, {
    ...{ port, connections: manyConnections, seconds, rate: manyPerSecond },
  })
  return {
    full,
    cpuMsPerRequest,
    addedP50Ms: half.p50Ms - alone.p50Ms,
    addedP99Ms: half.p99Ms - alone.p99Ms,
    memoryMb: memoryMb(pids),
    failure: verdictOf([full, half, many]).failure,
  }
}

function resultOf(
  part: string,
  all: readonly Run[],
  pipe: readonly Run[] | undefined,
): CaptureResult {
  const ratios = (of: (one: Run) => number): number =>
    median(all.map((one, run) => of(one) / of(pipe![run]!)))
  return {
    part,
    ...loadFigures(all.map(({ full }) => full)),
    cpuMsPerRequest: median(all.map((one) => one.cpuMsPerRequest)),
    addedP50Ms: median(all.map((one) => one.addedP50Ms)),
    addedP99Ms: median(all.map((one) => one.addedP99Ms)),
    memoryMb: Math.max(...all.map((one) => one.memoryMb)),
    // Run by run, since each ran soon after the other: the machine's mood cancels out.
    ...(pipe !== undefined && {
      ofPipe: {
        requests: ratios(({ full }) => full.requests / full.seconds),
        cpu: ratios((one) => one.cpuMsPerRequest),
      },
    }),
    ...verdictOf(all),
  }
}

function loadFigures(
  all: readonly LoadFound[],
): Pick<CaptureResult, 'requestsPerSecond' | 'p50Ms' | 'p99Ms'> {
  return {
    requestsPerSecond: median(all.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
  }
}

function verdictOf(
  all: readonly { readonly failure?: string | undefined }[],
): Pick<CaptureResult, 'correct' | 'failure'> {
  const failure = all.find((one) => one.failure !== undefined)?.failure
  return { correct: failure === undefined, ...(failure !== undefined && { failure }) }
}

async function runLoad(load: ChildProcess, request: LoadRequest): Promise<LoadFound> {
  load.send(request)
  const [found] = (await once(load, 'message')) as [LoadFound]
  return found
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]!
}

/** What the proxy is to reach, by part. */
function goalsOf(result: CaptureResult): [string, boolean][] {
  const { part, requestsPerSecond, ofPipe, memoryMb = 0 } = result
  if (part !== 'proxy') return []
  return [
    ['req/s ≥ 8,640', requestsPerSecond >= 8640],
    ...(ofPipe === undefined
      ? []
      : ([
          ['req/s ≥ 0.8 of the pipe', ofPipe.requests >= 0.8],
          ['CPU ≤ 1.6 of the pipe', ofPipe.cpu <= 1.6],
        ] satisfies [string, boolean][])),
    ['memory ≤ 200 MB', memoryMb <= 200],
  ]
}

const columns: [string, (result: CaptureResult) => string][] = [
  ['between', ({ part }) => part],
  ['req/s', ({ requestsPerSecond }) => Math.round(requestsPerSecond).toLocaleString('en')],
  ['CPU ms/req', ({ cpuMsPerRequest }) => cpuMsPerRequest?.toFixed(4) ?? ''],
  ['p50 ms', ({ p50Ms }) => p50Ms.toFixed(2)],
  ['p99 ms', ({ p99Ms }) => p99Ms.toFixed(2)],
  ['added p50', ({ addedP50Ms }) => addedP50Ms?.toFixed(2) ?? ''],
  ['added p99', ({ addedP99Ms }) => addedP99Ms?.toFixed(2) ?? ''],
  ['memory MB', ({ memoryMb }) => memoryMb?.toFixed(0) ?? ''],
  ['req/s of pipe', ({ ofPipe }) => ofPipe?.requests.toFixed(2) ?? ''],
  ['CPU of pipe', ({ ofPipe }) => ofPipe?.cpu.toFixed(2) ?? ''],
  [
    'goals',
    (result) =>
      [
        ...(result.correct ? [] : [`REQUESTS WERE LOST (${result.failure})`]),
        ...goalsOf(result).map(([what, met]) => `${what} ${met ? 'met' : 'NOT MET'}`),
      ].join('; '),
  ],
]

export function captureTable(results: readonly CaptureResult[]): string {
  return alignedTable([
    columns.map(([name]) => name),
    ...results.map((result) => columns.map(([, text]) => text(result))),
  ])
}

export function captureText(tables: readonly string[], runs: number): string {
  return `Medians of ${runs} runs, each part once a run; memory is the highest of all.

${measuredText()}
- PUTs of 1 KB from one process over ${connections} keep-alive connections to a server over bare sockets in another; between them
  one process that passes bytes on (pipe), a proxy of node:http, nginx with one worker, and this proxy with one worker
  beside its supervisor, whose CPU and memory are counted in.
- added: at half of the full load, beyond what the upstream alone takes at that rate; memory: of all
  processes, what they share counted once, with ${manyConnections.toLocaleString('en')} connections.

${tables.join('\n\n')}
`
}
