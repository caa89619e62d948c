import { CorruptData } from '../base/errors.ts'
import type { Directory } from '../blob/byte-source.ts'
import { readIdAndSuffix, type SegmentId } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'
import { generationText, readRange, readWholeFile, segmentFileName } from './files.ts'
import { liveDocsFormats, readFormat } from './formats.ts'
import { readLiveBitsV40 } from './live-docs-v40.ts'

/**
 * Which documents of a segment live: one bit a document, in the order in which Lucene writes the words of a bit set
 * (big-endian int64), so that a file's bytes serve as they are. Memory: one bit per document of the segment, or of a
 * stretch of it.
 */
export class LiveDocs {
  readonly maxDoc: number
  readonly #bits: Uint8Array
  /** In words, so that a document's place in its word is the same. */
  readonly #firstByte: number

  /**
   * All documents of [fromDoc, maxDoc) alive, unless the bits of a file are given. `fromDoc` begins a word of 64: nothing
   * may be asked of those before it.
   */
  constructor(maxDoc: number, bits?: Uint8Array, fromDoc = 0) {
    this.maxDoc = maxDoc
    this.#firstByte = fromDoc / 8
    this.#bits = bits ?? new Uint8Array(Math.ceil((maxDoc - fromDoc) / 64) * 8).fill(0xff)
  }

  isLive(doc: number): boolean {
    return ((this.#bits[((doc >> 3) - this.#firstByte) ^ 7]! >> (doc & 7)) & 1) !== 0
  }

  kill(doc: number): void {
    this.#bits[((doc >> 3) - this.#firstByte) ^ 7]! &= ~(1 << (doc & 7))
  }

  /** True when some document of [fromDoc, toDoc) lives. */
  anyLive(fromDoc: number, toDoc: number): boolean {
    for (let doc = fromDoc; doc < toDoc; doc++) {
      const byte = ((doc >> 3) - this.#firstByte) ^ 7
      if ((doc & 7) === 0 && toDoc - doc >= 8 && this.#bits[byte] === 0) doc += 7
      else if (this.isLive(doc)) return true
    }
    return false
  }

  count(): number {
    let count = 0
    for (let doc = 0; doc < this.maxDoc; doc++) if (this.isLive(doc)) count++
    return count
  }
}

/**
 * Reads `<segment>_<delGen>.liv` (before Lucene 5.0 `.del`, see there), and checks that as many documents are dead as the commit says.
 *
 *   liv = indexHeader(suffix = delGen base 36), word:int64[ceil(maxDoc / 64)], footer
 *
 * A set bit is a live document; words are little-endian since Lucene 9.0. Specified in
 * org.apache.lucene.codecs.lucene50.Lucene50LiveDocsFormat and lucene90.Lucene90LiveDocsFormat.
 */
export async function readLiveDocs(
  directory: Directory,
  segment: { name: string; id: SegmentId; delGen: number; delCount: number },
  maxDoc: number,
): Promise<LiveDocs> {
  const suffix = generationText(segment.delGen)
  const cursor = await readWholeFile(directory, liveDocsName(segment))
  const bits =
    segment.id === null
      ? readLiveBitsV40(cursor, maxDoc)
      : readLiveBits(cursor, segment.id, suffix, maxDoc)
  const live = new LiveDocs(maxDoc, bits)
  cursor.expectEnd()
  const dead = maxDoc - live.count()
  if (dead !== segment.delCount) {
    throw new CorruptData({
      file: cursor.file,
      offset: 0,
      expected: `${segment.delCount} deleted documents, as the commit says`,
      found: `${dead}`,
    })
  }
  return live
}

/** A stretch of documents, in whole words of 64. */
export interface DocStretch {
  readonly fromDoc: number
  readonly toDoc: number
}

/**
 * The same for a stretch of a long segment alone, whose checksum somebody has checked. A `.del` is read whole in any case.
 */
export async function readLiveStretch(
  directory: Directory,
  segment: { name: string; id: SegmentId; delGen: number; delCount: number },
  { maxDoc, fromDoc, toDoc }: DocStretch & { maxDoc: number },
): Promise<LiveDocs> {
  if (segment.id === null) return readLiveDocs(directory, segment, maxDoc)
  const suffix = generationText(segment.delGen)
  const name = liveDocsName(segment)
  const cursor = await readRange(directory, name, { offset: 0, length: headBytesMax })
  readFormat(liveDocsFormats, cursor)
  readIdAndSuffix(cursor, { id: segment.id, suffix })
  const { littleEndian, position } = cursor
  const offset = position + fromDoc / 8
  const length = Math.ceil((toDoc - fromDoc) / 64) * 8
  const bits = (await readRange(directory, name, { offset, length })).readBytes(length)
  return new LiveDocs(toDoc, littleEndian ? Buffer.from(bits).swap64() : bits, fromDoc)
}

/** The file of a segment's live documents. */
export function liveDocsName({ name, id, delGen }: LiveDocsFile): string {
  return segmentFileName(name, generationText(delGen), id === null ? 'del' : 'liv')
}

type LiveDocsFile = { name: string; id: SegmentId; delGen: number }

/** Longest header of a `.liv`. */
const headBytesMax = 128

function readLiveBits(cursor: Cursor, id: SegmentId, suffix: string, maxDoc: number): Uint8Array {
  readFormat(liveDocsFormats, cursor)
  readIdAndSuffix(cursor, { id, suffix })
  const bits = Buffer.from(cursor.readBytes(Math.ceil(maxDoc / 64) * 8))
  return cursor.littleEndian ? bits.swap64() : bits
}
