import { CorruptData } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import {
  footerBytes,
  readFooter,
  readIdAndSuffix,
  readIndexHeader,
  type SegmentId,
} from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readWholeFile, segmentFileName } from './files.ts'
import { readFormat, storedFieldsFormats } from './formats.ts'
import type { StoredFieldsFormat } from './formats.ts'
import type { ChunkShape } from './chunk.ts'
import { readChunkIndexV50 } from './stored-fields-index-v50.ts'
import { readChunkIndexV85 } from './stored-fields-index-v85.ts'

/** Where the chunks of a segment's stored fields lie. Memory: 12 bytes a chunk. */
export interface ChunkIndex {
  readonly count: number
  /** First document of each chunk; one more entry at the end: maxDoc. */
  readonly firstDoc: Int32Array
  /** Offset of each chunk in the `.fdt`; one more entry at the end: where the chunks end. */
  readonly offset: Float64Array
}

/** The stored fields of one segment, opened. */
export interface StoredFields extends ChunkShape {
  readonly source: ByteSource
  /** True: numbers among the fields have their full width (before Lucene 5.0). */
  readonly fixedNumbers: boolean
  readonly chunks: ChunkIndex
  /** The last bytes of the file, which name its checksum: for checkFooterOf(). */
  readonly footer: Uint8Array
}

/**
 * Where the bytes begin in the `.fdt` that are read with a chunk: the first one takes the header along, the last one all
 * that comes before the checksum, so that the chunks are the whole of what the checksum is over. `chunk` may be `count`.
 */
export function chunkEdge({ chunks, source }: StoredFields, chunk: number): number {
  if (chunk <= 0) return 0
  return chunk >= chunks.count ? source.byteLength - 8 : chunks.offset[chunk]!
}

/** The first chunk that begins at a document or after it; `count` where none does. */
export function chunkFrom({ chunks: { firstDoc, count } }: StoredFields, doc: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (firstDoc[middle]! >= doc) high = middle
    else low = middle + 1
  }
  return low
}

export interface SegmentShape {
  readonly name: string
  readonly id: SegmentId
  readonly maxDoc: number
}

/** A chunk has two vints and two counts: so an index cannot claim more chunks than there are bytes for. */
const chunkBytesMin = 4
/** Lucene ends a chunk at 4096 documents, before 5.0 at 16384. */
const chunkDocsMax = 65536
/** A chunk is read into one buffer. */
const chunkBytesMax = 0x7fff_ffff

/** Longest header of a `.fdt`, with the two vints that follow it before version 3. */
const headBytesMax = 128

/**
 * Opens `<segment>.fdt` and reads its index. The caller closes `source`.
 *
 *   fdt   = indexHeader, sizes (versions 1 and 2), chunk*, (chunkCount:vlong, dirtyChunks:vlong (version 1)), footer
 *           (Lucene 4.9 and 4.10 is version 2 of a format of its own, and as version 1, less those counts)
 *   fdm   = indexHeader, sizes (3+), index, (chunkCount:vlong (4+), dirtyChunks:vlong, dirtyDocs:vlong) (3+), footer
 *                                                                                                   not in version 1
 *   sizes = chunkBytes:vint, packedVersion:vint
 *
 * Formats of Lucene 9 begin anew with a version 1, which has everything of 4, and no packedVersion. A chunk's own
 * layout is at ChunkDecoder. Specified in org.apache.lucene.codecs.compressing.CompressingStoredFieldsReader and
 * lucene90.compressing.Lucene90CompressingStoredFieldsReader.
 */
export async function openStoredFields(
  directory: Directory,
  segment: SegmentShape,
): Promise<StoredFields> {
  const source = await directory.open(segmentFileName(segment.name, '', 'fdt'))
  try {
    return await readLayout(directory, segment, source)
  } catch (error) {
    await source.close()
    throw error
  }
}

async function readLayout(
  directory: Directory,
  segment: SegmentShape,
  source: ByteSource,
): Promise<StoredFields> {
  const { byteLength } = source
  const head = new Cursor(source.name, await source.read(0, Math.min(headBytesMax, byteLength)))
  const { row, version } = readFormat(storedFieldsFormats, head, {
    readFor: `the documents of segment ${segment.name}`,
  })
  readIdAndSuffix(head, { id: segment.id, suffix: '' })
  const footerAt = Math.max(0, byteLength - footerBytes)
  const footer = await source.read(footerAt, byteLength - footerAt)
  readFooter(new Cursor(source.name, footer, { baseOffset: footerAt }))

  let chunkBytes = version < row.since.meta ? readChunkBytes(head, row) : 0
  const dataStart = head.position
  const chunkCountMax = Math.floor(footerAt / chunkBytesMin)
  let chunks: ChunkIndex
  if (row.legacyIndexCodec !== undefined && version < row.since.index) {
    const codec = row.legacyIndexCodec
    chunks = await readChunkIndexV50(directory, segment, { codec, version, chunkCountMax })
  } else {
    const meta = await readWholeFile(directory, segmentFileName(segment.name, '', 'fdm'))
    readIndexHeader(meta, {
      codec: `${row.indexCodec}Meta`,
      minVersion: 0,
      maxVersion: version,
      id: segment.id,
      suffix: '',
    })
    meta.littleEndian = row.littleEndian ?? false
    if (version >= row.since.meta) chunkBytes = readChunkBytes(meta, row)
    const codec = `${row.indexCodec}Idx`
    chunks = await readChunkIndexV85(directory, segment, { meta, codec, chunkCountMax })
  }
  checkIndex(source, segment, { chunks, dataStart, dataEnd: footerAt })
  const { compression, counts, fixedNumbers = false } = row
  const flags = row.chunkFlags ?? (version >= row.since.dirtyBit ? 'sliced, dirty' : 'sliced')
  return { source, chunks, chunkBytes, compression, counts, flags, fixedNumbers, footer }
}

function readChunkBytes(cursor: Cursor, { counts }: StoredFieldsFormat): number {
  const chunkBytes = cursor.readVInt()
  if (chunkBytes <= 0) throw cursor.corrupt('the size of a chunk', `${chunkBytes}`)
  if (counts === 'lanes') return chunkBytes
  const packedVersion = cursor.readVInt()
  if (packedVersion < 1 || packedVersion > 2) {
    throw cursor.corrupt('version 1 or 2 of packed integers', `${packedVersion}`)
  }
  return chunkBytes
}

/**
 * Chunks must cover all documents and rise in documents and offsets: the reader relies on it. The bounds of a chunk also
 * keep in bounds what is allocated by the number of documents in a segment.
 */
function checkIndex(
  source: ByteSource,
  segment: SegmentShape,
  { chunks, dataStart, dataEnd }: { chunks: ChunkIndex; dataStart: number; dataEnd: number },
): void {
  const { count, firstDoc, offset } = chunks
  let rising = firstDoc[0] === 0 && firstDoc[count] === segment.maxDoc
  rising &&= offset[0]! >= dataStart && offset[count]! <= dataEnd
  for (let i = 0; i < count && rising; i++) {
    const docs = firstDoc[i + 1]! - firstDoc[i]!
    const bytes = offset[i + 1]! - offset[i]!
    rising = docs > 0 && docs <= chunkDocsMax && bytes > 0 && bytes <= chunkBytesMax
  }
  if (!rising) {
    throw new CorruptData({
      file: source.name,
      offset: 0,
      expected: `an index of chunks that rises and covers ${segment.maxDoc} documents, ${chunkDocsMax} of them a chunk at most`,
      found: `${count} chunks, documents to ${firstDoc[count]}, bytes to ${offset[count]}`,
    })
  }
}
