/** Sides of any size that exist as numbers alone: what a comparison holds of them is what is measured. */
import type { Side } from '../../src/cluster/cluster.ts'
import { Buckets } from '../../src/compare/buckets.ts'
import {
  DifferencePass,
  entriesThatFit,
  planPasses,
  type DifferenceCounts,
} from '../../src/compare/differences.ts'
import { mix } from '../../src/compare/digest-halves.ts'
import { ScannedDocument } from '../../src/compare/scanned-document.ts'
import { readSide, type SideScan } from '../../src/compare/side-scan.ts'

export interface ManyDocuments {
  /** Of the source. */
  readonly documents: number
  readonly shards: number
  readonly slices: number
  /** A third each of missing, extra and different ones, spread evenly. */
  readonly differences: number
}

export interface ManyCompared {
  readonly counts: DifferenceCounts
  readonly found: number
  readonly passes: number
  /** Of the process, at most, beyond what it had before. */
  readonly grownMb: number
}

const turnDocuments = 1_000_000

/** Compares them as compareDocuments() does: slices with sums of their own, then the buckets that differ. */
export async function manyDocuments(input: ManyDocuments): Promise<ManyCompared> {
  const { documents, slices, differences } = input
  const before = process.memoryUsage.rss()
  let most = before
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const sides = { source: sideOf('source', input, look), target: sideOf('target', input, look) }
  const signal = new AbortController().signal
  const common = { known: new Set<number>(), slicesMax: slices, signal }
  const buckets = new Buckets(documents)
  await bothSides((side) =>
    readSide(sides[side], {
      ...common,
      begin: () => {
        const own = buckets.alike()
        return { own, add: (document: ScannedDocument) => own.add(side, document) }
      },
      take: (_, { own }) => buckets.addAll(own),
    }),
  )
  const counts = { equal: buckets.total('source'), different: 0, missing: 0, extra: 0 }
  const differing = buckets.differing()
  for (const bucket of differing) counts.equal -= buckets.source[bucket]!
  const passes = planPasses(buckets, differing, entriesThatFit(12))
  let found = 0
  for (const chosen of passes) {
    const pass = new DifferencePass(buckets, chosen)
    await bothSides((side) =>
      readSide(sides[side], {
        ...common,
        begin: () => pass.begin(),
        take: (_, slice) => pass.take(side, slice),
      }),
    )
    pass.pairUp(counts, () => found++)
    look()
  }
  if (differences > 0 && passes.length === 0) throw new Error('nothing differs')
  return { counts, found, passes: passes.length, grownMb: (most - before) / 1e6 }
}

async function bothSides(work: (side: Side) => Promise<void>): Promise<void> {
  await Promise.all([work('source'), work('target')])
}

/** Of every `documents / differences` documents one differs: it is missing, another one, or has an extra one beside it. */
function sideOf(
  side: Side,
  { documents, shards, differences }: ManyDocuments,
  look: () => void,
): SideScan {
  const apart = Math.floor(documents / differences)
  const isTarget = side === 'target'
  return {
    ...{ side, slices: shards, identity: side, documents },
    scanSlice: async (shard, visit) => {
      const document = new ScannedDocument()
      const show = (n: number, whole: number): void => {
        mix(halves, n | 0, Math.floor(n / 2 ** 32) + 1)
        document.id1 = halves.half1
        document.id2 = halves.half2
        mix(halves, halves.half1 ^ whole, halves.half2)
        document.whole1 = halves.half1
        document.whole2 = halves.half2
        visit(document)
      }
      let shown = 0
      document.name = () => ({ id: `document-${shown}` })
      for (let n = shard; n < documents; n += shards) {
        const place = n / apart
        const how = isTarget && Number.isInteger(place) && place < differences ? place % 3 : -1
        shown = n
        if (how !== 0) show(n, how === 1 ? 1 : 0)
        shown = n + documents
        if (how === 2) show(n + documents, 0)
        if (n % turnDocuments < shards) {
          look()
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      return 0
    },
  }
}

const halves = { half1: 0, half2: 0 }
