import type { Cluster, Side } from '../cluster/cluster.ts'
import { Buckets } from '../compare/buckets.ts'
import { prepareScan, scanCluster, type ScannableIndex } from '../compare/cluster-scan.ts'
import { planPasses } from '../compare/differences.ts'
import type { ReadBudget } from './read-budget.ts'
import { askedOf, IdPageReader, nameOf, type NumberKind, type ScannedId } from './id-page.ts'

/**
 * Compares which documents both sides have, and with which number each: no `_source` is read. It settles what no search
 * can find: numbers of documents that were deleted or overwritten since, and numbers that wrote nothing.
 */
export interface IdComparisonInput {
  readonly source: Cluster
  readonly target: Cluster
  /** Names of one index on either side. */
  readonly index: string
  readonly targetIndex: string
  /** By what the source numbers; none: only ids are compared (behind a data stream the target has no versions). */
  readonly numbers: NumberKind
  /** The source's number of a document that has this `_version` on the target. */
  readonly numberOf: (version: number) => number
  /** Shards of one side that are scanned at once. */
  readonly slices: number
  /** Of documents that are read from the source. */
  readonly budget: Pick<ReadBudget, 'take'>
  readonly signal: AbortSignal
  /** Told of each document that is not the same on both sides. */
  readonly differs: (document: DifferingId) => Promise<void>
}

export interface DifferingId {
  readonly id: string
  readonly routing: string | null
  readonly type: string | undefined
  /** undefined: not on that side. -1: without number. */
  readonly source: number | undefined
  readonly target: number | undefined
}

export interface IdComparison {
  readonly source: number
  readonly target: number
  readonly differing: number
  /** False: there are more than one comparison lists; those that were listed are to be mended first. */
  readonly isComplete: boolean
}

/** Names that are held while one pass lists differences: some 30 MB. */
const entriesMax = 200_000
const passesMax = 8
const pageDocuments = 10_000
/** A hundred ids, without their documents, are to the source about what one document is. */
const bytesOfHundredIds = 10_000

/**
 * One comparison: 16 MB, two scans of ids of either side where there is a difference, one where there is none. Writes go
 * on meanwhile: what they change may be listed, too. undefined when there is no such index on one of the sides. Errors:
 * those of the clusters.
 */
export async function compareIds(input: IdComparisonInput): Promise<IdComparison | undefined> {
  const { source, target, index, targetIndex, signal } = input
  const shapes = {
    source: await prepareScan(source, index, signal),
    target: await prepareScan(target, targetIndex, signal),
  }
  if (shapes.source === undefined || shapes.target === undefined) return undefined
  const scan = scansOf(input, { source: shapes.source, target: shapes.target })
  const buckets = new Buckets(await countOf(source, index, signal))
  for (const side of ['source', 'target'] as const) {
    await scan(side, (document) => buckets.add(side, document))
  }
  const passes = planPasses(buckets, buckets.differing(), entriesMax)
  let differing = 0
  for (const chosen of passes.slice(0, passesMax)) {
    for (const document of await listDifferences(scan, buckets, new Set(chosen))) {
      differing++
      await input.differs(document)
    }
  }
  return {
    source: buckets.total('source'),
    target: buckets.total('target'),
    differing,
    isComplete: passes.length <= passesMax,
  }
}

type Scan = (side: Side, visit: (document: ScannedId) => void) => Promise<void>

function scansOf(input: IdComparisonInput, shapes: Record<Side, ScannableIndex>): Scan {
  const { numbers, slices, budget, signal } = input
  const ofTarget = numbers === 'none' ? 'none' : 'version'
  const readers = {
    source: new IdPageReader(numbers),
    target: new IdPageReader(ofTarget, input.numberOf),
  }
  return (side, visit) => {
    const cluster = input[side]
    const index = side === 'source' ? input.index : input.targetIndex
    const kind = side === 'source' ? numbers : ofTarget
    const asked = askedOf(kind, cluster.version)
    const onPage = async (bytes: number): Promise<void> => {
      if (side === 'source') await budget.take(bytes / bytesOfHundredIds, signal)
    }
    return scanCluster(
      { cluster, index, pageDocuments, slices, reader: readers[side], asked, onPage, signal },
      shapes[side],
      visit,
    )
  }
}

async function listDifferences(
  scan: Scan,
  buckets: Buckets,
  chosen: ReadonlySet<number>,
): Promise<DifferingId[]> {
  const onSource = new Map<string, Pick<ScannedId, 'number' | 'type'>>()
  const found: DifferingId[] = []
  await scan('source', (document) => {
    if (!chosen.has(buckets.bucketOf(document))) return
    onSource.set(nameOf(document), { number: document.number, type: document.type })
  })
  await scan('target', (document) => {
    if (!chosen.has(buckets.bucketOf(document))) return
    const { id, routing, number } = document
    const twin = onSource.get(nameOf(document))
    onSource.delete(nameOf(document))
    if (twin?.number === number) return
    found.push({ id, routing, type: twin?.type, source: twin?.number, target: number })
  })
  for (const [name, { number, type }] of onSource) {
    found.push({ ...documentOf(name), type, source: number, target: undefined })
  }
  return found
}

function documentOf(name: string): { id: string; routing: string | null } {
  const [id, routing] = JSON.parse(name) as [string, string | null]
  return { id, routing }
}

async function countOf(cluster: Cluster, index: string, signal: AbortSignal): Promise<number> {
  const { body } = await cluster.request('GET', `/${encodeURIComponent(index)}/_count`, { signal })
  return typeof body.count === 'number' ? body.count : 0
}
