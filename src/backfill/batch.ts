import type { BulkBody } from '../cluster/bulk-body.ts'
import { insertOf } from '../cluster/stream-writes.ts'
import { scanUpsertSource } from '../cluster/upsert-source.ts'
import type { WritePlace } from '../cluster/write-place.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import type { Unsent } from '../transform/pipeline.ts'

/**
 * A bulk body under construction, in a buffer that is used again for later batches. Documents go from the block into
 * the body as bytes, without an object or a string for each:
 *
 *   item = {"index":{"_id":"<id>","routing":"<routing>","version":<n>,"version_type":"external_gte"}} LF source LF
 *
 * with `,"routing":…` only where the document has one; or, into an index behind a data stream:
 *
 *   item = {"update":{"_id":"<id>","routing":"<routing>"}} LF {"doc":{},"upsert":source} LF
 *
 * Which document an item is stays known beside the body.
 */
export interface BulkBatch extends BulkBody {
  bytes: Buffer
  itemStart: Int32Array
  count: number
  /** Lucene number of each item. */
  readonly doc: Int32Array
  readonly version: Float64Array
  /** The stretch of Lucene numbers that is settled when this batch is: what is not an item of it did not live. */
  fromDoc: number
  toDoc: number
  sourceBytes: number
  /** Items whose `_timestamp` or `_ttl` stays behind. */
  timed: number
  /** Documents of the stretch that cannot be written; at most `missingMax`. */
  readonly missing: MissingSource[]
  /** Items in whose place their time alone is inserted, to be replaced (stream-writes.ts). */
  readonly placeholders: Placeholder[]
}

export interface Placeholder {
  readonly item: number
  readonly source: Buffer
}

/** A document that the index keeps no `_source` of, or that a transform does not send (`unsent`). */
export interface MissingSource {
  doc: number
  id: string
  routing: string | null
  version: number
  unsent?: Unsent
}

/** How the version that a document is written with comes about: design §3. */
export interface VersionRule {
  /** Above every number that the source gave: see design §3. */
  epochBase: number
  /** `version` where the source gave no sequence numbers: Elasticsearch before 6.0 (design §3.10). */
  versionFrom: 'seqNo' | 'version'
}

export interface BatchLimits extends VersionRule {
  bytesMax: number
  /** Of an index behind a data stream: documents are inserted there by updates, without a version. */
  timestampField?: Buffer
}

/** How documents are written to this place. */
export function formOf({ stream }: WritePlace): Pick<BatchLimits, 'timestampField'> {
  return stream === undefined ? {} : { timestampField: Buffer.from(stream.timestampField) }
}

/** Items of one bulk: bounds the arrays beside the body where documents are tiny. */
const itemsMax = 10_000
const missingMax = 1000

export function createBatch(bytesMax: number): BulkBatch {
  return {
    bytes: Buffer.allocUnsafeSlow(bytesMax),
    itemStart: new Int32Array(itemsMax + 1),
    count: 0,
    doc: new Int32Array(itemsMax),
    version: new Float64Array(itemsMax),
    fromDoc: 0,
    toDoc: 0,
    sourceBytes: 0,
    timed: 0,
    missing: [],
    placeholders: [],
  }
}

/** Empties the batch for the stretch that begins at `fromDoc`; a buffer that one large document had grown is given back. */
export function resetBatch(batch: BulkBatch, fromDoc: number, bytesMax: number): void {
  if (batch.bytes.length > bytesMax) batch.bytes = Buffer.allocUnsafeSlow(bytesMax)
  batch.count = 0
  batch.itemStart[0] = 0
  batch.fromDoc = fromDoc
  batch.toDoc = fromDoc
  batch.sourceBytes = 0
  batch.timed = 0
  batch.missing.length = 0
  batch.placeholders.length = 0
}

/**
 * Adds documents `from`, `from + 1`, … of the block while there is room, and returns the number of the first that was
 * not added (`block.count` when all were: then the batch covers the block to its end). A document that alone is larger
 * than `bytesMax` goes into an empty batch, whose buffer grows for it.
 */
export function fillBatch(
  batch: BulkBatch,
  block: DocumentBlock,
  from: number,
  limits: BatchLimits,
): number {
  let at = batch.itemStart[batch.count]!
  let held = batch.placeholders.reduce((sum, { source }) => sum + source.length, 0)
  for (let i = from; i < block.count; i++) {
    const version = versionOf(block, i, limits)
    if (block.sourceStart[i]! < 0) {
      if (batch.missing.length === missingMax) return i
      batch.missing.push(missingSource(block, i, version))
      batch.toDoc = block.doc[i]! + 1
      continue
    }
    const most = itemBytesMost(block, i)
    if (at + held + most > limits.bytesMax || batch.count === itemsMax) {
      if (batch.count > 0) return i
      if (most > batch.bytes.length) batch.bytes = Buffer.allocUnsafeSlow(most)
    }
    const sourceBytes = block.sourceEnd[i]! - block.sourceStart[i]!
    if (limits.timestampField === undefined) at = writeItem(batch.bytes, at, block, i, version)
    else {
      const before = batch.placeholders.length
      at = writeInsert(batch, at, block, i, limits.timestampField)
      if (batch.placeholders.length > before) held += sourceBytes
    }
    batch.doc[batch.count] = block.doc[i]!
    batch.version[batch.count] = version
    batch.count++
    batch.itemStart[batch.count] = at
    batch.toDoc = block.doc[i]! + 1
    batch.sourceBytes += sourceBytes
    batch.timed += block.timed[i]!
  }
  batch.toDoc = block.toDoc
  return block.count
}

/** The version that document `i` of the block is written with: see design §3 (and §3.10 for one without a number). */
export function versionOf(
  block: Pick<DocumentBlock, 'seqNo' | 'version'>,
  i: number,
  { epochBase, versionFrom }: VersionRule,
): number {
  if (versionFrom === 'version') return epochBase + Math.max(0, block.version[i]!)
  const seqNo = block.seqNo[i]!
  return seqNo < 0 ? epochBase : epochBase + seqNo + 1
}

/** Lucene document of the first one with routing in the block, -1 if there is none. */
export function firstRouted(block: DocumentBlock): number {
  for (let i = 0; i < block.count; i++) if (block.routingStart[i]! >= 0) return i
  return -1
}

/** Reads an item's `_id` and routing back from the body: only for the few that had a problem. */
export function itemNames(body: BulkBody, item: number): { id: string; routing: string | null } {
  const start = body.itemStart[item]!
  const line = body.bytes.toString('utf8', start, body.bytes.indexOf(0x0a, start))
  const action = JSON.parse(line) as { [kind: string]: { _id: string; routing?: string } }
  const { _id: id, routing = null } = Object.values(action)[0]!
  return { id, routing }
}

function missingSource(
  block: DocumentBlock & Partial<TransformedBlock>,
  i: number,
  version: number,
): MissingSource {
  const unsent = block.unsent?.get(i)
  const text = (start: number, end: number): string => block.bytes.toString('utf8', start, end)
  const routed = block.routingStart[i]! >= 0
  return {
    doc: block.doc[i]!,
    id: text(block.idStart[i]!, block.idEnd[i]!),
    routing: routed ? text(block.routingStart[i]!, block.routingEnd[i]!) : null,
    version,
    ...(unsent !== undefined && { unsent }),
  }
}

const openId = Buffer.from('{"index":{"_id":"')
const openInsert = Buffer.from('{"update":{"_id":"')
const closeNames = Buffer.from('"}}\n{"doc":{},"upsert":')
const openRouting = Buffer.from('","routing":"')
const openVersion = Buffer.from('","version":')
const closeAction = Buffer.from(',"version_type":"external_gte"}}\n')
const digitsMost = 16
const templateBytes =
  openId.length + openRouting.length + openVersion.length + digitsMost + closeAction.length + 1
/** `\u001f`: what one byte can become at most. */
const escapedMost = 6

function itemBytesMost(block: DocumentBlock, i: number): number {
  const routing = block.routingStart[i]! < 0 ? 0 : block.routingEnd[i]! - block.routingStart[i]!
  const names = block.idEnd[i]! - block.idStart[i]! + routing
  return names * escapedMost + (block.sourceEnd[i]! - block.sourceStart[i]!) + templateBytes
}

function writeItem(
  into: Buffer,
  start: number,
  block: DocumentBlock,
  i: number,
  version: number,
): number {
  let at = writeNames(into, writeTemplate(into, start, openId), block, i)
  at = writeTemplate(into, at, openVersion)
  at = writeDigits(into, at, version)
  at = writeTemplate(into, at, closeAction)
  at += block.bytes.copy(into, at, block.sourceStart[i], block.sourceEnd[i])
  into[at] = 0x0a
  return at + 1
}

function writeInsert(
  batch: BulkBatch,
  start: number,
  block: DocumentBlock,
  i: number,
  timestampField: Buffer,
): number {
  const { bytes: into, placeholders, count: item } = batch
  const { bytes } = block
  const from = block.sourceStart[i]!
  const to = block.sourceEnd[i]!
  let at = writeNames(into, writeTemplate(into, start, openInsert), block, i)
  at = writeTemplate(into, at, closeNames)
  if (scanUpsertSource(bytes, from, to, timestampField).isKept) {
    at += bytes.copy(into, at, from, to)
  } else {
    // The block is used again before the answer comes.
    const source = Buffer.from(bytes.subarray(from, to))
    placeholders.push({ item, source })
    at += insertOf(source, timestampField).insert.copy(into, at)
  }
  into[at] = 0x7d
  into[at + 1] = 0x0a
  return at + 2
}

function writeNames(into: Buffer, start: number, block: DocumentBlock, i: number): number {
  const { bytes } = block
  const at = writeEscaped(into, start, bytes, block.idStart[i]!, block.idEnd[i]!)
  const routingStart = block.routingStart[i]!
  if (routingStart < 0) return at
  const next = writeTemplate(into, at, openRouting)
  return writeEscaped(into, next, bytes, routingStart, block.routingEnd[i]!)
}

function writeTemplate(into: Buffer, at: number, template: Buffer): number {
  for (let i = 0; i < template.length; i++) into[at + i] = template[i]!
  return at + template.length
}

const hex = Buffer.from('0123456789abcdef')

/** Text as the inside of a JSON string. Bytes of 0x80 and above are UTF-8 as they stand. */
function writeEscaped(
  into: Buffer,
  start: number,
  bytes: Buffer,
  from: number,
  to: number,
): number {
  let at = start
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte === 0x22 || byte === 0x5c) {
      into[at++] = 0x5c
      into[at++] = byte
    } else if (byte >= 0x20) {
      into[at++] = byte
    } else {
      into[at] = 0x5c
      into[at + 1] = 0x75
      into[at + 2] = into[at + 3] = 0x30
      into[at + 4] = hex[byte >> 4]!
      into[at + 5] = hex[byte & 15]!
      at += 6
    }
  }
  return at
}

/** Whole numbers below 2^53, in two halves so that the loop stays with small integers. */
function writeDigits(into: Buffer, at: number, value: number): number {
  if (value < 1e9) return writeSmall(into, at, value, digitCount(value))
  const high = Math.floor(value / 1e9)
  const next = writeSmall(into, at, high, digitCount(high))
  return writeSmall(into, next, value - high * 1e9, 9)
}

function digitCount(value: number): number {
  let count = 1
  for (let limit = 10; value >= limit; limit *= 10) count++
  return count
}

function writeSmall(into: Buffer, at: number, value: number, digits: number): number {
  let rest = value | 0
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0
    into[i] = 0x30 + rest - next * 10
    rest = next
  }
  return at + digits
}
