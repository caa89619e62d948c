import type { TargetIndex } from '../state/records.ts'
import type { SourceKind } from './pending-document.ts'
import type { PresentDocument } from './present-document.ts'

/** A document as it is to be written to one target index. */
export interface WriteItem {
  readonly document: PresentDocument
  readonly target: TargetIndex
  readonly id: string
  readonly routing: string | null
  readonly version: number
  /** null: it is deleted. */
  readonly source: Buffer | null
}

/**
 * The version that a document has on the target: design §3, with §3.5 where clients give the versions, and §3.10 for one
 * without a number. undefined: it cannot be told.
 */
export function targetVersion(
  { number, version, pending }: PresentDocument,
  { epochBase }: TargetIndex,
  { numbered }: SourceKind,
): number | undefined {
  if (pending.flow.hasClientVersions) return version
  if (!numbered) return epochBase + Math.max(0, number)
  return number < 0 ? epochBase : epochBase + number + 1
}
