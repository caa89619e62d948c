import { crc32 } from 'node:zlib'
import { FormatTooNew } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import type {
  CapturedRequest,
  CapturedResponse,
  CaptureGap,
  CaptureMark,
  CaptureRecord,
  ExchangeId,
  ThinItem,
  ThinResponse,
} from './exchange.ts'
import { damaged } from './log-errors.ts'
import { contentBytesMax, frameHeadBytes, gapFlags, kinds } from './record-layout.ts'
import { requestFlags, thinFlags } from './record-layout.ts'

/** Where bytes stand, for errors: a file or a topic's partition, and the byte or record in it. */
export interface Place {
  readonly file: string
  readonly offset: number
}

/** The kinds of a record by their byte, with a reader for each version that there was. */
const readers = new Map<number, readonly ((cursor: Cursor) => CaptureRecord)[]>([
  [kinds.request, [readRequestV1]],
  [kinds.response, [readResponseV1]],
  [kinds.thin, [readThinV1]],
  [kinds.gap, [readGapV1]],
  [kinds.started, [(cursor) => readMarkV1(cursor, 'started')]],
  [kinds.stopped, [(cursor) => readMarkV1(cursor, 'stopped')]],
])

/**
 * Reads one record from the frame that `bytes` are from end to end. Bodies are views of them. Throws MA_CAPTURE_LOG for a
 * frame that is damaged, MA_FORMAT_TOO_NEW for one that a newer program wrote.
 */
export function decodeRecord(bytes: Buffer, place: Place): CaptureRecord {
  if (
    bytes.length < frameHeadBytes + 2 ||
    bytes.readUInt32BE(4) !== bytes.length - frameHeadBytes
  ) {
    throw damaged({ ...place, expected: 'a whole record', found: `${bytes.length} bytes` })
  }
  if (!isWhole(bytes)) {
    throw damaged({ ...place, expected: 'a record that fits its checksum', found: 'another' })
  }
  return decodeContent(bytes.subarray(frameHeadBytes), place)
}

/** Bytes of the frame that begins with these 8, its head included; undefined where no frame can begin so. */
export function frameBytes(bytes: Buffer, at: number): number | undefined {
  const length = bytes.readUInt32BE(at + 4)
  return length < 2 || length > contentBytesMax ? undefined : frameHeadBytes + length
}

/** Whether the checksum of a frame, given from end to end, is right. */
export function isWhole(frame: Buffer): boolean {
  return crc32(frame.subarray(4)) === frame.readUInt32BE(0)
}

/** As decodeRecord(), of the content of a frame whose checksum was found right. */
export function decodeContent(content: Buffer, place: Place): CaptureRecord {
  const kind = content[0]!
  const version = content[1]!
  const versions = readers.get(kind)
  const read = versions?.[version - 1]
  if (read === undefined) throw unknownRecord({ kind, version, newest: versions?.length }, place)
  const cursor = new Cursor(place.file, content, { baseOffset: place.offset + frameHeadBytes })
  cursor.skip(2)
  try {
    const record = read(cursor)
    cursor.expectEnd()
    return record
  } catch (error) {
    throw damaged({ ...place, expected: 'the fields of a record', found: 'other bytes' }, error)
  }
}

function unknownRecord(
  { kind, version, newest }: { kind: number; version: number; newest: number | undefined },
  place: Place,
): Error {
  if (newest !== undefined && version === 0) {
    return damaged({ ...place, expected: 'a version from 1 on', found: '0' })
  }
  return new FormatTooNew({
    ...place,
    expected:
      newest === undefined
        ? `a kind of record from 1 to ${Math.max(...readers.keys())}`
        : `version ${newest} of kind ${kind} or an older one`,
    found: `kind ${kind} in version ${version}, which a newer osmigrate wrote: read the log with that one`,
  })
}

function readRequestV1(cursor: Cursor): CapturedRequest {
  const exchange = readExchange(cursor)
  const connection = cursor.readVLong()
  const flags = cursor.readByte()
  const method = cursor.readString()
  const target = cursor.readString()
  const headers = readHeaders(cursor)
  const firstByteAt = cursor.readInt64()
  const lastByteAt = cursor.readInt64()
  const bodyBytes = cursor.readVLong()
  return {
    kind: 'request',
    exchange,
    connection,
    method,
    target,
    headers,
    body: cursor.readBytes(cursor.remaining),
    bodyBytes,
    firstByteAt,
    lastByteAt,
    mayWrite: (flags & requestFlags.mayWrite) !== 0,
  }
}

function readResponseV1(cursor: Cursor): CapturedResponse {
  const exchange = readExchange(cursor)
  const status = readStatus(cursor)
  const headers = readHeaders(cursor)
  const firstByteAt = cursor.readInt64()
  const lastByteAt = cursor.readInt64()
  const bodyBytes = cursor.readVLong()
  const body = cursor.readBytes(cursor.remaining)
  return { kind: 'response', exchange, status, headers, body, bodyBytes, firstByteAt, lastByteAt }
}

function readThinV1(cursor: Cursor): ThinResponse {
  const exchange = readExchange(cursor)
  const status = readStatus(cursor)
  const lastByteAt = cursor.readInt64()
  const count = cursor.readCount('items', 4)
  const items = Array.from({ length: count }, () => readItem(cursor))
  return { kind: 'thin', exchange, status, lastByteAt, items }
}

function readItem(cursor: Cursor): ThinItem {
  const flags = cursor.readByte()
  const index = cursor.readString()
  const id = cursor.readString()
  const result = cursor.readString()
  return {
    index,
    id,
    result,
    ...((flags & thinFlags.seqNo) !== 0 && { seqNo: cursor.readVLong() }),
    ...((flags & thinFlags.primaryTerm) !== 0 && { primaryTerm: cursor.readVLong() }),
    ...((flags & thinFlags.routing) !== 0 && { routing: cursor.readString() }),
  }
}

function readGapV1(cursor: Cursor): CaptureGap {
  const proxy = cursor.readString()
  const from = cursor.readInt64()
  const until = cursor.readInt64()
  const requests = cursor.readVLong()
  const cause = cursor.readString()
  const flags = cursor.readByte()
  return {
    kind: 'gap',
    proxy,
    from,
    until,
    requests,
    cause,
    ...((flags & gapFlags.indices) !== 0 && { indices: readStrings(cursor) }),
  }
}

function readMarkV1(cursor: Cursor, kind: CaptureMark['kind']): CaptureMark {
  const proxy = cursor.readString()
  const at = cursor.readInt64()
  return { kind, proxy, at, version: cursor.readString() }
}

/** Of HTTP: three digits, or 0 where no whole answer came. */
function readStatus(cursor: Cursor): number {
  const status = cursor.readVLong()
  if (status > 999) throw cursor.corrupt('a status up to 999', `${status}`)
  return status
}

function readExchange(cursor: Cursor): ExchangeId {
  return { proxy: cursor.readString(), number: cursor.readVLong() }
}

function readHeaders(cursor: Cursor): string[] {
  const headers = readStrings(cursor)
  if (headers.length % 2 !== 0) throw cursor.corrupt('pairs of name and value', 'an odd count')
  return headers
}

function readStrings(cursor: Cursor): string[] {
  const count = cursor.readCount('strings')
  const texts: string[] = []
  for (let i = 0; i < count; i++) texts.push(cursor.readString())
  return texts
}
