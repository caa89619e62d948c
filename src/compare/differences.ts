import type { Side } from '../cluster/cluster.ts'
import type { Buckets } from './buckets.ts'
import type { DocumentName, ScannedDocument } from './scanned-document.ts'

/** Documents of both sides that one pass holds at most (32 bytes each), save where one bucket alone has more. */
export const entriesMax = 2_000_000
/** Documents whose names are kept while a pass runs, so that some of the differing ones can be shown. */
const namedMax = 20_000

export interface DifferenceCounts {
  equal: number
  different: number
  missing: number
  extra: number
}

export interface DifferenceExample {
  /** missing: not on the target. extra: not on the source. different: on both, not the same. */
  readonly kind: 'different' | 'missing' | 'extra'
  readonly source?: DocumentName
  readonly target?: DocumentName
}

/** Divides differing buckets into passes that each fit into memory. */
export function planPasses(
  buckets: Buckets,
  differing: readonly number[],
  entriesOfPassMax = entriesMax,
): number[][] {
  const passes: number[][] = []
  let entries = Infinity
  for (const bucket of differing) {
    const size = buckets.source[bucket]! + buckets.target[bucket]!
    if (entries + size > entriesOfPassMax) {
      passes.push([])
      entries = 0
    }
    passes.at(-1)!.push(bucket)
    entries += size
  }
  return passes
}

/**
 * One look into some buckets: takes every document of these buckets from both sides, then pairs them by id.
 * There is room for as many as the first scan counted; if another number comes, the index was written to meanwhile.
 */
export class DifferencePass {
  readonly #buckets: Buckets
  /** Bucket → position in this pass + 1; 0 for a bucket of another pass. */
  readonly #slotOf: Int32Array
  readonly #sides: { readonly [side in Side]: SideEntries }
  readonly #slots: number

  constructor(buckets: Buckets, chosen: readonly number[]) {
    this.#buckets = buckets
    this.#slots = chosen.length
    this.#slotOf = new Int32Array(buckets.count)
    chosen.forEach((bucket, slot) => (this.#slotOf[bucket] = slot + 1))
    let named = 0
    let slots = 0
    for (const bucket of chosen) {
      named += buckets.source[bucket]! + buckets.target[bucket]!
      if (named > namedMax && slots > 0) break
      slots++
    }
    this.#sides = {
      source: new SideEntries(buckets.source, chosen, slots),
      target: new SideEntries(buckets.target, chosen, slots),
    }
  }

  add(side: Side, document: ScannedDocument): void {
    const slot = this.#slotOf[this.#buckets.bucketOf(document)]! - 1
    if (slot >= 0) this.#sides[side].add(slot, document)
  }

  /** True when a side did not show the same number of documents as in the first scan. */
  get changed(): boolean {
    return this.#sides.source.changed || this.#sides.target.changed
  }

  /** Counts into `counts`, and calls `example` for differing documents whose names were kept. */
  pairUp(counts: DifferenceCounts, example: (found: DifferenceExample) => void): void {
    const { source, target } = this.#sides
    for (let slot = 0; slot < this.#slots; slot++) {
      const sources = source.sorted(slot)
      const targets = target.sorted(slot)
      for (let s = 0, t = 0; s < sources.length || t < targets.length;) {
        const order = compareIds(source, sources[s], target, targets[t])
        const sEnd = order <= 0 ? source.endOfId(sources, s) : s
        const tEnd = order >= 0 ? target.endOfId(targets, t) : t
        this.#pairOneId(sources.slice(s, sEnd), targets.slice(t, tEnd), counts, example)
        s = sEnd
        t = tEnd
      }
    }
  }

  /**
   * The documents of one id, several where it was written with several routings. Equal ones first; what is left over
   * on both sides is different, what is left on one is missing or extra.
   */
  #pairOneId(
    sources: number[],
    targets: number[],
    counts: DifferenceCounts,
    example: (found: DifferenceExample) => void,
  ): void {
    const { source, target } = this.#sides
    const unmatched = sources.filter((entry) => {
      const twin = targets.findIndex((other) => source.sameAs(entry, target, other))
      if (twin < 0) return true
      targets.splice(twin, 1)
      counts.equal++
      return false
    })
    for (let i = 0; i < Math.max(unmatched.length, targets.length); i++) {
      const from = unmatched[i]
      const to = targets[i]
      const kind = from === undefined ? 'extra' : to === undefined ? 'missing' : 'different'
      counts[kind]++
      const sourceName = from === undefined ? undefined : source.names.get(from)
      const targetName = to === undefined ? undefined : target.names.get(to)
      if (sourceName === undefined && targetName === undefined) continue
      example({
        kind,
        ...(sourceName !== undefined && { source: sourceName }),
        ...(targetName !== undefined && { target: targetName }),
      })
    }
  }
}

/** The documents of one side in the buckets of a pass: entry = position in the arrays, grouped by slot. */
class SideEntries {
  readonly names = new Map<number, DocumentName>()
  changed = false
  readonly #start: Int32Array
  readonly #filled: Int32Array
  readonly #id1: Int32Array
  readonly #id2: Int32Array
  readonly #whole1: Int32Array
  readonly #whole2: Int32Array
  readonly #namedSlots: number

  constructor(counts: Int32Array, chosen: readonly number[], namedSlots: number) {
    this.#namedSlots = namedSlots
    this.#start = new Int32Array(chosen.length + 1)
    this.#filled = new Int32Array(chosen.length)
    chosen.forEach((bucket, slot) => {
      this.#start[slot + 1] = this.#start[slot]! + counts[bucket]!
    })
    const size = this.#start[chosen.length]!
    this.#id1 = new Int32Array(size)
    this.#id2 = new Int32Array(size)
    this.#whole1 = new Int32Array(size)
    this.#whole2 = new Int32Array(size)
  }

  add(slot: number, document: ScannedDocument): void {
    const entry = this.#start[slot]! + this.#filled[slot]!
    if (entry >= this.#start[slot + 1]!) {
      this.changed = true
      return
    }
    this.#filled[slot]! += 1
    this.#id1[entry] = document.id1
    this.#id2[entry] = document.id2
    this.#whole1[entry] = document.whole1
    this.#whole2[entry] = document.whole2
    if (slot < this.#namedSlots) this.names.set(entry, document.name())
  }

  /** The entries of a slot in order of id. */
  sorted(slot: number): number[] {
    const start = this.#start[slot]!
    const count = this.#filled[slot]!
    if (start + count !== this.#start[slot + 1]) this.changed = true
    return Array.from({ length: count }, (_, i) => start + i).sort((a, b) =>
      compareIds(this, a, this, b),
    )
  }

  endOfId(entries: readonly number[], from: number): number {
    let end = from + 1
    while (end < entries.length && compareIds(this, entries[from], this, entries[end]) === 0) end++
    return end
  }

  id1(entry: number): number {
    return this.#id1[entry]!
  }

  id2(entry: number): number {
    return this.#id2[entry]!
  }

  sameAs(entry: number, other: SideEntries, otherEntry: number): boolean {
    return (
      this.#whole1[entry] === other.#whole1[otherEntry] &&
      this.#whole2[entry] === other.#whole2[otherEntry]
    )
  }
}

/** Order of two entries by id; an entry that is not there comes last. */
function compareIds(
  one: SideEntries,
  a: number | undefined,
  other: SideEntries,
  b: number | undefined,
): number {
  if (a === undefined) return b === undefined ? 0 : 1
  if (b === undefined) return -1
  return one.id1(a) - other.id1(b) || one.id2(a) - other.id2(b)
}
