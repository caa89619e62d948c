import { readHeader } from '../bytes/codec.ts'
import type { Cursor } from '../bytes/cursor.ts'

const framed = -2
const sparse = -1

/**
 * The bits of a `.del` (Lucene 4.9 and 4.10), one a document, set while it lives, in the order that LiveDocs keeps them.
 *
 *   del  = -2:int32, header("BitVector", version 2), bits, footer
 *   bits = size:int32, live:int32, byte[ceil(size / 8)]
 *        | -1:int32, size:int32, live:int32, (gap:vint, byte)*
 *
 * Document n is bit n % 8, low bit first, of byte n / 8. The second form lists the bytes in which something is dead,
 * each by its distance from the one before. Specified in org.apache.lucene.codecs.lucene40.BitVector.
 */
export function readLiveBitsV40(cursor: Cursor, maxDoc: number): Uint8Array {
  const mark = cursor.readInt32()
  if (mark !== framed) throw cursor.corrupt(`${framed} at the start`, `${mark}`, 0)
  readHeader(cursor, { codec: 'BitVector', minVersion: 2, maxVersion: 2 })
  const first = cursor.readInt32()
  const size = first === sparse ? cursor.readInt32() : first
  if (size !== maxDoc) throw cursor.corrupt(`bits of ${maxDoc} documents`, `${size}`)
  cursor.skip(4)
  const bits = new Uint8Array(Math.ceil(maxDoc / 64) * 8)
  const byteCount = Math.ceil(maxDoc / 8)
  if (first !== sparse) {
    const bytes = cursor.readBytes(byteCount)
    for (let i = 0; i < byteCount; i++) bits[i ^ 7] = bytes[i]!
    return bits
  }
  bits.fill(0xff)
  for (let at = 0; cursor.remaining > 0;) {
    at += cursor.readVInt()
    if (at < 0 || at >= byteCount) throw cursor.corrupt(`a byte below ${byteCount}`, `${at}`)
    bits[at ^ 7] = cursor.readByte()
  }
  return bits
}
