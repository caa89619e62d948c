import type { Verdict } from '../state/records.ts'

/** Why a verdict does not count any more. */
export type Stale = 'age' | 'writes'

/**
 * Whether a verdict still says something of what is there: `numbers` are those of both sides now (numbers.ts). Where a side
 * told none then, nothing is known of writes to it. undefined: it is fresh.
 */
export function staleBy(
  verdict: Pick<Verdict, 'endedAt' | 'numbers'>,
  {
    nowMs,
    freshForMs,
    numbers,
  }: { nowMs: number; freshForMs: number; numbers: NonNullable<Verdict['numbers']> },
): Stale | undefined {
  if (nowMs - Date.parse(verdict.endedAt) > freshForMs) return 'age'
  const { source = null, target = null } = verdict.numbers ?? {}
  const isMoved =
    (source !== null && source !== numbers.source) || (target !== null && target !== numbers.target)
  return isMoved ? 'writes' : undefined
}
