import { CorruptData } from '../base/errors.ts'

/** Where a stretch of the chunks of a segment's stored fields lies. Memory: 12 bytes a chunk. */
export interface ChunkWindow {
  readonly count: number
  /** First document of each chunk; one more entry at the end: that of the chunk after them, or maxDoc. */
  readonly firstDoc: Int32Array
  /** Offset of each chunk in the `.fdt`; one more entry at the end: where they end. */
  readonly offset: Float64Array
  /** They begin with the segment's first chunk. */
  readonly isFirst: boolean
  /** They end with the segment's last chunk. */
  readonly isLast: boolean
}

/**
 * Where the chunks of a segment's stored fields lie, in windows: a segment of 1 TB may have a hundred million of them.
 * With few enough chunks all are in one window, which is in memory.
 */
export interface ChunkIndex {
  /** A window that has the chunk of a document, with many of the chunks after it. */
  window(doc: number): Promise<ChunkWindow>
}

/** Chunks of a window, at most. */
export const windowChunksMax = 65536

/** Lucene ends a chunk at 4096 documents, before 5.0 at 16384. */
const chunkDocsMax = 65536
/** A chunk is read into one buffer. */
const chunkBytesMax = 0x7fff_ffff

/** What the chunks of a segment have to cover. */
export interface ChunkBounds {
  /** The `.fdt`, for messages. */
  readonly file: string
  readonly maxDoc: number
  /** The chunks lie in [dataStart, dataEnd) of the `.fdt`. */
  readonly dataStart: number
  readonly dataEnd: number
}

/** An index of which every window is checked before it is used. */
export function checkedIndex(index: ChunkIndex, bounds: ChunkBounds): ChunkIndex {
  return {
    async window(doc) {
      const window = await index.window(doc)
      checkWindow(window, bounds, doc)
      return window
    },
  }
}

/** All chunks in one window. */
export function wholeIndex(chunks: Pick<ChunkWindow, 'firstDoc' | 'offset'>): ChunkIndex {
  const count = chunks.firstDoc.length - 1
  const window: ChunkWindow = { ...chunks, count, isFirst: true, isLast: true }
  return { window: () => Promise.resolve(window) }
}

/** Throws CorruptData when a segment has more documents than so many chunks can hold: much is allocated by their number. */
export function checkChunkCount(count: number, { file, maxDoc }: ChunkBounds): void {
  if (maxDoc <= count * chunkDocsMax) return
  throw new CorruptData({
    file,
    offset: 0,
    expected: `at most ${chunkDocsMax} documents in each of ${count} chunks`,
    found: `${maxDoc} in all`,
  })
}

/** Chunks must cover all documents and rise in documents and offsets: the reader relies on it. */
function checkWindow(window: ChunkWindow, bounds: ChunkBounds, doc: number): void {
  const { count, firstDoc, offset, isFirst, isLast } = window
  let rising = firstDoc[0]! <= doc && doc < firstDoc[count]!
  if (isFirst) rising &&= firstDoc[0] === 0
  if (isLast) rising &&= firstDoc[count] === bounds.maxDoc
  rising &&= offset[0]! >= bounds.dataStart && offset[count]! <= bounds.dataEnd
  for (let i = 0; i < count && rising; i++) {
    const docs = firstDoc[i + 1]! - firstDoc[i]!
    const bytes = offset[i + 1]! - offset[i]!
    rising = docs > 0 && docs <= chunkDocsMax && bytes > 0 && bytes <= chunkBytesMax
  }
  if (rising) return
  throw new CorruptData({
    file: bounds.file,
    offset: 0,
    expected: `an index of chunks that rises and covers ${bounds.maxDoc} documents, ${chunkDocsMax} of them a chunk at most`,
    found: `${count} chunks, documents to ${firstDoc[count]}, bytes to ${offset[count]}`,
  })
}

/** The chunk of a window that holds a document; the first or the last one where the document is outside. */
export function chunkOf({ count, firstDoc }: ChunkWindow, doc: number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (firstDoc[middle]! <= doc) low = middle
    else high = middle - 1
  }
  return low
}
