/** The local capture log by itself: what a record costs in CPU, bytes and writes, and how many a second a disk takes. */
import type { CaptureLogFound, CaptureLogRequest } from './capture-log-child.ts'
import { runChild, type ProcessFigures } from './measured.ts'

/** Medians over the runs. An exchange is two records: a request and its answer. */
export interface CaptureLogResult {
  readonly part: string
  readonly runs: number
  readonly exchangesPerSecond: number
  readonly cpuMsPerExchange: number
  /** From append() until an exchange is durable. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly bytesPerRecord: number
  readonly recordsPerWrite: number
  /** Each of them makes its records safe (O_DSYNC). */
  readonly writesPerSecond: number
  readonly readRecordsPerSecond: number
  readonly readCpuMicrosPerRecord: number
  readonly rssPeakMb: number
  readonly correct: boolean
}

const shapes: readonly (CaptureLogRequest & { readonly part: string })[] = [
  { part: '1 client, 1 KB', clients: 1, bodyBytes: 1024, exchanges: 5_000 },
  { part: '16 clients, 1 KB', clients: 16, bodyBytes: 1024, exchanges: 60_000 },
  { part: '64 clients, 1 KB', clients: 64, bodyBytes: 1024, exchanges: 150_000 },
  { part: '16 clients, 100 KB', clients: 16, bodyBytes: 100_000, exchanges: 8_000 },
]

export interface CaptureLogOptions {
  readonly runs: number
  /** True: a hundredth of it, to see that it works. */
  readonly small: boolean
  readonly onProgress: (message: string) => void
}

export async function measureCaptureLog(options: CaptureLogOptions): Promise<CaptureLogResult[]> {
  const { runs, small, onProgress } = options
  const results: CaptureLogResult[] = []
  for (const { part, ...shape } of shapes) {
    const request = small ? { ...shape, exchanges: shape.exchanges / 100 } : shape
    const found: (CaptureLogFound & ProcessFigures)[] = []
    for (let run = 0; run < runs; run++) {
      onProgress(`capture log: ${part}, run ${run + 1} of ${runs}`)
      found.push(await runChild<CaptureLogFound>('capture-log-child.ts', request))
    }
    results.push(resultOf(part, request, found))
  }
  return results
}

function resultOf(
  part: string,
  { exchanges }: CaptureLogRequest,
  found: readonly (CaptureLogFound & ProcessFigures)[],
): CaptureLogResult {
  const of = (value: (one: CaptureLogFound & ProcessFigures) => number): number =>
    found.map(value).sort((a, b) => a - b)[found.length >> 1]!
  return {
    ...{ part, runs: found.length },
    exchangesPerSecond: of(({ seconds }) => exchanges / seconds),
    cpuMsPerExchange: of(({ appendCpuSeconds }) => (appendCpuSeconds * 1000) / exchanges),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    bytesPerRecord: of(({ recordBytes, records }) => recordBytes / records),
    recordsPerWrite: of(({ records, writes }) => records / writes),
    writesPerSecond: of(({ writes, seconds }) => writes / seconds),
    readRecordsPerSecond: of(({ recordsRead, readSeconds }) => recordsRead / readSeconds),
    readCpuMicrosPerRecord: of((one) => (one.readCpuSeconds * 1e6) / one.recordsRead),
    rssPeakMb: of(({ rssPeakMb }) => rssPeakMb),
    correct: found.every((one) => one.records === 2 * exchanges && one.recordsRead === one.records),
  }
}

export function captureLogTable(results: readonly CaptureLogResult[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const rows = results.map((one) => [
    one.part,
    whole(one.exchangesPerSecond),
    one.cpuMsPerExchange.toFixed(3),
    `${one.p50Ms.toFixed(2)} / ${one.p99Ms.toFixed(2)}`,
    whole(one.bytesPerRecord),
    one.recordsPerWrite.toFixed(1),
    whole(one.writesPerSecond),
    whole(one.readRecordsPerSecond),
    whole(one.rssPeakMb),
    one.correct ? 'yes' : 'NO',
  ])
  const header = [
    ...['local log', 'exchanges/s', 'CPU ms each', 'p50 / p99 ms', 'bytes/record'],
    ...['records/write', 'writes/s', 'records/s read', 'RSS MB', 'correct'],
  ]
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

if (import.meta.main) {
  const small = process.argv.includes('--small')
  const onProgress = (message: string): void => console.error(message)
  const results = await measureCaptureLog({ runs: small ? 1 : 3, small, onProgress })
  console.log(captureLogTable(results))
  if (!results.every(({ correct }) => correct)) process.exitCode = 1
}
