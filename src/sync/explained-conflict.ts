import type { IndexFlow } from './index-flow.ts'
import type { DocumentReader } from './document-reader.ts'
import { targetVersion, type WriteItem } from './write-item.ts'

/**
 * Whether the version that the target holds is one that a number of the source can have become: design §3.1. Another one was
 * written by somebody else, or belongs to an earlier life of the index.
 *
 *   reason = … "current version [" N "] is higher than the one provided [" M "]"
 */
export async function isExplained(
  reason: string,
  flow: IndexFlow,
  known: { epochBase: number; numberMost(): Promise<number | undefined> },
): Promise<boolean> {
  const version = currentVersion(reason)
  // A target that says it otherwise is not doubted.
  if (version === undefined) return true
  const number = version - known.epochBase - 1
  if (number <= flow.numberMost) return true
  const most = await known.numberMost()
  if (most === undefined) return true
  flow.numberMost = Math.max(flow.numberMost, most)
  return number <= flow.numberMost
}

/**
 * Whether the source holds the document under a lower version than the target. When a source has forgotten that a document
 * was deleted (after `index.gc_deletes`, a minute, or a restart), engines before 6.0 count its versions from 1 again, and
 * others take any version that a client gives.
 */
export async function hasGoneBack(
  reason: string,
  { document, target, routing }: WriteItem,
  reader: Pick<DocumentReader, 'readBack'>,
): Promise<boolean> {
  const version = currentVersion(reason)
  if (version === undefined) return false
  const { present } = await reader.readBack([document.pending])
  const now = present.find((one) => one.source !== null && one.routing === routing)
  const own = now && targetVersion(now, target, { numbered: false, typed: true })
  return own !== undefined && own < version
}

function currentVersion(reason: string): number | undefined {
  const version = Number(/current version \[(\d+)\]/.exec(reason)?.[1])
  return Number.isSafeInteger(version) ? version : undefined
}
