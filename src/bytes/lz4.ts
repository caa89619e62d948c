import { CorruptData } from '../base/errors.ts'
import type { Memory } from './memory.ts'

/** Bytes that decompressLz4 may read after the input and write after the output: copies go 16 bytes at a time. */
export const lz4SlackBytes = 32

/** Where a stream lies in the memory; all offsets in bytes from its start. */
export interface Lz4Stream {
  /** The input is [src, srcEnd); the stream may end before it. */
  src: number
  srcEnd: number
  /** The output is [dest, destEnd), filled exactly. */
  dest: number
  destEnd: number
  /** What matches that begin before `dest` refer to: the dictionary [dictStart, dictEnd), as if it ended at `dest`. */
  dictStart: number
  dictEnd: number
  /** For messages: the file, and the offset in it of the byte at `src`. */
  file: string
  fileOffset: number
}

/**
 * Decompresses one LZ4 block as Lucene writes it, and returns where in the memory its input ended. Input and output
 * must lie in the memory with `lz4SlackBytes` to spare after each; the slack after the output is overwritten.
 * Every length and offset is checked; wrong ones are CorruptData.
 *
 *   block    = sequence*, last
 *   sequence = token:byte (high 4 bits literals, low 4 bits match - 4), literalMore?, literal byte*,
 *              back:uint16le (1 to 65535), matchMore?
 *   last     = token, literalMore?, literal byte*              the output is full here
 *   more     = 255* and one byte below; added where the 4 bits are all set
 *
 * Specified in lz4_Block_format.md of the LZ4 project and org.apache.lucene.util.compress.LZ4.
 */
export function decompressLz4(memory: Memory, stream: Lz4Stream): number {
  const { bytes, view } = memory
  const { srcEnd, destEnd, dest: start, dictEnd } = stream
  const dictBytes = dictEnd - stream.dictStart
  let s = stream.src
  let d = start
  if (srcEnd + lz4SlackBytes > bytes.length || destEnd + lz4SlackBytes > bytes.length) {
    throw new RangeError('memory without slack')
  }
  for (;;) {
    if (s >= srcEnd) throw broken(stream, s, 'a token', 'the end')
    const token = bytes[s++]!
    let length = token >>> 4
    if (length === 15) {
      let more: number
      do {
        if (s >= srcEnd) throw broken(stream, s, 'a length', 'the end')
        more = bytes[s++]!
        length += more
      } while (more === 255)
    }
    const literalEnd = d + length
    if (s + length > srcEnd || literalEnd > destEnd) {
      throw broken(stream, s, 'literals that fit', `${length} literals`)
    }
    view.setBigUint64(d, view.getBigUint64(s, true), true)
    view.setBigUint64(d + 8, view.getBigUint64(s + 8, true), true)
    for (let i = 16; i < length; i += 16) {
      view.setBigUint64(d + i, view.getBigUint64(s + i, true), true)
      view.setBigUint64(d + i + 8, view.getBigUint64(s + i + 8, true), true)
    }
    s += length
    d = literalEnd
    if (d === destEnd) return s

    if (s + 2 > srcEnd) throw broken(stream, s, 'an offset', 'the end')
    const back = view.getUint16(s, true)
    s += 2
    length = token & 15
    if (length === 15) {
      let more: number
      do {
        if (s >= srcEnd) throw broken(stream, s, 'a length', 'the end')
        more = bytes[s++]!
        length += more
      } while (more === 255)
    }
    const matchEnd = d + length + 4
    if (back === 0 || matchEnd > destEnd || d - back < start - dictBytes) {
      throw broken(stream, s, 'a match that fits', `${length + 4} bytes from ${back} back`)
    }
    let from = d - back
    if (from < start) {
      const inDict = Math.min(start - from, matchEnd - d)
      for (let at = dictEnd - (start - from), to = d; to < d + inDict; at += 16, to += 16) {
        view.setBigUint64(to, view.getBigUint64(at, true), true)
        view.setBigUint64(to + 8, view.getBigUint64(at + 8, true), true)
      }
      d += inDict
      from = start
    }
    if (back >= 16) {
      do {
        view.setBigUint64(d, view.getBigUint64(from, true), true)
        view.setBigUint64(d + 8, view.getBigUint64(from + 8, true), true)
        d += 16
        from += 16
      } while (d < matchEnd)
    } else if (back >= 8) {
      for (; d < matchEnd; from += 8, d += 8) {
        view.setBigUint64(d, view.getBigUint64(from, true), true)
      }
    } else {
      while (d < matchEnd) bytes[d++] = bytes[from++]!
    }
    d = matchEnd
  }
}

function broken(stream: Lz4Stream, at: number, expected: string, found: string): CorruptData {
  const { file, fileOffset, src } = stream
  return new CorruptData({
    file,
    offset: fileOffset + at - src,
    expected: `LZ4: ${expected}`,
    found,
  })
}
