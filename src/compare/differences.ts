import type { Side } from '../cluster/cluster.ts'
import type { Buckets } from './buckets.ts'
import type { DocumentName, ScannedDocument } from './scanned-document.ts'
import type { SliceCollector } from './side-scan.ts'

/** Documents of both sides that one pass holds at most, save where one bucket alone has more. */
export const entriesMax = 2_000_000
/** What they take, with their names: see DifferencePass. */
const passBytesMax = 160 * 1024 * 1024

export interface DifferenceCounts {
  equal: number
  different: number
  missing: number
  extra: number
}

export interface Difference {
  /** missing: not on the target. extra: not on the source. different: on both, not the same. */
  readonly kind: 'different' | 'missing' | 'extra'
  readonly source?: DocumentName
  readonly target?: DocumentName
}

/** How many entries fit, when a name has so many bytes on average. */
export function entriesThatFit(nameBytes: number): number {
  const entryBytes = 4 * columns + 12 + nameBytes + nameOverhead
  return Math.min(entriesMax, Math.floor(passBytesMax / entryBytes))
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
 * What buckets that nobody looks into say by themselves: the least that differs. It is exact where one side has nothing
 * there at all.
 */
export function countUnseen(
  buckets: Buckets,
  unseen: Iterable<number>,
  counts: DifferenceCounts,
): void {
  for (const bucket of unseen) {
    const source = buckets.source[bucket]!
    const target = buckets.target[bucket]!
    const both = Math.min(source, target)
    const different = source === target ? 1 : 0
    counts.missing += source - both
    counts.extra += target - both
    counts.different += different
    counts.equal += both - different
  }
}

/** Slot, id1, id2, whole1, whole2, end of the name. */
const columns = 6
const chunkEntries = 4096
/** Brackets, quotes and a comma. */
const nameOverhead = 10

/** Entries of one slice in the order they came in, 24 bytes each and the name: `["id","routing"?]`. */
class Entries implements SliceCollector {
  readonly chunks: { readonly numbers: Int32Array; names: Buffer; count: number }[] = []
  readonly #buckets: Buckets
  readonly #slotOf: Int32Array

  constructor(buckets: Buckets, slotOf: Int32Array) {
    this.#buckets = buckets
    this.#slotOf = slotOf
  }

  add(document: ScannedDocument): void {
    const slot = this.#slotOf[this.#buckets.bucketOf(document)]! - 1
    if (slot < 0) return
    let chunk = this.chunks.at(-1)
    if (chunk === undefined || chunk.count === chunkEntries) {
      chunk = {
        numbers: new Int32Array(chunkEntries * columns),
        names: Buffer.allocUnsafeSlow(chunkEntries * 32),
        count: 0,
      }
      this.chunks.push(chunk)
    }
    const at = chunk.count * columns
    const { numbers } = chunk
    const nameStart = chunk.count === 0 ? 0 : numbers[at - 1]!
    const { id, routing } = document.name()
    const name = JSON.stringify(routing === undefined ? [id] : [id, routing])
    if (nameStart + name.length * 3 > chunk.names.length) {
      const larger = Buffer.allocUnsafeSlow(chunk.names.length * 2 + name.length * 3)
      chunk.names.copy(larger, 0, 0, nameStart)
      chunk.names = larger
    }
    numbers[at] = slot
    numbers[at + 1] = document.id1
    numbers[at + 2] = document.id2
    numbers[at + 3] = document.whole1
    numbers[at + 4] = document.whole2
    numbers[at + 5] = nameStart + chunk.names.write(name, nameStart)
    chunk.count++
  }
}

/**
 * One look into some buckets: takes every document of these buckets from both sides, then pairs them by id. Memory: 36
 * bytes a document and its name. What was written between the first scan and this one counts as it is now.
 */
export class DifferencePass {
  readonly #buckets: Buckets
  readonly #chosen: readonly number[]
  /** Bucket → position in this pass + 1; 0 for a bucket of another pass. */
  readonly #slotOf: Int32Array
  readonly #sides: { readonly [side in Side]: SideEntries }

  constructor(buckets: Buckets, chosen: readonly number[]) {
    this.#buckets = buckets
    this.#chosen = chosen
    this.#slotOf = new Int32Array(buckets.count)
    chosen.forEach((bucket, slot) => (this.#slotOf[bucket] = slot + 1))
    this.#sides = { source: new SideEntries(), target: new SideEntries() }
  }

  /** What takes the documents of one slice. */
  begin(): Entries {
    return new Entries(this.#buckets, this.#slotOf)
  }

  /** A slice of a side was read whole. */
  take(side: Side, slice: Entries): void {
    this.#sides[side].chunks.push(...slice.chunks)
  }

  /**
   * Counts into `counts`, and calls `found` for each document that differs. True where a side did not show as many
   * documents as in the first scan.
   */
  pairUp(counts: DifferenceCounts, found: (difference: Difference) => void): boolean {
    const { source, target } = this.#sides
    const slots = this.#chosen.length
    source.sort(slots)
    target.sort(slots)
    let changed = false
    for (let slot = 0; slot < slots; slot++) {
      const sources = source.ofSlot(slot)
      const targets = target.ofSlot(slot)
      const bucket = this.#chosen[slot]!
      changed ||= sources.length !== this.#buckets.source[bucket]
      changed ||= targets.length !== this.#buckets.target[bucket]
      for (let s = 0, t = 0; s < sources.length || t < targets.length;) {
        const order = compareIds(source, sources[s], target, targets[t])
        const sEnd = order <= 0 ? source.endOfId(sources, s) : s
        const tEnd = order >= 0 ? target.endOfId(targets, t) : t
        this.#pairOneId(sources.slice(s, sEnd), targets.slice(t, tEnd), counts, found)
        s = sEnd
        t = tEnd
      }
    }
    return changed
  }

  /**
   * The documents of one id, several where it was written with several routings. Equal ones first; what is left over
   * on both sides is different, what is left on one is missing or extra.
   */
  #pairOneId(
    sources: ArrayLike<number> & Iterable<number>,
    targets: Iterable<number>,
    counts: DifferenceCounts,
    found: (difference: Difference) => void,
  ): void {
    const { source, target } = this.#sides
    const others = [...targets]
    const unmatched = [...sources].filter((entry) => {
      const twin = others.findIndex((other) => source.sameAs(entry, target, other))
      if (twin < 0) return true
      others.splice(twin, 1)
      counts.equal++
      return false
    })
    for (let i = 0; i < Math.max(unmatched.length, others.length); i++) {
      const from = unmatched[i]
      const to = others[i]
      const kind = from === undefined ? 'extra' : to === undefined ? 'missing' : 'different'
      counts[kind]++
      found({
        kind,
        ...(from !== undefined && { source: source.name(from) }),
        ...(to !== undefined && { target: target.name(to) }),
      })
    }
  }
}

/** The documents of one side in a pass: entry = chunk × 4096 + place in the chunk. */
class SideEntries {
  readonly chunks: Entries['chunks'] = []
  #order = new Uint32Array(0)
  #start = new Uint32Array(1)

  /** Puts the entries of each slot side by side, in order of id. */
  sort(slots: number): void {
    this.#start = new Uint32Array(slots + 1)
    for (const { numbers, count } of this.chunks) {
      for (let i = 0; i < count; i++) this.#start[numbers[i * columns]! + 1]! += 1
    }
    for (let slot = 0; slot < slots; slot++) this.#start[slot + 1]! += this.#start[slot]!
    this.#order = new Uint32Array(this.#start[slots]!)
    const filled = this.#start.slice()
    for (const [n, { numbers, count }] of this.chunks.entries()) {
      for (let i = 0; i < count; i++) {
        this.#order[filled[numbers[i * columns]!]!++] = n * chunkEntries + i
      }
    }
    for (let slot = 0; slot < slots; slot++) {
      this.ofSlot(slot).sort((a, b) => compareIds(this, a, this, b))
    }
  }

  ofSlot(slot: number): Uint32Array {
    return this.#order.subarray(this.#start[slot], this.#start[slot + 1])
  }

  endOfId(entries: Uint32Array, from: number): number {
    let end = from + 1
    while (end < entries.length && compareIds(this, entries[from], this, entries[end]) === 0) end++
    return end
  }

  id1(entry: number): number {
    return this.#number(entry, 1)
  }

  id2(entry: number): number {
    return this.#number(entry, 2)
  }

  sameAs(entry: number, other: SideEntries, otherEntry: number): boolean {
    return (
      this.#number(entry, 3) === other.#number(otherEntry, 3) &&
      this.#number(entry, 4) === other.#number(otherEntry, 4)
    )
  }

  name(entry: number): DocumentName {
    const { numbers, names } = this.chunks[Math.floor(entry / chunkEntries)]!
    const at = (entry % chunkEntries) * columns
    const start = at === 0 ? 0 : numbers[at - 1]!
    const [id, routing] = JSON.parse(names.toString('utf8', start, numbers[at + 5])) as string[]
    return { id: id!, ...(routing !== undefined && { routing }) }
  }

  #number(entry: number, column: number): number {
    const { numbers } = this.chunks[Math.floor(entry / chunkEntries)]!
    return numbers[(entry % chunkEntries) * columns + column]!
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
