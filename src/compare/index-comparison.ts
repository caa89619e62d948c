import { randomBytes } from 'node:crypto'
import { sourceIndexOf, type DocumentTypes } from '../base/document-types.ts'
import type { Side } from '../cluster/cluster.ts'
import { fingerprint } from '../transform/spec.ts'
import { bucketsMax, type Buckets } from './buckets.ts'
import { CanonicalDigest } from './canonical.ts'
import { clusterSide } from './cluster-side.ts'
import type { ComparedIndex, CompareInput } from './compare-documents.ts'
import { SliceCheckpoints } from './checkpoints.ts'
import {
  countUnseen,
  DifferencePass,
  entriesThatFit,
  planPasses,
  type Difference,
} from './differences.ts'
import { documentChange } from './document-change.ts'
import type { IndexFindings } from './findings.ts'
import type { BlockChange } from './hit-blocks.ts'
import { lookAgain } from './look-again.ts'
import type { ScannedDocument } from './scanned-document.ts'
import { readSide, type SideScan, type SliceCollector } from './side-scan.ts'
import { snapshotSide } from './snapshot-side.ts'
import { Throttle } from './throttle.ts'
import { isNumbered, versionRule, type VersionRule } from './version-rule.ts'

/** Whole scans of both sides at most that look into buckets that differ. */
const passesMax = 8
/** Differences whose documents are looked at once more while writes go on, or that are handed on. */
const heldMax = 100_000
const progressEvery = 5000
/** Of all sums together. */
const sumsBytesMax = 128 * 1024 * 1024

/** Compares one index; what it finds goes into `findings`. */
export class IndexComparison {
  readonly #input: CompareInput
  readonly #index: string
  readonly #sourceIndex: string
  readonly #target: ComparedIndex
  readonly #findings: IndexFindings
  readonly #rule: VersionRule | undefined
  readonly #throttles: { readonly [side in Side]: Throttle }
  readonly #totals: { [side in Side]?: number } = {}
  #change: BlockChange | undefined
  #transforms = false
  #nameBytes = 0

  constructor(input: CompareInput, index: string, target: ComparedIndex, findings: IndexFindings) {
    this.#input = input
    this.#index = index
    this.#target = target
    this.#sourceIndex = sourceIndexOf(index)
    this.#findings = findings
    const { source, options } = input
    const numbered =
      'cluster' in source ? isNumbered(source.cluster.version) : source.numbered !== false
    this.#rule = input.quick === true ? versionRule(target, { numbered }) : undefined
    this.#throttles = {
      source: new Throttle(options.sourceBytesPerSecondMax),
      target: new Throttle(options.targetBytesPerSecondMax),
    }
  }

  async run(): Promise<void> {
    await this.#noteChange()
    if (this.#rule !== undefined && this.#obstacleToQuick()) return
    const seed = randomBytes(8)
    const halves = { half1: seed.readInt32LE(0), half2: seed.readInt32LE(4) }
    const checkpoints = await SliceCheckpoints.open(this.#input, this.#index, halves)
    const digest = new CanonicalDigest(checkpoints.seed)
    const sides = {
      source: await this.#source(digest),
      target: await this.#targetSide(digest),
    }
    const buckets = await this.#fill(sides, checkpoints)
    const differences = await this.#look(sides, buckets)
    await this.#again(differences, digest)
    this.#findings.differences = differences
    await checkpoints.done()
  }

  /** Why versions say nothing of this index. */
  #obstacleToQuick(): boolean {
    const why =
      this.#rule?.from === 'none'
        ? 'it is behind a data stream of the target, whose documents have no versions of ours'
        : this.#transforms
          ? 'its documents are changed by the transform, which may leave some out or give them other ids'
          : undefined
    if (why === undefined) return false
    this.#findings.unknown = `versions cannot be compared: ${why}; compare it without --quick`
    return true
  }

  async #source(digest: CanonicalDigest): Promise<SideScan> {
    const { source } = this.#input
    const change = this.#change
    const common = { index: this.#sourceIndex, digest, rule: this.#rule, change }
    const throttle = this.#throttles.source
    if ('snapshot' in source) {
      return snapshotSide({ ...common, throttle, snapshot: source.snapshot })
    }
    return (
      (await clusterSide({ ...common, ...this.#asked(), throttle, cluster: source.cluster })) ??
      this.#nothing('source', this.#sourceIndex)
    )
  }

  async #targetSide(digest: CanonicalDigest): Promise<SideScan> {
    const rule = this.#rule && { from: 'version' as const, byClients: true, epochBase: 0 }
    const index = this.#target.targetIndex
    const throttle = this.#throttles.target
    const cluster = this.#input.target
    return (
      (await clusterSide({ ...this.#asked(), cluster, index, digest, rule, throttle })) ??
      this.#nothing('target', index)
    )
  }

  #asked(): { pageBytesMax: number; signal: AbortSignal } {
    const { options, signal } = this.#input
    return { pageBytesMax: options.pageBytesMax, signal }
  }

  #nothing(side: Side, index: string): SideScan {
    this.#findings.notes.push(`there is no index ${index} on the ${side}`)
    return { side, slices: 0, identity: 'none', documents: 0, scanSlice: async () => 0 }
  }

  /** What was done to documents of this index, with a note of it. */
  async #noteChange(): Promise<void> {
    const { transform } = this.#input
    const index = this.#sourceIndex
    const { change, transforms } = await documentChange(index, this.#target, transform)
    this.#change = change
    this.#transforms = transforms
    const { types } = this.#target
    if (types !== undefined) this.#findings.notes.push(typesNote(types))
    if (!transforms) return
    this.#findings.notes.push(
      `the transform ${fingerprint(transform?.spec, index)} was applied to the documents of the source: what it makes of them is what was compared`,
    )
  }

  /** Both sides at once, each slice by itself, so that what was read whole is kept whatever ends this process. */
  async #fill(sides: Sides, checkpoints: SliceCheckpoints): Promise<Buckets> {
    const { source, target } = sides
    this.#totals.target = target.documents ?? 0
    this.#totals.source = source.documents ?? this.#totals.target
    const counted = Math.max(source.documents ?? 0, target.documents ?? 0)
    const expected = Math.max(counted, source.documentsAbout ?? 0)
    // Each slice that is being read has sums of its own.
    const countMax = sumsBytesMax / 16 / (1 + 2 * this.#input.options.slices)
    const known = await checkpoints.resume(sides, expected, Math.min(bucketsMax, countMax))
    const { buckets } = known
    let nameBytes = 0
    await this.#readBoth(sides, {
      pass: 0,
      passes: 0,
      known: known.done,
      begin: (side) => {
        const own = buckets.alike()
        return {
          buckets: own,
          add: (document) => {
            own.add(side, document)
            nameBytes += document.nameBytes
          },
        }
      },
      take: async (side, slice, one: SliceCollector & { buckets: Buckets }, dropped) => {
        buckets.addAll(one.buckets)
        await checkpoints.read(side, slice, dropped)
      },
    })
    const total = buckets.total('source') + buckets.total('target')
    this.#nameBytes = Math.min(1024, total === 0 ? 0 : Math.max(nameBytes / total, 8))
    this.#findings.leftOut.dropped = checkpoints.dropped
    for (const side of bothSides) this.#totals[side] = buckets.total(side)
    return buckets
  }

  async #look(sides: Sides, buckets: Buckets): Promise<Difference[]> {
    const { counts, notes } = this.#findings
    const differing = buckets.differing()
    counts.equal = buckets.total('source')
    for (const bucket of differing) counts.equal -= buckets.source[bucket]!
    const entriesMax = entriesThatFit(this.#nameBytes)
    const fits = (bucket: number): boolean =>
      buckets.source[bucket]! + buckets.target[bucket]! <= entriesMax
    const all = planPasses(buckets, differing.filter(fits), entriesMax)
    const passes = all.slice(0, passesMax)
    const held: Difference[] = []
    let changed = false
    for (const [i, chosen] of passes.entries()) {
      const pass = new DifferencePass(buckets, chosen)
      await this.#readBoth(sides, {
        pass: i + 1,
        passes: passes.length,
        known: nothingKnown,
        begin: () => pass.begin(),
        take: (side, _, one: ReturnType<DifferencePass['begin']>) => pass.take(side, one),
      })
      const isOther = pass.pairUp(counts, (difference) => {
        if (held.length < heldMax) held.push(difference)
      })
      changed ||= isOther
    }
    const unseen = [...all.slice(passesMax).flat(), ...differing.filter((one) => !fits(one))]
    countUnseen(buckets, unseen, counts)
    if (unseen.length > 0) {
      notes.push(
        `so much differs that ${unseen.length} of ${differing.length} buckets were not looked into: of these the counts are the least that differs`,
      )
    }
    if (changed && 'snapshot' in this.#input.source) {
      this.#findings.unknown =
        'the target was written to while it was compared; compare again when it is quiet'
    }
    notes.push(`${buckets.count} buckets, ${differing.length} of them looked into`)
    return held
  }

  /** What differed while writes went on may have been under way. */
  async #again(differences: Difference[], digest: CanonicalDigest): Promise<void> {
    const { source, target, settled, signal } = this.#input
    if ('snapshot' in source || differences.length === 0) return
    const { counts, notes } = this.#findings
    const still = await lookAgain(differences, {
      ...{ source: source.cluster, target, digest, signal, counts },
      indices: { source: this.#sourceIndex, target: this.#target.targetIndex },
      rules: {
        source: this.#rule,
        target: this.#rule && { from: 'version', byClients: true, epochBase: 0 },
      },
      change: this.#change,
      hasTypeInId: (this.#target.types?.keepIn ?? null) !== null,
      settled: settled ?? (async () => undefined),
    })
    if (still.unsettled !== undefined) {
      this.#findings.unknown = `${still.unsettled}, so that what differs may be under way; compare again`
    }
    if (still.seen < differences.length) notes.push('not all that differed was looked at once more')
    differences.splice(0, differences.length, ...still.differences)
  }

  async #readBoth<Collector extends SliceCollector>(
    sides: Sides,
    reading: {
      pass: number
      passes: number
      known: { readonly [side in Side]: ReadonlySet<number> }
      begin: (side: Side) => Collector
      take: (
        side: Side,
        slice: number,
        collector: Collector,
        dropped: number,
      ) => Promise<void> | void
    },
  ): Promise<void> {
    const { pass, passes, known, begin, take } = reading
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#input.signal, stop.signal])
    const outcomes = await Promise.allSettled(
      bothSides.map(async (side) => {
        const watched = this.#watch(side, pass, passes)
        try {
          await readSide(sides[side], {
            ...{ known: known[side], slicesMax: this.#input.options.slices, signal },
            begin: () => watched.with(begin(side)),
            take: (slice, collector, dropped) => take(side, slice, collector.inner, dropped),
          })
          watched.report()
        } catch (error) {
          stop.abort(error)
          throw error
        }
      }),
    )
    if (stop.signal.aborted && !this.#input.signal.aborted) throw stop.signal.reason
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  #watch(side: Side, pass: number, passes: number) {
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
      with: <Collector extends SliceCollector>(inner: Collector) => ({
        inner,
        add: (document: ScannedDocument) => {
          documents++
          bytes += document.sourceBytes
          inner.add(document)
          if (documents % progressEvery === 0) report()
        },
      }),
    }
  }
}

type Sides = { readonly [side in Side]: SideScan }

const bothSides = ['source', 'target'] as const
const nothingKnown = { source: new Set<number>(), target: new Set<number>() }

/** What was done to the documents of the source because of their mapping types, as the plan has announced it. */
function typesNote({ only, keepIn, join }: DocumentTypes): string {
  const done = [
    ...(only ? [`only those of the mapping types ${only.join(', ')} were compared`] : []),
    ...(keepIn === null ? [] : [`${keepIn} holds the mapping type, and the id begins with it`]),
    ...(join ? [`${join.field} holds what _parent was`] : []),
  ]
  return `documents of the source were brought to the form of the target: ${done.join('; ')}`
}
