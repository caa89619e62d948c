import type { AnswerOptions } from './answer-difference.ts'
import type { Findings } from './answer-findings.ts'
import { relativeDifference } from './answer-value.ts'

/**
 * k1 + 1 of BM25 by its defaults: a factor in every score, which changes no order. OpenSearch leaves it out since 3.0
 * (https://github.com/opensearch-project/OpenSearch/issues/17315).
 */
const bm25Factor = 2.2

/**
 * Compares scores rank by rank, and names the worst of them. Returns the factor between the scores of the two sides: 1 but
 * where all of them differ by one and the same, which moves no hit and does not count.
 */
export function compareScores(
  { source, target }: Record<'source' | 'target', readonly (number | undefined)[]>,
  where: string,
  { options, findings }: { options: AnswerOptions; findings: Findings },
): number {
  const worst = { extent: options.scoreTolerance, rank: -1 }
  const ranks = Math.min(source.length, target.length)
  for (let rank = 0; rank < ranks; rank++) {
    if (source[rank] === undefined && target[rank] === undefined) continue
    const extent = relativeDifference(source[rank], target[rank]) ?? 2
    if (extent > worst.extent) Object.assign(worst, { extent, rank })
  }
  if (worst.rank < 0) return 1
  const { rank, extent } = worst
  const place = `${where}._score`
  const values = {
    source: { rank: rank + 1, score: source[rank] },
    target: { rank: rank + 1, score: target[rank] },
    extent,
  }
  const factor = commonFactor(source, target, options.scoreTolerance)
  if (factor === undefined) {
    findings.add('scores', place, values)
    return 1
  }
  const noise = `every score of the target is ${factor.toPrecision(4)} times that of the source: no order is changed by that`
  findings.add('scores', place, { ...values, noise })
  return factor
}

/** One score alone has a factor always: it only counts as one where it is that of BM25. */
function commonFactor(
  source: readonly (number | undefined)[],
  target: readonly (number | undefined)[],
  tolerance: number,
): number | undefined {
  const ranks = Math.min(source.length, target.length)
  const factors: number[] = []
  let isSpread = false
  for (let rank = 0; rank < ranks; rank++) {
    const one = source[rank]
    const other = target[rank]
    if (one === undefined || other === undefined || !(one > 0 && other > 0)) return undefined
    factors.push(other / one)
    if (relativeDifference(one, source[0])! > tolerance) isSpread = true
  }
  const [first = 1] = factors
  const near = (a: number, b: number): boolean => relativeDifference(a, b)! <= tolerance
  if (!factors.every((factor) => near(factor, first))) return undefined
  return isSpread || near(first, bm25Factor) || near(first, 1 / bm25Factor) ? first : undefined
}
