import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { FormatTooNew } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import { FieldWriter } from './field-writer.ts'
import { damaged } from './log-errors.ts'

/**
 * A segment file of a local capture log. Specified in docs/formats/capture-log.md; numbers are big-endian.
 *
 *   segment = header (mark frame*)* zero*           ; mark and frames of a group were written by one call
 *   header  = magic:8 version:uint16 length:uint16 checksum:uint32 fields
 *                                                   ; `length` is that of fields
 *   checksum = CRC-32 of version, length and fields
 *   fields  = stream:string salt:8 firstOffset:int64 previousEnd:int64 createdAt:int64
 *   mark    = a frame of kind 0, version 1: salt:8 offset:int64 flags:byte   ; flag 1: nothing follows it
 *   frame   = as in record-layout.ts
 *
 * `firstOffset` is the position of the first byte after the header, so positions of a stream go through all its
 * segments; `previousEnd` is where the one before ends, and what stands there behind it does not count. A mark stands
 * only behind bytes that are safe on the disk, which tells a torn tail (no mark follows) from damage (one follows); the
 * salt is random, so that no client can send a body that looks like one.
 */
export interface SegmentHeader {
  readonly stream: string
  /** 8 bytes. */
  readonly salt: Buffer
  readonly firstOffset: number
  readonly previousEnd: number
  /** Epoch microseconds. */
  readonly createdAt: number
}

const magic = Buffer.from('OSMIGLOG', 'latin1')
const version = 1
const fixedBytes = magic.length + 8
const streamBytesMax = 200
/** No header is longer. */
export const headerBytesMax = fixedBytes + 2 + streamBytesMax + 8 + 3 * 8

export const markKind = 0
const markVersion = 1
/** Kind, version, salt, offset and flags. */
export const markContentBytes = 19
const closingFlag = 1

export function buildHeader(fields: Omit<SegmentHeader, 'salt'>): Buffer {
  const writer = new FieldWriter()
  writer.reserve(headerBytesMax)
  writer.writeString(fields.stream)
  writer.writeBytes(randomBytes(8))
  writer.writeInt64(fields.firstOffset)
  writer.writeInt64(fields.previousEnd)
  writer.writeInt64(fields.createdAt)
  const written = Buffer.concat(writer.pieces())
  const header = Buffer.alloc(fixedBytes + written.length)
  magic.copy(header)
  header.writeUInt16BE(version, 8)
  header.writeUInt16BE(written.length, 10)
  written.copy(header, fixedBytes)
  header.writeUInt32BE(headerChecksum(header), 12)
  return header
}

/**
 * Reads the header that `bytes` begin with; `headerBytes` is its length. Undefined where the file ends within it or holds
 * nothing: its writer ended before it was made. Throws MA_CAPTURE_LOG for other bytes, MA_FORMAT_TOO_NEW for a newer form.
 */
export function parseHeader(
  bytes: Buffer,
  file: string,
): { header: SegmentHeader; headerBytes: number } | undefined {
  if (bytes.length < fixedBytes || isZero(bytes.subarray(0, fixedBytes))) return undefined
  if (!bytes.subarray(0, 8).equals(magic)) {
    throw damaged({ file, offset: 0, expected: 'a segment of a capture log', found: 'other bytes' })
  }
  const found = bytes.readUInt16BE(8)
  if (found > version) {
    throw new FormatTooNew({
      ...{ file, offset: 8, expected: `version ${version} of a segment or an older one` },
      found: `version ${found}, which a newer osmigrate wrote: read the log with that one`,
    })
  }
  const headerBytes = fixedBytes + bytes.readUInt16BE(10)
  if (bytes.length < headerBytes && bytes.length < headerBytesMax) return undefined
  const whole = bytes.subarray(0, headerBytes)
  if (headerBytes > headerBytesMax || headerChecksum(whole) !== whole.readUInt32BE(12)) {
    throw damaged({
      ...{ file, offset: 8, expected: 'a header that fits its checksum', found: 'another' },
    })
  }
  return { header: readFields(whole.subarray(fixedBytes), file), headerBytes }
}

function readFields(bytes: Buffer, file: string): SegmentHeader {
  const cursor = new Cursor(file, bytes, { baseOffset: fixedBytes })
  try {
    return {
      stream: cursor.readString(),
      salt: cursor.readBytes(8),
      firstOffset: cursor.readInt64(),
      previousEnd: cursor.readInt64(),
      createdAt: cursor.readInt64(),
    }
  } catch (error) {
    throw damaged({ file, offset: fixedBytes, expected: 'a header', found: 'other bytes' }, error)
  }
}

function headerChecksum(header: Buffer): number {
  return crc32(header.subarray(fixedBytes), crc32(header.subarray(8, 12)))
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0)
}

/** The content of a mark that stands at `offset`; `closes`: the last one of a segment that ends in good order. */
export function markContent(
  { salt }: SegmentHeader,
  { offset, closes }: { offset: number; closes: boolean },
): Buffer {
  const content = Buffer.alloc(markContentBytes)
  content[0] = markKind
  content[1] = markVersion
  salt.copy(content, 2)
  content.writeBigInt64BE(BigInt(offset), 10)
  content[18] = closes ? closingFlag : 0
  return content
}

/** Whether the content of a frame is the mark that belongs at this offset. */
export function isMarkOf(header: SegmentHeader, content: Buffer, offset: number): boolean {
  return (
    content[0] === markKind &&
    content.equals(markContent(header, { offset, closes: closes(content) }))
  )
}

/** Whether the content of a frame is a mark that nothing follows. */
export function closes(content: Buffer): boolean {
  return content[0] === markKind && content.at(-1) === closingFlag
}
