/**
 * What sync does with a capture log of documents of 1 KB: (a) reading it, joining requests and answers, and finding the
 * changes; (b) all of it, to a target that takes everything and keeps nothing. The source is asked for nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { NullSink, runChild, type ProcessFigures } from './measured.ts'
import { alignedTable, measuredText } from './report.ts'
import type { SyncFound, SyncRequest } from './sync-child.ts'
import { writeSyncLog } from './sync-log.ts'

/** Medians over the runs. */
export interface SyncResult {
  readonly part: string
  readonly changes: number
  readonly changesPerSecond: number
  /** With one core busy all the time. */
  readonly changesPerCpuSecond: number
  readonly cpuMsPerChange: number
  readonly rssPeakMb: number
  /** Bulks that the target got. */
  readonly bulks?: number
  /** Of all documents as the target got them. */
  readonly hash?: string
  /** Each document has come, once. */
  readonly correct: boolean
}

export interface SyncBenchOptions {
  readonly runs: number
  readonly documents: number
  readonly onProgress: (message: string) => void
}

/** One log is not like the other, and both hold the same documents. */
const shapes = [
  { log: 'bulks of 500', documentsEach: 500 },
  { log: 'single PUTs', documentsEach: 1 },
]

type Run = SyncFound & ProcessFigures & { readonly bulks?: number; readonly hash?: string }

export async function measureSync(options: SyncBenchOptions): Promise<SyncResult[]> {
  const { documents, onProgress } = options
  const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-log-'))
  const sink = await NullSink.start()
  const results: SyncResult[] = []
  try {
    for (const { log, documentsEach } of shapes) {
      const request = { folder: path.join(folder, String(documentsEach)), documents }
      onProgress(`a log of ${documents} documents in ${log}`)
      await writeSyncLog(request.folder, { documents, documentsEach })
      const found = await runsOf(request, undefined, options)
      results.push(resultOf(`(a) find changes, ${log}`, documents, found))
      const synced = await runsOf(request, sink, options)
      results.push(resultOf(`(b) sync, ${log}`, documents, synced))
    }
  } finally {
    await sink.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const hashes = new Set(results.flatMap(({ hash }) => hash ?? []))
  return results.map((one) => ({ ...one, correct: one.correct && hashes.size === 1 }))
}

async function runsOf(
  request: SyncRequest,
  sink: NullSink | undefined,
  { runs, onProgress }: SyncBenchOptions,
): Promise<Run[]> {
  const found: Run[] = []
  for (let run = 0; run < runs; run++) {
    onProgress(`${sink === undefined ? '(a)' : '(b)'} run ${run + 1} of ${runs}`)
    if (sink === undefined) {
      found.push(await runChild<SyncFound>('sync-child.ts', request))
      continue
    }
    await sink.report()
    const figures = await runChild<SyncFound>('sync-child.ts', { ...request, targetUrl: sink.url })
    const { documents, requests: bulks, hash } = await sink.report()
    found.push({ ...figures, changes: documents, bulks, hash })
  }
  return found
}

function resultOf(part: string, documents: number, found: readonly Run[]): SyncResult {
  const of = (value: (one: Run) => number): number =>
    found.map(value).sort((a, b) => a - b)[found.length >> 1]!
  const cpuSeconds = of(({ workCpuSeconds }) => workCpuSeconds)
  const { bulks, hash } = found[0]!
  return {
    part,
    changes: documents,
    changesPerSecond: of(({ seconds }) => documents / seconds),
    changesPerCpuSecond: documents / cpuSeconds,
    cpuMsPerChange: (cpuSeconds * 1000) / documents,
    rssPeakMb: of(({ rssPeakMb }) => rssPeakMb),
    ...(bulks !== undefined && { bulks: of((one) => one.bulks!) }),
    ...(hash !== undefined && { hash }),
    correct: found.every((one) => one.changes === documents && one.hash === hash),
  }
}

const syncGoals = { changesPerCpuSecond: 30_000, cpuMsPerChange: 0.03, rssPeakMb: 300 }

function goalText(result: SyncResult): string {
  const { changes, changesPerCpuSecond, cpuMsPerChange, rssPeakMb, part } = result
  // A short run is all warming up.
  if (!part.startsWith('(b)') || changes < 100_000) return ''
  const isMet =
    changesPerCpuSecond >= syncGoals.changesPerCpuSecond &&
    cpuMsPerChange <= syncGoals.cpuMsPerChange &&
    rssPeakMb <= syncGoals.rssPeakMb
  return isMet ? 'met' : 'NOT MET'
}

export function syncTable(results: readonly SyncResult[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const header = [
    ...['part', 'changes', 'changes/s', 'changes/CPU s', 'CPU ms each', 'bulks', 'RSS MB'],
    ...['goals', 'correct'],
  ]
  const rows = results.map((one) => [
    one.part,
    whole(one.changes),
    whole(one.changesPerSecond),
    whole(one.changesPerCpuSecond),
    one.cpuMsPerChange.toFixed(4),
    one.bulks === undefined ? '' : whole(one.bulks),
    whole(one.rssPeakMb),
    goalText(one),
    one.correct ? 'yes' : 'NO',
  ])
  return alignedTable([header, ...rows])
}

export function syncText(results: readonly SyncResult[], runs: number): string {
  return `Medians of ${runs} runs; CPU without the start of the process.

${measuredText()}
- A capture log on the local disk, of documents of about 1 KB with the answers of an engine; one process.
- (a) reads it, joins requests and answers, and finds the changes; (b) is all that sync does with a log (state, accounts,
  checkpoints once a second) with its default options, to a target in a process of its own that takes everything and keeps
  nothing, on the same cores.

${syncTable(results)}
`
}
