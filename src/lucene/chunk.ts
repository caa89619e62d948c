import { CorruptData } from '../base/errors.ts'
import { inflate } from '../bytes/inflate.ts'
import { decompressLz4, lz4SlackBytes } from '../bytes/lz4.ts'
import type { Memory } from '../bytes/memory.ts'
import type { ChunkCompression, StoredFieldsFormat } from './formats.ts'
import type { LiveDocs } from './live-docs.ts'
import { packedAt, packedBytes } from './packed.ts'

/** One chunk of stored fields to be decoded: its compressed bytes are [start, end) of the memory. */
export interface ChunkInput {
  readonly file: string
  /** Offset in the file of the byte at `start`, for messages. */
  readonly fileOffset: number
  readonly start: number
  readonly end: number
  readonly firstDoc: number
  readonly docCount: number
}

/** What all chunks of a segment share. */
export interface ChunkShape {
  readonly compression: ChunkCompression
  /** Chunks of at least twice this many bytes are sliced: compressed in pieces of this size. */
  readonly chunkBytes: number
  readonly counts: StoredFieldsFormat['counts']
  readonly flags: ChunkFlags
}

/** What the low bits beside a chunk's number of documents say; none: it is sliced when it is long enough. */
export type ChunkFlags = 'none' | 'sliced' | 'sliced, dirty'

const flagBits: Readonly<Record<ChunkFlags, number>> = { none: 0, sliced: 1, 'sliced, dirty': 2 }

/** The documents that are asked for. */
interface Wanted {
  readonly live: LiveDocs
  readonly fromDoc: number
  readonly toDoc: number
}

/** Where the blocks of a piece go in the memory: [from, destEnd), behind their dictionary. */
interface Blocks {
  readonly dictStart: number
  readonly from: number
  readonly destEnd: number
  readonly blockBytes: number
  readonly count: number
}

/** Numbers that the form of 9.0 weaves together. */
const laneCount = 128
/** No block expands further: LZ4 gives at most 255 bytes for one, DEFLATE 1032, and Zstandard 2^17 for four. */
const expansionMax: Readonly<Record<ChunkCompression, number>> = {
  lz4: 256,
  'lz4-preset': 256,
  deflate: 1100,
  'deflate-preset': 1100,
  zstd: 2 ** 15,
  'zstd-preset': 2 ** 15,
  'zstd-blocks': 2 ** 15,
}
/** Offsets are kept as int32; Lucene itself has no longer chunks. */
const offsetMax = 0x7fff_ffff

/**
 * Decodes chunks into a memory, one after another; its arrays are reused.
 *
 *   chunk     = firstDoc:vint, token:vint, counts, lengths, data
 *   token     = docCount (4.x) | docCount × 2 + sliced | docCount × 4 + dirty × 2 + sliced  (8.9+)
 *   counts    = fields:vint                                                (docCount = 1)
 *             | 0:vint, fields of each:vint
 *             | bits:vint, fields:packed[docCount]                         (to 8.x)
 *             | bits:byte (8, 16, 32), lane[docCount / 128], fields:int8, int16 or int32[docCount % 128]   (9.0+)
 *   lane      = 128 fields, 64 / bits of them in each int64: the first word has those at 0, step, 2 × step … in its
 *               bytes from high to low, the next word those at 1, step + 1 …, where step = 2 × bits; little-endian
 *   lengths   = the same with the bytes of each document
 *   data      = compressed documents, end to end; sliced: chunkBytes of them at a time, each piece on its own
 *   lz4-preset     = dictBytes:vint, blockBytes:vint, compressed:vint[1 + blocks], dictionary, block*
 *   deflate-preset = dictBytes:vint, blockBytes:vint, (compressed:vint, dictionary), (compressed:vint, block)*
 *   zstd-preset    = …the same, the dictionary being content only…
 *   zstd-blocks    = blockBytes:vint, (compressed:vint, block)*
 *   lz4            = one stream;  deflate and zstd = compressed:vint, one stream
 *
 * A block of the preset forms is compressed with the dictionary before it; the last one may be shorter.
 * Specified in org.apache.lucene.codecs.compressing.CompressingStoredFieldsReader, CompressionMode, and
 * lucene87.LZ4WithPresetDictCompressionMode and DeflateWithPresetDictCompressionMode, and for 9.0 in
 * lucene90.compressing.StoredFieldsInts; zstd in Elasticsearch's Zstd814StoredFieldsFormat, zstd-preset and zstd-blocks
 * in OpenSearch's ZstdCompressionMode and ZstdNoDictCompressionMode.
 */
export class ChunkDecoder {
  readonly #memory: Memory
  /** Stored fields of each document. */
  fieldCount = new Int32Array(1024)
  /** Where each document lies in the memory; one more entry at the end. */
  start = new Int32Array(1025)
  #compressed = new Int32Array(16)
  // Where reading stands in the memory, while a chunk is decoded.
  #at = 0
  #input!: ChunkInput

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /**
   * Decodes one chunk to `dest` in the memory, which grows if needed, and returns where its last document ends. Blocks
   * in which none of [fromDoc, toDoc) lives are left undecoded: only live documents of that range may be looked at.
   */
  decode(input: ChunkInput, shape: ChunkShape, dest: number, wanted: Wanted): number {
    this.#input = input
    this.#at = input.start
    const sliced = this.#readHead(dest, shape)
    const destEnd = this.start[input.docCount]!
    this.#memory.grow(destEnd + lz4SlackBytes, dest)
    const pieceBytes = sliced ? shape.chunkBytes : destEnd - dest
    for (let at = dest; at < destEnd; at += pieceBytes) {
      this.#decodePiece(shape.compression, at, Math.min(destEnd, at + pieceBytes), wanted)
    }
    return destEnd
  }

  /** Reads up to `data`, and whether the chunk is sliced. */
  #readHead(dest: number, { compression, counts, flags, chunkBytes }: ChunkShape): boolean {
    const { firstDoc, docCount, start, end } = this.#input
    const first = this.#readVInt()
    const token = this.#readVInt()
    const found = token >>> flagBits[flags]
    if (first !== firstDoc || found !== docCount) {
      const expected = `documents ${firstDoc} to ${firstDoc + docCount - 1}, as the index says`
      throw this.#corrupt(expected, `${found} from ${first}`)
    }
    if (docCount + 1 > this.start.length) {
      this.start = new Int32Array(docCount + 1)
      this.fieldCount = new Int32Array(docCount)
    }
    if (counts === 'packed' || docCount === 1) {
      this.#readInts(this.fieldCount, 0)
      this.#readInts(this.start, 1)
    } else {
      this.#readLanes(this.fieldCount, 0)
      this.#readLanes(this.start, 1)
    }
    this.start[0] = dest
    const destMax = Math.min(dest + (end - start) * expansionMax[compression], offsetMax)
    for (let i = 0, at = dest; i < docCount; i++) {
      const length = this.start[i + 1]!
      if (length < 0 || (length === 0) !== (this.fieldCount[i] === 0) || at + length > destMax) {
        const expected = 'lengths of documents that fit the chunk'
        throw this.#corrupt(expected, `${length} bytes in ${this.fieldCount[i]} fields`)
      }
      at += length
      this.start[i + 1] = at
    }
    return flags === 'none' ? this.start[docCount]! - dest >= 2 * chunkBytes : (token & 1) === 1
  }

  /** `counts` or `lengths` of the grammar, into `into` from index `at` on. */
  #readInts(into: Int32Array, at: number): void {
    const { docCount, end } = this.#input
    if (docCount === 1) {
      into[at] = this.#readVInt()
      return
    }
    const bits = this.#readVInt()
    if (bits === 0) {
      into.fill(this.#readVInt(), at, at + docCount)
      return
    }
    const length = packedBytes(docCount, bits)
    if (bits < 0 || bits > 31 || this.#at + length > end) {
      throw this.#corrupt('packed integers that fit the chunk', `${bits} bits each`)
    }
    const { bytes } = this.#memory
    for (let i = 0; i < docCount; i++) into[at + i] = packedAt(bytes, this.#at, bits, i)
    this.#at += length
  }

  /** The same in the form of 9.0. */
  #readLanes(into: Int32Array, at: number): void {
    const { docCount, end } = this.#input
    const bits = this.#at < end ? this.#memory.bytes[this.#at++]! : -1
    if (bits === 0) {
      into.fill(this.#readVInt(), at, at + docCount)
      return
    }
    const size = bits / 8
    if ((size !== 1 && size !== 2 && size !== 4) || this.#at + docCount * size > end) {
      throw this.#corrupt('8, 16 or 32 bits a number that fit the chunk', `${bits} bits each`)
    }
    const { bytes } = this.#memory
    const step = 2 * bits
    let i = 0
    for (; i + laneCount <= docCount; i += laneCount) {
      for (let word = 0; word < step; word++) {
        for (let high = laneCount - step + word; high >= 0; high -= step) {
          into[at + i + high] = bytes.readUIntLE(this.#at, size)
          this.#at += size
        }
      }
    }
    for (; i < docCount; i++, this.#at += size) into[at + i] = bytes.readUIntLE(this.#at, size)
  }

  #decodePiece(compression: ChunkCompression, dest: number, destEnd: number, wanted: Wanted): void {
    switch (compression) {
      case 'lz4':
        this.#lz4(this.#input.end, { dest, destEnd, dictStart: dest, dictEnd: dest })
        return
      case 'deflate':
      case 'zstd':
        this.#inflate(compression, { dest, destEnd, dictStart: dest, dictEnd: dest })
        return
      case 'lz4-preset':
        this.#lz4Preset(dest, destEnd, wanted)
        return
      case 'deflate-preset':
        this.#inflatePreset('deflate', dest, destEnd, wanted)
        return
      case 'zstd-preset':
        this.#inflatePreset('zstd', dest, destEnd, wanted)
        return
      case 'zstd-blocks':
        this.#inflateBlocks('zstd', this.#readBlocks(dest, dest, destEnd), wanted)
        return
    }
  }

  #lz4Preset(dest: number, destEnd: number, wanted: Wanted): void {
    const { from: dictEnd, blockBytes, count: blocks } = this.#readPreset(dest, destEnd)
    if (blocks + 1 > this.#compressed.length) this.#compressed = new Int32Array(blocks + 1)
    for (let i = 0; i <= blocks; i++) this.#compressed[i] = this.#readLength()
    const dictFrom = this.#at
    this.#lz4(dictFrom + this.#compressed[0]!, {
      dest,
      destEnd: dictEnd,
      dictStart: dest,
      dictEnd: dest,
    })
    this.#at = dictFrom + this.#compressed[0]!
    for (let i = 0, from = dictEnd; i < blocks; i++, from += blockBytes) {
      const to = Math.min(destEnd, from + blockBytes)
      const next = this.#at + this.#compressed[i + 1]!
      if (this.#isWanted(from, to, wanted)) {
        this.#lz4(next, { dest: from, destEnd: to, dictStart: dest, dictEnd })
      }
      this.#at = next
    }
  }

  #inflatePreset(codec: 'deflate' | 'zstd', dest: number, destEnd: number, wanted: Wanted): void {
    const preset = this.#readPreset(dest, destEnd)
    const dictionary = { dest, destEnd: preset.from, dictStart: dest, dictEnd: dest }
    this.#inflate(codec, dictionary)
    this.#inflateBlocks(codec, preset, wanted)
  }

  #inflateBlocks(codec: 'deflate' | 'zstd', blocks: Blocks, wanted: Wanted): void {
    const { dictStart, blockBytes, destEnd } = blocks
    for (let from = blocks.from; from < destEnd; from += blockBytes) {
      const to = Math.min(destEnd, from + blockBytes)
      if (this.#isWanted(from, to, wanted)) {
        this.#inflate(codec, { dest: from, destEnd: to, dictStart, dictEnd: blocks.from })
      } else {
        const length = this.#readLength()
        this.#at += length
      }
    }
  }

  #readPreset(dest: number, destEnd: number): Blocks {
    return this.#readBlocks(dest, dest + this.#readVInt(), destEnd)
  }

  /** The blocks behind a dictionary of [dictStart, from). */
  #readBlocks(dictStart: number, from: number, destEnd: number): Blocks {
    const blockBytes = this.#readVInt()
    const count = Math.ceil((destEnd - from) / blockBytes)
    if (from < dictStart || from > destEnd || blockBytes <= 0 || count > this.#input.end) {
      throw this.#corrupt(
        `a dictionary and blocks of ${destEnd - dictStart} bytes`,
        `${from - dictStart} and ${blockBytes}`,
      )
    }
    return { dictStart, from, destEnd, blockBytes, count }
  }

  /** True when a live document of the wanted range has a byte in [from, to) of the memory. */
  #isWanted(from: number, to: number, { live, fromDoc, toDoc }: Wanted): boolean {
    const { firstDoc, docCount } = this.#input
    // The first document that ends after `from`.
    let low = 0
    let high = docCount
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.start[middle + 1]! <= from) low = middle + 1
      else high = middle
    }
    for (let i = low; i < docCount && this.start[i]! < to; i++) {
      const doc = firstDoc + i
      if (doc >= fromDoc && doc < toDoc && live.isLive(doc)) return true
    }
    return false
  }

  #lz4(
    srcEnd: number,
    where: { dest: number; destEnd: number; dictStart: number; dictEnd: number },
  ): void {
    if (srcEnd > this.#input.end) throw this.#corrupt('a block within its chunk', 'a longer one')
    const { dest, destEnd, dictStart, dictEnd } = where
    this.#at = decompressLz4(this.#memory, {
      src: this.#at,
      srcEnd,
      dest,
      destEnd,
      dictStart,
      dictEnd,
      file: this.#input.file,
      fileOffset: this.#fileOffset(),
    })
  }

  /** `compressed:vint, one stream`; no bytes are no stream. */
  #inflate(
    codec: 'deflate' | 'zstd',
    where: { dest: number; destEnd: number; dictStart: number; dictEnd: number },
  ): void {
    const { file, end } = this.#input
    const length = this.#readLength()
    const outputBytes = where.destEnd - where.dest
    if (length === 0 && outputBytes === 0) return
    if (this.#at + length > end) throw this.#corrupt('a block within its chunk', 'a longer one')
    const { bytes } = this.#memory
    const stream = {
      input: bytes.subarray(this.#at, this.#at + length),
      outputBytes,
      dictionary: bytes.subarray(where.dictStart, where.dictEnd),
    }
    bytes.set(inflate(codec, stream, { file, offset: this.#fileOffset() }), where.dest)
    this.#at += length
  }

  #readLength(): number {
    const length = this.#readVInt()
    if (length < 0) throw this.#corrupt('a length', `${length}`)
    return length
  }

  #readVInt(): number {
    const { bytes } = this.#memory
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#input.end) throw this.#corrupt('a vint', 'the end of the chunk')
      const byte = bytes[this.#at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw this.#corrupt('a vint of at most 5 bytes', 'a sixth')
  }

  #fileOffset(): number {
    return this.#input.fileOffset + this.#at - this.#input.start
  }

  #corrupt(expected: string, found: string): CorruptData {
    return new CorruptData({
      file: this.#input.file,
      offset: this.#fileOffset(),
      expected,
      found,
    })
  }
}
