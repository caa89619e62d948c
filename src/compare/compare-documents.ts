import { randomBytes } from 'node:crypto'
import { sourceIndexOf, type DocumentTypes } from '../base/document-types.ts'
import { MigrationError, unreadableCodes } from '../base/errors.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { Cluster, Side } from '../cluster/cluster.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { StateStore } from '../state/store.ts'
import { deadLetterKind, verdictKind } from '../state/records.ts'
import type { TargetIndex, Verdict } from '../state/records.ts'
import { fingerprint } from '../transform/spec.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import type { Transform } from '../usercode/transform.ts'
import { mayRename, type TransformTask } from '../usercode/transformer.ts'
import { Buckets } from './buckets.ts'
import { CanonicalDigest } from './canonical.ts'
import { prepareScan, scanCluster } from './cluster-scan.ts'
import { DifferencePass, planPasses } from './differences.ts'
import type { DifferenceCounts, DifferenceExample } from './differences.ts'
import { HitPageReader } from './hit-page.ts'
import type { CompareOptions } from './options.ts'
import { DocumentSizes } from './page-size.ts'
import type { Visit } from './scanned-document.ts'
import { scanSnapshot, type SnapshotScan } from './snapshot-scan.ts'
import { throwIfStopped } from './stopped.ts'
import { drawVerdict } from './verdict.ts'

export interface CompareInput {
  readonly snapshot: Snapshot
  readonly target: Cluster
  /** Where verdicts are kept and dead letters looked up; without it a verdict is only returned. */
  readonly state?: StateStore
  /** Names on the source. */
  readonly indices: readonly string[]
  /** What an index is on the target; undefined makes its verdict unknown. */
  readonly targetIndexOf: (index: string) => ComparedIndex | undefined
  /** What was done to the documents on their way: it is done to those of the snapshot before they are compared. */
  readonly transform?: Transform
  readonly options: CompareOptions
  readonly signal: AbortSignal
  readonly onProgress?: (progress: CompareProgress) => void
}

/** What must be known of an index that is on the target. */
export type ComparedIndex = Pick<TargetIndex, 'targetIndex' | 'sourceForm'> &
  Partial<Pick<TargetIndex, 'sourceShards' | 'targetShards' | 'types'>>

export interface CompareProgress {
  readonly index: string
  readonly side: Side
  /** 0: the scan of everything; from 1: looks into buckets that differ, of `passes`. */
  readonly pass: number
  readonly passes: number
  /** Of this side, in this pass, so far. */
  readonly documents: number
  /** Of `_source`. */
  readonly bytes: number
  /** Documents that this side has, once known. */
  readonly documentsTotal?: number
}

/**
 * Compares every document of the snapshot with every document of the target, both ways, index by index: id, routing
 * and `_source` by value (canonical.ts says what counts as equal).
 *
 * Both sides are scanned whole, their digests summed in buckets by a hash of the id. Equal buckets hold equal
 * documents; the others are looked into by further scans, as many as keep memory within bounds. So the counts are
 * exact, and memory is that of the buckets: 16 MB, one page for each slice, and 64 MB while differences are listed.
 *
 * A side that cannot be read makes the verdict of that index unknown and says why; what concerns the whole run is
 * thrown: MA_CLUSTER_UNREACHABLE, MA_CLUSTER_AUTH, MA_STATE, MA_STOPPED. Verdicts are stored as they come.
 */
export async function compareDocuments(input: CompareInput): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const index of input.indices) {
    throwIfStopped(input.signal, `comparing ${index}`)
    const verdict = await compareIndex(input, index)
    await input.state?.commit([
      { op: 'put', kind: verdictKind, key: verdict.index, value: verdict },
    ])
    verdicts.push(verdict)
  }
  return verdicts
}

async function compareIndex(input: CompareInput, index: string): Promise<Verdict> {
  const startedAt = new Date().toISOString()
  const target = input.targetIndexOf(index)
  const findings: IndexFindings = {
    counts: { equal: 0, different: 0, missing: 0, extra: 0 },
    examples: [],
    notes: [`source: snapshot ${input.snapshot.name}`],
    unknown: undefined,
    sourceForm: target?.sourceForm ?? 'full',
  }
  const lacking = input.snapshot.shardFailures.filter((one) => one.index === sourceIndexOf(index))
  if (lacking.length > 0) {
    const shards = lacking.map(({ shard }) => shard).join(', ')
    findings.unknown = `the snapshot is PARTIAL and lacks shard ${shards} of this index`
  } else if (target === undefined) {
    findings.unknown =
      'no target index of this name is known to this migration; run metadata migrate first'
  } else {
    try {
      await new IndexComparison(input, index, target, findings).run()
    } catch (error) {
      if (!(error instanceof MigrationError) || !concernsOneIndex.has(error.code)) throw error
      findings.unknown = error.message
    }
  }
  const deadLetters = await countDeadLetters(input.state, index)
  return drawVerdict({ index, startedAt, findings, deadLetters })
}

/** What makes the verdict of one index unknown and does not keep the others from being compared. */
const concernsOneIndex: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...unreadableCodes,
  'MA_SNAPSHOT',
  'MA_CLUSTER_RESPONSE',
  'MA_TARGET_INDEX',
  'MA_TRANSFORM',
])

/** What the comparison of one index found, for the verdict. */
export interface IndexFindings {
  counts: DifferenceCounts
  examples: DifferenceExample[]
  notes: string[]
  /** Why nothing can be said. */
  unknown: string | undefined
  sourceForm: TargetIndex['sourceForm']
}

type ScanSide = (side: Side, pass: number, passes: number, visit: Visit) => Promise<void>

class IndexComparison {
  readonly #input: CompareInput
  readonly #index: string
  readonly #sourceIndex: string
  readonly #types: DocumentTypes | undefined
  readonly #targetIndex: string
  readonly #transformTask: TransformTask
  readonly #findings: IndexFindings
  readonly #totals: { [side in Side]?: number } = {}

  constructor(input: CompareInput, index: string, target: ComparedIndex, findings: IndexFindings) {
    this.#input = input
    this.#index = index
    this.#targetIndex = target.targetIndex
    const { sourceShards = 0, targetShards = 0 } = target
    this.#sourceIndex = sourceIndexOf(index)
    this.#types = target.types
    this.#transformTask = {
      index: this.#sourceIndex,
      mayRename: mayRename({ sourceShards, targetShards }),
    }
    this.#findings = findings
  }

  async run(): Promise<void> {
    const scan = await this.#openScans()
    const buckets = await this.#fillBuckets(scan)
    await this.#look(scan, buckets)
  }

  /** Both sides as one function; the target's pages are sized by the documents that the source has shown by then. */
  async #openScans(): Promise<ScanSide> {
    const { snapshot, target, options, signal } = this.#input
    const index = this.#sourceIndex
    const seed = randomBytes(8)
    const digest = new CanonicalDigest({ half1: seed.readInt32LE(0), half2: seed.readInt32LE(4) })
    const reader = new HitPageReader(digest)
    const metadata = await snapshot.readIndexMetadata(index)
    const shape = await prepareScan(target, this.#targetIndex, signal)
    if (shape === undefined) {
      this.#findings.notes.push(`there is no index ${this.#targetIndex} on the target`)
    }
    const sizes = new DocumentSizes()
    const transform = await this.#change()
    return async (side, pass, passes, visit) => {
      const watched = this.#watch(side, pass, passes, visit)
      if (side === 'source') {
        const shards = metadata.numberOfShards
        const dropped = await scanSnapshot(
          { snapshot, index, shards, verify: 'touched', digest, transform, signal },
          (document) => {
            if (pass === 0) sizes.add(document.sourceBytes)
            watched.visit(document)
          },
        )
        if (pass === 0 && dropped > 0) {
          this.#findings.notes.push(
            `${dropped} documents of the snapshot are left out by the transform`,
          )
        }
      } else if (shape !== undefined) {
        const pageDocuments = sizes.pageDocuments(options.pageBytesMax)
        const { slices } = options
        const scan = {
          cluster: target,
          index: this.#targetIndex,
          pageDocuments,
          slices,
          reader,
          signal,
        }
        await scanCluster(scan, shape, watched.visit)
      }
      watched.report()
    }
  }

  /** All that was done to documents of this index; undefined where nothing was. */
  async #change(): Promise<SnapshotScan['transform']> {
    const transform = await this.#transform()
    const types = this.#types
    if (types === undefined) return transform
    this.#findings.notes.push(typesNote(types))
    return (blocks) => {
      const typed = typedBlocks(blocks, types)
      return transform?.(typed) ?? typed
    }
  }

  /** What a transform did to them, and a note of it. */
  async #transform(): Promise<SnapshotScan['transform']> {
    const { transform } = this.#input
    const index = this.#sourceIndex
    const print = fingerprint(transform?.spec, index)
    if (transform === undefined || print === null) return undefined
    const transformer = await transform.open()
    if (!transformer.changesDocuments(index)) return undefined
    this.#findings.notes.push(
      `the transform ${print} was applied to the documents of the snapshot: what it makes of them is what was compared`,
    )
    return (blocks) => transform.blocks(blocks, this.#transformTask)
  }

  async #fillBuckets(scan: ScanSide): Promise<Buckets> {
    this.#totals.target = await this.#targetCount()
    const buckets = new Buckets(this.#totals.target)
    await scan('source', 0, 0, (document) => buckets.add('source', document))
    this.#totals.source = buckets.total('source')
    await scan('target', 0, 0, (document) => buckets.add('target', document))
    return buckets
  }

  /** As the target counts: the number of buckets goes by it, and progress. */
  async #targetCount(): Promise<number> {
    const path = `/${encodeURIComponent(this.#targetIndex)}/_count`
    const { signal } = this.#input
    const { body } = await this.#input.target.request('GET', path, { accept: [404], signal })
    return typeof body['count'] === 'number' ? body['count'] : 0
  }

  async #look(scan: ScanSide, buckets: Buckets): Promise<void> {
    const { counts, notes, examples } = this.#findings
    const differing = buckets.differing()
    counts.equal = buckets.total('source')
    for (const bucket of differing) counts.equal -= buckets.source[bucket]!
    const passes = planPasses(buckets, differing)
    let changed = false
    for (const [i, chosen] of passes.entries()) {
      const pass = new DifferencePass(buckets, chosen)
      for (const side of ['source', 'target'] as const)
        await scan(side, i + 1, passes.length, (document) => pass.add(side, document))
      pass.pairUp(counts, (example) => {
        if (examples.length < this.#input.options.examplesMax) examples.push(example)
      })
      changed ||= pass.changed
    }
    if (changed) {
      this.#findings.unknown =
        'the target was written to while it was compared; compare again when it is quiet'
    }
    notes.push(`${buckets.count} buckets, ${differing.length} of them looked into`)
  }

  #watch(
    side: Side,
    pass: number,
    passes: number,
    visit: Visit,
  ): { visit: Visit; report: () => void } {
    const { onProgress } = this.#input
    let documents = 0
    let bytes = 0
    const report = (): void => {
      const total = this.#totals[side]
      onProgress?.({
        ...{ index: this.#index, side, pass, passes, documents, bytes },
        ...(total !== undefined && { documentsTotal: total }),
      })
    }
    return {
      report,
      visit: (document) => {
        documents++
        bytes += document.sourceBytes
        visit(document)
        if (documents % progressEvery === 0) report()
      },
    }
  }
}

const progressEvery = 5000

/** What was done to the documents of the snapshot because of their mapping types, as the plan has announced it. */
function typesNote({ only, keepIn, join }: DocumentTypes): string {
  const done = [
    ...(only ? [`only those of the mapping types ${only.join(', ')} were compared`] : []),
    ...(keepIn === null ? [] : [`${keepIn} holds the mapping type, and the id begins with it`]),
    ...(join ? [`${join.field} holds what _parent was`] : []),
  ]
  return `documents of the snapshot were brought to the form of the target: ${done.join('; ')}`
}

async function countDeadLetters(
  state: StateStore | undefined,
  index: string,
): Promise<{ open: number; discarded: number }> {
  const found = { open: 0, discarded: 0 }
  if (state === undefined) return found
  for await (const { value } of state.each(deadLetterKind, { prefix: `${index}/` })) {
    if (value.state === 'open') found.open++
    else if (value.state === 'discarded') found.discarded++
  }
  return found
}
