/** PUTs of 1 KB over 16 connections, through whatever stands between; see capture-parts.ts. In turns, medians over runs. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { LoadFound, LoadRequest } from './capture-load.ts'
import { captureParts, cpuMs, memoryMb, startChild, type Running } from './capture-parts.ts'
import { diskText, measureDisk, type DiskFound } from './capture-disk.ts'
import { recordingParts } from './capture-recording.ts'
import { measureSource, type SourceResult } from './capture-source.ts'
import type { LogWritten } from './capture-supervisor.ts'
import { median } from './measured.ts'
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
  /** At full load. */
  readonly log?: {
    readonly syncsPerSecond: number
    readonly recordsPerSync: number
    readonly bytesPerRecord: number
  }
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

export interface CaptureFound {
  readonly results: readonly CaptureResult[]
  readonly sources: readonly SourceResult[]
  /** A sentence on the disk of the log, where one was written to. */
  readonly disk?: string
}

interface Run {
  readonly full: LoadFound
  readonly written: LogWritten | undefined
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
const sourceTurnsPerRun = 3

/**
 * Processes run what is compiled already, as those that are installed do: what strips the types takes memory of its own.
 */
export async function measureCapture(options: CaptureOptions): Promise<CaptureFound> {
  const compiled = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-bench-compiled-'))
  process.env['NODE_COMPILE_CACHE'] = compiled
  try {
    return await measureAll(options)
  } finally {
    delete process.env['NODE_COMPILE_CACHE']
    rmSync(compiled, { recursive: true, force: true })
  }
}

async function measureAll(options: CaptureOptions): Promise<CaptureFound> {
  const { runs, seconds, onProgress } = options
  const upstream = await startChild('capture-upstream.ts', [])
  const load = fork(path.join(import.meta.dirname, 'capture-load.ts'))
  const found = new Map<string, Run[]>()
  const straight: LoadFound[] = []
  const disks: DiskFound[] = []
  const sources: SourceResult[] = []
  const all = [...captureParts, ...recordingParts]
  const chosen = all.filter(({ name }) => options.parts?.includes(name) ?? true)
  try {
    // The first start compiles.
    for (const { start } of chosen) await (await start(upstream.port))?.stop()
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
      if (chosen.some((one) => one.name === 'local log')) disks.push(measureDisk(seconds / 2))
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
    if (options.parts?.includes('source') ?? true) {
      const turns = runs * sourceTurnsPerRun
      const ask = (request: LoadRequest): Promise<LoadFound> => runLoad(load, request)
      sources.push(...(await measureSource({ turns, seconds, load: ask, onProgress })))
    }
  } finally {
    load.disconnect()
    await upstream.stop()
  }
  const pipe = found.get('pipe')
  return {
    results: [
      { part: 'straight', ...loadFigures(straight), ...verdictOf(straight) },
      ...[...found].map(([part, all]) => resultOf(part, all, pipe)),
    ],
    sources,
    ...(disks.length > 0 && { disk: diskText(disks) }),
  }
}

async function measure(
  load: ChildProcess,
  { running, upstream, seconds }: { running: Running; upstream: Running; seconds: number },
): Promise<Run> {
  const { port, pids } = running
  await runLoad(load, { port, connections, seconds: Math.min(seconds, warmUpSecondsMax), rate: 0 })
  const writtenBefore = await running.written?.()
  const before = cpuMs(pids)
  const full = await runLoad(load, { port, connections, seconds, rate: 0 })
  const cpuMsPerRequest = (cpuMs(pids) - before) / full.requests
  const writtenAfter = await running.written?.()
  const rate = Math.round(full.requests / full.seconds / 2)
  const half = await runLoad(load, { port, connections, seconds, rate })
  const alone = await runLoad(load, { port: upstream.port, connections, seconds, rate })
  const many = await runLoad(load, {
    ...{ port, connections: manyConnections, seconds, rate: manyPerSecond },
  })
  return {
    full,
    written: writtenBefore && writtenAfter && difference(writtenAfter, writtenBefore),
    cpuMsPerRequest,
    addedP50Ms: half.p50Ms - alone.p50Ms,
    addedP99Ms: half.p99Ms - alone.p99Ms,
    memoryMb: memoryMb(pids),
    failure: verdictOf([full, half, many]).failure,
  }
}

function difference(after: LogWritten, before: LogWritten): LogWritten {
  return {
    records: after.records - before.records,
    bytes: after.bytes - before.bytes,
    syncs: after.syncs - before.syncs,
  }
}

function logOf(all: readonly Run[]): NonNullable<CaptureResult['log']> | undefined {
  const logs = all.flatMap(({ written, full }) => (written ? [{ ...written, ...full }] : []))
  if (logs.length === 0) return undefined
  return {
    syncsPerSecond: median(logs.map(({ syncs, seconds }) => syncs / seconds)),
    recordsPerSync: median(logs.map(({ records, syncs }) => records / syncs)),
    bytesPerRecord: median(logs.map(({ bytes, records }) => bytes / records)),
  }
}

function resultOf(
  part: string,
  all: readonly Run[],
  pipe: readonly Run[] | undefined,
): CaptureResult {
  const ratios = (of: (one: Run) => number): number =>
    median(all.map((one, run) => of(one) / of(pipe![run]!)))
  const log = logOf(all)
  return {
    part,
    ...(log && { log }),
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

function goalsAgainst(pipe: NonNullable<CaptureResult['ofPipe']>): [string, boolean][] {
  return [
    ['req/s ≥ 0.8 of the pipe', pipe.requests >= 0.8],
    ['CPU ≤ 1.6 of the pipe', pipe.cpu <= 1.6],
  ]
}

/** What is to be reached, by part. */
function goalsOf(result: CaptureResult): [string, boolean][] {
  const { requestsPerSecond, ofPipe, memoryMb = 0, cpuMsPerRequest = 0 } = result
  const { addedP50Ms = 0, addedP99Ms = 0 } = result
  const memory: [string, boolean] = ['memory ≤ 200 MB', memoryMb <= 200]
  switch (result.part) {
    case 'proxy':
      return [
        ['req/s ≥ 8,640', requestsPerSecond >= 8640],
        ...(ofPipe === undefined ? [] : goalsAgainst(ofPipe)),
        memory,
      ]
    case 'local log':
      return [
        ['req/s ≥ 5,000', requestsPerSecond >= 5000],
        ['CPU ≤ 0.15', cpuMsPerRequest <= 0.15],
        ['added p50 ≤ 0.5', addedP50Ms <= 0.5],
        ['added p99 ≤ 5', addedP99Ms <= 5],
        memory,
      ]
    case 'kafka':
      return [['req/s ≥ 3,500', requestsPerSecond >= 3500], memory]
    default:
      return []
  }
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
  ['syncs/s', ({ log }) => (log ? Math.round(log.syncsPerSecond).toLocaleString('en') : '')],
  ['records/sync', ({ log }) => log?.recordsPerSync.toFixed(1) ?? ''],
  ['bytes/record', ({ log }) => log?.bytesPerRecord.toFixed(0) ?? ''],
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
- added: at half of the full load, evenly sent, after a second of it, beyond what the upstream alone takes at that rate; memory: of all
  processes, what they share counted once, with ${manyConnections.toLocaleString('en')} connections; compiled, as when installed.
- log in memory: the local log in a folder without a disk, so what it adds by itself. A PUT makes two records; bytes/record is the
  mean of a request and its answer. All processes, engine and broker included, share the machine.

${tables.join('\n\n')}
`
}
