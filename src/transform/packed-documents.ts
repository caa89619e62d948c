import type { DocumentBlock } from '../document/document-block.ts'
import type { DocumentText, Unsent } from './pipeline.ts'

/** Columns of a DocumentBlock that a transform may change, with only their bytes: what goes from thread to thread. */
export type PackedDocuments = Pick<
  DocumentBlock,
  | 'count'
  | 'idStart'
  | 'idEnd'
  | 'routingStart'
  | 'routingEnd'
  | 'typeStart'
  | 'typeEnd'
  | 'sourceStart'
  | 'sourceEnd'
> & { bytes: Uint8Array<ArrayBuffer> }

/** A block whose documents are changed. What is not sent has no source here, and a reason. */
export interface TransformedBlock extends DocumentBlock {
  /** By position in the block. */
  readonly unsent: ReadonlyMap<number, Unsent>
}

const fields = ['id', 'routing', 'type', 'source'] as const

/** Bytes that are packed at once, and documents: bounds what is on its way to another thread. */
const packedBytesMax = 1024 * 1024
const packedDocumentsMax = 1000

/** Copies documents `from`, … of the block, as many as go at once: at least one. */
export function packDocuments(block: DocumentBlock, from: number): PackedDocuments {
  let to = from
  let byteLength = 0
  for (; to < block.count && to - from < packedDocumentsMax; to++) {
    const more = bytesOf(block, to)
    if (to > from && byteLength + more > packedBytesMax) break
    byteLength += more
  }
  const packed = emptyPacked(to - from, byteLength)
  let at = 0
  for (let i = from; i < to; i++) {
    for (const field of fields) {
      const start = block[`${field}Start`][i]!
      packed[`${field}Start`][i - from] = start < 0 ? -1 : at
      if (start < 0) continue
      const part = block.bytes.subarray(start, block[`${field}End`][i])
      packed.bytes.set(part, at)
      at += part.length
      packed[`${field}End`][i - from] = at
    }
  }
  return packed
}

function bytesOf(block: DocumentBlock, i: number): number {
  let sum = 0
  for (const field of fields) {
    const start = block[`${field}Start`][i]!
    if (start >= 0) sum += block[`${field}End`][i]! - start
  }
  return sum
}

function emptyPacked(count: number, byteLength: number): PackedDocuments {
  const column = (): Int32Array<ArrayBuffer> => new Int32Array(count)
  return {
    count,
    bytes: new Uint8Array(byteLength),
    ...{ idStart: column(), idEnd: column(), routingStart: column(), routingEnd: column() },
    ...{ typeStart: column(), typeEnd: column(), sourceStart: column(), sourceEnd: column() },
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** One of the documents; undefined where it has no `_source`. Throws TypeError for bytes that are no UTF-8. */
export function unpackDocument(packed: PackedDocuments, i: number): DocumentText | undefined {
  const text = (field: (typeof fields)[number]): string | undefined => {
    const start = packed[`${field}Start`][i]!
    if (start < 0) return undefined
    return decoder.decode(packed.bytes.subarray(start, packed[`${field}End`][i]))
  }
  const source = text('source')
  if (source === undefined) return undefined
  return { id: text('id')!, routing: text('routing'), type: text('type'), source }
}

/** The documents in their places; of one that is not given (`undefined`) only what is no source. */
export function repackDocuments(
  packed: PackedDocuments,
  documents: readonly (DocumentText | undefined)[],
): PackedDocuments {
  const parts: Uint8Array[] = []
  const places: { start: number; end: number }[] = []
  let at = 0
  for (const [i, document] of documents.entries()) {
    for (const field of fields) {
      const part = partOf(packed, i, document, field)
      places.push({ start: part === undefined ? -1 : at, end: at + (part?.length ?? 0) })
      if (part === undefined) continue
      parts.push(part)
      at += part.length
    }
  }
  const again = emptyPacked(documents.length, at)
  let offset = 0
  for (const part of parts) {
    again.bytes.set(part, offset)
    offset += part.length
  }
  for (const [n, { start, end }] of places.entries()) {
    const field = fields[n % fields.length]!
    const i = Math.floor(n / fields.length)
    again[`${field}Start`][i] = start
    again[`${field}End`][i] = end
  }
  return again
}

function partOf(
  packed: PackedDocuments,
  i: number,
  document: DocumentText | undefined,
  field: (typeof fields)[number],
): Uint8Array | undefined {
  if (document !== undefined) {
    const text = document[field]
    return text === undefined ? undefined : encoder.encode(text)
  }
  const start = packed[`${field}Start`][i]!
  if (start < 0 || field === 'source') return undefined
  return packed.bytes.subarray(start, packed[`${field}End`][i])
}

/** The block from `from` on with the documents as they came back; what was not to be sent before is not by now. */
export function transformedBlock(
  block: DocumentBlock & Partial<TransformedBlock>,
  from: number,
  packed: PackedDocuments,
  unsent: ReadonlyMap<number, Unsent>,
): TransformedBlock {
  const to = from + packed.count
  const before = [...(block.unsent ?? [])].filter(([i]) => i >= from && i < to)
  const { buffer, byteOffset, byteLength } = packed.bytes
  const none = new Int32Array(packed.count).fill(-1)
  return {
    ...packed,
    parentStart: none,
    parentEnd: none,
    bytes: Buffer.from(buffer, byteOffset, byteLength),
    fromDoc: from === 0 ? block.fromDoc : block.doc[from]!,
    toDoc: to === block.count ? block.toDoc : block.doc[to]!,
    doc: block.doc.slice(from, to),
    timed: block.timed.slice(from, to),
    seqNo: block.seqNo.slice(from, to),
    version: block.version.slice(from, to),
    checksum: block.checksum,
    unsent: new Map([...unsent, ...before.map(([i, why]) => [i - from, why] as const)]),
  }
}
