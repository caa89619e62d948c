import type { RankingAgreement } from './answer-difference.ts'

/**
 * How two rankings of the same question agree. What ties on a side may stand there in any order, so that no figure depends
 * on how an engine happened to break a tie:
 *   - two hits are in another order only where both sides put them strictly, and not the same way
 *   - before a list is cut or weighed by rank, hits that tie on a side are put into the order of the other side
 *   - where a page ends among hits that tie, those of them that did not fit are as good as those that did
 */
export interface RankedList {
  /** Best first; none stands twice. */
  readonly ids: readonly string[]
  /** Whether the hits at two ranks are of one score, or of one sort key. */
  readonly ties: (rank: number, other: number) => boolean
  /** More hits follow (or may): the last ones that tie are a choice. */
  readonly openEnd: boolean
  /** Hits went before (a further page): the first ones that tie are a choice, too. */
  readonly openStart: boolean
}

export interface RankingComparison extends RankingAgreement {
  /** Hits of the source that the target lacks, and the other way round; without those that only lost a tie. */
  readonly missing: readonly string[]
  readonly extra: readonly string[]
  /** Hits that lost a tie at an end of the page. */
  readonly tied: number
  /** Pairs of hits that both sides put into an order, and not into the same one; of how many. */
  readonly discordantPairs: number
  readonly pairs: number
}

export function compareRankings(
  source: RankedList,
  target: RankedList,
  { k, endsTie, startsTie }: { k: number; endsTie: boolean; startsTie: boolean },
): RankingComparison {
  const choices = tiedChoices(source, target, { endsTie, startsTie })
  const targetIds = target.ids.map((id) => choices.get(id) ?? id)
  const missing = notIn(source.ids, targetIds)
  const extra = notIn(targetIds, source.ids)
  const { discordantPairs, pairs } = countPairs(source, target, targetIds)
  const [one, other] = aligned(source, target, targetIds)
  const nothing = one.length === 0 && other.length === 0
  return {
    missing,
    extra,
    tied: choices.size,
    discordantPairs,
    pairs,
    overlapAtK: nothing ? null : overlapAt(one, other, k),
    rankBiasedOverlap: nothing ? null : rankBiasedOverlap(one, other),
    ndcg: nothing ? null : discountedGain(one, other, k),
    kendallTau: pairs === 0 ? null : 1 - (2 * discordantPairs) / pairs,
  }
}

function notIn(ids: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return ids.filter((id) => !known.has(id))
}

/**
 * Which hit of the target stands for which of the source, where the two pages were cut among hits that tie: target id →
 * source id.
 */
function tiedChoices(
  source: RankedList,
  target: RankedList,
  { endsTie, startsTie }: { endsTie: boolean; startsTie: boolean },
): Map<string, string> {
  const choices = new Map<string, string>()
  const pair = (sourceIds: readonly string[], targetIds: readonly string[]): void => {
    const free = notIn(sourceIds, target.ids)
    notIn(targetIds, source.ids)
      .filter((id) => !choices.has(id))
      .slice(0, free.length)
      .forEach((id, i) => choices.set(id, free[i]!))
  }
  if (source.openEnd && target.openEnd && endsTie) pair(lastTied(source), lastTied(target))
  if (source.openStart && target.openStart && startsTie) pair(firstTied(source), firstTied(target))
  return choices
}

function lastTied({ ids, ties }: RankedList): readonly string[] {
  const last = ids.length - 1
  let start = last
  while (start > 0 && ties(start - 1, last)) start--
  return ids.slice(Math.max(start, 0))
}

function firstTied({ ids, ties }: RankedList): readonly string[] {
  let end = 1
  while (end < ids.length && ties(0, end)) end++
  return ids.slice(0, end)
}

/**
 * Pairs (x, y) of hits that both sides have, x strictly before y on the source and strictly behind it on the target.
 * Ranks are gone through from the last one; `seen` counts hits by their rank on the target.
 */
function countPairs(
  source: RankedList,
  target: RankedList,
  targetIds: readonly string[],
): { discordantPairs: number; pairs: number } {
  const rankOn = new Map(targetIds.map((id, rank) => [id, rank]))
  const before = strictlyBefore(target)
  const behind = strictlyBehind(source)
  const seen = new PrefixCounts(target.ids.length)
  let discordantPairs = 0
  let common = 0
  let next = source.ids.length - 1
  for (let rank = source.ids.length - 1; rank >= 0; rank--) {
    for (; next >= behind[rank]!; next--) {
      const other = rankOn.get(source.ids[next]!)
      if (other !== undefined) seen.add(other)
    }
    const other = rankOn.get(source.ids[rank]!)
    if (other === undefined) continue
    common++
    discordantPairs += seen.below(before[other]!)
  }
  return { discordantPairs, pairs: (common * (common - 1)) / 2 }
}

/** For each rank, how many hits stand strictly before it: the first rank that ties with it. */
function strictlyBefore({ ids, ties }: RankedList): Int32Array {
  const first = new Int32Array(ids.length)
  let start = 0
  for (let rank = 0; rank < ids.length; rank++) {
    while (!ties(start, rank)) start++
    first[rank] = start
  }
  return first
}

/** For each rank, the first one that is strictly behind it. */
function strictlyBehind({ ids, ties }: RankedList): Int32Array {
  const after = new Int32Array(ids.length)
  let end = ids.length - 1
  for (let rank = ids.length - 1; rank >= 0; rank--) {
    while (!ties(rank, end)) end--
    after[rank] = end + 1
  }
  return after
}

/** How many of the numbers added are below a bound (a Fenwick tree). */
class PrefixCounts {
  readonly #sums: Int32Array

  constructor(size: number) {
    this.#sums = new Int32Array(size + 1)
  }

  add(number: number): void {
    for (let at = number + 1; at < this.#sums.length; at += at & -at) this.#sums[at]! += 1
  }

  below(bound: number): number {
    let sum = 0
    for (let at = bound; at > 0; at -= at & -at) sum += this.#sums[at]!
    return sum
  }
}

/** Both lists with what ties in the order of the other side; what the other side lacks stands last among its equals. */
function aligned(
  source: RankedList,
  target: RankedList,
  targetIds: readonly string[],
): [string[], string[]] {
  const groupOfSource = tieGroups(source, source.ids)
  const groupOfTarget = tieGroups(target, targetIds)
  const sourceRank = new Map(source.ids.map((id, rank) => [id, rank]))
  const at = (map: ReadonlyMap<string, number>, id: string): number => map.get(id) ?? Infinity
  const sorted = (
    ids: readonly string[],
    own: ReadonlyMap<string, number>,
    other: ReadonlyMap<string, number>,
  ): string[] =>
    [...ids].sort(
      (a, b) =>
        at(own, a) - at(own, b) ||
        order(at(other, a), at(other, b)) ||
        order(at(sourceRank, a), at(sourceRank, b)),
    )
  return [
    sorted(source.ids, groupOfSource, groupOfTarget),
    sorted(targetIds, groupOfTarget, groupOfSource),
  ]
}

/** A difference would be NaN between two that are nowhere. */
function order(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Hit → number of its group; a group is what ties with its first hit. */
function tieGroups({ ties }: RankedList, ids: readonly string[]): Map<string, number> {
  const groups = new Map<string, number>()
  let first = 0
  ids.forEach((id, rank) => {
    if (!ties(first, rank)) first = rank
    groups.set(id, first)
  })
  return groups
}

/** |first k of both| / (k, or the length of the longer list where that is less). */
function overlapAt(source: readonly string[], target: readonly string[], k: number): number {
  const first = new Set(source.slice(0, k))
  const both = target.slice(0, k).filter((id) => first.has(id)).length
  return both / Math.min(k, Math.max(source.length, target.length))
}

const persistence = 0.9

/**
 * RBO extrapolated from what is seen (Webber, Moffat, Zobel: A similarity measure for indefinite rankings, 2010, formula 32).
 * With s and l the lengths of the shorter and the longer list, X(d) the hits that both have down to depth d:
 *   (1-p)/p · (Σ d=1..l X(d)/d·p^d + Σ d=s+1..l X(s)·(d-s)/(s·d)·p^d) + ((X(l)-X(s))/l + X(s)/s)·p^l
 */
function rankBiasedOverlap(source: readonly string[], target: readonly string[]): number {
  const short = source.length < target.length ? source : target
  const long = short === source ? target : source
  const s = short.length
  if (s === 0) return 0
  const seen = new Set<string>()
  let both = 0
  let bothAtShort = 0
  let sum = 0
  let weight = 1
  for (let depth = 1; depth <= long.length; depth++) {
    for (const list of [short, long]) {
      const id = list[depth - 1]
      if (id === undefined) continue
      if (seen.has(id)) both++
      else seen.add(id)
    }
    if (depth === s) bothAtShort = both
    weight *= persistence
    sum += (both / depth) * weight
    if (depth > s) sum += ((bothAtShort * (depth - s)) / (s * depth)) * weight
  }
  const atEnd = (both - bothAtShort) / long.length + bothAtShort / s
  const agreement = ((1 - persistence) / persistence) * sum + atEnd * weight
  return Math.min(1, agreement)
}

/** nDCG@k: the gain of a hit is k, k-1, … by its rank on the source, 0 where it is not among its first k. */
function discountedGain(source: readonly string[], target: readonly string[], k: number): number {
  const gains = new Map(source.slice(0, k).map((id, i, first) => [id, first.length - i]))
  if (gains.size === 0) return 0
  const sum = (ids: readonly string[]): number =>
    ids.slice(0, k).reduce((total, id, i) => total + (gains.get(id) ?? 0) / Math.log2(i + 2), 0)
  return sum(target) / sum(source)
}
