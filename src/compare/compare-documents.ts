import { sourceIndexOf } from '../base/document-types.ts'
import { MigrationError, unreadableCodes } from '../base/errors.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { Cluster, Side } from '../cluster/cluster.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { StateStore } from '../state/store.ts'
import { documentDifferenceKind, verdictKind } from '../state/records.ts'
import type { TargetIndex, Verdict } from '../state/records.ts'
import type { Transform } from '../usercode/transform.ts'
import type { Difference } from './differences.ts'
import { noFindings, type IndexFindings } from './findings.ts'
import { IndexComparison } from './index-comparison.ts'
import { readNumbers } from './numbers.ts'
import type { CompareOptions } from './options.ts'
import { throwIfStopped } from './stopped.ts'
import { differenceRecords, drawVerdict } from './verdict.ts'

/** Where the documents of the source are read. */
export type CompareSource =
  | {
      readonly snapshot: Snapshot
      /** False where the engine that made it numbers nothing (before 6.0). */
      readonly numbered?: boolean
    }
  | { readonly cluster: Cluster }

/** A document that the target refused. */
export interface Letter {
  readonly id: string
  readonly state: 'open' | 'discarded'
}

export interface CompareInput {
  readonly source: CompareSource
  readonly target: Cluster
  /** Where verdicts, differences and checkpoints are kept; without it a verdict is only returned. */
  readonly state?: StateStore
  /** Names on the source. */
  readonly indices: readonly string[]
  /** What an index is on the target; undefined makes its verdict unknown. */
  readonly targetIndexOf: (index: string) => ComparedIndex | undefined
  /** What was done to the documents on their way: it is done to those of the source before they are compared. */
  readonly transform?: Transform
  /** Ids and versions alone: no `_source` is read. */
  readonly quick?: boolean
  /** Dead letters of an index, by whatever wrote them. */
  readonly lettersOf?: (index: string) => AsyncIterable<Letter>
  /** See LookAgainInput. Absent: nobody brings anything to the target. */
  readonly settled?: (signal: AbortSignal) => Promise<string | undefined>
  /** What was read since then, by a comparison that did not end, is not read again. */
  readonly resumeSince?: Date
  readonly options: CompareOptions
  readonly signal: AbortSignal
  readonly onProgress?: (progress: CompareProgress) => void
}

/** What must be known of an index that is on the target. */
export type ComparedIndex = Pick<TargetIndex, 'targetIndex' | 'sourceForm'> &
  Partial<
    Pick<
      TargetIndex,
      'sourceShards' | 'targetShards' | 'types' | 'epochBase' | 'clientVersions' | 'stream'
    >
  >

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
 * Compares every document of the source with every document of the target, both ways, index by index: id, routing
 * and `_source` by value (canonical.ts says what counts as equal), or with `quick` id, routing and version.
 *
 * Both sides are scanned whole, at once and in slices, their digests summed in buckets by a hash of the id. Equal buckets
 * hold equal documents; the others are looked into by further scans, as many as keep memory within bounds. What differs
 * while the source is written to is looked at once more when that has come. Memory: 128 MB of sums at most, 160 MB while
 * differences are listed, and two pages for each slice of either side.
 *
 * A side that cannot be read makes the verdict of that index unknown and says why; what concerns the whole run is
 * thrown: MA_CLUSTER_UNREACHABLE, MA_CLUSTER_AUTH, MA_STATE, MA_STOPPED. Verdicts are stored as they come.
 */
export async function compareDocuments(input: CompareInput): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const index of input.indices) {
    throwIfStopped(input.signal, `comparing ${index}`)
    verdicts.push(await compareIndex(input, index))
  }
  return verdicts
}

async function compareIndex(input: CompareInput, index: string): Promise<Verdict> {
  const { source, options, quick = false } = input
  const startedAt = new Date().toISOString()
  const target = input.targetIndexOf(index)
  const findings = noFindings(target?.sourceForm ?? 'full')
  const numbers = await readBothNumbers(input, index, target)
  const isLive = 'cluster' in source
  findings.notes.push(isLive ? 'source: as it is now' : `source: snapshot ${source.snapshot.name}`)
  const lacking = lackingShards(source, index)
  if (lacking !== '') {
    findings.unknown = `the snapshot is PARTIAL and lacks shard ${lacking} of this index`
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
  await setLettersApart(input, index, findings)
  const verdict = drawVerdict({
    ...{ index, startedAt, numbers, findings, examplesMax: options.examplesMax },
    how: quick ? 'quick' : 'full',
    from: isLive ? 'live' : 'snapshot',
  })
  await storeVerdict(input, verdict, findings.differences)
  return verdict
}

function lackingShards(source: CompareSource, index: string): string {
  if ('cluster' in source) return ''
  const lacking = source.snapshot.shardFailures.filter((one) => one.index === sourceIndexOf(index))
  return lacking.map(({ shard }) => shard).join(', ')
}

/** Where both sides of an index stand now. */
export async function readBothNumbers(
  { source, target, signal }: Pick<CompareInput, 'source' | 'target' | 'signal'>,
  index: string,
  compared: ComparedIndex | undefined,
): Promise<NonNullable<Verdict['numbers']>> {
  const isLive = 'cluster' in source
  return {
    source: isLive ? await readNumbers(source.cluster, sourceIndexOf(index), signal) : null,
    target: compared === undefined ? null : await readNumbers(target, compared.targetIndex, signal),
  }
}

/** What makes the verdict of one index unknown and does not keep the others from being compared. */
const concernsOneIndex: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...unreadableCodes,
  'MA_SNAPSHOT',
  'MA_CLUSTER_RESPONSE',
  'MA_SOURCE_INDEX',
  'MA_TARGET_INDEX',
  'MA_TRANSFORM',
])

/** Documents that are missing because the target refused them are no differences: they are counted apart. */
async function setLettersApart(
  { lettersOf }: CompareInput,
  index: string,
  findings: IndexFindings,
): Promise<void> {
  if (lettersOf === undefined) return
  const missing = new Map<string, Difference>()
  for (const difference of findings.differences) {
    if (difference.kind === 'missing') missing.set(difference.source!.id, difference)
  }
  const { counts, leftOut } = findings
  const apart = new Set<Difference>()
  for await (const { id, state } of lettersOf(index)) {
    findings.letters[state]++
    const difference = missing.get(id)
    if (difference === undefined || apart.has(difference)) continue
    apart.add(difference)
    counts.missing--
    if (state === 'open') leftOut.deadLetters++
    else leftOut.discarded++
  }
  findings.differences = findings.differences.filter((difference) => !apart.has(difference))
}

async function storeVerdict(
  { state, options }: CompareInput,
  verdict: Verdict,
  differences: readonly Difference[],
): Promise<void> {
  if (state === undefined) return
  const { index } = verdict
  for (;;) {
    const old = await state.list(documentDifferenceKind, { prefix: `${index}/` })
    if (old.length === 0) break
    await state.commit(old.map(({ key }) => ({ op: 'delete', kind: documentDifferenceKind, key })))
  }
  await state.commit([
    ...differenceRecords(index, differences.slice(0, options.differencesMax)),
    { op: 'put', kind: verdictKind, key: index, value: verdict },
  ])
}
