/** The three parts of the benchmark of a backfill, each run several times; medians are told. */
import { connectCluster } from '../src/cluster/connect.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import { startEngine } from '../src/engines/engine.ts'
import type { BackfillFound, BackfillRequest } from './backfill-child.ts'
import { createLogIndex, garbageIsNoUse } from './corpus.ts'
import type { Corpus } from './corpus.ts'
import type { DecodeFound, DecodeRequest } from './decode-child.ts'
import { NullSink, runChild } from './measured.ts'
import type { ProcessFigures } from './measured.ts'
import { sinkIndex } from './null-sink.ts'
import { serialiseBodies } from './reference-child.ts'
import type { ReferenceFound, ReferenceRequest } from './reference-child.ts'

/** One line of the result. Medians over the runs; absent is what this part does not have. */
export interface PartResult {
  readonly part: string
  readonly corpus: string
  readonly runs: number
  readonly documents: number
  readonly sourceMb: number
  readonly seconds: number
  readonly documentsPerSecond: number
  readonly mbPerSecond: number
  readonly cpuSeconds: number
  /** MB of `_source` per CPU second. */
  readonly mbPerCpuSecond: number
  readonly rssPeakMb: number
  readonly repositoryMb?: number
  readonly hash?: string
  /** Whether every document arrived as it was made. */
  readonly correct: boolean
  /** (c): wall time against the bare loop's. */
  readonly ofCeiling?: number
}

export interface PartOptions {
  readonly corpus: Corpus
  readonly runs: number
  readonly onProgress: (message: string) => void
}

/** (a) Decoding alone. A first run checks the hash; the measured ones make no use of the documents. */
export async function measureDecode(options: PartOptions): Promise<PartResult> {
  const { corpus, runs } = options
  const decode = (request: Partial<DecodeRequest>) =>
    runChild<DecodeFound>('decode-child.ts', { corpus, passes: 1, withHash: false, ...request })
  const checked = await decode({ withHash: true })
  const measured: (DecodeFound & ProcessFigures)[] = []
  for (let run = 0; run < runs; run++) measured.push(await decode({ passes: 3 }))
  // The last of three passes: what a long run is made of.
  const cpuSeconds = median(measured.map(({ passCpuSeconds }) => passCpuSeconds.at(-1)!))
  return {
    ...figures('(a) decode, warm', options, { seconds: cpuSeconds, cpuSeconds, all: measured }),
    repositoryMb: checked.bytesRead / 1e6,
    hash: checked.hash,
    correct: checked.hash === corpus.hash && checked.documents === corpus.documents,
  }
}

/** (b) A whole backfill into nothing. */
export async function measureNullSink(options: PartOptions, threads: number): Promise<PartResult> {
  const { corpus, runs } = options
  const sink = await NullSink.start()
  const measured: (BackfillFound & ProcessFigures)[] = []
  const hashes = new Set<string>()
  let correct = true
  try {
    for (let run = 0; run < runs; run++) {
      const request: BackfillRequest = {
        corpus,
        threads,
        targetUrl: sink.url,
        targetIndex: sinkIndex,
      }
      const found = await runChild<BackfillFound>('backfill-child.ts', request)
      const came = await sink.report()
      measured.push(found)
      hashes.add(came.hash)
      correct &&= came.hash === corpus.hash && came.documents === corpus.documents
      correct &&= found.documents === corpus.documents && found.deadLetters === 0
    }
  } finally {
    await sink.stop()
  }
  const seconds = median(measured.map(({ runSeconds }) => runSeconds))
  const cpuSeconds = median(measured.map((one) => one.cpuSeconds))
  const part = `(b) null sink, ${threads} thread${threads === 1 ? '' : 's'}`
  return {
    ...figures(part, options, { seconds, cpuSeconds, all: measured }),
    ...(threads === 1 && { repositoryMb: measured[0]!.bytesRead / 1e6 }),
    hash: [...hashes].join(' '),
    correct,
  }
}

/** (c) A real OpenSearch 3, in turns: the bare loop, then the backfill. The very first run only warms the engine up. */
export async function measureOpenSearch(options: PartOptions): Promise<PartResult[]> {
  const { corpus, runs, onProgress } = options
  await serialiseBodies(corpus)
  const engine = await startEngine({
    ...{ kind: 'opensearch', version: '3', heapMb: 1024 },
    settings: garbageIsNoUse,
  })
  const cluster = await connectCluster('target', { url: [engine.url] })
  const reference: (ReferenceFound & ProcessFigures)[] = []
  const backfill: (BackfillFound & ProcessFigures)[] = []
  let correct = true
  const bare = (alias: string): Promise<ReferenceFound & ProcessFigures> =>
    runChild('reference-child.ts', {
      corpus,
      targetUrl: engine.url,
      alias,
      inFlight: 4,
    } satisfies ReferenceRequest)
  try {
    for (let run = -1; run < runs; run++) {
      onProgress(run < 0 ? 'warming OpenSearch up' : `OpenSearch, run ${run + 1} of ${runs}`)
      const first = await withIndex(cluster, options, ({ alias }) => bare(alias))
      if (run < 0) continue
      reference.push(first.found)
      const second = await withIndex(cluster, options, (targetIndex) =>
        runChild<BackfillFound>('backfill-child.ts', {
          corpus,
          threads: 1,
          targetUrl: engine.url,
          targetIndex,
        } satisfies BackfillRequest),
      )
      backfill.push(second.found)
      correct &&= first.count === corpus.documents && second.count === corpus.documents
    }
  } finally {
    await cluster.close()
    await engine.stop()
  }
  const line = (part: string, all: readonly (ProcessFigures & { runSeconds: number })[]) => {
    const seconds = median(all.map(({ runSeconds }) => runSeconds))
    const cpuSeconds = median(all.map((one) => one.cpuSeconds))
    return { ...figures(part, options, { seconds, cpuSeconds, all }), correct }
  }
  const ceiling = line('(c) OpenSearch 3, bare loop', reference)
  const own = line('(c) OpenSearch 3, backfill', backfill)
  // Run by run, since each pair ran one right after the other: the machine's mood cancels out.
  const ratios = backfill.map(({ runSeconds }, run) => reference[run]!.runSeconds / runSeconds)
  return [ceiling, { ...own, ofCeiling: median(ratios) }]
}

let indices = 0

/** Makes an index with its alias, does the work, counts what is in it then, and takes it away. */
async function withIndex<T>(
  cluster: Cluster,
  { corpus }: PartOptions,
  work: (index: { name: string; uuid: string; alias: string }) => Promise<T>,
): Promise<{ found: T; count: number }> {
  const name = `bench-${indices++}`
  const alias = `osmigrate-${name}-0`
  await createLogIndex(cluster, name, { shards: corpus.shards, codec: 'default' })
  await cluster.request('PUT', `/${name}/_alias/${alias}`)
  const settings = await cluster.request<{
    [name: string]: { settings: { index: { uuid: string } } }
  }>('GET', `/${name}/_settings`)
  const found = await work({ name, alias, uuid: settings.body[name]!.settings.index.uuid })
  await cluster.request('POST', `/${name}/_refresh`, { timeoutMs: 300_000 })
  const { body } = await cluster.request<{ count: number }>('GET', `/${name}/_count`)
  await cluster.request('DELETE', `/${name}`)
  return { found, count: body.count }
}

function figures(
  part: string,
  { corpus, runs }: PartOptions,
  run: { seconds: number; cpuSeconds: number; all: readonly ProcessFigures[] },
): Omit<PartResult, 'correct'> {
  const sourceMb = corpus.sourceBytes / 1e6
  return {
    part,
    corpus: corpusName(corpus),
    runs,
    documents: corpus.documents,
    sourceMb,
    seconds: run.seconds,
    documentsPerSecond: corpus.documents / run.seconds,
    mbPerSecond: sourceMb / run.seconds,
    cpuSeconds: run.cpuSeconds,
    mbPerCpuSecond: sourceMb / run.cpuSeconds,
    rssPeakMb: Math.max(...run.all.map(({ rssPeakMb }) => rssPeakMb)),
  }
}

export function corpusName({ shards, codec, sourceBytes }: Corpus): string {
  const size = `${Math.round(sourceBytes / 1e6)} MB`
  return `${size}, ${shards} shard${shards === 1 ? '' : 's'}, ${codec === 'default' ? 'LZ4' : 'DEFLATE'}`
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]!
}
