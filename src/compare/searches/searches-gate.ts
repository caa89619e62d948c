import type { CompareGateOptions } from '../report/gate-options.ts'
import type { FindingKind } from './answer-difference.ts'
import type { SearchVerdict } from './search-verdict.ts'

/** What a threshold for rankings is about. */
const rankings: readonly FindingKind[] = ['ids', 'order', 'scores', 'sort']

/**
 * Why the answers are not called equal; empty: they are, or what differs is within gates.compare. Where `overlapAt10` is
 * set and met, differences in the ranking of hits alone do not count; where `errorRateMax` is, the errors of the target do
 * not.
 */
export function searchesDiffer(
  verdict: SearchVerdict,
  { overlapAt10, errorRateMax }: Pick<CompareGateOptions, 'overlapAt10' | 'errorRateMax'>,
): string[] {
  const { requests, findings, errors } = verdict
  const reasons: string[] = []
  const counted = { ...findings }
  if (overlapAt10 !== undefined) {
    const found = verdict.overlapAt10
    if (found !== null && found < overlapAt10) {
      reasons.push(
        `overlap@10 is ${found.toFixed(3)}, and gates.compare.overlapAt10 asks for ${overlapAt10}`,
      )
    }
    for (const what of rankings) delete counted[what]
  }
  if (errorRateMax !== undefined) {
    const rate = errors.target / requests
    if (rate > errorRateMax) {
      reasons.push(
        `the target answers ${percent(rate)} with errors, and gates.compare.errorRateMax allows ${percent(errorRateMax)}`,
      )
    } else if ((counted.status ?? 0) <= errors.target) delete counted.status
  }
  for (const [what, count] of Object.entries(counted)) {
    reasons.push(`${count} of ${requests} requests differ in ${what}`)
  }
  return reasons
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
