import { crc32 } from 'node:zlib'
import type {
  CapturedRequest,
  CapturedResponse,
  CaptureGap,
  CaptureRecord,
  ExchangeId,
  RawHeaders,
  ThinItem,
  ThinResponse,
} from './exchange.ts'
import { FieldWriter, stringBytesMax } from './field-writer.ts'
import { frameHeadBytes, gapFlags, kinds, recordVersion } from './record-layout.ts'
import { requestFlags, thinFlags } from './record-layout.ts'

/** Up to here, copying a body costs less than one more piece to write. */
const copiedBytesMax = 8192
/** More than the numbers of any record take. */
const numbersBytesMax = 96
const noBody = new Uint8Array(0)

/**
 * Frames of records that are written or sent together. Heads and short bodies stand in buffers that are used again after
 * `clear`; long bodies are pieces of their own, not copied: they may not change until then.
 */
export class FrameBatch {
  readonly #fields = new FieldWriter()
  #bytes = 0

  /** Bytes of all frames. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the frame of a record. */
  add(record: CaptureRecord): void {
    const fields = this.#fields
    const body = 'body' in record ? record.body : noBody
    fields.reserve(headBytesMax(record) + copiedBytesMax)
    const start = fields.position
    fields.position += frameHeadBytes
    fields.writeByte(kinds[record.kind])
    fields.writeByte(recordVersion)
    writeFields(fields, record)
    this.#end(start, body)
  }

  /** Adds the frame of what is not a record, but a store's own: `content` is kind, version and fields. */
  addContent(content: Uint8Array): void {
    this.#fields.reserve(frameHeadBytes + copiedBytesMax)
    const start = this.#fields.position
    this.#fields.position += frameHeadBytes
    this.#end(start, content)
  }

  /** The bytes of all frames in order. They are valid until `clear`. */
  pieces(): readonly Buffer[] {
    return this.#fields.pieces()
  }

  clear(): void {
    this.#fields.clear()
    this.#bytes = 0
  }

  /** The body, and what stands before all: the length, and the checksum of what follows it. */
  #end(start: number, body: Uint8Array): void {
    const fields = this.#fields
    const { buffer } = fields
    const copied = body.length <= copiedBytesMax
    const headBytes = fields.position - start
    buffer.writeUInt32BE(headBytes - frameHeadBytes + body.length, start + 4)
    if (copied) fields.writeBytes(body)
    let checksum = crc32(buffer.subarray(start + 4, fields.position))
    if (!copied) checksum = crc32(body, checksum)
    buffer.writeUInt32BE(checksum, start)
    if (!copied) fields.addPiece(body)
    this.#bytes += headBytes + body.length
  }
}

const single = new FrameBatch()

/** One record's frame in one buffer, for stores that keep each record by itself. */
export function encodeRecord(record: CaptureRecord): Buffer {
  single.add(record)
  const frame = Buffer.concat(single.pieces())
  single.clear()
  return frame
}

function writeFields(fields: FieldWriter, record: CaptureRecord): void {
  switch (record.kind) {
    case 'request':
      return writeRequest(fields, record)
    case 'response':
      return writeResponse(fields, record)
    case 'thin':
      return writeThin(fields, record)
    case 'gap':
      return writeGap(fields, record)
    case 'started':
    case 'stopped':
      fields.writeString(record.proxy)
      fields.writeInt64(record.at)
      fields.writeString(record.version)
  }
}

function writeRequest(fields: FieldWriter, request: CapturedRequest): void {
  writeExchange(fields, request.exchange)
  fields.writeVLong(request.connection)
  fields.writeByte(request.mayWrite ? requestFlags.mayWrite : 0)
  fields.writeString(request.method)
  fields.writeString(request.target)
  writeStrings(fields, request.headers)
  fields.writeInt64(request.firstByteAt)
  fields.writeInt64(request.lastByteAt)
  fields.writeVLong(request.bodyBytes)
}

function writeResponse(fields: FieldWriter, response: CapturedResponse): void {
  writeExchange(fields, response.exchange)
  fields.writeVLong(response.status)
  writeStrings(fields, response.headers)
  fields.writeInt64(response.firstByteAt)
  fields.writeInt64(response.lastByteAt)
  fields.writeVLong(response.bodyBytes)
}

function writeThin(fields: FieldWriter, thin: ThinResponse): void {
  writeExchange(fields, thin.exchange)
  fields.writeVLong(thin.status)
  fields.writeInt64(thin.lastByteAt)
  fields.writeVLong(thin.items.length)
  for (const item of thin.items) writeItem(fields, item)
}

function writeItem(fields: FieldWriter, item: ThinItem): void {
  const { seqNo, primaryTerm, routing } = item
  fields.writeByte(
    (seqNo === undefined ? 0 : thinFlags.seqNo) |
      (primaryTerm === undefined ? 0 : thinFlags.primaryTerm) |
      (routing === undefined ? 0 : thinFlags.routing),
  )
  fields.writeString(item.index)
  fields.writeString(item.id)
  fields.writeString(item.result)
  if (seqNo !== undefined) fields.writeVLong(seqNo)
  if (primaryTerm !== undefined) fields.writeVLong(primaryTerm)
  if (routing !== undefined) fields.writeString(routing)
}

function writeGap(fields: FieldWriter, gap: CaptureGap): void {
  fields.writeString(gap.proxy)
  fields.writeInt64(gap.from)
  fields.writeInt64(gap.until)
  fields.writeVLong(gap.requests)
  fields.writeString(gap.cause)
  fields.writeByte(gap.indices === undefined ? 0 : gapFlags.indices)
  if (gap.indices !== undefined) writeStrings(fields, gap.indices)
}

function writeExchange(fields: FieldWriter, exchange: ExchangeId): void {
  fields.writeString(exchange.proxy)
  fields.writeVLong(exchange.number)
}

function writeStrings(fields: FieldWriter, texts: readonly string[]): void {
  fields.writeVLong(texts.length)
  for (const text of texts) fields.writeString(text)
}

/** As many bytes as the frame of this record can take, its body apart. */
function headBytesMax(record: CaptureRecord): number {
  switch (record.kind) {
    case 'request':
      return (
        numbersBytesMax +
        stringsBytesMax([record.exchange.proxy, record.method, record.target]) +
        stringsBytesMax(record.headers)
      )
    case 'response':
      return (
        numbersBytesMax + stringBytesMax(record.exchange.proxy) + stringsBytesMax(record.headers)
      )
    case 'thin':
      return record.items.reduce(
        (sum, item) =>
          sum + 32 + stringsBytesMax([item.index, item.id, item.result, item.routing ?? '']),
        numbersBytesMax + stringBytesMax(record.exchange.proxy),
      )
    case 'gap':
      return (
        numbersBytesMax +
        stringsBytesMax([record.proxy, record.cause]) +
        stringsBytesMax(record.indices ?? [])
      )
    case 'started':
    case 'stopped':
      return numbersBytesMax + stringsBytesMax([record.proxy, record.version])
  }
}

function stringsBytesMax(texts: readonly string[] | RawHeaders): number {
  let bytes = 0
  for (const text of texts) bytes += stringBytesMax(text)
  return bytes
}
