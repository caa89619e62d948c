import type { Side } from '../../cluster/cluster.ts'
import type { Round } from './compare-latencies.ts'
import { addCounts, quantileOf } from './latency-histogram.ts'
import { drawRequests, type Mix } from './mix.ts'
import type { PerformanceOptions } from './options.ts'
import { busyMost } from './own-delay.ts'
import type { PerformanceRun } from './performance-run.ts'
import type { SaturationSide } from './record.ts'
import type { Turn } from './turn.ts'

const stepFactor = 1.3
const stepsMost = 30
const errorsMost = 0.01
/** Of the requests that were to begin, those that must be done in the time they were given. */
const reachedFewest = 0.95
/** A p99 so many times that of half the load, and so many milliseconds above it, is broken. */
const p99Times = 4
const p99MoreMs = 50

/**
 * Raises the rate step by step, on each side that is asked for, until p99 or errors break, or the side does not keep up. Both
 * sides take their steps beside each other in time.
 */
export async function findSaturation(
  run: PerformanceRun,
  mix: Mix,
  about: { options: PerformanceOptions; open: readonly Round[]; rate: number },
): Promise<{ source: SaturationSide | null; target: SaturationSide | null }> {
  const { options, open, rate } = about
  const climbs = (
    options.saturation === 'both' ? (['source', 'target'] as const) : (['target'] as const)
  ).map((side): Climb => ({ side, p99Most: brokenAt(open, side), steps: [], rate: 0, endedBy: '' }))
  for (let step = 0; step < stepsMost; step++) {
    const left = climbs.filter(({ endedBy }) => endedBy === '')
    if (left.length === 0) break
    for (const climb of run.random() < 0.5 ? left : left.reverse()) {
      run.progress('saturation', step, stepsMost)
      climb.endedBy = await climbStep(run, mix, {
        ...{ climb, turnMs: options.turn },
        rate: rate * stepFactor ** step,
      })
    }
    await run.lookAtResources()
  }
  const sideOf = (side: Side): SaturationSide | null => {
    const found = climbs.find((climb) => climb.side === side)
    if (found === undefined) return null
    const { steps, rate: best, endedBy } = found
    return { steps, rate: best, endedBy: endedBy === '' ? `${stepsMost} steps` : endedBy }
  }
  return { source: sideOf('source'), target: sideOf('target') }
}

interface Climb extends SaturationSide {
  readonly side: Side
  readonly p99Most: number
}

/** Why this was the last step; '' where it was not. */
async function climbStep(
  run: PerformanceRun,
  mix: Mix,
  { climb, rate, turnMs }: { climb: Climb; rate: number; turnMs: number },
): Promise<string> {
  if (run.ended !== undefined) return run.ended
  const wanted = Math.max(20, (rate * turnMs) / 1000)
  const requests = drawRequests(mix, run.bounds.turnRequests(wanted, 1), run.random)
  const plannedMs = (requests.length * 1000) / rate
  const turn = await run.turn(climb.side, {
    ...{ mix, requests, load: { rate } },
    msMax: plannedMs * 1.5,
  })
  if (turn === undefined) return run.ended ?? 'stopped'
  const reached = ((turn.requests - turn.errors) * 1000) / Math.max(turn.ms, plannedMs)
  const p99 = p99Of([turn])
  climb.steps.push({
    ...{ rate: rounded(rate), reached: rounded(reached), p99: rounded(p99) },
    errors: turn.errors,
  })
  if (run.ownDelay.lastBusy > busyMost) return 'the load generator could do no more'
  if (turn.errors > errorsMost * turn.requests) return `${turn.errors} errors`
  if (reached < reachedFewest * rate) return `${rounded(reached)} of ${rounded(rate)} a second`
  if (p99 > climb.p99Most) return `p99 of ${rounded(p99)} ms`
  climb.rate = rounded(rate)
  return ''
}

function brokenAt(open: readonly Round[], side: Side): number {
  const usual = p99Of(open.map((round) => round[side]))
  return Math.max(usual * p99Times, usual + p99MoreMs)
}

function p99Of(turns: readonly Turn[]): number {
  const all = turns.flatMap((turn) => turn.shapes.map(({ latencies }) => latencies))
  return quantileOf(addCounts(all), 0.99)
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
