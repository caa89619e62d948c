/**
 * The live root documents of a stretch of one segment, column by column, as they leave the decoder. One block is
 * reused for the next stretch: whoever wants to keep something copies it. Offsets point into `bytes`.
 *
 *   block  = documents, in order of their Lucene number, nested children, tombstones and dead documents left out
 *   source = JSON on one line (line breaks made blanks; SMILE, CBOR and YAML converted)
 */
export interface DocumentBlock {
  /** Documents in this block; may be 0 (a stretch in which nothing lives). */
  count: number
  /** The stretch of Lucene document numbers that this block covers: [fromDoc, toDoc). */
  fromDoc: number
  toDoc: number
  /** Holds the ids, routings, types and sources of all documents of the block. */
  bytes: Buffer
  /** Lucene document number of each document. */
  doc: Int32Array
  idStart: Int32Array
  idEnd: Int32Array
  /** routingStart = -1 where there is no routing. */
  routingStart: Int32Array
  routingEnd: Int32Array
  /** typeStart = -1 where the source has no types (7 and later). */
  typeStart: Int32Array
  typeEnd: Int32Array
  /** parentStart = -1 where the document has no `_parent` (Elasticsearch before 6); else the parent's id, without its type. */
  parentStart: Int32Array
  parentEnd: Int32Array
  /** 1 where the document has a stored `_timestamp` or `_ttl` (Elasticsearch before 5), else 0. */
  timed: Int32Array
  /** sourceStart = -1 where the document has no `_source`. */
  sourceStart: Int32Array
  sourceEnd: Int32Array
  /** -1 where the document has no number (written by 5.x). */
  seqNo: Float64Array
  /** `_version`; -1 where absent. External versions beyond 2^53 become the nearest double. */
  version: Float64Array
  /**
   * Of the stored fields, from where reading began; undefined where they were checked before. Good for a document from
   * fromDoc to toDoc, until the next block.
   */
  checksum: { at(doc: number): number } | undefined
}

/** One document taken out of a block, for those who look at single documents. */
export interface Document {
  readonly id: string
  readonly routing?: string
  readonly type?: string
  /** Id of its `_parent`. */
  readonly parent?: string
  readonly seqNo?: number
  readonly version?: number
  /** The JSON as stored, on one line; undefined when the index keeps none. */
  readonly source?: Uint8Array
}

/** Copies document `i` out of the block. */
export function documentAt(block: DocumentBlock, i: number): Document {
  const text = (start: number, end: number): string => block.bytes.toString('utf8', start, end)
  const seqNo = block.seqNo[i]!
  const version = block.version[i]!
  return {
    id: text(block.idStart[i]!, block.idEnd[i]!),
    ...(block.routingStart[i]! >= 0 && {
      routing: text(block.routingStart[i]!, block.routingEnd[i]!),
    }),
    ...(block.typeStart[i]! >= 0 && { type: text(block.typeStart[i]!, block.typeEnd[i]!) }),
    ...(block.parentStart[i]! >= 0 && { parent: text(block.parentStart[i]!, block.parentEnd[i]!) }),
    ...(seqNo >= 0 && { seqNo }),
    ...(version >= 0 && { version }),
    ...(block.sourceStart[i]! >= 0 && {
      source: Uint8Array.from(block.bytes.subarray(block.sourceStart[i], block.sourceEnd[i])),
    }),
  }
}
