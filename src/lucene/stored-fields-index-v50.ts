import type { Directory } from '../blob/byte-source.ts'
import { readIndexHeader } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'
import { windowChunksMax, wholeIndex, type ChunkIndex } from './chunk-index.ts'
import { checkNamed, readRange, readWholeFile, segmentFileName } from './files.ts'
import { packedAt, packedBigAt, packedBytes, packedNumberBitsMax } from './packed.ts'
import type { ChunkIndexInput } from './stored-fields.ts'

/** A `.fdx` up to this length is read whole. */
const wholeBytesMax = 1024 * 1024

/**
 * The index of stored fields from Lucene 5.0 to 8.4.
 *
 *   fdx    = indexHeader, packedVersion:vint, block*, 0:vint, dataEnd:vlong, footer
 *   block  = chunks:vint, firstDoc:vint, averageDocs:vint, bits:vint, docDelta:zigzag packed[chunks],
 *            firstOffset:vlong, averageBytes:vlong, bits:vint, offsetDelta:zigzag packed[chunks]
 *   the i-th chunk of a block begins at document firstDoc + averageDocs × i + docDelta[i], and likewise in bytes
 *
 * Of a long `.fdx` only the place of each block of 1,024 chunks is kept, found by one pass over the file.
 * Specified in org.apache.lucene.codecs.compressing.LegacyFieldsIndexReader.
 */
export async function readChunkIndexV50(
  input: ChunkIndexInput,
  { codec, version }: { codec: string; version: number },
): Promise<{ index: ChunkIndex; count: number }> {
  const { directory, segment, chunkCountMax } = input
  const name = segmentFileName(segment.name, '', 'fdx')
  const expected = {
    ...{ codec, minVersion: version, maxVersion: version },
    ...{ id: segment.id, suffix: '' },
  }
  const countMax = Math.min(segment.maxDoc, chunkCountMax)
  if ((await lengthOf(directory, name)) > wholeBytesMax) {
    await checkNamed(directory, name)
    const places = await findBlocks(directory, name, countMax, (head) => {
      readIndexHeader(head, expected)
      head.readVInt()
    })
    return {
      index: windowsOf(directory, name, { ...places, maxDoc: segment.maxDoc }),
      count: places.count,
    }
  }
  const cursor = await readWholeFile(directory, name)
  readIndexHeader(cursor, expected)
  cursor.readVInt()
  const chunks: Chunks = { firstDoc: [], offset: [] }
  while (readBlock(cursor, countMax, chunks));
  chunks.offset.push(cursor.readVLong())
  chunks.firstDoc.push(segment.maxDoc)
  cursor.expectEnd()
  const { firstDoc, offset } = chunks
  return {
    index: wholeIndex({ firstDoc: Int32Array.from(firstDoc), offset: Float64Array.from(offset) }),
    count: firstDoc.length - 1,
  }
}

async function lengthOf(directory: Directory, name: string): Promise<number> {
  const source = await directory.open(name)
  await source.close()
  return source.byteLength
}

interface Chunks {
  readonly firstDoc: number[]
  readonly offset: number[]
}

/** Adds the chunks of one block; false at the end of the blocks. */
function readBlock(cursor: Cursor, countMax: number, into: Chunks): boolean {
  const chunks = readChunkCount(cursor, countMax - into.firstDoc.length)
  if (chunks === 0) return false
  readDeltas(cursor, chunks, cursor.readVInt(), cursor.readVInt(), 32, into.firstDoc)
  readDeltas(cursor, chunks, cursor.readVLong(), cursor.readVLong(), 64, into.offset)
  return true
}

function readChunkCount(cursor: Cursor, countMax: number): number {
  const chunks = cursor.readVInt()
  if (chunks < 0 || chunks > countMax) {
    throw cursor.corrupt(`at most ${countMax} more chunks`, `${chunks}`)
  }
  return chunks
}

function readDeltas(
  cursor: Cursor,
  count: number,
  base: number,
  average: number,
  bitsMax: number,
  into: number[],
): void {
  const bits = readBits(cursor, bitsMax)
  const packed = cursor.readBytes(packedBytes(count, bits))
  for (let i = 0; i < count; i++) {
    const zigzag =
      bits > packedNumberBitsMax
        ? Number(packedBigAt(packed, 0, bits, i))
        : bits === 0
          ? 0
          : packedAt(packed, 0, bits, i)
    const delta = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
    into.push(base + average * i + delta)
  }
}

function readBits(cursor: Cursor, bitsMax: number): number {
  const bits = cursor.readVInt()
  if (bits < 0 || bits > bitsMax) throw cursor.corrupt(`at most ${bitsMax} bits`, `${bits}`)
  return bits
}

/** Where blocks lie in the `.fdx`, and where their chunks begin. One entry more than blocks: what is behind the last. */
interface BlockPlaces {
  /** Of chunks. */
  readonly count: number
  readonly position: readonly number[]
  readonly firstDoc: readonly number[]
  readonly firstOffset: readonly number[]
  /** Chunks before each block. */
  readonly before: readonly number[]
}

/** Reads of the pass. */
const passBytes = 1024 * 1024
/** The numbers before packed ones, and a file's header. */
const headBytesMax = 128

async function findBlocks(
  directory: Directory,
  name: string,
  countMax: number,
  readHead: (head: Cursor) => void,
): Promise<BlockPlaces> {
  const byteLength = await lengthOf(directory, name)
  let piece = await readRange(directory, name, { offset: 0, length: passBytes })
  /** A cursor that has the numbers at a position of the file. */
  const at = async (position: number): Promise<Cursor> => {
    const end = piece.baseOffset + piece.bytes.length
    if (position + headBytesMax > end && end < byteLength) {
      piece = await readRange(directory, name, { offset: position, length: passBytes })
    }
    piece.seek(position - piece.baseOffset)
    return piece
  }
  const here = (): number => piece.baseOffset + piece.position
  const position: number[] = []
  const firstDoc: number[] = []
  const firstOffset: number[] = []
  const before: number[] = []
  readHead(piece)
  for (let next = here(), count = 0; ;) {
    let cursor = await at(next)
    const chunks = readChunkCount(cursor, Math.min(countMax - count, windowChunksMax))
    position.push(next)
    before.push(count)
    if (chunks === 0) {
      firstOffset.push(cursor.readVLong())
      return { count, position, firstDoc, firstOffset, before }
    }
    firstDoc.push(cursor.readVInt())
    cursor.readVInt()
    const docBits = readBits(cursor, 32)
    cursor = await at(here() + packedBytes(chunks, docBits))
    firstOffset.push(cursor.readVLong())
    cursor.readVLong()
    const offsetBits = readBits(cursor, 64)
    next = here() + packedBytes(chunks, offsetBits)
    count += chunks
  }
}

function windowsOf(
  directory: Directory,
  name: string,
  places: BlockPlaces & { maxDoc: number },
): ChunkIndex {
  const { position, firstDoc: blockDoc, firstOffset, before, maxDoc } = places
  const blockCount = blockDoc.length
  return {
    async window(doc) {
      const from = lastBlock(blockDoc, doc)
      let to = from + 1
      while (to < blockCount && before[to + 1]! - before[from]! <= windowChunksMax) to++
      const start = position[from]!
      const length = position[to]! - start
      const cursor = await readRange(directory, name, { offset: start, length })
      const chunks: Chunks = { firstDoc: [], offset: [] }
      for (let block = from; block < to; block++) readBlock(cursor, windowChunksMax, chunks)
      chunks.firstDoc.push(to === blockCount ? maxDoc : blockDoc[to]!)
      chunks.offset.push(firstOffset[to]!)
      return {
        count: chunks.firstDoc.length - 1,
        firstDoc: Int32Array.from(chunks.firstDoc),
        offset: Float64Array.from(chunks.offset),
        isFirst: from === 0,
        isLast: to === blockCount,
      }
    },
  }
}

/** The last block that begins at a document or before it. */
function lastBlock(blockDoc: readonly number[], doc: number): number {
  let low = 0
  let high = blockDoc.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (blockDoc[middle]! <= doc) low = middle
    else high = middle - 1
  }
  return low
}
