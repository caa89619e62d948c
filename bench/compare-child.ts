/** Reads two indices of log documents in a process of its own: bare, or as `compare documents` does. */
import { connectCluster } from '../src/cluster/connect.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import { prepareScan, scanCluster } from '../src/compare/cluster-scan.ts'
import { compareDocuments } from '../src/compare/compare-documents.ts'
import type { HitPage } from '../src/compare/hit-page.ts'
import { compareOptions } from '../src/compare/options.ts'
import { reportFigures } from './measured.ts'

export interface CompareRequest {
  readonly how: 'bare' | 'full' | 'quick'
  readonly sourceUrl: string
  readonly targetUrl: string
  readonly index: string
  readonly slices: number
  /** Of a page of the bare reading: as many as a comparison takes. */
  readonly pageDocuments: number
}

export interface CompareFound {
  readonly documents: number
  readonly equal: number
  readonly runSeconds: number
  /** Without the start of the process. */
  readonly workCpuSeconds: number
}

const request = JSON.parse(process.argv[2]!) as CompareRequest
const signal = new AbortController().signal
const source = await connectCluster('source', { url: [request.sourceUrl] })
const target = await connectCluster('target', { url: [request.targetUrl] })
const startedAt = performance.now()
const cpu = process.cpuUsage()
const found = request.how === 'bare' ? await readBare() : await compare()
const { user, system } = process.cpuUsage(cpu)
const runSeconds = (performance.now() - startedAt) / 1000
await Promise.all([source.close(), target.close()])
reportFigures({ ...found, runSeconds, workCpuSeconds: (user + system) / 1e6 })

/** Both sides at once by scrolls, the next page asked for before this one is thrown away. */
async function readBare(): Promise<Pick<CompareFound, 'documents' | 'equal'>> {
  const counts = await Promise.all([source, target].map(readAll))
  return { documents: counts[0]!, equal: counts[1]! }
}

async function readAll(cluster: Cluster): Promise<number> {
  const { index, slices, pageDocuments } = request
  const shape = await prepareScan(cluster, index, signal)
  let documents = 0
  const reader = {
    read: (bytes: Buffer): HitPage => {
      const total = /"total":\{"value":(\d+)/.exec(bytes.toString('latin1', 0, 8192))?.[1]
      const left = Number(total) - documents
      const hits = bytes.indexOf('"hits":[]') >= 0 ? 0 : Math.min(pageDocuments, left)
      documents += hits
      return { hits, total: Number(total) }
    },
  }
  const scan = { cluster, index, slices, pageDocuments, reader, signal }
  await scanCluster(scan, shape!, () => {})
  return documents
}

async function compare(): Promise<Pick<CompareFound, 'documents' | 'equal'>> {
  const { index, slices } = request
  const [verdict] = await compareDocuments({
    source: { cluster: source },
    target,
    indices: [index],
    targetIndexOf: () => ({ targetIndex: index, sourceForm: 'full', epochBase: 0 }),
    quick: request.how === 'quick',
    options: compareOptions.parse({ slices }),
    signal,
  })
  if (verdict!.verdict !== 'equal') throw new Error(JSON.stringify(verdict))
  return { documents: verdict!.source, equal: verdict!.equal }
}
