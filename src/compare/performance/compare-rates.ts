import type { Side } from '../../cluster/cluster.ts'
import { drawRate, estimateOf, ratioOf } from './bootstrap.ts'
import type { JudgeBy } from './compare-latencies.ts'
import { intervalText, speedOf } from './judge.ts'
import type { RateComparison } from './record.ts'

/** What both sides did a second; each turn with how much it did and in how many milliseconds. */
export function compareRates(
  turns: { readonly [side in Side]: readonly { done: number; ms: number }[] },
  { rounds, comparisons, same, generator }: JudgeBy,
): RateComparison {
  const source = drawRate(turns.source, rounds)
  const target = drawRate(turns.target, rounds)
  const ratio = ratioOf({ source, target }, { rounds: rounds.count, comparisons })
  const told = { source: estimateOf(source), target: estimateOf(target), ratio }
  if (ratio === null) return { verdict: 'cannot tell', why: 'too few rounds', ...told }
  const verdict = speedOf(ratio, same.ratio)
  if (generator.bottleneck !== null && verdict !== 'cannot tell') {
    return { verdict: 'cannot tell', why: generator.bottleneck, ...told }
  }
  return { verdict, why: intervalText(ratio), ...told }
}
