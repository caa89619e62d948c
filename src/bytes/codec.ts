import { crc32 } from 'node:zlib'
import { CorruptData, FormatTooNew, FormatTooOld } from '../base/errors.ts'
import type { BytesFinding } from '../base/errors.ts'
import { Cursor } from './cursor.ts'

/**
 * The frame around every file of Lucene since 4.0 and every metadata blob of a snapshot, specified in
 * org.apache.lucene.codecs.CodecUtil; all integers big-endian, in every version.
 *
 *   header      = magic:int32 (0x3fd76c17), codec:string, version:int32
 *   indexHeader = header, (id:byte[16], suffixLength:byte, suffix:byte[suffixLength]) (Lucene 5.0+)
 *   footer      = magic:int32 (~0x3fd76c17), algorithm:int32 (0), crc:int64
 *
 * crc is the CRC32 of all bytes of the file before itself, the first 8 bytes of the footer included.
 */
const headerMagic = 0x3fd76c17
const footerMagic = ~0x3fd76c17
const idBytes = 16

export const footerBytes = 16

export interface HeaderExpected {
  readonly codec: string
  /** Inclusive; a version below is FormatTooOld, one above `maxVersion` FormatTooNew. */
  readonly minVersion: number
  readonly maxVersion: number
}

/** 16 bytes that all files of a segment repeat; null for segments written before Lucene 5.0, which have none. */
export type SegmentId = Uint8Array | null

export interface IndexHeaderExpected extends HeaderExpected {
  /** Not compared when left out; null: header and suffix are not there. */
  readonly id?: SegmentId
  /** Compared as text; not compared when left out. */
  readonly suffix?: string
}

export interface Header {
  readonly codec: string
  readonly version: number
}

export interface IndexHeader extends Header {
  readonly id: Buffer
  readonly suffix: string
}

/** Reads a header of any codec and version: for those who choose the layout by it. */
export function readAnyHeader(cursor: Cursor): Header {
  const start = cursor.position
  const magic = cursor.readInt32BE()
  if (magic !== headerMagic) {
    throw cursor.corrupt(`header magic ${hex(headerMagic)}`, hex(magic), start)
  }
  const codec = cursor.readString()
  return { codec, version: cursor.readInt32BE() }
}

/** Reads a header and checks codec and version. */
export function readHeader(cursor: Cursor, expected: HeaderExpected): Header {
  const start = cursor.position
  const header = readAnyHeader(cursor)
  if (header.codec !== expected.codec) {
    throw cursor.corrupt(`codec ${expected.codec}`, shorten(header.codec), start + 4)
  }
  checkVersion(cursor.file, cursor.baseOffset + cursor.position - 4, header.version, expected)
  return header
}

/** Reads an index header, checks codec and version, and id and suffix where they are given. */
export function readIndexHeader(cursor: Cursor, expected: IndexHeaderExpected): IndexHeader {
  const header = readHeader(cursor, expected)
  return { ...header, ...readIdAndSuffix(cursor, expected) }
}

/** The second half of an index header. */
export function readIdAndSuffix(
  cursor: Cursor,
  expected: { readonly id?: SegmentId; readonly suffix?: string } = {},
): { id: Buffer; suffix: string } {
  if (expected.id === null) return { id: Buffer.alloc(0), suffix: '' }
  const start = cursor.position
  const id = cursor.readBytes(idBytes)
  if (expected.id !== undefined && !id.equals(expected.id)) {
    throw cursor.corrupt(
      `id ${Buffer.from(expected.id).toString('hex')}`,
      id.toString('hex'),
      start,
    )
  }
  const suffix = cursor.readBytes(cursor.readByte()).toString('utf8')
  if (expected.suffix !== undefined && suffix !== expected.suffix) {
    throw cursor.corrupt(`suffix "${expected.suffix}"`, `"${shorten(suffix)}"`, start + idBytes + 1)
  }
  return { id, suffix }
}

/** Throws FormatTooOld or FormatTooNew unless the version lies within both bounds. */
export function checkVersion(
  file: string,
  offset: number,
  version: number,
  { codec, minVersion, maxVersion }: HeaderExpected,
): void {
  const finding: BytesFinding = {
    file,
    offset,
    expected: `version ${minVersion} to ${maxVersion} of ${codec}`,
    found: `version ${version}`,
  }
  if (version < minVersion) throw new FormatTooOld(finding)
  if (version > maxVersion) throw new FormatTooNew(finding)
}

/**
 * Reads a footer and returns the CRC32 that it names, without comparing: for files of which only ranges are read.
 * The cursor must stand on its first byte, and the footer must be the end of the bytes.
 */
export function readFooter(cursor: Cursor): number {
  if (cursor.remaining !== footerBytes) {
    throw cursor.corrupt(`a footer of ${footerBytes} bytes`, `${cursor.remaining} bytes left`)
  }
  const start = cursor.position
  const magic = cursor.readInt32BE()
  if (magic !== footerMagic) {
    throw cursor.corrupt(`footer magic ${hex(footerMagic)}`, hex(magic), start)
  }
  const algorithm = cursor.readInt32BE()
  if (algorithm !== 0) throw cursor.corrupt('checksum algorithm 0', `${algorithm}`, start + 4)
  const high = cursor.readInt32BE()
  const low = cursor.readInt32BE() >>> 0
  if (high !== 0) throw cursor.corrupt('a checksum of 32 bits', `high half ${hex(high)}`, start + 8)
  return low
}

/** Checks the footer of a file read whole, and the checksum over it. Returns the bytes before the footer, as a view. */
export function checkFooter(file: string, bytes: Uint8Array): Buffer {
  if (bytes.length < footerBytes) {
    throw new CorruptData({
      file,
      offset: bytes.length,
      expected: `at least the ${footerBytes} bytes of a footer`,
      found: `${bytes.length} bytes`,
    })
  }
  checkFooterOf(file, bytes.subarray(-footerBytes), crc32(bytes.subarray(0, -8)), bytes.length)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - footerBytes)
}

/**
 * The same for a file read in pieces: `footer` are its last 16 bytes, `crc` the CRC32 of everything but its last 8
 * (zlib's crc32, carried from piece to piece), `byteLength` its whole length.
 */
export function checkFooterOf(
  file: string,
  footer: Uint8Array,
  crc: number,
  byteLength: number,
): void {
  const expected = readFooter(new Cursor(file, footer, { baseOffset: byteLength - footerBytes }))
  if (expected !== crc) {
    throw new CorruptData({
      file,
      offset: byteLength - 8,
      expected: `checksum ${hex(expected)} as the footer says`,
      found: `${hex(crc)} over the bytes before`,
    })
  }
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`
}

/** Hostile names stay out of messages beyond a reasonable length. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
