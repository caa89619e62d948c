import type { Cluster, Side } from '../../cluster/cluster.ts'
import { MigrationError } from '../../base/errors.ts'
import { seededRandom } from '../../base/seeded-random.ts'
import { Rounds } from './bootstrap.ts'
import {
  compareMix,
  compareShapes,
  hasMoreErrors,
  type JudgeBy,
  type Round,
} from './compare-latencies.ts'
import { compareRates } from './compare-rates.ts'
import { planLoad, type LoadPlan } from './load-plan.ts'
import { makeMix, mixWithout, type AskedOfBoth, type Mix } from './mix.ts'
import type { PerformanceOptions } from './options.ts'
import {
  notMeasured,
  PerformanceRun,
  type MeasuredRounds,
  type PerformanceProgress,
} from './performance-run.ts'
import type { PerformanceVerdict, RateComparison, ShapeSpeed, WriteComparison } from './record.ts'
import { findSaturation } from './saturation.ts'
import { tryRequests } from './try-requests.ts'
import type { Turn } from './turn.ts'

export interface PerformanceInput {
  readonly source: Cluster
  readonly target: Cluster
  /** As often as clients send them; at least one. */
  readonly asked: readonly AskedOfBoth[]
  readonly options: PerformanceOptions
  /** The same one draws the same requests and orders. */
  readonly seed: number
  readonly signal: AbortSignal
  /** Told before the first request. */
  readonly onPlan?: (plan: LoadPlan) => void
  readonly onProgress?: (progress: PerformanceProgress) => void
  /** Compares writing, once reading is done; absent: it is not asked for. */
  readonly compareWrites?: (
    run: PerformanceRun,
    by: (measured: MeasuredRounds) => JudgeBy,
  ) => Promise<WriteComparison | null>
}

/**
 * Asks both sides the same under the same load, in turns beside each other in time, and says of each shape of requests
 * whether the target is faster, the same, slower, or whether that cannot be told. Bounded in time and number of requests;
 * what was measured when it ended early is judged all the same. Throws MA_STOPPED when the signal fires.
 */
export async function comparePerformance(input: PerformanceInput): Promise<PerformanceVerdict> {
  const { options, asked, signal, seed } = input
  const startedAt = new Date().toISOString()
  if (asked.length === 0) throw noRequests()
  const random = seededRandom(seed)
  const made = makeMix(asked, options.shapesMax)
  const { shapes, requests } = made.mix
  const plan = planLoad(options, {
    ...{ shapes: shapes.length, requests: requests.length, seed },
    writes: input.compareWrites !== undefined,
  })
  input.onPlan?.(plan)
  const run = new PerformanceRun({
    clusters: { source: input.source, target: input.target },
    ...{ plan, random, signal },
    requestTimeoutMs: options.requestTimeout,
    ...(input.onProgress && { onProgress: input.onProgress }),
  })
  const tried = await tryRequests(run, made.mix)
  const mix = mixWithout(made.mix, tried.refused)
  const measured = mix.requests.length === 0 ? nothing : await measure(run, mix, options)
  const by = ({ rounds, generator }: MeasuredRounds): JudgeBy => ({
    rounds: new Rounds(rounds.length, random),
    // Percentiles of all shapes and of the mix under both loads, the throughput and the writes.
    comparisons: 3 * (mix.shapes.length + 2) + 2,
    same: { ratio: options.ratioMax, belowMs: options.ignoreBelow },
    generator,
  })
  const { closed, open, rate, saturation } = measured
  const openBy = by(open)
  const speeds = compareShapes(open.rounds, mix.shapes, openBy).map((shape) => ({
    ...shape,
    ...tried.refusals.get(shape.key),
  }))
  const writes = input.compareWrites ? await input.compareWrites(run, by) : null
  const more = made.leftOut > 0 ? { 'less frequent shapes (shapesMax)': made.leftOut } : {}
  return {
    ...{ startedAt, method, cannotSee },
    ...worst(speeds),
    endedAt: new Date().toISOString(),
    endedEarly: run.ended ?? null,
    same: { ratio: options.ratioMax, belowMs: options.ignoreBelow },
    load: {
      connections: options.connections,
      rate,
      rounds: { closed: closed.rounds.length, open: open.rounds.length },
      turnMs: options.turn,
      seed,
      requests: { ...run.bounds.requests },
    },
    shapes: speeds,
    leftOut: { ...tried.leftOut, ...more },
    all: open.rounds.length === 0 ? null : compareMix(open.rounds, openBy),
    closedLoop: compareClosedLoop(closed, by(closed)),
    generator: open.generator,
    ...{ saturation, writes },
    resources: {
      source: run.resources.source.summary(run.bounds.requests.source),
      target: run.resources.target.summary(run.bounds.requests.target),
      points: [...run.resources.source.points, ...run.resources.target.points],
    },
  }
}

interface Measured {
  readonly closed: MeasuredRounds
  readonly open: MeasuredRounds
  readonly rate: number | null
  readonly saturation: PerformanceVerdict['saturation']
}

const nothing: Measured = {
  ...{ closed: notMeasured, open: notMeasured, rate: null, saturation: null },
}

async function measure(
  run: PerformanceRun,
  mix: Mix,
  options: PerformanceOptions,
): Promise<Measured> {
  const { connections, rounds } = options
  const warm = await warmUp(run, mix, options)
  const closed = await run.rounds('closed loop', mix, {
    load: { connections },
    perSecond: warm,
    turnsLater: rounds,
  })
  if (run.ended !== undefined) return { ...nothing, closed }
  const slower = Math.min(rateOf(closed.rounds, 'source'), rateOf(closed.rounds, 'target'))
  const rate = options.rate ?? Math.max(0.1, Number((slower / 2).toPrecision(3)))
  const open = await run.rounds('open loop', mix, {
    load: { rate },
    perSecond: rate,
    turnsLater: 0,
  })
  if (options.saturation === 'none' || run.ended !== undefined) {
    return { ...nothing, closed, open, rate }
  }
  const saturation = await findSaturation(run, mix, { options, open: open.rounds, rate })
  return { closed, open, rate, saturation }
}

const warmUpTurns = 4

/** Requests a second of the slower side in the last turn. */
async function warmUp(run: PerformanceRun, mix: Mix, options: PerformanceOptions): Promise<number> {
  const { connections, warmUp: totalMs, turn: turnMs } = options
  const msMax = Math.max(totalMs / warmUpTurns, Math.min(turnMs, 500))
  const rates = { source: 1, target: 1 }
  for (let i = 0; i < warmUpTurns; i++) {
    for (const side of ['source', 'target'] as const) {
      run.progress('warm-up', 2 * i + Number(side === 'target'), 2 * warmUpTurns)
      if (run.ended !== undefined) break
      const turn = await run.warmTurn(side, mix, { connections, msMax })
      if (turn !== undefined && turn.ms > 0) rates[side] = (turn.requests * 1000) / turn.ms
    }
  }
  return Math.max(1, Math.min(rates.source, rates.target))
}

function rateOf(rounds: readonly Round[], side: Side): number {
  const sum = (of: (turn: Turn) => number): number =>
    rounds.reduce((all, round) => all + of(round[side]), 0)
  const ms = sum((turn) => turn.ms)
  return ms === 0 ? 1 : (sum((turn) => turn.requests - turn.errors) * 1000) / ms
}

function compareClosedLoop(
  { rounds, generator }: MeasuredRounds,
  by: JudgeBy,
): PerformanceVerdict['closedLoop'] {
  if (rounds.length === 0) return null
  return {
    latency: compareMix(rounds, by),
    throughput: compareThroughput(rounds, by),
    generator,
  }
}

function compareThroughput(rounds: readonly Round[], by: JudgeBy): RateComparison {
  const done = (side: Side) =>
    rounds.map((round) => ({ done: round[side].requests - round[side].errors, ms: round[side].ms }))
  return compareRates({ source: done('source'), target: done('target') }, by)
}

/** One shape that is slower makes the run slower. */
function worst(shapes: readonly ShapeSpeed[]): Pick<PerformanceVerdict, 'verdict' | 'why'> {
  const of = (verdict: ShapeSpeed['verdict']) => shapes.filter((one) => one.verdict === verdict)
  const slower = of('slower')
  if (slower.length > 0) {
    return { verdict: 'slower', why: `${slower.length} of ${shapes.length} shapes are slower` }
  }
  const open = of('cannot tell')
  if (open.length > 0 || shapes.length === 0) {
    const why = `of ${open.length} of ${shapes.length} shapes it cannot be told`
    return { verdict: 'cannot tell', why }
  }
  const faster = of('faster')
  if (faster.length === 0) return { verdict: 'same', why: 'all shapes are as fast on both sides' }
  return { verdict: 'faster', why: `${faster.length} of ${shapes.length} shapes are faster` }
}

/** Where the target does worse: slower, or with errors that the source does not have; empty: nowhere. */
export function reasonsWorse({ shapes, closedLoop, writes }: PerformanceVerdict): string[] {
  const reasons = shapes.flatMap(({ template, verdict, why, source, target }) => {
    if (verdict === 'slower') return [`${template}: ${why}`]
    return hasMoreErrors(source, target) ? [`${template}: ${why}`] : []
  })
  const throughput = closedLoop?.throughput
  if (throughput?.verdict === 'slower') reasons.push(`requests a second: ${throughput.why}`)
  if (writes?.verdict === 'slower') reasons.push(`documents written a second: ${writes.why}`)
  if (writes && writes.errors.target > writes.errors.source) reasons.push(writes.why)
  return reasons
}

const method =
  'the same requests to both sides in turns beside each other, order by chance; latencies at a constant rate from when a ' +
  'request was to begin; ratios of percentiles with intervals that hold together with a chance of 95 %, by drawing rounds again'

const cannotSee = [
  'the same requests come again and again: caches are as warm as they get',
  'figures of the nodes count other clients and background work, too',
  'the way from this machine to each side is part of every latency',
  'all requests go to one node of each side, which passes them on to the others',
]

function noRequests(): MigrationError {
  return new MigrationError(
    'MA_CONFIG',
    'there are no requests to compare with\nGive a file of requests, record searches with a proxy (capture.reads), or have them generated.',
  )
}
