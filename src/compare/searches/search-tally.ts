import {
  answerDefaults,
  differs,
  type AnswerDifference,
  type AnswerFinding,
  type FindingKind,
} from './answer-difference.ts'
import type { SearchAnswer, SearchRequest } from './search-request.ts'
import type {
  FindingShown,
  RankingFigures,
  SearchExample,
  SearchLatency,
  SearchShape,
  SearchVerdict,
  SideErrors,
} from './search-verdict.ts'
import { shapeOf } from './shape.ts'
import type { SentRequest } from './send-search.ts'

/** One request, asked of both sides and compared. */
export interface ComparedSearch {
  readonly request: SearchRequest
  /** As it went to the target, with the rules that made it so. */
  readonly target: SentRequest
  readonly rules: readonly string[]
  readonly answers: {
    readonly source: SearchAnswer
    readonly again: SearchAnswer
    readonly target: SearchAnswer
  }
  readonly difference: AnswerDifference
  /** Largest relative difference of two scores that were called equal; see deleted-documents.ts. */
  readonly scoreTolerance: number
}

export const shapesMax = 200
const pairsMax = 1000
const findingsShown = 10
/** An example with a longer body is told without it. */
const exampleBodyMax = 64 * 1024

/** Adds up what was compared; memory is a few numbers a request, and an example a shape. */
export class SearchTally {
  readonly #shapes = new Map<string, ShapeTally>()
  readonly #all = new Figures()
  readonly #rules = new Map<string, number>()
  #scoreTolerance = 0
  readonly #overlap = new Array<number>(11).fill(0)
  readonly #pairs: { key: string; source: number; target: number }[] = []
  readonly #random: () => number
  readonly #show: (example: SearchExample) => SearchExample

  /** `show`: what takes out of an example what may not be kept. */
  constructor(random: () => number, show: (example: SearchExample) => SearchExample) {
    this.#random = random
    this.#show = show
  }

  get requests(): number {
    return this.#all.requests
  }

  get different(): number {
    return this.#all.different
  }

  add(one: ComparedSearch): void {
    const { key, template } = shapeOf(one.request)
    let shape = this.#shapes.get(key)
    if (shape === undefined) {
      shape = { key, template, figures: new Figures(), example: undefined, exampleWeight: -1 }
      this.#shapes.set(key, shape)
    }
    shape.figures.add(one)
    this.#all.add(one)
    this.#keepExample(shape, one)
    for (const rule of one.rules) this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1)
    this.#scoreTolerance = Math.max(this.#scoreTolerance, one.scoreTolerance)
    const { overlapAtK, rankingIsNoise } = one.difference
    if (overlapAtK !== null && !rankingIsNoise) this.#overlap[Math.floor(overlapAtK * 10 + 1e-9)]!++
    this.#keepPair(key, one)
  }

  verdict(about: {
    readonly startedAt: string
    readonly endedAt: string
    readonly method: string
    readonly cannotSee: string[]
    readonly leftOut: Readonly<Record<string, number>>
  }): SearchVerdict {
    const shapes = [...this.#shapes.values()].sort(
      (a, b) => b.figures.badness() - a.figures.badness(),
    )
    const places = new Map(shapes.slice(0, shapesMax).map(({ key }, at) => [key, at]))
    const { requests, different, noise, errors } = this.#all
    return {
      ...about,
      cannotSee: [...about.cannotSee, ...this.#blurred()],
      leftOut: { ...about.leftOut },
      ...{ requests, different, noise, errors },
      ...this.#all.ranking(),
      findings: this.#all.findings(),
      overlapClasses: this.#overlap,
      latency: this.#all.latency(),
      latencyPairs: this.#pairs.map(({ key, source, target }) => [
        source,
        target,
        places.get(key) ?? -1,
      ]),
      rulesFired: Object.fromEntries([...this.#rules].sort(([, a], [, b]) => b - a)),
      shapes: shapes.slice(0, shapesMax).map((shape) => shapeRecord(shape)),
      shapesAll: shapes.length,
    }
  }

  #blurred(): string[] {
    if (this.#scoreTolerance <= answerDefaults.scoreTolerance) return []
    const within = `${(this.#scoreTolerance * 100).toFixed(0)} %`
    return [
      `scores nearer than ${within} of each other, and the order of such hits: deleted documents count in them until they are merged away (osmigrate compares exactly after POST /INDEX/_forcemerge?only_expunge_deletes=true on both sides)`,
    ]
  }

  /** The one with the most findings that count; else any. */
  #keepExample(shape: ShapeTally, one: ComparedSearch): void {
    const weight = one.difference.findings.filter(({ noise }) => noise === undefined).length
    if (weight <= shape.exampleWeight) return
    shape.exampleWeight = weight
    shape.example = this.#show(exampleOf(one))
  }

  #keepPair(key: string, { answers: { source, target } }: ComparedSearch): void {
    const seen = this.#all.requests
    const at = seen <= pairsMax ? seen - 1 : Math.floor(this.#random() * seen)
    if (at >= pairsMax || source.status === 0 || target.status === 0) return
    this.#pairs[Math.min(at, this.#pairs.length)] = {
      key,
      source: rounded(source.ms),
      target: rounded(target.ms),
    }
  }
}

interface ShapeTally {
  readonly key: string
  readonly template: string
  readonly figures: Figures
  example: SearchExample | undefined
  exampleWeight: number
}

const rankings = ['overlapAtK', 'rankBiasedOverlap', 'ndcg', 'kendallTau'] as const

/** What is counted of a shape, and of all. */
class Figures {
  requests = 0
  different = 0
  noise = 0
  readonly errors: SideErrors = { source: 0, target: 0 }
  readonly #findings = new Map<FindingKind, number>()
  readonly #ranking = {
    overlapAtK: new Mean(),
    rankBiasedOverlap: new Mean(),
    ndcg: new Mean(),
    kendallTau: new Mean(),
  }
  readonly #source: number[] = []
  readonly #target: number[] = []

  add({ answers, difference }: ComparedSearch): void {
    this.requests++
    if (differs(difference)) this.different++
    else if (difference.findings.length > 0) this.noise++
    if (isError(answers.source) || isError(answers.again)) this.errors.source++
    if (isError(answers.target)) this.errors.target++
    const counted = difference.findings.filter(({ noise }) => noise === undefined)
    for (const what of new Set(counted.map((finding) => finding.what))) {
      this.#findings.set(what, (this.#findings.get(what) ?? 0) + 1)
    }
    if (!difference.rankingIsNoise) {
      for (const name of rankings) this.#ranking[name].add(difference[name])
    }
    for (const { status, ms } of [answers.source, answers.again])
      if (status !== 0) this.#source.push(ms)
    if (answers.target.status !== 0) this.#target.push(answers.target.ms)
  }

  /** Of shapes of which more requests differ the worse first; among them those whose answers are further apart. */
  badness(): number {
    const share = this.different / this.requests
    const overlap = this.#ranking.overlapAtK.value() ?? 1
    return share * 1000 + (1 - overlap) * 100 + Math.min(99, this.different) / 100
  }

  ranking(): RankingFigures {
    const { overlapAtK, rankBiasedOverlap, ndcg, kendallTau } = this.#ranking
    return {
      overlapAt10: overlapAtK.value(),
      rankBiasedOverlap: rankBiasedOverlap.value(),
      ndcg: ndcg.value(),
      kendallTau: kendallTau.value(),
    }
  }

  findings(): { [What in FindingKind]?: number } {
    return Object.fromEntries([...this.#findings].sort(([, a], [, b]) => b - a))
  }

  latency(): { source: SearchLatency; target: SearchLatency } {
    return { source: latencyOf(this.#source), target: latencyOf(this.#target) }
  }
}

class Mean {
  #sum = 0
  #count = 0

  add(value: number | null): void {
    if (value === null) return
    this.#sum += value
    this.#count++
  }

  value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

/** A percentile is told where at least one answer in expectation lies above it. */
function latencyOf(times: readonly number[]): SearchLatency {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number | null =>
    sorted.length * (1 - share) < 1 - 1e-9
      ? null
      : rounded(sorted[Math.floor(sorted.length * share)]!)
  const last = sorted.at(-1)
  return {
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: last === undefined ? null : rounded(last),
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}

export function isError({ status }: SearchAnswer): boolean {
  return status === 0 || status === 429 || status >= 500
}

function shapeRecord({ key, template, figures, example }: ShapeTally): SearchShape {
  const { requests, different, noise, errors } = figures
  return {
    ...{ key, template, requests, different, noise, errors },
    ...figures.ranking(),
    findings: figures.findings(),
    latency: figures.latency(),
    example: example!,
  }
}

function exampleOf({ request, target, difference }: ComparedSearch): SearchExample {
  const { method, path, body } = request
  const isSame = target.method === method && target.path === path && target.body === body
  return {
    ...{ method, path, body: bodyShown(body) },
    target: isSame
      ? null
      : { method: target.method, path: target.path, body: bodyShown(target.body) },
    findings: difference.findings.slice(0, findingsShown).map(findingShown),
  }
}

function bodyShown(body: string | undefined): string | null {
  if (body === undefined) return null
  return body.length <= exampleBodyMax ? body : `(${body.length} characters)`
}

export function findingShown({ what, where, source, target, noise }: AnswerFinding): FindingShown {
  return { what, where, source: source ?? null, target: target ?? null, noise: noise ?? null }
}
