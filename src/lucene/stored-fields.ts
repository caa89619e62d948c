import type { ByteSource, Directory } from '../blob/byte-source.ts'
import {
  footerBytes,
  readFooter,
  readIdAndSuffix,
  readIndexHeader,
  type SegmentId,
} from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { checkChunkCount, checkedIndex, chunkOf } from './chunk-index.ts'
import type { ChunkIndex, ChunkWindow } from './chunk-index.ts'
import { readWholeFile, segmentFileName } from './files.ts'
import { readFormat, storedFieldsFormats } from './formats.ts'
import type { StoredFieldsFormat } from './formats.ts'
import type { ChunkShape } from './chunk.ts'
import { readChunkIndexV50 } from './stored-fields-index-v50.ts'
import { readChunkIndexV85 } from './stored-fields-index-v85.ts'

/** What is known of the stored fields of a segment, whatever their version. */
export interface StoredLayout extends ChunkShape {
  /** True: numbers among the fields have their full width (before Lucene 5.0). */
  readonly fixedNumbers: boolean
  readonly chunks: ChunkIndex
  readonly maxDoc: number
  /** The last bytes of the file, which name its checksum: for checkFooterOf(). */
  readonly footer: Uint8Array
}

/** The stored fields of one segment, opened. */
export interface StoredFields extends StoredLayout {
  readonly source: ByteSource
}

/**
 * Where the bytes begin in the `.fdt` that are read with a chunk: the first one takes the header along, the last one all
 * that comes before the checksum, so that the chunks are the whole of what the checksum is over. `chunk` may be `count`.
 */
export function chunkEdge({ source }: StoredFields, window: ChunkWindow, chunk: number): number {
  if (chunk <= 0 && window.isFirst) return 0
  return chunk >= window.count && window.isLast ? source.byteLength - 8 : window.offset[chunk]!
}

/** Where the first chunk begins that begins at a document or after it: see chunkEdge(). */
export async function edgeAt(stored: StoredFields, doc: number): Promise<number> {
  if (doc <= 0) return 0
  if (doc >= stored.maxDoc) return stored.source.byteLength - 8
  const window = await stored.chunks.window(doc)
  const chunk = chunkOf(window, doc)
  return chunkEdge(stored, window, window.firstDoc[chunk]! < doc ? chunk + 1 : chunk)
}

export interface SegmentShape {
  readonly name: string
  readonly id: SegmentId
  readonly maxDoc: number
}

/** A chunk has two vints and two counts: so an index cannot claim more chunks than there are bytes for. */
const chunkBytesMin = 4

/** What an index of chunks is read from. */
export interface ChunkIndexInput {
  readonly directory: Directory
  readonly segment: SegmentShape
  readonly chunkCountMax: number
}

/** Longest header of a `.fdt`, with the two vints that follow it before version 3. */
const headBytesMax = 128

/**
 * Opens `<segment>.fdt` and reads its index, where it is not `kept` from an earlier time. The caller closes `source`.
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
  kept: { layout: StoredLayout | undefined } = { layout: undefined },
): Promise<StoredFields> {
  const source = await directory.open(segmentFileName(segment.name, '', 'fdt'))
  try {
    kept.layout ??= await readLayout(directory, segment, source)
    return { ...kept.layout, source }
  } catch (error) {
    await source.close()
    throw error
  }
}

async function readLayout(
  directory: Directory,
  segment: SegmentShape,
  source: ByteSource,
): Promise<StoredLayout> {
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
  const input = { directory, segment, chunkCountMax }
  let found: { index: ChunkIndex; count: number }
  if (row.legacyIndexCodec !== undefined && version < row.since.index) {
    const codec = row.legacyIndexCodec
    found = await readChunkIndexV50(input, { codec, version })
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
    found = await readChunkIndexV85(input, { meta, codec })
  }
  const { maxDoc } = segment
  const bounds = { file: source.name, maxDoc, dataStart, dataEnd: footerAt }
  checkChunkCount(found.count, bounds)
  const chunks = checkedIndex(found.index, bounds)
  // Where all is in one window, all is checked with it.
  await chunks.window(0)
  const { compression, counts, fixedNumbers = false } = row
  const flags = row.chunkFlags ?? (version >= row.since.dirtyBit ? 'sliced, dirty' : 'sliced')
  return { chunks, chunkBytes, compression, counts, flags, fixedNumbers, maxDoc, footer }
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
