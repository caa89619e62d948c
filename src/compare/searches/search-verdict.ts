import { kind } from '../../state/store.ts'
import type { FindingKind } from './answer-difference.ts'

/** Times in milliseconds; null where too few answers carry the figure. */
export type SearchLatency = {
  p50: number | null
  p90: number | null
  p99: number | null
  max: number | null
}

/** In short what answers differ in; `noise`: why it does not count. */
export type FindingShown = {
  what: FindingKind
  where: string
  source: string | null
  target: string | null
  noise: string | null
}

/** A request, as it was sent to both sides. */
export type SearchExample = {
  method: string
  path: string
  body: string | null
  /** What request rules made of it for the target; null: nothing else. */
  target: { method: string; path: string; body: string | null } | null
  /** At most ten, those that count first. */
  findings: FindingShown[]
}

/** Means over the requests of which either side ranks hits; null: there is none. */
export type RankingFigures = {
  overlapAt10: number | null
  rankBiasedOverlap: number | null
  ndcg: number | null
  kendallTau: number | null
}

/** 5xx, 429, or no answer. */
export type SideErrors = { source: number; target: number }

export type SearchShape = RankingFigures & {
  key: string
  template: string
  requests: number
  different: number
  /** Differ, and only in what two answers of the source differ in, too. */
  noise: number
  errors: SideErrors
  /** How many requests had such a finding that counts. */
  findings: { [What in FindingKind]?: number }
  latency: { source: SearchLatency; target: SearchLatency }
  /** Of a request that differs, where there is one. */
  example: SearchExample
}

/** One run of `compare searches`. Key: startedAt. The newest twenty are kept. */
export type SearchVerdict = RankingFigures & {
  startedAt: string
  endedAt: string
  method: string
  cannotSee: string[]
  requests: number
  different: number
  noise: number
  errors: SideErrors
  findings: { [What in FindingKind]?: number }
  /** Requests by overlap@10: eleven classes, [0, 0.1) … [0.9, 1), and 1. */
  overlapClasses: number[]
  latency: { source: SearchLatency; target: SearchLatency }
  /** [source ms, target ms, place in `shapes`, or -1]; a sample of at most 1,000 requests. */
  latencyPairs: [number, number, number][]
  /** By request rule how many requests it changed. */
  rulesFired: { [rule: string]: number }
  /** Requests that took no part, by why. */
  leftOut: { [why: string]: number }
  /** The worst first, at most 200 of `shapesAll`. */
  shapes: SearchShape[]
  shapesAll: number
}
export const searchVerdictKind = kind<SearchVerdict>('search-verdict')
