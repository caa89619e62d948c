/** How fast documents come out of each format of stored fields, as the engines themselves wrote it. */
import { openCorpus, type CorpusEngine } from './corpus.ts'
import { measureDecode, type PartResult } from './parts.ts'
import { alignedTable, measuredText } from './report.ts'

interface FormatRow {
  readonly format: string
  readonly engine: CorpusEngine
  readonly codec: string
  /** Bound by zlib, not by this program. */
  readonly isDeflate?: boolean
}

const elasticsearch = (version: string): CorpusEngine => ({ kind: 'elasticsearch', version })
const opensearch = (version: string): CorpusEngine => ({ kind: 'opensearch', version })
const best = { codec: 'best_compression' }

const rows: readonly FormatRow[] = [
  { format: 'Lucene 4.1, LZ4', engine: elasticsearch('1.7.5'), codec: 'default' },
  { format: 'Lucene 5.0, LZ4', engine: elasticsearch('2.4.6'), codec: 'default' },
  { format: 'Lucene 5.0, LZ4', engine: elasticsearch('5.6.16'), codec: 'default' },
  { format: 'Lucene 5.0, LZ4', engine: elasticsearch('6.8.23'), codec: 'default' },
  { format: 'Lucene 5.0, DEFLATE', engine: elasticsearch('6.8.23'), ...best, isDeflate: true },
  { format: 'Lucene 8.7, LZ4 preset', engine: elasticsearch('7.10.2'), codec: 'default' },
  {
    format: 'Lucene 8.7, DEFLATE preset',
    engine: elasticsearch('7.10.2'),
    ...best,
    isDeflate: true,
  },
  { format: 'Lucene 8.7, LZ4 preset', engine: elasticsearch('7.17.28'), codec: 'default' },
  { format: 'Lucene 9.0, LZ4 preset', engine: elasticsearch('8.19.0'), codec: 'default' },
  { format: 'Elasticsearch, zstd', engine: elasticsearch('8.19.0'), ...best },
  { format: 'Lucene 9.0, LZ4 preset', engine: opensearch('2.19.4'), codec: 'default' },
  { format: 'Lucene 9.0, DEFLATE preset', engine: opensearch('2.19.4'), ...best, isDeflate: true },
  { format: 'OpenSearch, zstd', engine: opensearch('2.9.0'), codec: 'zstd' },
  { format: 'OpenSearch, zstd_no_dict', engine: opensearch('2.9.0'), codec: 'zstd_no_dict' },
  { format: 'Lucene 9.0, LZ4 preset', engine: opensearch('3.6.0'), codec: 'default' },
]

/** None slower than this, save what zlib bounds. */
const leastMbPerCpuSecond = 120
/** 110 MB of `_source`. */
const documentsDefault = 60_000

export interface FormatResult extends PartResult {
  readonly format: string
  readonly engine: string
  readonly codec: string
  readonly goal: string
}

export interface FormatsOptions {
  readonly runs: number
  readonly documents?: number
  /** Only the rows in which this stands. */
  readonly only?: string
  readonly onProgress: (message: string) => void
}

export async function measureFormats(options: FormatsOptions): Promise<FormatResult[]> {
  const { runs, documents = documentsDefault, only = '', onProgress } = options
  const results: FormatResult[] = []
  for (const { format, engine, codec, isDeflate = false } of rows) {
    const name = `${engine.kind} ${engine.version}`
    if (!`${format} ${name} ${codec}`.includes(only)) continue
    const corpus = await openCorpus({ documents, shards: 1, codec, engine }, onProgress)
    const result = await measureDecode({ corpus, runs, onProgress })
    onProgress(`${format}, ${name}: ${result.mbPerCpuSecond.toFixed(0)} MB/CPU s`)
    const met = result.mbPerCpuSecond >= leastMbPerCpuSecond ? 'met' : 'NOT MET'
    const goal = isDeflate ? '' : `≥ ${leastMbPerCpuSecond} ${met}`
    results.push({ ...result, format, engine: name, codec, goal })
  }
  return results
}

export function formatsTable(results: readonly FormatResult[]): string {
  return alignedTable([
    [
      'format',
      'written by',
      'index.codec',
      'source MB',
      'read MB',
      'MB/CPU s',
      'RSS MB',
      'hash',
      'goal',
    ],
    ...results.map((one) => [
      ...[one.format, one.engine, one.codec, one.sourceMb.toFixed(0)],
      ...[one.repositoryMb?.toFixed(0) ?? '', one.mbPerCpuSecond.toFixed(0)],
      ...[one.rssPeakMb.toFixed(0), one.correct ? 'right' : 'WRONG', one.goal],
    ]),
  ])
}

export function formatsText(results: readonly FormatResult[]): string {
  return `Decoding alone: every document as it would be sent, thrown away; MB of \`_source\` per CPU second of the last of three
passes, median of ${results[0]?.runs ?? 0} runs. Files are checked before they are decoded, in the same time. DEFLATE is bound by zlib.

${measuredText()}

${formatsTable(results)}
`
}
