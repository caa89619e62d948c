import {
  drawPercentiles,
  estimateOf,
  isCarried,
  type Percentile,
  ratioOf,
  type DrawnPercentiles,
  type Rounds,
} from './bootstrap.ts'
import { judgedPercentiles, judgeLatency, type Judgement, type Sameness } from './judge.ts'
import { addCounts, bucketMs, quantileOf, type BucketCounts } from './latency-histogram.ts'
import type { MixedShape } from './mix.ts'
import type {
  GeneratorLoad,
  LatencyClasses,
  LatencyComparison,
  ShapeSpeed,
  SideLatency,
  Speed,
} from './record.ts'
import type { Turn, TurnShape } from './turn.ts'

/** One turn of each side, beside each other in time, with the same requests. */
export interface Round {
  readonly source: Turn
  readonly target: Turn
}

export interface JudgeBy {
  readonly rounds: Rounds
  /** Intervals that are to hold together. */
  readonly comparisons: number
  readonly same: Sameness
  readonly generator: GeneratorLoad
}

/** All shapes of some rounds, the worst first. */
export function compareShapes(
  rounds: readonly Round[],
  shapes: readonly MixedShape[],
  by: JudgeBy,
): ShapeSpeed[] {
  const compared = shapes.map(({ key, template, share }, i): ShapeSpeed => {
    const sides = {
      source: rounds.map(({ source }) => source.shapes[i]!),
      target: rounds.map(({ target }) => target.shapes[i]!),
    }
    return { key, template, share, ...compareTurns(sides, by) }
  })
  return compared.sort((a, b) => badness(b) - badness(a))
}

const order: readonly Speed[] = ['same', 'faster', 'cannot tell', 'slower']

function badness({ verdict, ratios, share }: ShapeSpeed): number {
  const ratio = Math.min(1e6, ratios.p50?.value ?? 0)
  return order.indexOf(verdict) * 1e9 + ratio * 1e2 + share
}

/** All requests of some rounds as if they had one shape. */
export function compareMix(rounds: readonly Round[], by: JudgeBy): LatencyComparison {
  const whole = (turn: Turn): TurnShape => ({
    latencies: addCounts(turn.shapes.map((shape) => shape.latencies)),
    tooks: addCounts(turn.shapes.map((shape) => shape.tooks)),
    errors: turn.errors,
    late: turn.shapes.reduce((sum, shape) => sum + shape.late, 0),
  })
  const sides = {
    source: rounds.map(({ source }) => whole(source)),
    target: rounds.map(({ target }) => whole(target)),
  }
  return compareTurns(sides, by)
}

interface Sides<T> {
  readonly source: T
  readonly target: T
}

function compareTurns(turns: Sides<readonly TurnShape[]>, by: JudgeBy): LatencyComparison {
  const latencies = (side: readonly TurnShape[]) => side.map((turn) => turn.latencies)
  const drawn = {
    source: drawPercentiles(latencies(turns.source), by.rounds),
    target: drawPercentiles(latencies(turns.target), by.rounds),
  }
  const both = turns.source.filter(
    (turn, i) => turn.latencies.total > 0 && turns.target[i]!.latencies.total > 0,
  ).length
  const ratioAt = (name: 'p50' | 'p90' | 'p99') => {
    const source = drawn.source[name]
    const target = drawn.target[name]
    if (source === undefined || target === undefined) return null
    return ratioOf({ source, target }, { rounds: both, comparisons: by.comparisons })
  }
  const source = sideLatency(turns.source, drawn.source)
  const target = sideLatency(turns.target, drawn.target)
  const ratios = { p50: ratioAt('p50'), p90: ratioAt('p90'), p99: ratioAt('p99') }
  return {
    ...(judgeErrors(source, target) ?? judge({ source, target }, ratios, by)),
    source,
    target,
    ratios,
    histogram: classesOf(addCounts(latencies(turns.source)), addCounts(latencies(turns.target))),
  }
}

function judge(
  { source, target }: Sides<SideLatency>,
  ratios: LatencyComparison['ratios'],
  { same, generator }: JudgeBy,
): Judgement {
  const delays = { p50: generator.delayP50, p90: generator.delayP90, p99: generator.delayP99 }
  const evidence = judgedPercentiles.flatMap((percentile) => {
    const [one, other] = [source[percentile], target[percentile]]
    if (one === null || other === null) return []
    const ratio = ratios[percentile]
    const ownDelay = delays[percentile]
    return [{ percentile, source: one.value, target: other.value, ratio, ownDelay }]
  })
  const judgement = judgeLatency(evidence, same)
  if (generator.bottleneck === null || judgement.verdict === 'cannot tell') return judgement
  return { verdict: 'cannot tell', why: `${judgement.why}, but ${generator.bottleneck}` }
}

/** Share of errors that the target may have more of than the source, and how many at least count. */
const errorsMoreMost = 0.01
const errorsFewest = 3

/** Where the target fails, how quick it is does not matter. */
export function hasMoreErrors(source: SideLatency, target: SideLatency): boolean {
  const share = ({ errors, requests }: SideLatency): number => errors / (requests || 1)
  return target.errors >= errorsFewest && share(target) > share(source) + errorsMoreMost
}

function judgeErrors(source: SideLatency, target: SideLatency): Judgement | undefined {
  const told =
    `${target.errors} of ${target.requests} answers of the target were errors, ` +
    `${source.errors} of ${source.requests} of the source`
  if (hasMoreErrors(source, target) || hasMoreErrors(target, source)) {
    return { verdict: 'cannot tell', why: told }
  }
  return undefined
}

function sideLatency(turns: readonly TurnShape[], drawn: DrawnPercentiles): SideLatency {
  const all = addCounts(turns.map(({ latencies }) => latencies))
  const tooks = addCounts(turns.map((turn) => turn.tooks))
  const errors = turns.reduce((sum, turn) => sum + turn.errors, 0)
  // These have a latency as well.
  const late = turns.reduce((sum, turn) => sum + turn.late, 0)
  const at = (name: Percentile) => {
    const found = drawn[name]
    return found === undefined ? null : estimateOf(found)
  }
  return {
    requests: all.total + errors - late,
    errors,
    p50: at('p50'),
    p90: at('p90'),
    p99: at('p99'),
    p999: at('p999'),
    max: all.buckets.length === 0 ? 0 : bucketMs(all.buckets.at(-1)!),
    tookP50: isCarried('p50', tooks.total) ? Math.round(quantileOf(tooks, 0.5)) : null,
  }
}

const classesMost = 60

/** Classes of equal width on the scale of logarithms, over all that there is. */
function classesOf(source: BucketCounts, target: BucketCounts): LatencyClasses {
  const ends = [source, target].filter(({ total }) => total > 0)
  if (ends.length === 0) return { boundsMs: [], source: [], target: [] }
  const low = Math.max(0.001, Math.min(...ends.map(({ buckets }) => bucketMs(buckets[0]!))))
  const high = Math.max(low, ...ends.map(({ buckets }) => bucketMs(buckets.at(-1)!)))
  const count = Math.max(1, Math.min(classesMost, Math.ceil(Math.log(high / low) / Math.log(1.1))))
  const step = Math.log(high / low) / count
  const classOf = (ms: number): number =>
    step === 0 ? 0 : Math.max(0, Math.min(count - 1, Math.ceil(Math.log(ms / low) / step) - 1))
  const counted = ({ buckets, counts }: BucketCounts): number[] => {
    const classes = new Array<number>(count).fill(0)
    buckets.forEach((bucket, i) => (classes[classOf(bucketMs(bucket))]! += counts[i]!))
    return classes
  }
  const boundsMs = Array.from({ length: count }, (_, i) => rounded(low * Math.exp(step * (i + 1))))
  return { boundsMs, source: counted(source), target: counted(target) }
}

function rounded(ms: number): number {
  return Number(ms.toPrecision(4))
}
