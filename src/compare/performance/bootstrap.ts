import { bucketMs, type BucketCounts } from './latency-histogram.ts'
import type { Estimate } from './record.ts'
import { studentQuantile } from './student.ts'

/**
 * How sure a figure is, by drawing rounds again.
 *
 * Requests of one turn are alike (a merge, a collection of garbage, a neighbour), so they are not independent, and a
 * bootstrap over single requests would be far too sure. What is drawn with replacement are rounds: one turn of the source
 * with the turn of the target beside it in time. Both sides and all shapes get the same draws, so that what disturbs a
 * whole round cancels out of the ratio.
 */
export class Rounds {
  readonly count: number
  /** How often each round stands in each draw. */
  readonly #weights: readonly Uint8Array[]

  constructor(count: number, random: () => number) {
    this.count = count
    this.#weights = Array.from({ length: drawsMade }, () => {
      const weights = new Uint8Array(count)
      for (let i = 0; i < count; i++) weights[Math.floor(random() * count)]!++
      return weights
    })
  }

  /** What `statistic` makes of each draw. */
  each<T>(statistic: (weights: Uint8Array) => T): T[] {
    return this.#weights.map(statistic)
  }
}

export const roundsMost = 250
const drawsMade = 500

/** Percentiles that are told, and how many answers they need: ten of them beyond it. */
export const percentiles = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const
export type Percentile = keyof typeof percentiles
const names = Object.keys(percentiles) as Percentile[]

export function isCarried(percentile: Percentile, answers: number): boolean {
  return answers >= Math.round(10 / (1 - percentiles[percentile]))
}

/** A figure of all rounds, and what the draws made of it: 0 where they hold nothing. */
export interface DrawnFigure {
  readonly value: number
  readonly draws: readonly number[]
}

export type DrawnPercentiles = { readonly [name in Percentile]?: DrawnFigure }

/** The percentiles that the answers of these rounds carry. */
export function drawPercentiles(turns: readonly BucketCounts[], rounds: Rounds): DrawnPercentiles {
  const answers = turns.reduce((sum, { total }) => sum + total, 0)
  const carried = names.filter((name) => isCarried(name, answers))
  if (carried.length === 0) return {}
  const shares = carried.map((name) => percentiles[name])
  const table = new BucketTable(turns)
  const values = table.quantiles(new Uint8Array(turns.length).fill(1), shares)
  const draws = rounds.each((weights) => table.quantiles(weights, shares))
  return Object.fromEntries(
    carried.map((name, i) => [name, { value: values[i]!, draws: draws.map((one) => one[i]!) }]),
  )
}

/** All turns over one list of buckets. */
class BucketTable {
  readonly #turns: readonly BucketCounts[]
  readonly #buckets: readonly number[]
  readonly #places: readonly Uint16Array[]
  readonly #sums: Float64Array

  constructor(turns: readonly BucketCounts[]) {
    this.#turns = turns
    const all = new Set(turns.flatMap(({ buckets }) => [...buckets]))
    this.#buckets = [...all].sort((a, b) => a - b)
    const places = new Map(this.#buckets.map((bucket, place) => [bucket, place]))
    this.#places = turns.map(({ buckets }) => buckets.map((bucket) => places.get(bucket)!))
    this.#sums = new Float64Array(this.#buckets.length)
  }

  /** 0 where the weighted turns hold nothing. */
  quantiles(weights: Uint8Array, shares: readonly number[]): number[] {
    const sums = this.#sums.fill(0)
    let total = 0
    for (let turn = 0; turn < this.#turns.length; turn++) {
      const weight = weights[turn]!
      if (weight === 0) continue
      const { counts } = this.#turns[turn]!
      const places = this.#places[turn]!
      for (let i = 0; i < counts.length; i++) sums[places[i]!]! += weight * counts[i]!
      total += weight * this.#turns[turn]!.total
    }
    return this.#reached(shares.map((share) => Math.ceil(share * total)))
  }

  /** Where the sums reach these ranks, which grow. */
  #reached(ranks: readonly number[]): number[] {
    const values: number[] = []
    let sum = 0
    for (let place = 0; place < this.#buckets.length && values.length < ranks.length; place++) {
      sum += this.#sums[place]!
      while (values.length < ranks.length && sum >= ranks[values.length]! && sum > 0) {
        values.push(bucketMs(this.#buckets[place]!))
      }
    }
    return ranks.map((_, i) => values[i] ?? 0)
  }
}

/** How much was done a second. A turn: how much, and in how many milliseconds. */
export function drawRate(
  turns: readonly { readonly done: number; readonly ms: number }[],
  rounds: Rounds,
): DrawnFigure {
  const rate = (weights: ArrayLike<number>): number => {
    let done = 0
    let ms = 0
    turns.forEach((turn, i) => {
      done += weights[i]! * turn.done
      ms += weights[i]! * turn.ms
    })
    return ms === 0 ? 0 : (done * 1000) / ms
  }
  return { value: rate(turns.map(() => 1)), draws: rounds.each(rate) }
}

/** The middle 95 % of the draws. */
export function estimateOf({ value, draws }: DrawnFigure): Estimate {
  const sorted = draws.filter((one) => one > 0).sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? value
  return rounded({
    value,
    low: Math.min(value, at(0.025)),
    high: Math.max(value, at(0.975)),
  })
}

/** With fewer the spread itself is not known. */
const roundsFewest = 5
/** Half a bucket: no ratio is known better. */
const resolution = 0.004

/**
 * Target by source, with an interval that is one of `comparisons` which are to hold together with a chance of 95 %; null
 * where `rounds`, those in which both sides have something, are too few for one. On the scale of logarithms: the spread
 * of the draws by Student's t of the rounds, so that few rounds give wide intervals, and many comparisons too (Bonferroni).
 */
export function ratioOf(
  { source, target }: { source: DrawnFigure; target: DrawnFigure },
  { rounds, comparisons }: { rounds: number; comparisons: number },
): Estimate | null {
  const logs = target.draws.map((draw, i) => Math.log(draw / source.draws[i]!))
  const sure = logs.filter(Number.isFinite)
  const log = Math.log(target.value / source.value)
  if (rounds < roundsFewest || sure.length < drawsMade / 2 || !Number.isFinite(log)) return null
  const mean = sure.reduce((sum, one) => sum + one, 0) / sure.length
  const variance = sure.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (sure.length - 1)
  const spread = Math.hypot(Math.sqrt((variance * rounds) / (rounds - 1)), resolution)
  const half = studentQuantile(1 - 0.05 / (2 * comparisons), rounds - 1) * spread
  return rounded({
    value: Math.exp(log),
    low: Math.exp(log - half),
    high: Math.exp(log + half),
  })
}

/** To five digits: buckets know less than that. */
function rounded({ value, low, high }: Estimate): Estimate {
  const five = (figure: number): number => Number(figure.toPrecision(5))
  return { value: five(value), low: five(low), high: five(high) }
}
