/**
 * What sync makes of an outage of the target: clients write evenly through the proxy to a real source, the target is stopped,
 * started again, and sync catches up while they go on. Proxy and sync are processes as a person starts them.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isJsonObject, type Json } from '../src/base/json.ts'
import { connectCluster } from '../src/cluster/connect.ts'
import { prepareScan, scanCluster, type PageReader } from '../src/compare/cluster-scan.ts'
import { startEngine, type Engine } from '../src/engines/engine.ts'
import type { SyncStatus, SyncView } from '../src/sync/status.ts'
import { documentText } from './sync-log.ts'
import { alignedTable } from './report.ts'

export interface OutageOptions {
  readonly seconds: number
  /** Documents that clients write in a second, all the time. */
  readonly perSecond: number
  readonly onProgress: (message: string) => void
}

export interface OutageResult {
  readonly outageSeconds: number
  readonly arrivalPerSecond: number
  /** Records that were in the log and not done with, when the target served again. */
  readonly behindSeconds: number
  readonly catchUpSeconds: number
  readonly catchUpPerSecond: number
  /** Of the rate of arrival. */
  readonly ratio: number
  readonly rssPeakMb: number
  readonly documents: number
  /** Both sides hold the same documents. */
  readonly correct: boolean
}

const program = fileURLToPath(new URL('../bin/osmigrate.js', import.meta.url))
const index = 'outage'
/** Behind by less it has caught up: requests are under way all the time. */
const caughtUpSeconds = 2
const batchMs = 100
const lookMs = 250
const drainTime = '30m'
const engineHeapMb = 1024
const targetPlace = { kind: 'opensearch', version: '3', heapMb: engineHeapMb } as const

export async function measureOutage(options: OutageOptions): Promise<OutageResult> {
  const { onProgress } = options
  const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-outage-'))
  // As root the engine is another user, who has to get in.
  await chmod(folder, 0o711)
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  try {
    onProgress('starting Elasticsearch 7.10 and OpenSearch 3')
    const source = await startEngine({
      ...{ kind: 'elasticsearch', version: '7', heapMb: engineHeapMb },
    })
    stops.push(() => source.stop())
    const target = new RestartableTarget(path.join(folder, 'target'))
    await target.start()
    stops.push(() => target.stop())
    await writeConfig(folder, source, target.url)
    const proxy = await startProgram(folder, 'capture', 'start')
    stops.push(() => proxy.end())
    const sync = await startProgram(folder, 'sync', 'start')
    stops.push(() => sync.end())
    const writer = new EvenWriter(`http://${String(proxy.facts.listen)}`, options.perSecond)
    stops.push(() => writer.stop())
    return await measure({ options, source, target, sync, writer, folder })
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

interface Parts {
  readonly options: OutageOptions
  readonly source: Engine
  readonly target: RestartableTarget
  readonly sync: Program
  readonly writer: EvenWriter
  readonly folder: string
}

async function measure(parts: Parts): Promise<OutageResult> {
  const { options, source, target, sync, writer, folder } = parts
  const { seconds, perSecond, onProgress } = options
  writer.start()
  onProgress('waiting until sync takes documents from the log')
  while (!(await followsTheLog(sync))) await wait(lookMs)
  onProgress(`the target is stopped for ${seconds} s`)
  await target.stop()
  await wait(seconds * 1000)
  await target.start()
  const begun = await statusOf(sync)
  const begunAt = performance.now()
  onProgress(`the target serves again, sync is behind by ${begun.lag.seconds.toFixed(0)} s`)
  const ended = await untilCaughtUp(sync)
  const catchUpSeconds = (performance.now() - begunAt) / 1000
  await writer.stop()
  onProgress('comparing both sides')
  const drained = await runProgram(folder, 'sync', 'drain', '--for', drainTime, '--json')
  const { status } = JSON.parse(drained) as SyncView
  const rssPeakMb = (await peakBytes(sync.pid)) / 1024 ** 2
  const digests = [await digestOf('source', source.url), await digestOf('target', target.url)]
  const catchUpPerSecond = (ended.totals.written - begun.totals.written) / catchUpSeconds
  return {
    ...{ outageSeconds: seconds, arrivalPerSecond: perSecond },
    ...{ behindSeconds: begun.lag.seconds, catchUpSeconds, catchUpPerSecond },
    ...{ ratio: catchUpPerSecond / perSecond, rssPeakMb, documents: writer.written },
    correct:
      digests[0]!.text === digests[1]!.text &&
      digests[0]!.documents === writer.written &&
      status?.audit?.verdict === 'caught-up',
  }
}

/** For a minute an index that is new to sync is in doubt, and its documents are read from the source. */
async function followsTheLog(sync: Program): Promise<boolean> {
  const { indices, totals, lag } = await statusOf(sync)
  return totals.written > 0 && indices.length === 0 && lag.seconds < caughtUpSeconds
}

async function untilCaughtUp(sync: Program): Promise<SyncStatus> {
  for (;;) {
    const status = await statusOf(sync)
    if (status.lag.seconds < caughtUpSeconds) return status
    await wait(lookMs)
  }
}

async function statusOf({ facts }: Program): Promise<SyncStatus> {
  const answer = await fetch(`${String(facts.address)}/status`)
  return (await answer.json()) as SyncStatus
}

/** The most that a process has held in memory; where the system does not tell, what it holds now. */
async function peakBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)![1]) * 1024
}

async function writeConfig(folder: string, source: Engine, targetUrl: string): Promise<void> {
  const config = {
    version: 1,
    name: 'bench',
    source: { url: source.url },
    target: { url: targetUrl },
    select: { include: [index] },
    metadata: { templates: false, pipelines: false },
    capture: { mode: 'proxy', listen: '127.0.0.1:0', workers: 1, admin: { listen: '127.0.0.1:0' } },
    sync: { listen: '127.0.0.1:0' },
  }
  // JSON is YAML.
  await writeFile(path.join(folder, 'migration.yaml'), JSON.stringify(config))
}

interface Program {
  readonly pid: number
  /** Its first line. */
  readonly facts: Readonly<Record<string, unknown>>
  end(): Promise<void>
}

async function startProgram(folder: string, ...args: string[]): Promise<Program> {
  const child = spawn(process.execPath, [program, ...args, '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', process.env['BENCH_LOG'] === undefined ? 'ignore' : 'inherit'],
  })
  const exit = once(child, 'exit')
  return {
    pid: child.pid!,
    facts: await firstLine(child, args.join(' ')),
    end: async () => {
      child.kill('SIGTERM')
      await exit
    },
  }
}

async function firstLine(
  { stdout, pid }: ChildProcess,
  what: string,
): Promise<Readonly<Record<string, unknown>>> {
  let text = ''
  for await (const chunk of stdout!.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    const end = text.indexOf('\n')
    if (end >= 0) return JSON.parse(text.slice(0, end)) as Record<string, unknown>
  }
  throw new Error(`${what} (pid ${pid}) ended before it worked`)
}

async function runProgram(folder: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return text
}

/** An engine that keeps its folder and its port from one start to the next. */
class RestartableTarget {
  readonly #dir: string
  #engine: Engine | undefined
  #port = 0

  constructor(dir: string) {
    this.#dir = dir
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    this.#engine = await startEngine({ ...targetPlace, dir: this.#dir, port: this.#port })
    this.#port = this.#engine.port
  }

  async stop(): Promise<void> {
    await this.#engine?.stop()
    this.#engine = undefined
  }
}

/** Writes new documents in bulks, by the clock: what is late is made up for. */
class EvenWriter {
  readonly #url: string
  readonly #perSecond: number
  #number = 0
  #isOver = false
  #running: Promise<void> = Promise.resolve()

  constructor(url: string, perSecond: number) {
    this.#url = url
    this.#perSecond = perSecond
  }

  get written(): number {
    return this.#number
  }

  start(): void {
    this.#running = this.#run()
    this.#running.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    const startedAt = performance.now()
    while (!this.#isOver) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * this.#perSecond)
      if (due > this.#number) await this.#write(Math.min(due, this.#number + this.#perSecond))
      await wait(batchMs)
    }
  }

  async #write(to: number): Promise<void> {
    const numbers = Array.from({ length: to - this.#number }, (_, i) => this.#number + i)
    const lines = numbers.map((n) => `{"index":{"_id":"d${n}"}}\n${documentText(n)}\n`)
    const answer = await fetch(`${this.#url}/${index}/_bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join(''),
    })
    const { errors } = (await answer.json()) as { errors: boolean }
    if (!answer.ok || errors) throw new Error(`the source answered ${answer.status}`)
    this.#number = to
  }
}

/** Of all documents of one side, whatever their order. */
async function digestOf(
  side: 'source' | 'target',
  url: string,
): Promise<{ documents: number; text: string }> {
  const cluster = await connectCluster(side, { url: [url] })
  try {
    const { signal } = new AbortController()
    const shape = (await prepareScan(cluster, index, signal))!
    let documents = 0
    let sum = 0n
    const scan = { cluster, index, pageDocuments: 2000, slices: 1, reader: new HitReader(), signal }
    await scanCluster(scan, shape, (hash) => {
      documents++
      sum = BigInt.asUintN(64, sum + hash)
    })
    return { documents, text: sum.toString(16) }
  } finally {
    await cluster.close()
  }
}

class HitReader implements PageReader<bigint> {
  read(bytes: Buffer, _where: string, visit: (hash: bigint) => void) {
    const { hits } = JSON.parse(bytes.toString()) as {
      hits: { hits: { _id: string; _source: Json }[]; total?: Json }
    }
    for (const { _id, _source } of hits.hits) {
      const digest = createHash('sha256')
        .update(JSON.stringify([_id, _source]))
        .digest()
      visit(digest.readBigUInt64LE())
    }
    const { total } = hits
    const count = isJsonObject(total ?? null) ? (total as { value: number }).value : total
    return { hits: hits.hits.length, total: typeof count === 'number' ? count : undefined }
  }
}

const goals = { ratio: 5, rssPeakMb: 300 }

export function outageTable(result: OutageResult): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const isMet = result.ratio >= goals.ratio && result.rssPeakMb <= goals.rssPeakMb
  const columns: [string, string][] = [
    ['outage s', whole(result.outageSeconds)],
    ['arrive/s', whole(result.arrivalPerSecond)],
    ['behind s', whole(result.behindSeconds)],
    ['caught up in s', result.catchUpSeconds.toFixed(1)],
    ['catch-up/s', whole(result.catchUpPerSecond)],
    ['of arrival', result.ratio.toFixed(1)],
    ['RSS MB', whole(result.rssPeakMb)],
    ['documents', whole(result.documents)],
    ['goals', isMet ? 'met' : 'NOT MET'],
    ['correct', result.correct ? 'yes' : 'NO'],
  ]
  return alignedTable([columns.map(([name]) => name), columns.map(([, value]) => value)])
}

export function outageText(result: OutageResult): string {
  return `- Elasticsearch 7.10 behind the proxy, OpenSearch 3 with 1 GB of heap, clients and both engines on the same cores. Goals: caught
  up at 5 × the rate of arrival, 300 MB.

${outageTable(result)}
`
}
