/**
 * What replaying a capture log costs: reads of 100 connections, each answered at once by a target that keeps nothing. (a)
 * the target's answers are the recorded ones; (b) they differ in `took`, so that each pair is parsed and compared; (c) as
 * (b), with tuples written.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { openLocalLog } from '../src/traffic/local-log.ts'
import type { CaptureRecord } from '../src/traffic/exchange.ts'
import { runChild, type ProcessFigures } from './measured.ts'
import { alignedTable, measuredText } from './report.ts'
import type { ShadowFound, ShadowRequest } from './shadow-child.ts'
import { searchAnswer, type ShadowTargetReport } from './shadow-target.ts'

/** Medians over the runs. */
export interface ShadowResult {
  readonly part: string
  readonly reads: number
  readonly readsPerSecond: number
  /** With one core busy all the time. */
  readonly readsPerCpuSecond: number
  readonly cpuMsPerRead: number
  readonly rssPeakMb: number
  /** Each read has come, once and in the order of its connection, and none was called different. */
  readonly correct: boolean
}

export interface ShadowBenchOptions {
  readonly runs: number
  readonly reads: number
  readonly onProgress: (message: string) => void
}

const connections = 100
const readsPerCpuSecondGoal = 10_000

const parts = [
  { part: '(a) equal answers, no tuples', took: 3, withTuples: false },
  { part: '(b) compared, no tuples', took: 4, withTuples: false },
  { part: '(c) compared, with tuples', took: 4, withTuples: true },
]

export async function measureShadow(options: ShadowBenchOptions): Promise<ShadowResult[]> {
  const { reads, runs, onProgress } = options
  const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-log-'))
  const child = fork(path.join(import.meta.dirname, 'shadow-target.ts'))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const results: ShadowResult[] = []
  try {
    for (const { part, took, withTuples } of parts) {
      const log = path.join(folder, `log-${took}`)
      if (!results.some((one) => one.part.startsWith('(b)'))) await writeLog(log, reads, took)
      const found: (ShadowFound & ProcessFigures & ShadowTargetReport)[] = []
      for (let run = 0; run < runs; run++) {
        onProgress(`${part}, run ${run + 1} of ${runs}`)
        const targetUrl = `http://127.0.0.1:${port}`
        const request: ShadowRequest = { log, targetUrl, withTuples }
        const figures = await runChild<ShadowFound>('shadow-child.ts', request)
        found.push({ ...figures, ...(await report(child)) })
      }
      results.push(resultOf(part, reads, found))
    }
  } finally {
    child.disconnect()
    await rm(folder, { recursive: true, force: true })
  }
  return results
}

async function report(child: ChildProcess): Promise<ShadowTargetReport> {
  child.send('report')
  const [found] = (await once(child, 'message')) as [ShadowTargetReport]
  return found
}

/** Reads of connections in turn, a tenth of a millisecond apart. */
async function writeLog(folder: string, reads: number, took: number): Promise<void> {
  const stream = 'bench.0'
  const log = await openLocalLog({ folder: path.join(folder, stream), stream, bytesMax: 1e12 })
  const answer = Buffer.from(searchAnswer(took))
  const append = (record: CaptureRecord): Promise<void> =>
    new Promise((resolve, reject) => {
      log.append(record, (error) => (error === undefined ? resolve() : reject(error)))
    })
  const pending: Promise<void>[] = []
  for (let n = 0; n < reads; n++) {
    const at = 1_700_000_000_000_000 + n * 100
    const exchange = { proxy: 'bench', number: n + 1 }
    const connection = n % connections
    const query = {
      query: {
        bool: { must: [{ match: { name: `product ${n}` } }], filter: [{ term: { tag: 'a' } }] },
      },
      ...{ size: 10, aggs: { tags: { terms: { field: 'tags' } } } },
    }
    const body = Buffer.from(JSON.stringify(query))
    pending.push(
      append({
        ...{ kind: 'request', exchange, connection, method: 'POST', mayWrite: false },
        target: `/shop/_search?connection=${connection}&number=${n}`,
        headers: ['content-type', 'application/json'],
        ...{ body, bodyBytes: body.length, firstByteAt: at, lastByteAt: at },
      }),
      append({
        ...{ kind: 'response', exchange, status: 200, headers: [], body: answer },
        ...{ bodyBytes: answer.length, firstByteAt: at + 2000, lastByteAt: at + 3000 },
      }),
    )
    if (pending.length >= 2000) await Promise.all(pending.splice(0))
  }
  await Promise.all(pending)
  await log.close()
}

function resultOf(
  part: string,
  reads: number,
  found: readonly (ShadowFound & ProcessFigures & ShadowTargetReport)[],
): ShadowResult {
  const of = (value: (one: (typeof found)[number]) => number): number =>
    found.map(value).sort((a, b) => a - b)[found.length >> 1]!
  const cpuSeconds = of(({ workCpuSeconds }) => workCpuSeconds)
  return {
    ...{ part, reads },
    readsPerSecond: of(({ seconds }) => reads / seconds),
    readsPerCpuSecond: reads / cpuSeconds,
    cpuMsPerRead: (cpuSeconds * 1000) / reads,
    rssPeakMb: of(({ rssPeakMb }) => rssPeakMb),
    correct: found.every(
      ({ sent, compared, different, requests, outOfOrder }) =>
        sent === reads && compared === reads && requests === reads && different + outOfOrder === 0,
    ),
  }
}

export function shadowTable(results: readonly ShadowResult[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const header = [
    'part',
    'reads',
    'reads/s',
    'reads/CPU s',
    'CPU ms each',
    'RSS MB',
    'goal',
    'correct',
  ]
  const rows = results.map((one) => [
    one.part,
    whole(one.reads),
    whole(one.readsPerSecond),
    whole(one.readsPerCpuSecond),
    one.cpuMsPerRead.toFixed(4),
    whole(one.rssPeakMb),
    goalText(one),
    one.correct ? 'yes' : 'NO',
  ])
  return alignedTable([header, ...rows])
}

/** A short run is all warming up. */
function goalText({ reads, readsPerCpuSecond }: ShadowResult): string {
  if (reads < 50_000) return ''
  return readsPerCpuSecond >= readsPerCpuSecondGoal ? 'met' : 'NOT MET'
}

export function shadowText(results: readonly ShadowResult[], runs: number): string {
  return `Medians of ${runs} runs; CPU of all threads of the process, without its start. Reads of ${connections} connections with a
body of 180 bytes and an answer of 700, from a local capture log to a target that answers at once (a process of its own, which
checks the order per connection). Goal: ${readsPerCpuSecondGoal.toLocaleString('en')} reads a second per core.

${measuredText()}

${shadowTable(results)}
`
}
