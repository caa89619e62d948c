/** In what two answers differ. */
export type FindingKind =
  /** HTTP status, or one of them did not come. */
  | 'status'
  /** Both are errors, of another type. */
  | 'error'
  /** One is made from fewer shards than there are, or ran into its time limit. */
  | 'partial'
  /** Number of hits. */
  | 'total'
  /** The number of hits is exact on one side, and a lower bound on the other. */
  | 'relation'
  /** Hits that one of them lacks. */
  | 'ids'
  /** Hits that both put into an order, and not into the same one. */
  | 'order'
  | 'scores'
  | 'sort'
  | 'aggregation'
  | 'suggest'
  | 'highlight'
  /** What is returned of a hit: `_source`, fields, routing, matched queries. */
  | 'fields'
  /** Anything of an answer whose form is not known here. */
  | 'other'

export interface AnswerFinding {
  readonly what: FindingKind
  /** Place in the answer, e.g. `hits`, `hits["shop/7"]._source.price`, `responses[2].aggregations.brands["acme"].doc_count`. */
  readonly where: string
  /** What stands there, in short; undefined: nothing. At most valueLengthMax characters. */
  readonly source: string | undefined
  readonly target: string | undefined
  /** How far apart they are, in the unit of the place (hits, documents, relative difference); absent: it cannot be said. */
  readonly extent?: number
  /** Why it does not count. Absent: it counts. */
  readonly noise?: string
}

/** How two rankings agree: 1 = as one, by each of the four. Null: nothing is ranked on either side. */
export interface RankingAgreement {
  /** Share of the first k hits that both have. */
  readonly overlapAtK: number | null
  /** Webber, Moffat, Zobel 2010, extrapolated, p = 0.9: agreement at every depth, the top weighing most. */
  readonly rankBiasedOverlap: number | null
  /** Discounted gain of the target's first k, a hit's gain being by its rank on the source, over that of the source. */
  readonly ndcg: number | null
  /** -1 (reversed) to 1 over the hits that both have; what ties on one of them agrees with any order. Null below two. */
  readonly kendallTau: number | null
}

export interface AnswerDifference extends RankingAgreement {
  /** At most findingsMax; those that count first. */
  readonly findings: readonly AnswerFinding[]
  /** Further findings that count, and are not named. */
  readonly findingsLeftOut: number
  /** The source does not agree with itself on the order or choice of hits: the four figures above tell nothing of the target. */
  readonly rankingIsNoise: boolean
}

export const findingsMax = 1000
export const valueLengthMax = 300

export interface AnswerOptions {
  /** How many of the first hits count for overlap@k and nDCG. */
  readonly k: number
  /** Largest relative difference of two scores that are called equal. */
  readonly scoreTolerance: number
  /** The same for figures in aggregations that are calculated (sum, avg …). Counts of documents are compared exactly. */
  readonly valueTolerance: number
  /** The same for figures that engines only estimate (percentiles, cardinality). */
  readonly estimateTolerance: number
  /** What was asked, as askedSearches() reads it from the request; of `_msearch` one for each search. */
  readonly asked?: readonly (AskedSearch | undefined)[]
  /** Name on the source of an index of the target (renamed, or one of several that an index became). Default: the same. */
  readonly sourceIndexOf?: (targetIndex: string) => string
}

/** What of a search cannot be told from its answers. */
export interface AskedSearch {
  /** Hits went before those of this page: a `from`, a `search_after`, a scroll. */
  readonly startsLater: boolean
  /** What each of the sort values is; `place`: where the document happens to lie (`_doc`). Absent: sorted by score. */
  readonly sort?: readonly ('score' | 'place' | 'value')[]
  /** Aggregations whose figures are estimates, as `brands>visitors`. */
  readonly estimates: ReadonlySet<string>
}

export const answerDefaults: AnswerOptions = {
  k: 10,
  scoreTolerance: 1e-4,
  valueTolerance: 1e-9,
  estimateTolerance: 0.05,
}

/** Whether anything counts. */
export function differs({ findings, findingsLeftOut }: AnswerDifference): boolean {
  return findingsLeftOut > 0 || findings.some(({ noise }) => noise === undefined)
}
