import type { BlobStore } from './byte-source.ts'

/** A store with a count of what was read through it. */
export interface CountingStore extends BlobStore {
  /** Bytes read per blob path; a range read twice counts twice. */
  readonly bytesRead: ReadonlyMap<string, number>
  readonly bytesReadTotal: number
  readonly reads: number
  /** Bytes of one blob that were read at least once. */
  distinctBytes(path: string): number
  /** The same over all blobs. */
  distinctBytesTotal(): number
  reset(): void
}

/** Disjoint, rising, merged: [start, end) of what was read of a blob. */
type Ranges = [start: number, end: number][]

/** Counts every byte that is read through `store`: for the proof that only the needed ranges are read, and for the bench. */
export function countingStore(store: BlobStore): CountingStore {
  const bytesRead = new Map<string, number>()
  const ranges = new Map<string, Ranges>()
  let bytesReadTotal = 0
  let reads = 0
  const count = (path: string, offset: number, length: number): void => {
    bytesRead.set(path, (bytesRead.get(path) ?? 0) + length)
    ranges.set(path, withRange(ranges.get(path) ?? [], offset, offset + length))
    bytesReadTotal += length
    reads++
  }
  const distinctBytes = (path: string): number =>
    (ranges.get(path) ?? []).reduce((sum, [start, end]) => sum + end - start, 0)
  return {
    location: store.location,
    isFar: store.isFar,
    bytesRead,
    get bytesReadTotal() {
      return bytesReadTotal
    },
    get reads() {
      return reads
    },
    distinctBytes,
    distinctBytesTotal: () =>
      [...ranges.keys()].reduce((sum, path) => sum + distinctBytes(path), 0),
    reset() {
      bytesRead.clear()
      ranges.clear()
      bytesReadTotal = 0
      reads = 0
    },
    list: (folder) => store.list(folder),
    async open(path, known) {
      const source = await store.open(path, known)
      return {
        name: source.name,
        byteLength: source.byteLength,
        read(offset, length, into) {
          count(path, offset, length)
          return source.read(offset, length, into)
        },
        ...(source.expectReads && {
          expectReads: (offset: number, end: number) => source.expectReads!(offset, end),
        }),
        close: () => source.close(),
      }
    },
  }
}

function withRange(ranges: Ranges, start: number, end: number): Ranges {
  const last = ranges.at(-1)
  // Nearly all reads go on where the one before ended.
  if (last !== undefined && start >= last[0]) {
    if (start > last[1]) ranges.push([start, end])
    else last[1] = Math.max(last[1], end)
    return ranges
  }
  const merged: Ranges = []
  for (const range of [...ranges, [start, end] as [number, number]].sort((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1)
    if (previous === undefined || range[0] > previous[1]) merged.push(range)
    else previous[1] = Math.max(previous[1], range[1])
  }
  return merged
}
