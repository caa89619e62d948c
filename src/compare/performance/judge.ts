import type { Percentile } from './bootstrap.ts'
import type { Estimate, Speed } from './record.ts'

/** Up to which ratio, and below how many milliseconds between them, two latencies are the same. */
export interface Sameness {
  readonly ratio: number
  readonly belowMs: number
}

/** One percentile of both sides. */
export interface Evidence {
  readonly percentile: Percentile
  /** Milliseconds. */
  readonly source: number
  readonly target: number
  /** Target by source; null: too few rounds. */
  readonly ratio: Estimate | null
  /** How late the load generator was at this percentile, in milliseconds: a difference below that may be its own. */
  readonly ownDelay: number
}

export interface Judgement {
  readonly verdict: Speed
  readonly why: string
}

/** Differences in these are looked for; they are also what both sides must have the same. */
export const judgedPercentiles = ['p50', 'p90', 'p99'] as const
/** To be the same is asked of these: an interval of a p99 is hardly ever narrow enough to tell. */
const samePercentiles: readonly Percentile[] = ['p50', 'p90']

/** Slower where any percentile is; faster where one is and none is slower; the same only where that is shown. */
export function judgeLatency(evidence: readonly Evidence[], same: Sameness): Judgement {
  if (!evidence.some(({ percentile }) => percentile === 'p50')) {
    return { verdict: 'cannot tell', why: 'too few answers' }
  }
  const judged = evidence.map((one) => ({ ...judgePercentile(one, same), of: one.percentile }))
  for (const verdict of ['slower', 'faster'] as const) {
    const found = judged.filter((one) => one.verdict === verdict)
    if (found.length > 0) return { verdict, why: found.map(({ why }) => why).join('; ') }
  }
  const needed = judged.filter(({ of }) => samePercentiles.includes(of))
  const open = needed.filter(({ verdict }) => verdict !== 'same')
  if (open.length > 0) return { verdict: 'cannot tell', why: open.map(({ why }) => why).join('; ') }
  return { verdict: 'same', why: needed.map(({ why }) => why).join('; ') }
}

function judgePercentile(evidence: Evidence, same: Sameness): Judgement {
  const { percentile, source, target, ratio, ownDelay } = evidence
  if (ratio === null) return { verdict: 'cannot tell', why: `${percentile}: too few rounds` }
  const margin = Math.max(same.ratio, 1 + same.belowMs / source)
  const verdict = speedOf(invert(ratio), margin)
  const told = `${percentile} ${intervalText(ratio)}`
  if (verdict === 'cannot tell') return { verdict, why: told }
  const differs = Math.abs(target - source)
  const hidden = verdict === 'same' ? ownDelay > source * (margin - 1) : ownDelay > differs
  if (!hidden) return { verdict, why: told }
  const why = `${told}, but the load generator itself was late by ${ownDelay.toFixed(1)} ms`
  return { verdict: 'cannot tell', why }
}

/** Of a rate, where more is faster. An interval that reaches over the margin says nothing. */
export function speedOf(ratio: Estimate, margin: number): Speed {
  if (ratio.low > margin) return 'faster'
  if (ratio.high < 1 / margin) return 'slower'
  return ratio.low >= 1 / margin && ratio.high <= margin ? 'same' : 'cannot tell'
}

function invert({ value, low, high }: Estimate): Estimate {
  return { value: 1 / value, low: 1 / high, high: 1 / low }
}

/** `×1.31 (1.22 to 1.41)`. */
export function intervalText({ value, low, high }: Estimate): string {
  return `×${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
}
