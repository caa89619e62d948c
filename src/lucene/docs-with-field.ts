import { CorruptData } from '../base/errors.ts'
import type { ByteSource } from '../blob/byte-source.ts'
import { Cursor } from '../bytes/cursor.ts'
import type { DocsWithField } from './numeric-entry.ts'
import { unpackMonotonic } from './packed.ts'

/** Documents are handled in stretches of this many, as IndexedDISI has them. */
export const stretchDocs = 65536

const headerBytes = 4
/** A block with more documents than this is a bit set. */
const sparseMax = 4095
const bitSetBytes = stretchDocs / 8

interface Block {
  readonly block: number
  readonly count: number
  /** Offset of the block's own data in the file. */
  readonly offset: number
  /** Documents in the blocks before. */
  readonly before: number
}

/** The documents of one stretch that have the field. */
export interface StretchDocs {
  count: number
  /** Index of the first of them among all documents with the field: where its value stands. */
  firstIndex: number
  /** Their numbers less the first of the stretch, rising; only [0, count) count. */
  readonly docs: Uint16Array
}

/**
 * Which documents have a field, stretch by stretch; a stretch is found by walking the headers from the front, each
 * read once.
 *
 *   blocks = block*, last, jump table (8.0+)
 *   block  = number:int16 (document >> 16), count - 1:int16,
 *            nothing (65536 documents) | ranks, bits:int64[1024] (4096 and more) | document & 0xffff:int16[count]
 *   last   = the block of document 2^31 - 1
 *
 * Integers are little-endian since 9.0. Specified in org.apache.lucene.codecs.lucene70.IndexedDISI,
 * lucene80.IndexedDISI and lucene90.IndexedDISI.
 */
export class DocsWithFieldReader {
  readonly #source: ByteSource
  readonly #docs: DocsWithField
  readonly #maxDoc: number
  readonly #littleEndian: boolean
  readonly #result: StretchDocs
  #blocks: Block[] = []
  /** All documents that are `listed`. */
  #list: Float64Array | undefined
  /** True once the last header has been read. */
  #ended = false

  constructor(
    source: ByteSource,
    docs: DocsWithField,
    maxDoc: number,
    { littleEndian = false }: { littleEndian?: boolean } = {},
  ) {
    this.#source = source
    this.#docs = docs
    this.#maxDoc = maxDoc
    this.#littleEndian = littleEndian
    const docs16 = new Uint16Array(Math.min(stretchDocs, maxDoc))
    this.#result = { count: 0, firstIndex: 0, docs: docs16 }
  }

  /** The same object each time. */
  async read(stretch: number): Promise<StretchDocs> {
    const docs = this.#docs
    const fromDoc = stretch * stretchDocs
    const inStretch = Math.min(stretchDocs, this.#maxDoc - fromDoc)
    switch (docs.kind) {
      case 'none':
        return this.#none()
      case 'all':
        return this.#all(inStretch, fromDoc)
      case 'bits':
        // A value stands for each document, with the field or without.
        return this.#bitsLowFirst(docs.offset, fromDoc, inStretch)
      case 'listed':
        return this.#listed(docs, fromDoc, inStretch)
      case 'blocks':
        return this.#block(await this.#find(stretch), docs.rankBytes, inStretch)
    }
  }

  #none(): StretchDocs {
    this.#result.count = 0
    return this.#result
  }

  #all(inStretch: number, firstIndex: number): StretchDocs {
    const { docs } = this.#result
    for (let i = 0; i < inStretch; i++) docs[i] = i
    return Object.assign(this.#result, { count: inStretch, firstIndex })
  }

  async #listed(
    docs: DocsWithField & { kind: 'listed' },
    fromDoc: number,
    inStretch: number,
  ): Promise<StretchDocs> {
    if (this.#list === undefined) {
      const bytes = await this.#source.read(docs.offset, docs.byteLength)
      const cursor = new Cursor(this.#source.name, bytes, { baseOffset: docs.offset })
      this.#list = unpackMonotonic(cursor, docs.blocks, docs)
    }
    let at = firstFrom(this.#list, fromDoc)
    const firstIndex = at
    const { docs: found } = this.#result
    for (let last = -1; at < this.#list.length; at++) {
      const doc = this.#list[at]! - fromDoc
      if (doc >= inStretch) break
      if (!(doc > last))
        throw this.#corrupt(docs.offset, 'rising documents', `${doc} after ${last}`)
      found[at - firstIndex] = last = doc
    }
    return Object.assign(this.#result, { count: at - firstIndex, firstIndex })
  }

  async #bitsLowFirst(offset: number, fromDoc: number, inStretch: number): Promise<StretchDocs> {
    const bits = await this.#source.read(offset + fromDoc / 8, Math.ceil(inStretch / 8))
    const { docs } = this.#result
    let count = 0
    for (let i = 0; i < inStretch; i++)
      if (((bits[i >> 3]! >> (i & 7)) & 1) !== 0) docs[count++] = i
    return Object.assign(this.#result, { count, firstIndex: -1 })
  }

  async #block(
    block: Block | undefined,
    rankBytes: number,
    inStretch: number,
  ): Promise<StretchDocs> {
    if (block === undefined) return this.#none()
    const { count, offset, before } = block
    if (count > inStretch) throw this.#corrupt(offset, `${inStretch} documents`, `${count}`)
    if (count === stretchDocs) return this.#all(inStretch, before)
    const { docs } = this.#result
    let found = 0
    if (count <= sparseMax) {
      const bytes = await this.#source.read(offset, count * 2)
      for (let last = -1; found < count; found++) {
        const doc = this.#int16(bytes, 2 * found)
        if (doc <= last) throw this.#corrupt(offset, 'rising documents', `${doc} after ${last}`)
        docs[found] = last = doc
      }
    } else {
      const bytes = await this.#source.read(offset + rankBytes, bitSetBytes)
      // Big-endian words of 64 bits turn the bytes of each word around.
      const flip = this.#littleEndian ? 0 : 7
      for (let doc = 0; doc < inStretch; doc++) {
        if (((bytes[(doc >> 3) ^ flip]! >> (doc & 7)) & 1) === 0) continue
        docs[found++] = doc
      }
    }
    if (found !== count || docs[count - 1]! >= inStretch) {
      throw this.#corrupt(offset, `${count} documents below ${inStretch}`, 'others')
    }
    return Object.assign(this.#result, { count, firstIndex: before })
  }

  async #find(stretch: number): Promise<Block | undefined> {
    for (;;) {
      const last = this.#blocks.at(-1)
      if (this.#ended || (last !== undefined && last.block >= stretch)) {
        return this.#blocks.find(({ block }) => block === stretch)
      }
      await this.#readHeader(last)
    }
  }

  async #readHeader(last: Block | undefined): Promise<void> {
    const docs = this.#docs
    if (docs.kind !== 'blocks') return
    const start = last === undefined ? docs.offset : last.offset + blockBytes(last, docs.rankBytes)
    if (start + headerBytes > docs.offset + docs.byteLength) {
      throw this.#corrupt(start, 'another block', 'the end of the blocks')
    }
    const bytes = await this.#source.read(start, headerBytes)
    const block = this.#int16(bytes, 0)
    const count = this.#int16(bytes, 2) + 1
    if (block === 0x7fff && block > (this.#maxDoc - 1) >> 16) {
      this.#ended = true
      return
    }
    if (block <= (last?.block ?? -1) || block * stretchDocs >= this.#maxDoc) {
      throw this.#corrupt(start, 'rising blocks below the last document', `${block}`)
    }
    const before = last === undefined ? 0 : last.before + last.count
    this.#blocks.push({ block, count, offset: start + headerBytes, before })
  }

  #int16(bytes: Uint8Array, at: number): number {
    const [first, second] = [bytes[at]!, bytes[at + 1]!]
    return this.#littleEndian ? (second << 8) | first : (first << 8) | second
  }

  #corrupt(offset: number, expected: string, found: string): CorruptData {
    return new CorruptData({ file: this.#source.name, offset, expected, found })
  }
}

/** Position of the first that is not below `least`. */
function firstFrom(rising: Float64Array, least: number): number {
  let [low, high] = [0, rising.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (rising[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}

function blockBytes(block: Block, rankBytes: number): number {
  if (block.count === stretchDocs) return 0
  return block.count <= sparseMax ? block.count * 2 : rankBytes + bitSetBytes
}
