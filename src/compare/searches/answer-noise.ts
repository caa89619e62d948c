import type { AnswerDifference, AnswerFinding } from './answer-difference.ts'

/** By how much more than from itself the source may differ from the target, where it differs from itself. */
const factorMax = 2

/**
 * Marks what says nothing of the target since the source does not agree with itself either: `between` is the comparison of two
 * answers of the source to the same request. A difference is noise where they differ in the same thing at the same place, and
 * by half as much at least; so a hit that comes and goes does not excuse a page of others.
 */
export function withoutNoise(
  difference: AnswerDifference,
  between: AnswerDifference,
): AnswerDifference {
  const atPlace = new Map(between.findings.map((finding) => [placeOf(finding), finding]))
  const marked = difference.findings.map((finding): AnswerFinding => {
    const own = atPlace.get(placeOf(finding))
    if (finding.noise !== undefined || own === undefined || !explains(own, finding)) return finding
    return { ...finding, noise: 'two answers of the source differ in it, too' }
  })
  const isNoise = ({ noise }: AnswerFinding): boolean => noise !== undefined
  const rankingIsNoise =
    marked.some((one) => isNoise(one) && isOfRanking(one)) &&
    !marked.some((one) => !isNoise(one) && isOfRanking(one))
  return {
    ...difference,
    rankingIsNoise,
    findings: [...marked.filter((one) => !isNoise(one)), ...marked.filter(isNoise)],
    findingsLeftOut:
      difference.findingsLeftOut <= factorMax * between.findingsLeftOut
        ? 0
        : difference.findingsLeftOut,
  }
}

function placeOf({ what, where }: AnswerFinding): string {
  return `${what} ${where}`
}

function explains(own: AnswerFinding, finding: AnswerFinding): boolean {
  if (finding.extent === undefined || own.extent === undefined) return true
  return finding.extent <= factorMax * own.extent
}

function isOfRanking({ what, where }: AnswerFinding): boolean {
  return (what === 'ids' || what === 'order' || what === 'status') && !where.includes('inner_hits')
}
