import type { IndexFlow } from './index-flow.ts'

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
  const version = Number(/current version \[(\d+)\]/.exec(reason)?.[1])
  // A target that says it otherwise is not doubted.
  if (!Number.isSafeInteger(version)) return true
  const number = version - known.epochBase - 1
  if (number <= flow.numberMost) return true
  const most = await known.numberMost()
  if (most === undefined) return true
  flow.numberMost = Math.max(flow.numberMost, most)
  return number <= flow.numberMost
}
