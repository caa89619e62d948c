/** Turns of two sides as they might have been measured, by the seed alone: for tests of what is said about them. */
import { seededRandom } from '../../src/base/seeded-random.ts'
import { Rounds } from '../../src/compare/performance/bootstrap.ts'
import { compareShapes, type Round } from '../../src/compare/performance/compare-latencies.ts'
import { LatencyHistogram, noCounts } from '../../src/compare/performance/latency-histogram.ts'
import type { GeneratorLoad, ShapeSpeed } from '../../src/compare/performance/record.ts'
import type { Turn } from '../../src/compare/performance/turn.ts'

export interface SimulatedLoad {
  readonly seed: number
  readonly shapes: number
  readonly rounds: number
  /** Requests of one shape in a turn. */
  readonly answers: number
  /** Spread of what disturbs one turn as a whole, on the scale of logarithms. */
  readonly turnSpread: number
  /** What the latencies of the target are multiplied with, by shape; 1 where absent. */
  readonly slowdown?: { readonly [shape: number]: number }
  readonly errors?: { readonly [shape: number]: number }
}

export const idle: GeneratorLoad = {
  ...{ delayP50: 0, delayP90: 0, delayP99: 0, startP99: 0, busy: 0.1, cpu: 0.1 },
  bottleneck: null,
}

/**
 * Latencies with a long tail; a drift over the run and a disturbance of each round that both sides have in common; one of
 * each turn by itself, and now and then a pause in which a tenth of its answers take ten times as long.
 */
export function simulateRounds(load: SimulatedLoad): Round[] {
  const random = seededRandom(load.seed)
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const histogram = new LatencyHistogram()
  const turn = (common: number, side: 'source' | 'target'): Turn => {
    const own = common * Math.exp(load.turnSpread * normal())
    const pauses = random() < 0.1
    const shapes = Array.from({ length: load.shapes }, (_, shape) => {
      const factor = side === 'target' ? (load.slowdown?.[shape] ?? 1) : 1
      for (let i = 0; i < load.answers; i++) {
        const paused = pauses && random() < 0.1 ? 10 : 1
        histogram.record(5 * (shape + 1) * own * factor * paused * Math.exp(0.4 * normal()))
      }
      const errors = side === 'target' ? (load.errors?.[shape] ?? 0) : 0
      return { latencies: histogram.take(), tooks: noCounts, errors, late: 0 }
    })
    const errors = shapes.reduce((sum, shape) => sum + shape.errors, 0)
    const requests = load.shapes * load.answers + errors
    return { requests, errors, ms: 1000, shapes, starts: noCounts, waited: 0 }
  }
  return Array.from({ length: load.rounds }, (_, i) => {
    const common = (1 + i / load.rounds) * Math.exp(0.2 * normal())
    return { source: turn(common, 'source'), target: turn(common, 'target') }
  })
}

/** What is said of them. `ratio` 1: with no margin at all. */
export function judgeSimulated(
  load: SimulatedLoad,
  ratio = 1.1,
  generator: GeneratorLoad = idle,
): ShapeSpeed[] {
  const shapes = Array.from({ length: load.shapes }, (_, i) => ({
    key: String(i),
    template: `GET /${i}/_search`,
    share: 1 / load.shapes,
  }))
  return compareShapes(simulateRounds(load), shapes, {
    rounds: new Rounds(load.rounds, seededRandom(load.seed + 1)),
    comparisons: 3 * load.shapes,
    same: { ratio, belowMs: 0 },
    generator,
  })
}
