/**
 * npm run bench -- backfill [--small] [--size 2gb] [--shards 4] [--codec best_compression] [--parts a,b,c]
 *                           [--threads 1,2] [--runs 3] [--all] [--json] [--record]
 *
 * Prints what each part took and whether it meets its goal; ends with 1 when a document was lost or changed.
 * --all runs every corpus that the figures are told for; --record writes bench/RESULTS.md.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parseByteSize } from '../src/base/option-types.ts'
import { openCorpus } from './corpus.ts'
import type { CorpusShape } from './corpus.ts'
import { averageSourceBytes, documentsDefault } from './log-documents.ts'
import { measureDecode, measureNullSink, measureOpenSearch } from './parts.ts'
import type { PartOptions, PartResult } from './parts.ts'
import { recordText, tableText } from './report.ts'

const smallDocuments = 5000

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
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})

if (positionals[0] !== 'backfill' || positionals.length !== 1) {
  console.error(
    'There is one benchmark so far: npm run bench -- backfill (options: see bench/main.ts)',
  )
  process.exitCode = 2
} else await main()

async function main(): Promise<void> {
  const runs = Number(values.runs ?? (values.small ? 1 : 3))
  const onProgress = (message: string): void => console.error(message)
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
  if (values.json) console.log(JSON.stringify({ results }))
  else console.log(tableText(results))
  if (values.record)
    await writeFile(path.join(import.meta.dirname, 'RESULTS.md'), recordText(results))
  if (results.some(({ correct }) => !correct)) {
    console.error('documents were lost or changed')
    process.exitCode = 1
  }
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
