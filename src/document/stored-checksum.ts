import { crc32 } from 'node:zlib'
import { checkFooterOf } from '../bytes/codec.ts'
import { joinCrc32 } from '../bytes/crc32.ts'
import { edgeAt } from '../lucene/stored-fields.ts'
import type { StoredFields } from '../lucene/stored-fields.ts'

/**
 * A stretch of documents of a segment, and the CRC-32 of the stored bytes that were read for it: of all chunks that begin
 * in [fromDoc, toDoc). Stretches that lie side by side join without a gap, wherever they are cut.
 */
export interface ChecksumPart {
  readonly fromDoc: number
  readonly toDoc: number
  /** Absent where it is not known. */
  readonly crc?: number
}

/** The CRC-32 of stored fields from some document on, chunk by chunk, while they are read. */
export class RunningChecksum {
  #crc: number
  /** The chunks since begin(): their first document, and the CRC before each. */
  readonly #firstDoc: number[] = []
  readonly #before: number[] = []

  /** `crc`: of what lies before the first chunk to come; 0 where that is nothing. */
  constructor(crc: number) {
    this.#crc = crc
  }

  begin(): void {
    this.#firstDoc.length = 0
    this.#before.length = 0
  }

  add(firstDoc: number, bytes: Uint8Array): void {
    this.#firstDoc.push(firstDoc)
    this.#before.push(this.#crc)
    this.#crc = crc32(bytes, this.#crc)
  }

  /** Up to the chunks that begin before `doc`, which was passed since begin(), or is where that stood. */
  at(doc: number): number {
    const next = this.#firstDoc.findIndex((firstDoc) => firstDoc >= doc)
    return next < 0 ? this.#crc : this.#before[next]!
  }
}

/** Reads of a stretch whose checksum is not known. */
const passBytes = 1024 * 1024

/**
 * Joins what was read of a segment's stored fields, in any order, and compares it with the checksum in the footer. What
 * lies in no part, or in one without a CRC, is read for it. Throws CorruptData.
 */
export async function checkParts(
  stored: StoredFields,
  parts: readonly ChecksumPart[],
): Promise<void> {
  const { source, maxDoc, footer } = stored
  let crc = 0
  let at = 0
  for (const part of parts.toSorted((a, b) => a.fromDoc - b.fromDoc)) {
    if (part.crc === undefined || part.fromDoc < at) continue
    crc = await readOn(stored, crc, at, part.fromDoc)
    const bytes = (await edgeAt(stored, part.toDoc)) - (await edgeAt(stored, part.fromDoc))
    crc = joinCrc32(crc, part.crc, bytes)
    at = part.toDoc
  }
  crc = await readOn(stored, crc, at, maxDoc)
  checkFooterOf(source.name, footer, crc, source.byteLength)
}

async function readOn(
  stored: StoredFields,
  crc: number,
  fromDoc: number,
  toDoc: number,
): Promise<number> {
  const { source } = stored
  const start = await edgeAt(stored, fromDoc)
  const end = await edgeAt(stored, toDoc)
  if (start >= end) return crc
  const piece = new Uint8Array(Math.min(passBytes, end - start))
  let sum = crc
  source.expectReads?.(start, end)
  for (let at = start; at < end; at += piece.length) {
    sum = crc32(await source.read(at, Math.min(piece.length, end - at), piece), sum)
  }
  return sum
}
