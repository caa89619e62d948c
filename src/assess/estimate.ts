import { isUnknown, type Estimate, type OrUnknown, type Writes } from './assessment.ts'

/** How fast documents get to the target. */
export interface Rate {
  readonly text: string
  readonly bytesPerSecond: number
  readonly documentsPerSecond?: number
}

/**
 * What `npm run bench -- backfill` has measured from a snapshot in a folder to one node of OpenSearch 3.6 with 512 MB of
 * heap, on a machine of two processors that both share: documents of 1.8 KB, 9,056 a second. The target is what is slow.
 */
export const benchRate: Rate = {
  text: 'measured by osmigrate’s own benchmark: log-like documents of 1.8 KB from a snapshot in a folder to one small node of OpenSearch 3.6 (2 processors, 512 MB heap)',
  documentsPerSecond: 9056,
  bytesPerSecond: 16_500_000,
}

/** A rate that the user has measured: bytes of `_source` a second. */
export function statedRate(bytesPerSecond: number): Rate {
  return { text: 'given with --rate', bytesPerSecond }
}

/** One node's snapshots are slowed down to this by default (`max_snapshot_bytes_per_sec`). */
const snapshotBytesPerNode = 40_000_000
/** The target puts no shard on a disk that is fuller (`cluster.routing.allocation.disk.watermark.low`). */
const watermarkLow = 0.85

export interface EstimateInput {
  readonly rate: Rate
  /** Of all that moves. */
  readonly documents: OrUnknown<number>
  readonly primaryBytes: OrUnknown<number>
  /** With the replicas that the target will have. */
  readonly bytesWithReplicas: OrUnknown<number>
  readonly dataNodes: OrUnknown<number>
  readonly writes: OrUnknown<Writes>
  /** Of the indices that were written to. */
  readonly busy: OrUnknown<{
    readonly documents: OrUnknown<number>
    readonly primaryBytes: OrUnknown<number>
  }>
  readonly targetDiskFreeBytes: OrUnknown<number>
  /** True where the snapshot is there already. */
  readonly hasSnapshot: boolean
}

/** Hours and bytes, each from what was measured; unknown where a part of it is. */
export function estimate(input: EstimateInput): Estimate {
  const { rate, primaryBytes, documents, busy, writes, targetDiskFreeBytes, hasSnapshot } = input
  const backfillHours = hoursFor(rate, primaryBytes, documents)
  const snapshotHours = hasSnapshot
    ? 0
    : combine(
        primaryBytes,
        input.dataNodes,
        (bytes, nodes) => bytes / (snapshotBytesPerNode * Math.max(1, nodes)) / 3600,
      )
  const captureHours = combine(
    backfillHours,
    snapshotHours,
    (backfill, snapshot) => backfill + snapshot,
  )
  const bytesPerSecond = isUnknown(writes) ? writes : writes.bytesPerSecond
  return {
    rate,
    backfillHours,
    backfillBytes: primaryBytes,
    snapshotHours,
    deltaHours: isUnknown(busy) ? busy : hoursFor(rate, busy.primaryBytes, busy.documents),
    targetDiskBytes: combine(input.bytesWithReplicas, 0, (bytes) => bytes / watermarkLow),
    targetDiskFreeBytes,
    captureLogBytes: combine(bytesPerSecond, captureHours, (bytes, hours) => bytes * hours * 3600),
    notes,
  }
}

const notes = [
  'Backfill: documents by the rate in documents, or bytes of the primary shards by the rate in bytes, whichever takes longer. A larger target is faster: measure with a backfill of one index, and say --rate.',
  'Snapshot: bytes of the primary shards at 40 MB/s a data node, which is the engines’ own limit by default; a slower repository takes longer, and what earlier snapshots hold is not copied again.',
  'Disk on the target: the bytes of the shards as on the source with the replicas that the target will have, filled to 85 % (the low disk watermark). What OpenSearch makes of the same documents was not measured.',
  'Capture log: bytes of writes a second, as measured, for as long as snapshot and backfill take; the bodies of the writes alone, at the pace of just now.',
  'Comparing is not in it: no rate is measured.',
]

function hoursFor(
  rate: Rate,
  bytes: OrUnknown<number>,
  documents: OrUnknown<number>,
): OrUnknown<number> {
  if (isUnknown(bytes)) return bytes
  const byBytes = bytes / rate.bytesPerSecond
  const byDocuments =
    rate.documentsPerSecond === undefined || isUnknown(documents)
      ? 0
      : documents / rate.documentsPerSecond
  return Math.max(byBytes, byDocuments) / 3600
}

function combine(
  a: OrUnknown<number>,
  b: OrUnknown<number>,
  calculate: (a: number, b: number) => number,
): OrUnknown<number> {
  if (isUnknown(a)) return a
  return isUnknown(b) ? b : calculate(a, b)
}
