import { countDropped, sumOf, type Dropped } from './dropped.ts'
import type { IndexWork } from './plan.ts'
import type { BackfillIndex, BackfillShard, Totals, WorkItem } from './records.ts'

/** How far one index is. Counts are of documents that are settled. */
export interface IndexProgress {
  index: string
  targetIndex: string
  state: BackfillIndex['state']
  itemsDone: number
  /** Of the shards that were opened so far. */
  itemsTotal: number
  shardsOpened: number
  shardsTotal: number
  read: number
  written: number
  failed: number
  /** Not carried over, since the index keeps no `_source` of them. */
  withoutSource: number
  /** Written without the `_timestamp` or `_ttl` that they have on the source. */
  withTimestamp: number
  /** What a transform left out, by reason. */
  dropped: Dropped[]
  sourceBytes: number
  snapshotBytes: number
  snapshotBytesTotal: number
  /** What could not be read or written, by name. */
  errors: { shard: number | null; code: string; message: string }[]
  notes: string[]
}

/** What onProgress gets, a few times a second at most. */
export interface BackfillProgress {
  indices: IndexProgress[]
  totals: Totals
  snapshotBytesTotal: number
  /** Averages over the last seconds. */
  documentsPerSecond: number
  sourceBytesPerSecond: number
  /** undefined while nothing can be said. */
  etaMs?: number
  /** What the run waits for, and since when (ISO 8601). */
  waiting?: { on: string; since: string }
}

export function indexProgress(index: IndexWork): IndexProgress {
  const { record, target, shards, items } = index
  const bytes = new Map<number, { settled: number; stored: number }>()
  const sum = {
    ...{ read: 0, written: 0, failed: 0, withoutSource: 0, withTimestamp: 0, sourceBytes: 0 },
    itemsDone: 0,
  }
  const dropped: Dropped[] = []
  for (const item of items) {
    sum.read += item.read
    sum.written += item.written
    sum.failed += item.failed
    sum.withoutSource += item.withoutSource ?? 0
    sum.withTimestamp += item.withTimestamp ?? 0
    for (const one of item.dropped ?? []) countDropped(dropped, one)
    sum.sourceBytes += item.sourceBytes
    if (item.done) sum.itemsDone++
    const shard = bytes.get(item.shard) ?? { settled: 0, stored: 0 }
    shard.settled += item.storedBytes * settledShare(item)
    shard.stored += item.storedBytes
    bytes.set(item.shard, shard)
  }
  return {
    index: record.index,
    targetIndex: target.targetIndex,
    state: record.state,
    itemsTotal: items.length,
    shardsOpened: shards.filter(({ state }) => state === 'planned').length,
    shardsTotal: shards.filter(({ state }) => state !== 'elsewhere').length,
    ...sum,
    dropped,
    snapshotBytes: shards.reduce(
      (total, shard) => total + settledBytes(shard, bytes.get(shard.shard)),
      0,
    ),
    snapshotBytesTotal: shards.reduce((total, { byteLength }) => total + byteLength, 0),
    errors: errorsOf(record, shards),
    notes: record.notes,
  }
}

export function totalsOf(indices: readonly IndexProgress[]): Totals {
  const totals: Totals = {
    ...{ read: 0, written: 0, failed: 0, withoutSource: 0, withTimestamp: 0, sourceBytes: 0 },
    snapshotBytes: 0,
    dropped: 0,
  }
  for (const index of indices) {
    totals.read += index.read
    totals.written += index.written
    totals.failed += index.failed
    totals.withoutSource += index.withoutSource
    totals.withTimestamp += index.withTimestamp
    totals.dropped += sumOf(index.dropped)
    totals.sourceBytes += index.sourceBytes
    totals.snapshotBytes += index.snapshotBytes
  }
  return totals
}

function settledShare(item: WorkItem): number {
  if (item.done) return 1
  return (item.checkpoint - item.fromDoc) / Math.max(1, item.toDoc - item.fromDoc)
}

function settledBytes(
  shard: BackfillShard,
  stored: { settled: number; stored: number } | undefined,
): number {
  if (shard.state !== 'planned') return 0
  if (!stored || stored.stored === 0) return shard.byteLength
  return Math.round((shard.byteLength * stored.settled) / stored.stored)
}

function errorsOf(
  record: BackfillIndex,
  shards: readonly BackfillShard[],
): IndexProgress['errors'] {
  const ofShards = shards.flatMap(({ shard, error }) => (error ? [{ shard, ...error }] : []))
  return record.error ? [{ shard: null, ...record.error }, ...ofShards] : ofShards
}

/** Averages over a sliding window of samples. */
export class Rates {
  readonly #samples: { at: number; totals: Totals }[] = []

  add(at: number, totals: Totals): void {
    this.#samples.push({ at, totals })
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > windowMs) this.#samples.shift()
  }

  /** Per second. */
  get(field: 'written' | 'sourceBytes' | 'snapshotBytes'): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (!first || !last || last.at === first.at) return 0
    return ((last.totals[field] - first.totals[field]) * 1000) / (last.at - first.at)
  }
}

const windowMs = 10_000
