import { MigrationError } from '../base/errors.ts'
import type { Side } from '../cluster/cluster.ts'
import type { ScannedDocument } from './scanned-document.ts'

/** One side of a comparison: its documents in slices, each of which can be read any number of times. */
export interface SideScan {
  readonly side: Side
  /** 0: there is no such index. */
  readonly slices: number
  /** What is read, so that slices of something else are not taken for these. */
  readonly identity: string
  /** As the side counts; undefined: it does not tell. */
  readonly documents: number | undefined
  /** About how many there are at most; absent: as many as it counts. */
  readonly documentsAbout?: number
  /** Shows every document of a slice, and gives how many are left out by the transform. */
  scanSlice(
    slice: number,
    visit: (document: ScannedDocument) => void,
    signal: AbortSignal,
  ): Promise<number>
}

/** What one slice gives: kept when it was read whole, thrown away when it has to be read anew. */
export interface SliceCollector {
  add(document: ScannedDocument): void
}

export interface SideReading<Collector extends SliceCollector> {
  /** Those that are not read: they are known from before. */
  readonly known: ReadonlySet<number>
  /** At once. */
  readonly slicesMax: number
  readonly signal: AbortSignal
  begin(): Collector
  /** A slice was read whole. */
  take(slice: number, collector: Collector, dropped: number): Promise<void> | void
}

const attemptsMax = 3

/**
 * Reads the slices of a side, some at once. One that fails in a way that may pass (an expired scroll, a shard that moved,
 * pages that got lost) is read anew, three times in all. Throws what fails for good, when the others have ended.
 */
export async function readSide<Collector extends SliceCollector>(
  scan: SideScan,
  reading: SideReading<Collector>,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([reading.signal, stop.signal])
  let next = 0
  const work = async (): Promise<void> => {
    for (;;) {
      while (reading.known.has(next)) next++
      const slice = next++
      if (slice >= scan.slices) return
      await readSlice(scan, slice, { ...reading, signal })
    }
  }
  const count = Math.min(reading.slicesMax, scan.slices)
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, async () => {
      try {
        await work()
      } catch (error) {
        stop.abort(error)
        throw error
      }
    }),
  )
  if (stop.signal.aborted && !reading.signal.aborted) throw stop.signal.reason
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

async function readSlice<Collector extends SliceCollector>(
  scan: SideScan,
  slice: number,
  { begin, take, signal }: Pick<SideReading<Collector>, 'begin' | 'take' | 'signal'>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const collector = begin()
    try {
      const dropped = await scan.scanSlice(slice, (document) => collector.add(document), signal)
      await take(slice, collector, dropped)
      return
    } catch (error) {
      const mayPass =
        error instanceof MigrationError && error.code === 'MA_CLUSTER_RESPONSE' && error.retryable
      if (!mayPass || attempt === attemptsMax || signal.aborted) throw error
    }
  }
}
