import { Buffer } from 'node:buffer'
import { typeMark, type DocumentTypes } from '../base/document-types.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import type { TransformedBlock } from './packed-documents.ts'
import type { Unsent } from './pipeline.ts'

/**
 * The blocks with their documents as the mapping types want them: those of other types left out, the type and the join
 * written as first members of `_source`, which is not parsed. The yielded block is the same object each time.
 */
export async function* typedBlocks(
  blocks: AsyncIterable<DocumentBlock>,
  types: DocumentTypes,
): AsyncIterable<TransformedBlock> {
  const writer = new TypedWriter(types)
  for await (const block of blocks) yield writer.rewrite(block)
}

const columns = [
  ...['doc', 'timed', 'idStart', 'idEnd', 'routingStart', 'routingEnd', 'typeStart', 'typeEnd'],
  ...['parentStart', 'parentEnd', 'sourceStart', 'sourceEnd'],
] as const

type TypedBlock = DocumentBlock & { unsent: Map<number, Unsent> }

class TypedWriter {
  readonly #types: DocumentTypes
  readonly #only: ReadonlySet<string> | undefined
  readonly #parents: ReadonlySet<string>
  readonly #out: TypedBlock
  #at = 0
  /** The type of the last document, which is most likely that of the next. */
  #type = ''
  #typeBytes = Buffer.alloc(0)

  constructor(types: DocumentTypes) {
    this.#types = types
    this.#only = types.only === null ? undefined : new Set(types.only)
    this.#parents = new Set(Object.values(types.join?.parents ?? {}))
    this.#out = { bytes: Buffer.alloc(0), unsent: new Map() } as unknown as TypedBlock
    this.#reserve(1)
  }

  rewrite(block: DocumentBlock): TransformedBlock {
    const out = this.#out
    this.#reserve(block.count)
    this.#at = 0
    out.count = 0
    out.fromDoc = block.fromDoc
    out.toDoc = block.toDoc
    out.checksum = block.checksum
    out.unsent = new Map()
    for (let i = 0; i < block.count; i++) this.#document(block, i)
    return out
  }

  #document(block: DocumentBlock, i: number): void {
    const type = this.#typeOf(block, i)
    if (type !== undefined && this.#only?.has(type) === false) return
    const out = this.#out
    const row = out.count++
    out.doc[row] = block.doc[i]!
    out.timed[row] = block.timed[i]!
    out.seqNo[row] = block.seqNo[i]!
    out.version[row] = block.version[i]!
    out.parentStart[row] = -1
    const { keepIn, routeById } = this.#types
    const prefix = type !== undefined && keepIn !== null ? type + typeMark : ''
    const [idStart, idEnd] = [block.idStart[i]!, block.idEnd[i]!]
    out.idStart[row] = this.#at
    this.#text(prefix)
    this.#copy(block.bytes, idStart, idEnd)
    out.idEnd[row] = this.#at
    const isRouted = block.routingStart[i]! >= 0
    out.routingStart[row] = isRouted || routeById ? this.#at : -1
    if (isRouted) this.#copy(block.bytes, block.routingStart[i]!, block.routingEnd[i]!)
    else if (routeById) this.#copy(block.bytes, idStart, idEnd)
    out.routingEnd[row] = this.#at
    out.typeStart[row] = type === undefined ? -1 : this.#at
    this.#text(type ?? '')
    out.typeEnd[row] = this.#at
    out.sourceStart[row] = -1
    if (block.sourceStart[i]! < 0) return
    const failed = this.#source(block, i, type)
    if (failed === undefined) return
    out.sourceStart[row] = -1
    out.unsent.set(row, { why: 'failed', reason: `mapping types: ${failed}` })
  }

  /** Gives why it cannot be written, in the place of writing it. */
  #source(block: DocumentBlock, i: number, type: string | undefined): string | undefined {
    if (type === undefined) return 'the document has none'
    const { keepIn } = this.#types
    const join = this.#join(block, i, type)
    if (join === null) return `it is of type ${type} and has no _parent`
    const members = [...(keepIn === null ? [] : [member(keepIn, type)]), ...(join ? [join] : [])]
    const [start, end] = [block.sourceStart[i]!, block.sourceEnd[i]!]
    const out = this.#out
    out.sourceStart[out.count - 1] = this.#at
    if (members.length === 0) this.#copy(block.bytes, start, end)
    else {
      const open = skipBlanks(block.bytes, skipMark(block.bytes, start), end)
      if (block.bytes[open] !== openBrace) return '_source is no JSON object'
      const isEmpty = block.bytes[skipBlanks(block.bytes, open + 1, end)] === closeBrace
      this.#text(`{${members.join(',')}${isEmpty ? '' : ','}`)
      this.#copy(block.bytes, open + 1, end)
    }
    out.sourceEnd[out.count - 1] = this.#at
    return undefined
  }

  /** The member that says how the document is joined; undefined for one that is not, null for a child without a parent. */
  #join(block: DocumentBlock, i: number, type: string): string | undefined | null {
    const { join, keepIn } = this.#types
    if (join === null) return undefined
    const parentType = Object.hasOwn(join.parents, type) ? join.parents[type]! : undefined
    if (parentType === undefined) {
      return this.#parents.has(type) ? member(join.field, type) : undefined
    }
    if (block.parentStart[i]! < 0) return null
    const id = block.bytes.toString('utf8', block.parentStart[i], block.parentEnd[i])
    const parent = keepIn === null ? id : parentType + typeMark + id
    return member(join.field, { name: type, parent })
  }

  #typeOf(block: DocumentBlock, i: number): string | undefined {
    const start = block.typeStart[i]!
    if (start < 0) return undefined
    const end = block.typeEnd[i]!
    const { length } = this.#typeBytes
    const isLast =
      length === end - start && block.bytes.compare(this.#typeBytes, 0, length, start, end) === 0
    if (!isLast) {
      this.#typeBytes = Buffer.from(block.bytes.subarray(start, end))
      this.#type = this.#typeBytes.toString('utf8')
    }
    return this.#type
  }

  #text(text: string): void {
    // A character of UTF-16 is at most three bytes of UTF-8.
    this.#need(text.length * 3)
    this.#at += this.#out.bytes.write(text, this.#at, 'utf8')
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    this.#need(end - start)
    this.#at += bytes.copy(this.#out.bytes, this.#at, start, end)
  }

  #need(byteLength: number): void {
    const { bytes } = this.#out
    if (this.#at + byteLength <= bytes.length) return
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.#at + byteLength, bytes.length * 2))
    bytes.copy(bigger, 0, 0, this.#at)
    this.#out.bytes = bigger
  }

  #reserve(count: number): void {
    const out = this.#out
    if (out.doc !== undefined && out.doc.length >= count) return
    for (const name of columns) out[name] = new Int32Array(count)
    out.seqNo = new Float64Array(count)
    out.version = new Float64Array(count)
  }
}

const openBrace = 0x7b
const closeBrace = 0x7d

/** Engines take a byte order mark. */
function skipMark(bytes: Buffer, at: number): number {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? at + 3 : at
}

function skipBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && (bytes[at] === 0x20 || (bytes[at]! >= 0x09 && bytes[at]! <= 0x0d))) at++
  return at
}

function member(name: string, value: string | { name: string; parent: string }): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`
}
