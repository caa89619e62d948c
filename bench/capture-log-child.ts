/**
 * Appends exchanges to a local capture log from so many clients at once, each the next one when its last is durable, as
 * the recorder does; then reads all of it back. One run, in a process of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaptureRecord } from '../src/traffic/exchange.ts'
import { openLocalLog, type LocalLog } from '../src/traffic/local-log.ts'
import { openLocalLogReader } from '../src/traffic/local-log-reader.ts'
import { reportFigures } from './measured.ts'

export interface CaptureLogRequest {
  readonly clients: number
  readonly bodyBytes: number
  readonly exchanges: number
}

export interface CaptureLogFound {
  readonly seconds: number
  readonly appendCpuSeconds: number
  /** From append() of the request until both records of an exchange are durable. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly records: number
  readonly recordBytes: number
  readonly writes: number
  readonly readSeconds: number
  readonly readCpuSeconds: number
  readonly recordsRead: number
}

const answer = Buffer.from(
  '{"_index":"bench","_id":"1","_version":7,"result":"updated","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":6,"_primary_term":1}',
)

function exchangeOf(number: number, body: Buffer): [CaptureRecord, CaptureRecord] {
  const exchange = { proxy: 'bench.0', number }
  const at = Date.now() * 1000
  const times = { firstByteAt: at, lastByteAt: at }
  return [
    {
      ...{ kind: 'request', exchange, connection: number % 16, mayWrite: true, method: 'PUT' },
      ...{ target: `/bench/_doc/${number}`, body, bodyBytes: body.length, ...times },
      headers: ['content-type', 'application/json', 'user-agent', 'elasticsearch-js/8.19'],
    },
    {
      ...{ kind: 'response', exchange, status: 200, body: answer, bodyBytes: answer.length },
      ...{ headers: ['content-type', 'application/json'], ...times },
    },
  ]
}

async function append(log: LocalLog, request: CaptureLogRequest): Promise<number[]> {
  const body = Buffer.alloc(request.bodyBytes, '{"message":"x"}')
  const times: number[] = []
  let number = 0
  const client = async (): Promise<void> => {
    while (number < request.exchanges) {
      const [asked, answered] = exchangeOf(number++, body)
      const begun = performance.now()
      await new Promise<void>((resolve, reject) => {
        let left = 2
        const durable = (error?: Error): void => {
          if (error !== undefined) reject(error)
          else if (--left === 0) resolve()
        }
        log.append(asked, durable)
        log.append(answered, durable)
      })
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: request.clients }, client))
  return times.sort((a, b) => a - b)
}

async function measure(request: CaptureLogRequest, root: string): Promise<CaptureLogFound> {
  const folder = join(root, 'bench.0')
  const log = await openLocalLog({ folder, stream: 'bench.0', bytesMax: 2 ** 36 })
  const begun = performance.now()
  const cpu = process.cpuUsage()
  const times = await append(log, request)
  const { records, recordBytes, writes } = log.status()
  const seconds = (performance.now() - begun) / 1000
  const appendCpuSeconds = cpuSince(cpu)
  await log.close()
  const readBegun = performance.now()
  const readCpu = process.cpuUsage()
  let recordsRead = 0
  const from = { stream: 'bench.0', offset: 0 }
  for await (const one of openLocalLogReader(root).read(from, { follow: false })) {
    if (one.next.offset > 0) recordsRead++
  }
  return {
    ...{ seconds, appendCpuSeconds, records, recordBytes, writes, recordsRead },
    p50Ms: times[Math.floor(times.length / 2)]!,
    p99Ms: times[Math.floor(times.length * 0.99)]!,
    readSeconds: (performance.now() - readBegun) / 1000,
    readCpuSeconds: cpuSince(readCpu),
  }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

const root = mkdtempSync(join(process.env['BENCH_CAPTURE_DIR'] ?? tmpdir(), 'bench-capture-log-'))
try {
  reportFigures(await measure(JSON.parse(process.argv[2]!) as CaptureLogRequest, root))
} finally {
  rmSync(root, { recursive: true })
}
