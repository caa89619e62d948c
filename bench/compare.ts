/** `compare documents` of two real single-node clusters, against reading both of them without comparing. */
import { connectCluster } from '../src/cluster/connect.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import { startEngine } from '../src/engines/engine.ts'
import type { CompareFound, CompareRequest } from './compare-child.ts'
import { createLogIndex, garbageIsNoUse } from './corpus.ts'
import { logDocument } from './log-documents.ts'
import { median, runChild, type ProcessFigures } from './measured.ts'
import { alignedTable, measuredText } from './report.ts'

export interface CompareResult {
  readonly part: string
  readonly documents: number
  /** Of one side. */
  readonly sourceMb: number
  readonly seconds: number
  /** Documents of one side. */
  readonly documentsPerSecond: number
  readonly cpuSeconds: number
  /** CPU seconds for each GB of `_source` that is on one side. */
  readonly cpuSecondsPerGb: number
  readonly rssPeakMb: number
  /** Of the rate of the bare reading; of the quick form, of the full one's. Run by run: the machine's mood cancels out. */
  readonly ofBare: number
  readonly ofFull: number
  readonly correct: boolean
}

export interface CompareBenchOptions {
  readonly runs: number
  readonly documents: number
  readonly shards: number
  readonly onProgress: (message: string) => void
}

const index = 'logs'
const ways = ['bare', 'full', 'quick'] as const
type Run = CompareFound & ProcessFigures
const bulkBytes = 4 * 1024 * 1024
const slices = 2
/** As a comparison reads documents of this size. */
const pageDocuments = 1000

export async function measureCompare(options: CompareBenchOptions): Promise<CompareResult[]> {
  const { runs, onProgress } = options
  const engines = await Promise.all([
    startEngine({ kind: 'elasticsearch', version: '7', heapMb: 1024, settings: garbageIsNoUse }),
    startEngine({ kind: 'opensearch', version: '3', heapMb: 1024, settings: garbageIsNoUse }),
  ])
  try {
    const [sourceUrl, targetUrl] = engines.map(({ url }) => url) as [string, string]
    const sourceMb = await fillBoth([sourceUrl, targetUrl], options)
    const found: Record<(typeof ways)[number], Run[]> = { bare: [], full: [], quick: [] }
    for (let run = -1; run < runs; run++) {
      onProgress(run < 0 ? 'warming both up' : `run ${run + 1} of ${runs}`)
      for (const how of ways) {
        const request: CompareRequest = {
          ...{ how, sourceUrl, targetUrl, index, slices, pageDocuments },
        }
        const one = await runChild<CompareFound>('compare-child.ts', request)
        if (run >= 0) found[how].push(one)
      }
    }
    return ways.map((how) => resultOf(how, { found, options, sourceMb }))
  } finally {
    await Promise.all(engines.map((engine) => engine.stop()))
  }
}

/** The same documents, written once, so that their versions are those that a migration makes. */
async function fillBoth(urls: readonly string[], options: CompareBenchOptions): Promise<number> {
  const { documents, shards, onProgress } = options
  const clusters = [
    await connectCluster('source', { url: [urls[0]!] }),
    await connectCluster('target', { url: [urls[1]!] }),
  ] as const
  let sourceBytes = 0
  try {
    for (const cluster of clusters)
      await createLogIndex(cluster, index, { shards, codec: 'default' })
    for (let n = 0; n < documents;) {
      const some: { id: string; source: string }[] = []
      for (let bytes = 0; bytes < bulkBytes && n < documents; n++) {
        const one = logDocument(n, 0)
        some.push(one)
        bytes += Buffer.byteLength(one.source)
        sourceBytes += Buffer.byteLength(one.source)
      }
      const versions = await putAll(
        clusters[0],
        some.map(({ id, source }) => ({ id, source })),
      )
      await putAll(
        clusters[1],
        some.map((one, i) => ({ ...one, version: versions[i]! + 1 })),
      )
      onProgress(`${n} of ${documents} documents on both sides`)
    }
    for (const cluster of clusters) {
      await cluster.request('POST', `/${index}/_refresh`, { timeoutMs: 300_000 })
    }
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.close()))
  }
  return sourceBytes / 1e6
}

/** Gives the sequence number of each. */
async function putAll(
  cluster: Cluster,
  documents: readonly { id: string; source: string; version?: number }[],
): Promise<number[]> {
  const lines = documents.map(({ id, source, version }) => {
    const by = version === undefined ? '' : `,"version":${version},"version_type":"external_gte"`
    return `{"index":{"_id":"${id}"${by}}}\n${source}\n`
  })
  const { body } = await cluster.request<{ errors: boolean; items: BulkItem[] }>(
    'POST',
    `/${index}/_bulk`,
    {
      query: { filter_path: 'errors,items.*._seq_no' },
      body: Buffer.from(lines.join('')),
      timeoutMs: 300_000,
    },
  )
  if (body.errors) throw new Error('a bulk was refused')
  return body.items.map((item) => item.index._seq_no)
}

interface BulkItem {
  readonly index: { readonly _seq_no: number }
}

const names = {
  bare: 'bare reading of both sides',
  full: 'compare documents',
  quick: 'compare documents --quick',
}

function resultOf(
  how: (typeof ways)[number],
  about: {
    found: Record<(typeof ways)[number], readonly Run[]>
    options: CompareBenchOptions
    sourceMb: number
  },
): CompareResult {
  const { found, options, sourceMb } = about
  const runs = found[how]
  const seconds = median(runs.map(({ runSeconds }) => runSeconds))
  const cpuSeconds = median(runs.map(({ workCpuSeconds }) => workCpuSeconds))
  const ratio = (to: readonly Run[]): number =>
    median(runs.map(({ runSeconds }, run) => to[run]!.runSeconds / runSeconds))
  return {
    ...{ part: names[how], documents: options.documents, sourceMb, seconds, cpuSeconds },
    documentsPerSecond: options.documents / seconds,
    cpuSecondsPerGb: (cpuSeconds * 1000) / sourceMb,
    rssPeakMb: Math.max(...runs.map(({ rssPeakMb }) => rssPeakMb)),
    ofBare: ratio(found.bare),
    ofFull: ratio(found.full),
    correct: runs.every(
      ({ documents, equal }) => documents === options.documents && equal === options.documents,
    ),
  }
}

function goalText({ part, documents, ofBare, ofFull, cpuSecondsPerGb }: CompareResult): string {
  // A short run is all warming up.
  if (documents < 100_000) return ''
  const goal = (what: string, met: boolean): string => `${what} ${met ? 'met' : 'NOT MET'}`
  if (part === names.full) {
    return [
      goal('rate ≥ 0.90 of bare', ofBare >= 0.9),
      goal('CPU s/GB ≤ 12', cpuSecondsPerGb <= 12),
    ].join('; ')
  }
  return part === names.quick ? goal('rate ≥ 3 × full', ofFull >= 3) : ''
}

export function compareTable(results: readonly CompareResult[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const header = [
    ...['part', 'documents', 'MB each side', 'seconds', 'docs/s', 'CPU s', 'CPU s/GB', 'RSS MB'],
    ...['of bare', 'of full', 'goals', 'correct'],
  ]
  const rows = results.map((one) => [
    one.part,
    whole(one.documents),
    whole(one.sourceMb),
    one.seconds.toFixed(2),
    whole(one.documentsPerSecond),
    one.cpuSeconds.toFixed(2),
    one.cpuSecondsPerGb.toFixed(1),
    whole(one.rssPeakMb),
    one.ofBare.toFixed(2),
    one.ofFull.toFixed(2),
    goalText(one),
    one.correct ? 'yes' : 'NO',
  ])
  return alignedTable([header, ...rows])
}

export function compareText(results: readonly CompareResult[], runs: number): string {
  return `Medians of ${runs} runs; the three ways in turns, ratios run by run; CPU without the start of the process.

${measuredText()}
- Log-like documents of about 1.8 KB in an Elasticsearch 7 and an OpenSearch 3 of one node each, on the same two cores as
  what reads them; each side by as many scrolls at once as the others, in pages of as many documents, the next page asked
  for while this one is looked at. Bare: pages are thrown away. CPU s/GB: of \`_source\` of one side, both being read.

${compareTable(results)}
`
}
