import type { Directory } from '../blob/byte-source.ts'
import { readIndexHeader } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { windowChunksMax, wholeIndex, type ChunkIndex } from './chunk-index.ts'
import { checkNamed, readRange, readWholeFile, segmentFileName } from './files.ts'
import { packedBytes, readMonotonicMeta, unpackMonotonic, type MonotonicBlock } from './packed.ts'
import type { ChunkIndexInput } from './stored-fields.ts'

/** Longest header of a `.fdx`. */
const headBytesMax = 128

/** One of the two sequences: its data are [start, end) of the `.fdx`. */
interface Sequence {
  readonly blocks: readonly MonotonicBlock[]
  readonly start: number
  readonly end: number
}

interface Layout {
  readonly directory: Directory
  readonly name: string
  readonly littleEndian: boolean
  readonly blockShift: number
  /** One more than chunks: maxDoc, and where the chunks end. */
  readonly entries: number
  readonly docs: Sequence
  readonly offsets: Sequence
}

/**
 * The index of stored fields since Lucene 8.5; `meta` stands behind chunkBytes in the `.fdm`.
 *
 *   index = maxDoc:int32, blockShift:int32, entries:int32, docsStart:int64, docs:monotonic, docsEnd:int64,
 *           offsets:monotonic, offsetsEnd:int64, dataEnd:int64
 *   fdx   = indexHeader, docs, offsets, footer
 *
 * There is one entry more than chunks: maxDoc, and where the chunks end. Of a long `.fdx` only the blocks around a
 * document are read; its checksum is compared once, in pieces.
 * Little-endian since 9.0. Specified in org.apache.lucene.codecs.compressing.FieldsIndexReader and
 * lucene90.compressing.FieldsIndexReader.
 */
export async function readChunkIndexV85(
  { directory, segment, chunkCountMax }: ChunkIndexInput,
  { meta, codec }: { meta: Cursor; codec: string },
): Promise<{ index: ChunkIndex; count: number }> {
  meta.skip(4)
  const blockShift = meta.readInt32()
  const entries = meta.readInt32()
  const entriesMax = Math.min(segment.maxDoc, chunkCountMax) + 1
  if (entries < 2 || entries > entriesMax) {
    throw meta.corrupt(`2 to ${entriesMax} entries`, `${entries}`)
  }
  const docsStart = meta.readInt64()
  const docs = readMonotonicMeta(meta, entries, blockShift)
  const docsEnd = meta.readInt64()
  const offsets = readMonotonicMeta(meta, entries, blockShift)
  const offsetsEnd = meta.readInt64()
  const dataEnd = meta.readInt64()
  const layout: Layout = {
    directory,
    name: segmentFileName(segment.name, '', 'fdx'),
    littleEndian: meta.littleEndian,
    blockShift,
    entries,
    docs: { blocks: docs, start: docsStart, end: docsEnd },
    offsets: { blocks: offsets, start: docsEnd, end: offsetsEnd },
  }
  const expected = { codec, minVersion: 0, maxVersion: 0, id: segment.id, suffix: '' }
  const count = entries - 1
  const checkEnd = (end: number | undefined): void => {
    if (end !== dataEnd) throw meta.corrupt(`chunks that end at ${end}`, `${dataEnd}`)
  }
  if (count > windowChunksMax) {
    await checkNamed(directory, layout.name)
    const head = await readRange(directory, layout.name, { offset: 0, length: headBytesMax })
    readIndexHeader(head, expected)
    return { index: windowsOf(layout, checkEnd), count }
  }
  const data = await readWholeFile(directory, layout.name)
  readIndexHeader(data, expected)
  data.littleEndian = meta.littleEndian
  const shape = { count: entries, blockShift }
  const firstDoc = Int32Array.from(unpackMonotonic(part(data, docsStart, docsEnd), docs, shape))
  const offset = unpackMonotonic(part(data, docsEnd, offsetsEnd), offsets, shape)
  checkEnd(offset[count])
  return { index: wholeIndex({ firstDoc, offset }), count }
}

/** The stretch [start, end) of the file. */
function part(data: Cursor, start: number, end: number): Cursor {
  data.seek(start)
  const { file, littleEndian } = data
  return new Cursor(file, data.readBytes(end - start), { baseOffset: start, littleEndian })
}

function windowsOf(layout: Layout, checkEnd: (end: number | undefined) => void): ChunkIndex {
  const { blocks } = layout.docs
  // Two at least: the chunk that ends one block ends where the next one begins.
  const blocksMax = Math.max(2, windowChunksMax >> layout.blockShift)
  return {
    async window(doc) {
      // No number of a block is below its `min`, so that the chunk begins in this one or before it.
      for (let from = lastBlock(blocks, doc); ; from--) {
        const to = Math.min(blocks.length, from + blocksMax)
        const firstDoc = Int32Array.from(await unpackBlocks(layout, layout.docs, { from, to }))
        if (firstDoc[0]! > doc && from > 0) continue
        const offset = await unpackBlocks(layout, layout.offsets, { from, to })
        const count = firstDoc.length - 1
        const isLast = to === blocks.length
        if (isLast) checkEnd(offset[count])
        return { count, firstDoc, offset, isFirst: from === 0, isLast }
      }
    },
  }
}

function lastBlock(blocks: readonly MonotonicBlock[], doc: number): number {
  let low = 0
  let high = blocks.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (blocks[middle]!.min <= doc) low = middle
    else high = middle - 1
  }
  return low
}

/** The numbers of blocks [from, to) of a sequence. */
async function unpackBlocks(
  { directory, name, littleEndian, blockShift, entries }: Layout,
  sequence: Sequence,
  { from, to }: { from: number; to: number },
): Promise<Float64Array> {
  const size = 2 ** blockShift
  const count = Math.min(entries, to * size) - from * size
  const blocks = sequence.blocks.slice(from, to)
  const base = blocks[0]!.offset
  const last = blocks.at(-1)!
  const end = last.offset + packedBytes(count - (blocks.length - 1) * size, last.bits)
  const length = Math.max(0, Math.min(end, sequence.end - sequence.start) - base)
  const data = await readRange(directory, name, { offset: sequence.start + base, length })
  data.littleEndian = littleEndian
  if (count > windowChunksMax * 2 || length > packedBytes(count, 64)) {
    throw data.corrupt(`blocks of at most ${windowChunksMax} chunks, in order`, `${count}`)
  }
  const moved = blocks.map((block) => ({ ...block, offset: block.offset - base }))
  return unpackMonotonic(data, moved, { count, blockShift })
}
