import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { AnswerDifference } from '../compare/searches/answer-difference.ts'
import { differs } from '../compare/searches/answer-difference.ts'
import type { Shape } from '../compare/searches/shape.ts'
import type { Latency, ShadowRun, ShadowTotals, ShapeFigures, SkipReason } from './records.ts'

/** What came of one request that was sent. */
export interface Settled {
  readonly shape: Shape
  readonly isWrite: boolean
  readonly sourceStatus: number
  readonly targetStatus: number
  readonly sourceMs: number
  readonly targetMs: number
  readonly attempts: number
  /** Absent: the answers were not compared. */
  readonly difference?: AnswerDifference | undefined
}

/** Of more shapes than this those that come later are one: `(others)`. */
const shapesMax = 1000
const shapesKept = 200
const histogramMax = 3_600_000_000

interface ShapeCounts {
  readonly shape: Shape
  requests: number
  different: number
  sourceErrors: number
  targetErrors: number
  readonly findings: Map<string, number>
  readonly source: RecordableHistogram
  readonly target: RecordableHistogram
}

/** Counts what a replay found. Memory is bounded by the number of shapes. */
export class ShadowFigures {
  readonly totals: ShadowTotals
  readonly skipped: { [Reason in SkipReason]?: number }
  readonly rulesFired: { [rule: string]: number }
  readonly #statuses: { [pair: string]: number }
  readonly #shapes = new Map<string, ShapeCounts>()
  readonly #source = microseconds()
  readonly #target = microseconds()

  /** Goes on from what an earlier run of the same replay had counted. */
  constructor(before?: Pick<ShadowRun, 'totals' | 'skipped' | 'rulesFired' | 'statuses'>) {
    this.totals = before === undefined ? noTotals() : { ...before.totals }
    this.skipped = { ...before?.skipped }
    this.rulesFired = { ...before?.rulesFired }
    this.#statuses = { ...before?.statuses }
  }

  skip(reason: SkipReason): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1
  }

  fired(rules: readonly string[]): void {
    for (const rule of rules) this.rulesFired[rule] = (this.rulesFired[rule] ?? 0) + 1
  }

  /** What counts as different is a status that differs, or an answer that does. */
  settle(settled: Settled): boolean {
    const { sourceStatus, targetStatus, sourceMs, targetMs, difference, isWrite } = settled
    const { totals } = this
    const statusDiffers = sourceStatus !== targetStatus
    const isDifferent = statusDiffers || (difference !== undefined && differs(difference))
    totals.sent++
    if (isWrite) totals.writes++
    totals.retries += settled.attempts - 1
    if (difference !== undefined) totals.compared++
    if (isDifferent) totals.different++
    if (statusDiffers) totals.statusDiffers++
    if (isError(targetStatus)) totals.errors++
    if (isError(sourceStatus)) totals.sourceErrors++
    const pair = `${sourceStatus} ${targetStatus}`
    this.#statuses[pair] = (this.#statuses[pair] ?? 0) + 1
    record(this.#source, sourceMs)
    record(this.#target, targetMs)
    this.#countShape(settled, isDifferent)
    return isDifferent
  }

  #countShape(settled: Settled, isDifferent: boolean): void {
    const counts = this.#countsOf(settled.shape)
    counts.requests++
    if (isDifferent) counts.different++
    if (isError(settled.sourceStatus)) counts.sourceErrors++
    if (isError(settled.targetStatus)) counts.targetErrors++
    record(counts.source, settled.sourceMs)
    record(counts.target, settled.targetMs)
    const counted = settled.difference?.findings.filter(({ noise }) => noise === undefined) ?? []
    for (const what of new Set(counted.map((finding) => finding.what))) {
      counts.findings.set(what, (counts.findings.get(what) ?? 0) + 1)
    }
  }

  #countsOf(shape: Shape): ShapeCounts {
    const isKnown = this.#shapes.has(shape.key) || this.#shapes.size < shapesMax
    const own = isKnown ? shape : others
    let counts = this.#shapes.get(own.key)
    if (counts === undefined) {
      counts = {
        ...{ shape: own, requests: 0, different: 0, sourceErrors: 0, targetErrors: 0 },
        ...{ findings: new Map(), source: microseconds(), target: microseconds() },
      }
      this.#shapes.set(own.key, counts)
    }
    return counts
  }

  get statuses(): { [pair: string]: number } {
    return this.#statuses
  }

  latency(): { source: Latency; target: Latency } {
    return { source: latencyOf(this.#source), target: latencyOf(this.#target) }
  }

  /** Worst first: the share that differs, then how many. */
  shapes(): ShapeFigures[] {
    const all = [...this.#shapes.values()]
    const share = ({ different, requests }: ShapeCounts): number => different / requests
    all.sort((a, b) => share(b) - share(a) || b.requests - a.requests)
    return all.slice(0, shapesKept).map((counts) => ({
      ...counts.shape,
      requests: counts.requests,
      different: counts.different,
      errors: { source: counts.sourceErrors, target: counts.targetErrors },
      findings: Object.fromEntries(counts.findings),
      latency: { source: latencyOf(counts.source), target: latencyOf(counts.target) },
    }))
  }
}

const others: Shape = { key: 'others', template: '(others)' }

function noTotals(): ShadowTotals {
  return {
    ...{ exchanges: 0, sent: 0, writes: 0, retries: 0, compared: 0, different: 0 },
    ...{ statusDiffers: 0, errors: 0, sourceErrors: 0, late: 0, gaps: 0 },
  }
}

function isError(status: number): boolean {
  return status === 0 || status === 429 || status >= 500
}

/** Two digits are kept exactly, which is an error of 1 % at most. */
function microseconds(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: histogramMax, figures: 2 })
}

/** What took no time, or was not timed, is not counted. */
function record(histogram: RecordableHistogram, ms: number): void {
  const value = Math.min(histogramMax, Math.round(ms * 1000))
  if (value >= 1) histogram.record(value)
}

function latencyOf(histogram: RecordableHistogram): Latency {
  if (histogram.count === 0) return { p50: null, p90: null, p99: null, max: null }
  const at = (percentile: number): number => histogram.percentile(percentile) / 1000
  return { p50: at(50), p90: at(90), p99: at(99), max: histogram.max / 1000 }
}
