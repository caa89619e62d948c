import type { BlobStore } from './byte-source.ts'

/** A store with a count of what was read through it. */
export interface CountingStore extends BlobStore {
  /** Bytes read per blob path; a range read twice counts twice. */
  readonly bytesRead: ReadonlyMap<string, number>
  readonly bytesReadTotal: number
  readonly reads: number
  reset(): void
}

/** Counts every byte that is read through `store`: for the proof that only the needed ranges are read, and for the bench. */
export function countingStore(store: BlobStore): CountingStore {
  const bytesRead = new Map<string, number>()
  let bytesReadTotal = 0
  let reads = 0
  return {
    location: store.location,
    bytesRead,
    get bytesReadTotal() {
      return bytesReadTotal
    },
    get reads() {
      return reads
    },
    reset() {
      bytesRead.clear()
      bytesReadTotal = 0
      reads = 0
    },
    list: (folder) => store.list(folder),
    async open(path) {
      const source = await store.open(path)
      return {
        name: source.name,
        byteLength: source.byteLength,
        read(offset, length, into) {
          bytesRead.set(path, (bytesRead.get(path) ?? 0) + length)
          bytesReadTotal += length
          reads++
          return source.read(offset, length, into)
        },
        close: () => source.close(),
      }
    },
  }
}
