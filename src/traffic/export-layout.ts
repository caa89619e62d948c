import { FieldWriter } from './field-writer.ts'
import { Cursor } from '../bytes/cursor.ts'
import { FormatTooNew } from '../base/errors.ts'
import { damaged } from './log-errors.ts'
import type { Place } from './record-decode.ts'
import { frameHeadBytes } from './record-layout.ts'

/**
 * The file that a capture log is exported to. Specified in docs/formats/capture-log.md; numbers are big-endian.
 *
 *   file    = member+                    ; each a gzip member (RFC 1952); what follows is what they unpack to, together
 *   content = begin (stream record record*)* end
 *   begin   = frame of kind 128: title:string since:int64 until:int64
 *                                        ; epoch microseconds, 0 for no bound
 *   stream  = frame of kind 129: name:string
 *   record  = frame as in record-layout.ts
 *   end     = frame of kind 130: records:vlong bytes:vlong checksum:uint32
 *                                        ; of all frames before it: how many records, how many bytes, their CRC-32
 *
 * All of a stream stands together. A member ends with the frame that makes it 1 MB or longer, so that equal records give
 * equal files. A file without `end` is not whole.
 */
export const exportKinds = { begin: 128, stream: 129, end: 130 } as const

const exportVersion = 1
export const memberBytesMin = 1 << 20

const title = 'osmigrate capture log'

/** Epoch microseconds between which requests came in; 0 for no bound. `until` is not part of it. */
export interface TimeWindow {
  readonly since: number
  readonly until: number
}

export interface ExportEnd {
  readonly records: number
  readonly bytes: number
  readonly checksum: number
}

export function beginContent({ since, until }: TimeWindow): Buffer {
  return content(exportKinds.begin, (fields) => {
    fields.writeString(title)
    fields.writeInt64(since)
    fields.writeInt64(until)
  })
}

export function streamContent(name: string): Buffer {
  return content(exportKinds.stream, (fields) => fields.writeString(name))
}

export function endContent({ records, bytes, checksum }: ExportEnd): Buffer {
  return content(exportKinds.end, (fields) => {
    fields.writeVLong(records)
    fields.writeVLong(bytes)
    fields.writeUInt32(checksum)
  })
}

function content(kind: number, write: (fields: FieldWriter) => void): Buffer {
  const fields = new FieldWriter()
  fields.reserve(1024)
  fields.writeByte(kind)
  fields.writeByte(exportVersion)
  write(fields)
  return Buffer.concat(fields.pieces())
}

export function parseBegin(bytes: Buffer, place: Place): TimeWindow {
  return parse(bytes, place, (cursor) => {
    if (cursor.readString() !== title) throw cursor.corrupt(title, 'another title', 2)
    return { since: cursor.readInt64(), until: cursor.readInt64() }
  })
}

export function parseStream(bytes: Buffer, place: Place): string {
  return parse(bytes, place, (cursor) => cursor.readString())
}

export function parseEnd(bytes: Buffer, place: Place): ExportEnd {
  return parse(bytes, place, (cursor) => ({
    records: cursor.readVLong(),
    bytes: cursor.readVLong(),
    checksum: cursor.readInt32() >>> 0,
  }))
}

function parse<T>(bytes: Buffer, place: Place, read: (cursor: Cursor) => T): T {
  const version = bytes[1]!
  if (version > exportVersion) {
    throw new FormatTooNew({
      ...{ ...place, expected: `version ${exportVersion} of an export or an older one` },
      found: `version ${version}, which a newer osmigrate wrote: read it with that one`,
    })
  }
  const cursor = new Cursor(place.file, bytes, { baseOffset: place.offset + frameHeadBytes })
  cursor.skip(2)
  try {
    const value = read(cursor)
    cursor.expectEnd()
    return value
  } catch (error) {
    throw damaged({ ...place, expected: 'an export of a capture log', found: 'other bytes' }, error)
  }
}
