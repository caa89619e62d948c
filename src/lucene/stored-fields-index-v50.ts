import type { Directory } from '../blob/byte-source.ts'
import { readIndexHeader } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'
import { readWholeFile, segmentFileName } from './files.ts'
import { packedAt, packedBigAt, packedBytes, packedNumberBitsMax } from './packed.ts'
import type { ChunkIndex, SegmentShape } from './stored-fields.ts'

/**
 * The index of stored fields from Lucene 5.0 to 8.4.
 *
 *   fdx    = indexHeader, packedVersion:vint, block*, 0:vint, dataEnd:vlong, footer
 *   block  = chunks:vint, firstDoc:vint, averageDocs:vint, bits:vint, docDelta:zigzag packed[chunks],
 *            firstOffset:vlong, averageBytes:vlong, bits:vint, offsetDelta:zigzag packed[chunks]
 *   the i-th chunk of a block begins at document firstDoc + averageDocs × i + docDelta[i], and likewise in bytes
 *
 * Specified in org.apache.lucene.codecs.compressing.LegacyFieldsIndexReader.
 */
export async function readChunkIndexV50(
  directory: Directory,
  segment: SegmentShape,
  { codec, version, chunkCountMax }: { codec: string; version: number; chunkCountMax: number },
): Promise<ChunkIndex> {
  const cursor = await readWholeFile(directory, segmentFileName(segment.name, '', 'fdx'))
  readIndexHeader(cursor, {
    codec,
    minVersion: version,
    maxVersion: version,
    id: segment.id,
    suffix: '',
  })
  cursor.readVInt()
  const countMax = Math.min(segment.maxDoc, chunkCountMax)
  const firstDoc: number[] = []
  const offset: number[] = []
  for (;;) {
    const chunks = cursor.readVInt()
    if (chunks === 0) break
    if (chunks < 0 || firstDoc.length + chunks > countMax) {
      throw cursor.corrupt(`at most ${countMax} chunks`, `${firstDoc.length + chunks}`)
    }
    readDeltas(cursor, chunks, cursor.readVInt(), cursor.readVInt(), 32, firstDoc)
    readDeltas(cursor, chunks, cursor.readVLong(), cursor.readVLong(), 64, offset)
  }
  offset.push(cursor.readVLong())
  firstDoc.push(segment.maxDoc)
  cursor.expectEnd()
  return {
    count: firstDoc.length - 1,
    firstDoc: Int32Array.from(firstDoc),
    offset: Float64Array.from(offset),
  }
}

function readDeltas(
  cursor: Cursor,
  count: number,
  base: number,
  average: number,
  bitsMax: number,
  into: number[],
): void {
  const bits = cursor.readVInt()
  if (bits < 0 || bits > bitsMax) throw cursor.corrupt(`at most ${bitsMax} bits`, `${bits}`)
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
