/**
 * npm run bench -- backfill [--small] [--size 2gb] [--shards 4] [--codec best_compression] [--parts a,b,c]
 *                           [--threads 1,2] [--runs 3] [--all] [--json] [--record]
 *
 * Prints what each part took and whether it meets its goal; ends with 1 when a document was lost or changed.
 * npm run bench -- formats  [--size 110mb] [--only 'Lucene 9.0'] [--runs 3] [--json] [--record]
 * npm run bench -- s3       [--size 450mb] [--runs 3] [--json] [--record]
 * npm run bench -- capture  [--small] [--parts pipe,proxy] [--runs 3] [--json] [--record]
 * npm run bench -- sync     [--small] [--runs 3] [--json] [--record]
 *                           --outage SECONDS [--rate 1000]: of the target, with real engines, in the place of the rest
 * npm run bench -- compare  [--small] [--size 200mb] [--shards 1] [--runs 3] [--json] [--record]
 * npm run bench -- shadow   [--small] [--runs 3] [--json] [--record]
 *
 * --all runs every corpus that the figures are told for; --record writes a section of bench/RESULTS.md.
 */
import { parseArgs } from 'node:util'
import { parseByteSize } from '../src/base/option-types.ts'
import { compareTable, compareText, measureCompare } from './compare.ts'
import { captureTable, captureText, measureCapture, type CaptureFound } from './capture.ts'
import { captureLogTable, measureCaptureLog } from './capture-log.ts'
import { sourceTable } from './capture-source.ts'
import { openCorpus } from './corpus.ts'
import type { CorpusShape } from './corpus.ts'
import { averageSourceBytes, documentsDefault } from './log-documents.ts'
import { measureDecode, measureNullSink, measureOpenSearch } from './parts.ts'
import type { PartOptions, PartResult } from './parts.ts'
import { formatsTable, formatsText, measureFormats } from './formats.ts'
import { backfillText, recordSection, tableText } from './report.ts'
import { measureOutage, outageTable, outageText } from './sync-outage.ts'
import { measureShadow, shadowTable, shadowText } from './shadow.ts'
import { measureSync, syncTable, syncText } from './sync.ts'
import { measureS3, s3Table, s3Text, type S3Result } from './s3.ts'

const smallDocuments = 5000
const syncDocuments = 200_000
const shadowReads = 100_000
/** Of load, for each figure of capture. */
const smallSeconds = 0.5
const fullSeconds = 5

interface Plan {
  readonly shape: CorpusShape
  readonly parts: readonly string[]
  readonly threads: readonly number[]
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    size: { type: 'string' },
    shards: { type: 'string', default: '1' },
    codec: { type: 'string', default: 'default' },
    parts: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    runs: { type: 'string' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    outage: { type: 'string' },
    rate: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})

const benchmarks = { backfill, formats, s3, capture, sync, compare, shadow }
const runs = Number(values.runs ?? (values.small ? 1 : 3))
const onProgress = (message: string): void => console.error(message)
const name = positionals[0] ?? ''

if (!(name in benchmarks) || positionals.length !== 1) {
  const names = Object.keys(benchmarks).join(', ')
  console.error(`npm run bench -- NAME, which is one of ${names} (options: see bench/main.ts)`)
  process.exitCode = 2
} else if (!(await benchmarks[name as keyof typeof benchmarks]())) {
  console.error('documents or requests were lost or changed')
  process.exitCode = 1
}

function tell(results: readonly object[], table: string): void {
  console.log(values.json ? JSON.stringify({ results }) : table)
}

async function formats(): Promise<boolean> {
  const { size, only } = values
  const results = await measureFormats({
    ...{ runs, onProgress },
    ...(values.small && { documents: smallDocuments }),
    ...(size !== undefined && { documents: documentsOf(size) }),
    ...(only !== undefined && { only }),
  })
  tell(results, formatsTable(results))
  if (values.record) await recordSection('Formats', formatsText(results))
  return results.every(({ correct }) => correct)
}

/** The usual corpus, and as a repository with a small chunk_size has it. */
async function s3(): Promise<boolean> {
  const results: S3Result[] = []
  const documents = values.small
    ? smallDocuments
    : values.size === undefined
      ? documentsDefault
      : documentsOf(values.size)
  const plain: CorpusShape = { documents, shards: 1, codec: 'default' }
  const inParts: CorpusShape = { ...plain, chunkBytes: 1024 * 1024 }
  // Files in parts are measured at one size: making a corpus takes longest.
  for (const shape of values.size === undefined ? [plain, inParts] : [plain]) {
    const corpus = await openCorpus(shape, onProgress)
    const label = `${Math.round(corpus.sourceBytes / 1e6)} MB${shape === plain ? '' : ', parts of 1 MB'}`
    results.push(...(await measureS3({ ...corpus, name: label }, { runs, onProgress })))
  }
  tell(results, s3Table(results))
  if (values.record) await recordSection('S3', s3Text(results, runs))
  return results.every(({ correct }) => correct)
}

/**
 * What stands between load and upstream; `--parts source` is the proxy in front of a real engine, `--parts log` the local log by
 * itself.
 */
async function capture(): Promise<boolean> {
  const parts = values.parts?.split(',')
  const seconds = values.small ? smallSeconds : fullSeconds
  const isWanted = parts?.some((part) => part !== 'log') ?? true
  const found: CaptureFound = isWanted
    ? await measureCapture({ ...{ runs, onProgress, seconds }, ...(parts && { parts }) })
    : { results: [], sources: [] }
  const logs =
    (parts?.includes('log') ?? true)
      ? await measureCaptureLog({ runs, small: values.small, onProgress })
      : []
  const { results, sources, disk } = found
  const tables = [
    ...(results.length > 0 ? [captureTable(results)] : []),
    ...(disk === undefined ? [] : [disk]),
    ...(sources.length > 0 ? [sourceTable(sources)] : []),
    ...(logs.length > 0 ? [captureLogTable(logs)] : []),
  ]
  const all = [...results, ...sources, ...logs]
  tell(all, tables.join('\n\n'))
  if (values.record) await recordSection('Capture', captureText(tables, runs))
  return all.every(({ correct }) => correct)
}

async function sync(): Promise<boolean> {
  if (values.outage !== undefined) return outage(Number(values.outage))
  const documents = values.small ? smallDocuments : syncDocuments
  const results = await measureSync({ runs, documents, onProgress })
  tell(results, syncTable(results))
  if (values.record) await recordSection('Sync', syncText(results, runs))
  return results.every(({ correct }) => correct)
}

async function outage(seconds: number): Promise<boolean> {
  const perSecond = Number(values.rate)
  const result = await measureOutage({ seconds, perSecond, onProgress })
  tell([result], outageTable(result))
  if (values.record) await recordSection('Sync after an outage', outageText(result))
  return result.correct
}

async function compare(): Promise<boolean> {
  const documents = values.small ? smallDocuments : documentsOf(values.size ?? '200mb')
  const shards = Number(values.shards)
  const results = await measureCompare({ runs, documents, shards, onProgress })
  tell(results, compareTable(results))
  if (values.record) await recordSection('Compare', compareText(results, runs))
  return results.every(({ correct }) => correct)
}

async function shadow(): Promise<boolean> {
  const reads = values.small ? smallDocuments : shadowReads
  const results = await measureShadow({ runs, reads, onProgress })
  tell(results, shadowTable(results))
  if (values.record) await recordSection('Shadow', shadowText(results, runs))
  return results.every(({ correct }) => correct)
}

async function backfill(): Promise<boolean> {
  const results: PartResult[] = []
  for (const plan of plans()) {
    const corpus = await openCorpus(plan.shape, onProgress)
    const options: PartOptions = { corpus, runs, onProgress }
    if (plan.parts.includes('a')) results.push(await told(measureDecode(options)))
    if (plan.parts.includes('b'))
      for (const threads of plan.threads)
        results.push(await told(measureNullSink(options, threads)))
    if (plan.parts.includes('c')) results.push(...(await measureOpenSearch(options)))
  }
  tell(results, tableText(results))
  if (values.record) await recordSection('Backfill', backfillText(results))
  return results.every(({ correct }) => correct)
}

async function told(measuring: Promise<PartResult>): Promise<PartResult> {
  const result = await measuring
  console.error(`${result.part}: ${result.cpuSeconds.toFixed(2)} CPU s`)
  return result
}

function plans(): Plan[] {
  const one: CorpusShape = { documents: documentsDefault, shards: 1, codec: 'default' }
  const threads = values.threads.split(',').map(Number)
  if (values.all) {
    return [
      { shape: one, parts: ['a', 'b', 'c'], threads: [1, 2] },
      { shape: { ...one, codec: 'best_compression' }, parts: ['a', 'b'], threads: [1] },
      { shape: { ...one, shards: 4 }, parts: ['b'], threads: [1, 2] },
      { shape: { ...one, documents: documentsOf('2gb') }, parts: ['b'], threads: [1, 2] },
    ]
  }
  const documents = values.small
    ? smallDocuments
    : values.size === undefined
      ? documentsDefault
      : documentsOf(values.size)
  const codec = values.codec === 'best_compression' ? values.codec : 'default'
  const shape: CorpusShape = { documents, shards: Number(values.shards), codec }
  return [{ shape, parts: (values.parts ?? (values.small ? 'a,b' : 'a,b,c')).split(','), threads }]
}

function documentsOf(size: string): number {
  return Math.round(parseByteSize(size) / averageSourceBytes)
}
