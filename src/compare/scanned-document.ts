import type { CanonicalDigest } from './canonical.ts'

/**
 * One document of one side as a scan shows it: its digests, and where its names lie. The same object is used for the
 * next document: whoever wants to keep something copies it.
 */
export class ScannedDocument {
  id1 = 0
  id2 = 0
  /** Digest of id, routing and `_source` together. */
  whole1 = 0
  whole2 = 0
  /** Bytes of `_source` as they lie there; 0 where there is none. */
  sourceBytes = 0
  /** Of id and routing, about. */
  nameBytes = 0
  /** Names the document, for the few that are shown. */
  name: () => DocumentName = () => ({ id: '' })
}

export interface DocumentName {
  readonly id: string
  readonly routing?: string
}

/** What a scan does with each document. */
export type Visit = (document: ScannedDocument) => void

/** Stands for a routing or a `_source` that is not there; no digest of a present one is looked for by this. */
export const absent = { half1: 0x243f6a88, half2: 0x05a308d3 } as const
const malformedTag = 0x13198a2e
const versionTag = 0x03707344

/** Puts the three digests of a document together. */
export function combine(
  digest: CanonicalDigest,
  document: ScannedDocument,
  parts: { routing1: number; routing2: number; source1: number; source2: number },
): void {
  digest.pair(document.id1, document.id2, parts.routing1, parts.routing2)
  digest.pair(digest.half1, digest.half2, parts.source1, parts.source2)
  document.whole1 = digest.half1
  document.whole2 = digest.half2
}

/** Digest of a version, a whole number below 2^53; -1: there is none. */
export function digestVersion(digest: CanonicalDigest, version: number): void {
  digest.pair(version | 0, Math.floor(version / 2 ** 32), versionTag, versionTag)
}

/**
 * Digest of a `_source` that is no JSON as RFC 8259 has it (engines took comments and NaN at times): of its bytes as
 * they are, so that only the very same bytes are equal.
 */
export function digestMalformed(digest: CanonicalDigest, start: number, end: number): void {
  digest.raw(start, end)
  digest.pair(digest.half1, digest.half2, malformedTag, malformedTag)
}
