import type { Directory } from '../blob/byte-source.ts'
import { readIndexHeader } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readWholeFile, segmentFileName } from './files.ts'
import { readMonotonicMeta, unpackMonotonic } from './packed.ts'
import type { ChunkIndex, SegmentShape } from './stored-fields.ts'

/**
 * The index of stored fields since Lucene 8.5; `meta` stands behind chunkBytes in the `.fdm`.
 *
 *   index = maxDoc:int32, blockShift:int32, entries:int32, docsStart:int64, docs:monotonic, docsEnd:int64,
 *           offsets:monotonic, offsetsEnd:int64, dataEnd:int64
 *   fdx   = indexHeader, docs, offsets, footer
 *
 * There is one entry more than chunks: maxDoc, and where the chunks end.
 * Little-endian since 9.0. Specified in org.apache.lucene.codecs.compressing.FieldsIndexReader and
 * lucene90.compressing.FieldsIndexReader.
 */
export async function readChunkIndexV85(
  directory: Directory,
  segment: SegmentShape,
  { meta, codec, chunkCountMax }: { meta: Cursor; codec: string; chunkCountMax: number },
): Promise<ChunkIndex> {
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

  const data = await readWholeFile(directory, segmentFileName(segment.name, '', 'fdx'))
  readIndexHeader(data, {
    codec,
    minVersion: 0,
    maxVersion: 0,
    id: segment.id,
    suffix: '',
  })
  data.littleEndian = meta.littleEndian
  const shape = { count: entries, blockShift }
  const firstDoc = Int32Array.from(unpackMonotonic(part(data, docsStart, docsEnd), docs, shape))
  const offset = unpackMonotonic(part(data, docsEnd, offsetsEnd), offsets, shape)
  if (offset[entries - 1] !== dataEnd) {
    throw meta.corrupt(`chunks that end at ${offset[entries - 1]}`, `${dataEnd}`)
  }
  return { count: entries - 1, firstDoc, offset }
}

/** The stretch [start, end) of the file. */
function part(data: Cursor, start: number, end: number): Cursor {
  data.seek(start)
  const { file, littleEndian } = data
  return new Cursor(file, data.readBytes(end - start), { baseOffset: start, littleEndian })
}
