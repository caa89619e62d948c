import { Buffer } from 'node:buffer'

/** First byte of an encoded id; any other byte begins a base64url id. */
const utf8Mark = 0xff
const numericMark = 0xfe
const base64Escape = 0xfd

const digits = Buffer.from('0123456789')
const base64Url = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

/** True when the text of an encoded id stands in it as it is, behind the first byte. */
export function isPlainId(firstByte: number): boolean {
  return firstByte === utf8Mark
}

/** Bytes that decodeId() may write for an encoded id of this length. */
export function decodedIdBytesMax(encodedBytes: number): number {
  return encodedBytes * 2
}

/**
 * Writes the text of the encoded `_id` at [start, end) to `dest` in the same bytes and returns where it ends.
 * Elasticsearch since 6.0 stores ids in the shortest of these forms (org.elasticsearch.index.mapper.Uid):
 *
 *   id = 0xff, UTF-8 bytes
 *      | 0xfe, decimal digits, two a byte, high half first, 0xf in the last half when their count is odd
 *      | 0xfd?, what base64url without padding stands for (0xfd where that would begin with 0xfd or more)
 */
export function decodeId(bytes: Buffer, start: number, end: number, dest: number): number {
  const mark = bytes[start]
  if (mark === utf8Mark) {
    bytes.copyWithin(dest, start + 1, end)
    return dest + end - start - 1
  }
  if (mark === numericMark) return decodeDigits(bytes, start + 1, end, dest)
  return decodeBase64(bytes, mark === base64Escape ? start + 1 : start, end, dest)
}

function decodeDigits(bytes: Buffer, start: number, end: number, dest: number): number {
  for (let i = start; i < end; i++) {
    const two = bytes[i]!
    bytes[dest++] = digits[two >> 4]!
    if ((two & 0x0f) === 0x0f) break
    bytes[dest++] = digits[two & 0x0f]!
  }
  return dest
}

function decodeBase64(bytes: Buffer, start: number, end: number, dest: number): number {
  let i = start
  for (; i + 2 < end; i += 3) {
    const three = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    bytes[dest++] = base64Url[three >> 18]!
    bytes[dest++] = base64Url[(three >> 12) & 63]!
    bytes[dest++] = base64Url[(three >> 6) & 63]!
    bytes[dest++] = base64Url[three & 63]!
  }
  const left = end - i
  if (left > 0) {
    const last = (bytes[i]! << 16) | (left > 1 ? bytes[i + 1]! << 8 : 0)
    bytes[dest++] = base64Url[last >> 18]!
    bytes[dest++] = base64Url[(last >> 12) & 63]!
    if (left > 1) bytes[dest++] = base64Url[(last >> 6) & 63]!
  }
  return dest
}
