import { CorruptData } from '../base/errors.ts'

const magic = 'ZV'
const typeCompressed = 1
const literalsMax = 32

/** True for what Elasticsearch 1.x has compressed: metadata, and `_source` where the mapping asks for it. */
export function isLzf(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  return (
    end - start >= 5 &&
    bytes[start] === magic.charCodeAt(0) &&
    bytes[start + 1] === magic.charCodeAt(1) &&
    bytes[start + 2]! <= typeCompressed
  )
}

/**
 * Decompresses LZF as com.ning.compress.lzf writes it. At most `bytesMax` come out; anything else than this grammar is
 * CorruptData. `baseOffset` is the offset of the first byte in the file, for messages.
 *
 *   lzf   = chunk*
 *   chunk = "ZV", 0:byte, length:uint16, byte[length] | "ZV", 1:byte, length:uint16, plainLength:uint16, item*
 *   item  = n:byte (0 to 31), byte[n + 1]
 *         | control:byte, more:byte (where the high 3 bits of control are all set), low:byte
 *
 * An item of the second form repeats (control >> 5) + 2 (+ more) bytes from ((control & 31) << 8) + low + 1 back.
 */
export function decompressLzf(
  bytes: Uint8Array,
  { file, bytesMax, baseOffset = 0 }: { file: string; bytesMax: number; baseOffset?: number },
): Buffer {
  const chunks: Buffer[] = []
  let total = 0
  for (let at = 0; at < bytes.length;) {
    const compressed = bytes[at + 2] === typeCompressed
    const head = compressed ? 7 : 5
    if (!isLzf(bytes, at) || at + head > bytes.length) throw broken(at, 'a chunk', 'other bytes')
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!
    const plainLength = compressed ? (bytes[at + 5]! << 8) | bytes[at + 6]! : length
    const end = at + head + length
    total += plainLength
    if (end > bytes.length) throw broken(at, `${length} bytes`, `${bytes.length - at - head} left`)
    if (total > bytesMax) throw broken(at, `at most ${bytesMax} bytes decompressed`, `${total}`)
    const chunk = Buffer.alloc(plainLength)
    if (compressed) decompressChunk(bytes, { at: at + head, end, into: chunk })
    else chunk.set(bytes.subarray(at + head, end))
    chunks.push(chunk)
    at = end
  }
  return Buffer.concat(chunks, total)

  function decompressChunk(
    from: Uint8Array,
    { at, end, into }: { at: number; end: number; into: Buffer },
  ): void {
    let to = 0
    while (at < end) {
      const control = from[at++]!
      if (control < literalsMax) {
        const count = control + 1
        if (at + count > end || to + count > into.length) {
          throw broken(at, 'literals that fit', `${count}`)
        }
        into.set(from.subarray(at, at + count), to)
        at += count
        to += count
        continue
      }
      let count = (control >> 5) + 2
      if (count === 9) count += from[at++] ?? 0
      const back = ((control & 31) << 8) + (from[at++] ?? 0) + 1
      if (at > end || back > to || to + count > into.length) {
        throw broken(at, 'a repetition that fits', `${count} bytes from ${back} back`)
      }
      for (; count > 0; count--, to++) into[to] = into[to - back]!
    }
    if (to !== into.length) throw broken(at, `${into.length} bytes decompressed`, `${to}`)
  }

  function broken(at: number, expected: string, found: string): CorruptData {
    return new CorruptData({ file, offset: baseOffset + at, expected: `LZF: ${expected}`, found })
  }
}
