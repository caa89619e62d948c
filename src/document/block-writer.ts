import { CorruptData } from '../base/errors.ts'
import type { Memory } from '../bytes/memory.ts'
import type { ChunkDecoder } from '../lucene/chunk.ts'
import type { LiveDocs } from '../lucene/live-docs.ts'
import type { DocumentBlock } from './document-block.ts'
import { decodedIdBytesMax, decodeId, isPlainId } from './id.ts'
import { LineGuard } from './line-guard.ts'
import type { ParentColumns } from './parent-columns.ts'
import { convertSource, isJsonSource } from './source-form.ts'

/** What a stored field is to a document, by field number. */
export const fieldRole = {
  other: 0,
  id: 1,
  source: 2,
  routing: 3,
  uid: 4,
  parent: 5,
  time: 6,
} as const

// Type of a stored field, the low three bits before its number.
const typeString = 0
const typeBytes = 1
const typeInt = 2
const typeFloat = 3
const typeLong = 4
const typeDouble = 5

const hash = 0x23

/** What 6.x wrote as the `_seq_no` of operations that it took over from a translog of 5.x: none. */
const unassigned = -2

/** The stretch of one decoded chunk that is looked at. */
export interface ChunkStretch {
  readonly file: string
  /** First document of the chunk. */
  readonly firstDoc: number
  readonly fromDoc: number
  readonly toDoc: number
  /** Where free memory begins behind the chunk. */
  readonly free: number
}

/** Numbers of the documents of one stretch of 65536. */
export interface Numbers {
  readonly firstDoc: number
  readonly seqNo: Float64Array | undefined
  readonly version: Float64Array | undefined
  /** Ids of parents that are not with the stored fields. */
  readonly parents?: ParentColumns | undefined
}

export interface WriterOptions {
  /** What a stored field is to a document, by its number. */
  readonly roles: Uint8Array
  /** Stored numbers have a fixed length: before Lucene 5.0. */
  readonly fixedNumbers: boolean
  /**
   * The highest number that a document can have. A flip in doc values may go unseen, but must not become a version that
   * nothing can overwrite.
   */
  readonly seqNoMax: number
}

/**
 * Turns decoded chunks into a block: finds id, routing and source of each live document in place, writes ids that are
 * stored encoded behind the chunk, and skips what is no document (nested children have neither id nor source).
 */
export class BlockWriter {
  readonly block: DocumentBlock
  readonly #memory: Memory
  readonly #chunk: ChunkDecoder
  readonly #roles: Uint8Array
  readonly #fixedNumbers: boolean
  readonly #seqNoMax: number
  readonly #guard: LineGuard
  #file = ''
  /** Where reading stands, and where the next bytes go that are in no chunk. */
  #at = 0
  #free = 0

  constructor(
    memory: Memory,
    chunk: ChunkDecoder,
    { roles, fixedNumbers, seqNoMax }: WriterOptions,
  ) {
    this.#memory = memory
    this.#chunk = chunk
    this.#roles = roles
    this.#fixedNumbers = fixedNumbers
    this.#seqNoMax = seqNoMax
    this.#guard = new LineGuard(memory)
    this.block = emptyBlock(memory.bytes)
  }

  /** Empties the block for the stretch that begins at `fromDoc`. */
  begin(fromDoc: number): void {
    this.block.count = 0
    this.block.fromDoc = fromDoc
    this.block.toDoc = fromDoc
  }

  /** Adds the live documents of a stretch of the chunk decoded last; returns where free memory begins afterwards. */
  add(stretch: ChunkStretch, live: LiveDocs, numbers: Numbers): number {
    const { file, firstDoc, fromDoc, toDoc, free } = stretch
    this.#file = file
    this.#free = free
    this.#reserve(toDoc - fromDoc)
    const first = this.#chunk.start[fromDoc - firstDoc]!
    this.#guard.begin(first, this.#chunk.start[toDoc - firstDoc]!)
    for (let doc = fromDoc; doc < toDoc; doc++) {
      if (!live.isLive(doc)) continue
      const i = doc - firstDoc
      this.#document(doc, this.#chunk.fieldCount[i]!, i)
      const { block } = this
      if (block.idStart[block.count] === -1) {
        if (block.sourceStart[block.count] === -1) continue
        throw this.#corrupt(doc, 'an _id beside the _source', 'none')
      }
      if (block.idEnd[block.count]! <= block.idStart[block.count]!) {
        throw this.#corrupt(doc, 'an id', 'no bytes')
      }
      if (numbers.parents !== undefined) this.#parentOf(doc, numbers.parents)
      const n = doc - numbers.firstDoc
      const seqNo = numbers.seqNo === undefined ? -1 : numbers.seqNo[n]!
      if (seqNo > this.#seqNoMax || seqNo < unassigned) {
        throw this.#corrupt(doc, `a _seq_no of 0 to ${this.#seqNoMax}`, `${seqNo}`)
      }
      block.seqNo[block.count] = Math.max(-1, seqNo)
      block.version[block.count] = numbers.version === undefined ? -1 : numbers.version[n]!
      block.count++
    }
    this.block.toDoc = toDoc
    this.block.bytes = this.#memory.bytes
    return this.#free
  }

  /**
   * document = (field:vlong (number × 8 + type), value)*
   * value    = length:vint, bytes (string, bytes) | zint | zfloat | tlong | zdouble
   *            before Lucene 5.0 the numbers are int32, float32, int64, float64
   */
  #document(doc: number, fieldCount: number, i: number): void {
    const { block } = this
    const row = block.count
    block.doc[row] = doc
    block.idStart[row] = -1
    block.routingStart[row] = -1
    block.typeStart[row] = -1
    block.parentStart[row] = -1
    block.sourceStart[row] = -1
    block.timed[row] = 0
    this.#at = this.#chunk.start[i]!
    const end = this.#chunk.start[i + 1]!
    for (let f = 0; f < fieldCount; f++) {
      const field = this.#readVInt(end)
      const type = field & 7
      if (type > typeBytes) {
        if (this.#roles[field >>> 3] === fieldRole.time) block.timed[row] = 1
        if (this.#fixedNumbers) this.#at += fixedBytes(type)
        else this.#skipNumber(type, end)
        continue
      }
      const length = this.#readVInt(end)
      const start = this.#at
      this.#at = start + length
      if (this.#at > end) throw this.#corrupt(doc, 'a field within its document', `${length} bytes`)
      switch (this.#roles[field >>> 3]) {
        case fieldRole.id:
          this.#id(row, type, start, this.#at)
          break
        case fieldRole.source:
          this.#source(doc, row, start, this.#at)
          break
        case fieldRole.routing:
          block.routingStart[row] = start
          block.routingEnd[row] = this.#at
          break
        case fieldRole.uid:
          this.#uid(doc, row, start, this.#at)
          break
        case fieldRole.time:
          block.timed[row] = 1
          break
        case fieldRole.parent:
          this.#parent(doc, row, start, this.#at)
          break
        case undefined:
          throw this.#corrupt(doc, 'a field that the segment has', `number ${field >>> 3}`)
      }
    }
    if (this.#at !== end)
      throw this.#corrupt(doc, 'the end of a document', `${end - this.#at} more bytes`)
  }

  /** Encoded since 6.0 (bytes); plain text in indices of one type made by 5.x (string). */
  #id(row: number, type: number, start: number, end: number): void {
    const { block } = this
    const { bytes } = this.#memory
    if (type === typeString) {
      block.idStart[row] = start
      block.idEnd[row] = end
    } else if (isPlainId(bytes[start]!)) {
      block.idStart[row] = start + 1
      block.idEnd[row] = end
    } else {
      this.#needFree(decodedIdBytesMax(end - start))
      block.idStart[row] = this.#free
      this.#free = decodeId(this.#memory.bytes, start, end, this.#free)
      block.idEnd[row] = this.#free
    }
  }

  /** `type#id` before 6.0. */
  #uid(doc: number, row: number, start: number, end: number): void {
    const { block } = this
    const at = this.#hashIn(doc, start, end)
    block.typeStart[row] = start
    block.typeEnd[row] = at
    block.idStart[row] = at + 1
    block.idEnd[row] = end
  }

  /** `type#id` before 6.0, whose id routes the child where it has no routing of its own. */
  #parent(doc: number, row: number, start: number, end: number): void {
    const { block } = this
    const at = this.#hashIn(doc, start, end)
    block.parentStart[row] = at + 1
    block.parentEnd[row] = end
    if (block.routingStart[row] !== -1) return
    block.routingStart[row] = at + 1
    block.routingEnd[row] = end
  }

  #parentOf(doc: number, parents: ParentColumns): void {
    const { block } = this
    const row = block.count
    if (block.parentStart[row] !== -1 || block.typeStart[row] === -1) return
    const { bytes } = this.#memory
    const id = parents.find(doc, bytes, block.typeStart[row]!, block.typeEnd[row]!)
    if (id === undefined) return
    this.#needFree(id.length)
    block.parentStart[row] = this.#free
    this.#free += id.copy(this.#memory.bytes, this.#free)
    block.parentEnd[row] = this.#free
  }

  /** Where the type ends in `type#id`; a type holds no `#`. */
  #hashIn(doc: number, start: number, end: number): number {
    const at = this.#memory.bytes.indexOf(hash, start)
    if (at < start || at >= end) throw this.#corrupt(doc, 'the form type#id', 'no #')
    return at
  }

  #source(doc: number, row: number, start: number, end: number): void {
    const { block } = this
    if (!isJsonSource(this.#memory.bytes, start, end)) {
      const json = convertSource(
        this.#memory.bytes.subarray(start, end),
        `${this.#file}, document ${doc}`,
      )
      this.#needFree(json.length)
      this.#memory.bytes.set(json, this.#free)
      block.sourceStart[row] = this.#free
      this.#free += json.length
      block.sourceEnd[row] = this.#free
      return
    }
    if (!this.#guard.hasBreak(start, end)) {
      block.sourceStart[row] = start
      block.sourceEnd[row] = end
      return
    }
    // At worst each byte is a line break inside a string and becomes two.
    this.#needFree((end - start) * 2)
    block.sourceStart[row] = this.#free
    this.#free = this.#guard.joinLines(start, end, this.#free)
    block.sourceEnd[row] = this.#free
  }

  #skipNumber(type: number, end: number): void {
    const { bytes } = this.#memory
    const first = bytes[this.#at++]!
    switch (type) {
      case typeInt:
        for (let byte = first; byte >= 0x80 && this.#at < end;) byte = bytes[this.#at++]!
        break
      case typeFloat:
        // zfloat = 0xff, float32 | high bit set: small integer | three more bytes
        this.#at += first === 0xff ? 4 : first >= 0x80 ? 0 : 3
        break
      case typeLong:
        // tlong = header (0x20: more), vlong?
        if ((first & 0x20) === 0) break
        while (this.#at < end && bytes[this.#at++]! >= 0x80);
        break
      case typeDouble:
        // zdouble = 0xff, float64 | 0xfe, float32 | high bit set: small integer | seven more bytes
        this.#at += first === 0xff ? 8 : first === 0xfe ? 4 : first >= 0x80 ? 0 : 7
        break
      default:
        throw this.#corrupt(-1, 'a type of stored field of 0 to 5', `${type}`)
    }
  }

  /** Also good for the vlong of a field: numbers of fields are int32. */
  #readVInt(end: number): number {
    const { bytes } = this.#memory
    let value = bytes[this.#at++]!
    if (value >= 0x80) {
      value &= 0x7f
      for (let shift = 7; ; shift += 7) {
        const byte = bytes[this.#at++]!
        value += (byte & 0x7f) * 2 ** shift
        if (byte < 0x80) break
        if (shift > 28) throw this.#corrupt(-1, 'a vint of at most 5 bytes', 'a sixth')
      }
    }
    if (this.#at > end) throw this.#corrupt(-1, 'a field within its document', 'its end')
    return value
  }

  /** Makes room behind what is used; the decoder's slack is kept. */
  #needFree(byteLength: number): void {
    this.#memory.grow(this.#free + byteLength + 64, this.#free)
  }

  #reserve(more: number): void {
    const { block } = this
    const needed = block.count + more
    if (needed <= block.doc.length) return
    const capacity = Math.max(needed, block.doc.length * 2)
    for (const name of int32Columns) block[name] = grown(block[name], new Int32Array(capacity))
    for (const name of float64Columns) block[name] = grown(block[name], new Float64Array(capacity))
  }

  #corrupt(doc: number, expected: string, found: string): CorruptData {
    const file = doc < 0 ? this.#file : `${this.#file}, document ${doc}`
    return new CorruptData({ file, offset: 0, expected, found })
  }
}

/** Of a number of that type before Lucene 5.0; a type that does not exist leads beyond the document. */
function fixedBytes(type: number): number {
  if (type > typeDouble) return Infinity
  return type === typeInt || type === typeFloat ? 4 : 8
}

const int32Columns = [
  'doc',
  'idStart',
  'idEnd',
  'routingStart',
  'routingEnd',
  'typeStart',
  'typeEnd',
  'parentStart',
  'parentEnd',
  'timed',
  'sourceStart',
  'sourceEnd',
] as const
const float64Columns = ['seqNo', 'version'] as const

function grown<T extends Int32Array | Float64Array>(old: T, bigger: T): T {
  bigger.set(old)
  return bigger
}

function emptyBlock(bytes: Buffer): DocumentBlock {
  const block = { count: 0, fromDoc: 0, toDoc: 0, bytes, checksum: undefined } as DocumentBlock
  for (const name of int32Columns) block[name] = new Int32Array(1024)
  for (const name of float64Columns) block[name] = new Float64Array(1024)
  return block
}
