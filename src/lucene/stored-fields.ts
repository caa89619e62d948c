import { CorruptData } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import {
  footerBytes,
  readAnyHeader,
  readFooter,
  readIdAndSuffix,
  readIndexHeader,
} from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readWholeFile, segmentFileName } from './files.ts'
import { formatOf, storedFieldsFormats } from './formats.ts'
import type { ChunkCompression } from './formats.ts'
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
export interface StoredFields {
  readonly source: ByteSource
  readonly compression: ChunkCompression
  /** Chunks of at least twice this many bytes are sliced: compressed in pieces of this size. */
  readonly chunkBytes: number
  readonly chunks: ChunkIndex
}

export interface SegmentShape {
  readonly name: string
  readonly id: Uint8Array
  readonly maxDoc: number
}

/** Longest header of a `.fdt`, with the two vints that follow it before version 3. */
const headBytesMax = 128
const versionOffHeapIndex = 2
const versionMeta = 3

/**
 * Opens `<segment>.fdt` and reads its index. The caller closes `source`.
 *
 *   fdt = indexHeader, (chunkBytes:vint, packedVersion:vint) (versions 1 and 2), chunk*,
 *         (chunkCount:vlong, dirtyChunks:vlong (version 1)), footer
 *   fdm = indexHeader("Lucene85FieldsIndexMeta"), (chunkBytes:vint, packedVersion:vint) (version 3), index,
 *         (dirtyChunks:vlong, dirtyDocs:vlong) (version 3), footer          versions 2 and 3 only
 *
 * A chunk's own layout is at readChunkHead(). Specified in
 * org.apache.lucene.codecs.compressing.CompressingStoredFieldsReader.
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
  const { row, version } = formatOf(storedFieldsFormats, readAnyHeader(head), source.name)
  readIdAndSuffix(head, { id: segment.id, suffix: '' })
  const footerAt = Math.max(0, byteLength - footerBytes)
  const footer = await source.read(footerAt, byteLength - footerAt)
  readFooter(new Cursor(source.name, footer, { baseOffset: footerAt }))

  let chunkBytes = version < versionMeta ? readChunkBytes(head) : 0
  const dataStart = head.position
  let chunks: ChunkIndex
  if (version < versionOffHeapIndex) {
    chunks = await readChunkIndexV50(directory, segment, { codec: row.legacyIndexCodec, version })
  } else {
    const meta = await readWholeFile(directory, segmentFileName(segment.name, '', 'fdm'))
    readIndexHeader(meta, {
      codec: 'Lucene85FieldsIndexMeta',
      minVersion: 0,
      maxVersion: version,
      id: segment.id,
      suffix: '',
    })
    if (version >= versionMeta) chunkBytes = readChunkBytes(meta)
    chunks = await readChunkIndexV85(directory, segment, meta)
  }
  checkIndex(source, segment, { chunks, dataStart, dataEnd: footerAt })
  return { source, compression: row.compression, chunkBytes, chunks }
}

function readChunkBytes(cursor: Cursor): number {
  const chunkBytes = cursor.readVInt()
  if (chunkBytes <= 0) throw cursor.corrupt('the size of a chunk', `${chunkBytes}`)
  const packedVersion = cursor.readVInt()
  if (packedVersion < 1 || packedVersion > 2) {
    throw cursor.corrupt('version 1 or 2 of packed integers', `${packedVersion}`)
  }
  return chunkBytes
}

/** Chunks must cover all documents and rise in documents and offsets: the reader relies on it. */
function checkIndex(
  source: ByteSource,
  segment: SegmentShape,
  { chunks, dataStart, dataEnd }: { chunks: ChunkIndex; dataStart: number; dataEnd: number },
): void {
  const { count, firstDoc, offset } = chunks
  let rising = firstDoc[0] === 0 && firstDoc[count] === segment.maxDoc
  rising &&= offset[0]! >= dataStart && offset[count]! <= dataEnd
  for (let i = 0; i < count && rising; i++) {
    rising = firstDoc[i]! < firstDoc[i + 1]! && offset[i]! < offset[i + 1]!
  }
  if (!rising) {
    throw new CorruptData({
      file: source.name,
      offset: 0,
      expected: `an index of chunks that rises and covers ${segment.maxDoc} documents`,
      found: `${count} chunks, documents to ${firstDoc[count]}, bytes to ${offset[count]}`,
    })
  }
}
