import type { PendingDocument } from './pending-document.ts'

/** What a document of the source is, as far as is known for certain: to be on the target under its number. */
export interface PresentDocument {
  readonly pending: PendingDocument
  readonly routing: string | null
  readonly type: string | undefined
  readonly parent?: string
  /** null: there is none. */
  readonly source: Buffer | null
  /** The index keeps no `_source` of it. */
  readonly lacksSource?: true
  /** The source's number, before 6.0 its `_version`; -1: it has none (written by 5.x). */
  readonly number: number
  readonly version: number | undefined
  readonly primaryTerm: number | undefined
}

/** The change itself says it. */
export function presentOf(pending: PendingDocument): PresentDocument {
  const { routing, type, number, version, primaryTerm } = pending
  const source = pending.what === 'delete' ? null : pending.source!
  return { pending, routing: routing ?? null, type, source, number, version, primaryTerm }
}
