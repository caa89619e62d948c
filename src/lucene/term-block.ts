import type { Cursor } from '../bytes/cursor.ts'
import { termBytesMax, type TermBlockForm } from './sorted-entry.ts'

/** Terms of a block. */
export const blockTerms = 16
/** Two lengths of five bytes at most stand with each term. */
export const blockBytesMax = blockTerms * (termBytesMax + 10)

/**
 * Reads one block of `count` terms (1 to 16) of the dictionary of a sorted field:
 *
 *   v54   = length:vint, bytes, lengths, (shared:byte, bytes)*, shared with the first term
 *   lengths = (length - 1):byte[15] | 255:byte, (length - 1):int16[15], of what follows the shared part
 *   v70   = length:vint, bytes, (code:byte, (shared - 15):vint (code & 15 = 15), (length - 16):vint (code >> 4 = 15), bytes)*
 *           with code = min(shared, 15) | min(length - 1, 15) << 4, shared with the term before
 *
 * Specified in org.apache.lucene.codecs.lucene54.Lucene54DocValuesConsumer and lucene70.Lucene70DocValuesConsumer.
 */
export function readTermBlock(cursor: Cursor, form: TermBlockForm, count: number): Buffer[] {
  const first = Buffer.from(cursor.readBytes(checkedLength(cursor, cursor.readVInt())))
  return form === 'v54' ? readV54(cursor, first, count) : readV70(cursor, first, count)
}

function readV54(cursor: Cursor, first: Buffer, count: number): Buffer[] {
  const terms = [first]
  const lengths = readLengths(cursor)
  for (let i = 1; i < count; i++)
    terms.push(joined(cursor, first, cursor.readByte(), lengths[i - 1]!))
  return terms
}

/** The last block has the lengths of all 16, too. */
function readLengths(cursor: Cursor): number[] {
  const head = cursor.readByte()
  const isWide = head === 255
  const lengths = isWide ? [] : [head + 1]
  while (lengths.length < blockTerms - 1) {
    lengths.push((isWide ? cursor.readByte() * 256 + cursor.readByte() : cursor.readByte()) + 1)
  }
  return lengths
}

function readV70(cursor: Cursor, first: Buffer, count: number): Buffer[] {
  const terms = [first]
  for (let i = 1; i < count; i++) {
    const code = cursor.readByte()
    const shared = (code & 15) === 15 ? 15 + cursor.readVInt() : code & 15
    const length = code >> 4 === 15 ? 16 + cursor.readVInt() : (code >> 4) + 1
    terms.push(joined(cursor, terms[i - 1]!, shared, length))
  }
  return terms
}

function joined(cursor: Cursor, other: Buffer, shared: number, length: number): Buffer {
  if (shared > other.length) {
    throw cursor.corrupt(`a beginning of ${other.length} bytes at most`, `${shared}`)
  }
  checkedLength(cursor, shared + length)
  return Buffer.concat([other.subarray(0, shared), cursor.readBytes(length)])
}

function checkedLength(cursor: Cursor, length: number): number {
  if (length >= 0 && length <= termBytesMax) return length
  throw cursor.corrupt(`a term of ${termBytesMax} bytes at most`, `${length}`)
}
