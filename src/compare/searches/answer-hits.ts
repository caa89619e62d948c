import type { AnswerOptions, AskedSearch } from './answer-difference.ts'
import type { Findings } from './answer-findings.ts'
import { compareRankings, type RankedList, type RankingComparison } from './answer-ranking.ts'
import { compareScores } from './answer-scores.ts'
import {
  canonicalText,
  eachDifference,
  isEqual,
  isNear,
  isNumber,
  isObject,
  keysOfBoth,
  listOf,
  memberPath,
  own,
  relativeDifference,
} from './answer-value.ts'

export interface AnswerContext {
  readonly options: AnswerOptions
  readonly asked: AskedSearch | undefined
  readonly findings: Findings
}

interface Hit {
  /** `INDEX/ID` by the names of the source; a nested one with its place, one that stands twice with a number. */
  readonly id: string
  readonly score: number | undefined
  /** Those that say something of the document. */
  readonly sort: readonly unknown[] | undefined
  readonly members: Readonly<Record<string, unknown>>
}

/** Compares two objects `hits` of answers, of inner hits, or of `top_hits`. */
export function compareHits(
  source: unknown,
  target: unknown,
  where: string,
  context: AnswerContext,
): RankingComparison {
  const sourceHits = readHits(source, (index) => index, context)
  const targetHits = readHits(target, context.options.sourceIndexOf ?? ((index) => index), context)
  compareTotals(own(source, 'total'), own(target, 'total'), where, context.findings)
  const scale = compareScores(
    { source: sourceHits.map(scoreOf), target: targetHits.map(scoreOf) },
    `${where}.hits`,
    context,
  )
  const endsTie = tieAcross(sourceHits.at(-1), targetHits.at(-1), scale, context)
  const startsTie = tieAcross(sourceHits[0], targetHits[0], scale, context)
  const ranking = compareRankings(
    rankedList(source, sourceHits, context),
    rankedList(target, targetHits, context),
    { k: context.options.k, endsTie, startsTie },
  )
  nameRanking(ranking, { sourceHits, targetHits, where }, context.findings)
  const byId = new Map(targetHits.map((hit) => [hit.id, hit]))
  for (const hit of sourceHits) {
    const other = byId.get(hit.id)
    if (other) compareHit(hit, other, `${where}.hits[${JSON.stringify(hit.id)}]`, context)
  }
  return ranking
}

function scoreOf({ score }: Hit): number | undefined {
  return score
}

function readHits(
  hits: unknown,
  sourceIndexOf: (index: string) => string,
  { asked }: AnswerContext,
): Hit[] {
  const counts = new Map<string, number>()
  return listOf(own(hits, 'hits')).map((one): Hit => {
    const members = isObject(one) ? one : {}
    const name = hitName(members, sourceIndexOf)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    const { _score: score, sort } = members
    return {
      id: count === 1 ? name : `${name}#${count}`,
      score: isNumber(score) ? Number(score) : undefined,
      sort: Array.isArray(sort) ? tellingValues(sort, asked) : undefined,
      members,
    }
  })
}

function hitName(
  members: Readonly<Record<string, unknown>>,
  sourceIndexOf: (index: string) => string,
): string {
  const { _index: index, _id: id, _nested: nested } = members
  const place = nested === undefined ? '' : canonicalText(nested)
  return `${typeof index === 'string' ? sourceIndexOf(index) : ''}/${String(id)}${place}`
}

/** Without `_doc` and the like, nor what the engine adds behind the keys that were asked for. */
function tellingValues(sort: readonly unknown[], asked: AskedSearch | undefined): unknown[] {
  const kinds = asked?.sort
  return kinds === undefined ? [...sort] : sort.filter((_, i) => (kinds[i] ?? 'place') !== 'place')
}

function rankedList(hits: unknown, list: readonly Hit[], context: AnswerContext): RankedList {
  const { value, relation } = totalOf(own(hits, 'total'))
  return {
    ids: list.map(({ id }) => id),
    ties: (a, b) => a === b || ties(list[a]!, list[b]!, context),
    openEnd: relation !== 'eq' || value === undefined || Number(value) > list.length,
    openStart: context.asked?.startsLater ?? false,
  }
}

function ties(a: Hit, b: Hit, context: AnswerContext): boolean {
  if (a.sort === undefined || b.sort === undefined)
    return sameScore(a.score, b.score, context.options.scoreTolerance)
  return sameSort(a.sort, b.sort, context)
}

function tieAcross(
  source: Hit | undefined,
  target: Hit | undefined,
  scale: number,
  context: AnswerContext,
): boolean {
  if (source === undefined || target === undefined) return false
  const scaled = source.score === undefined ? source : { ...source, score: source.score * scale }
  return ties(scaled, target, context)
}

function sameScore(a: number | undefined, b: number | undefined, tolerance: number): boolean {
  if (a === undefined || b === undefined) return a === b
  return relativeDifference(a, b)! <= tolerance
}

function sameSort(a: readonly unknown[], b: readonly unknown[], context: AnswerContext): boolean {
  const { scoreTolerance, valueTolerance } = context.options
  const kinds = context.asked?.sort?.filter((kind) => kind !== 'place')
  return (
    a.length === b.length &&
    a.every((value, i) => {
      if (kinds?.[i] === 'score') return isNear(value, b[i], scoreTolerance)
      // Whole numbers are times and ids; fractions were calculated (distances, scripts).
      const isWhole = Number.isInteger(value) && Number.isInteger(b[i])
      return isWhole ? value === b[i] : isNear(value, b[i], valueTolerance)
    })
  )
}

/** total = number (before 7.0) | { "value": number, "relation": "eq" | "gte" }; absent where nobody counted. */
function totalOf(total: unknown): { value: number | bigint | undefined; relation: unknown } {
  if (isNumber(total)) return { value: total, relation: 'eq' }
  const value = own(total, 'value')
  return { value: isNumber(value) ? value : undefined, relation: own(total, 'relation') }
}

/** Two lower bounds are not compared: each side stops counting where it likes. */
function compareTotals(source: unknown, target: unknown, where: string, findings: Findings): void {
  const one = totalOf(source)
  const other = totalOf(target)
  const place = `${where}.total`
  const values = { source, target }
  if (one.value === undefined || other.value === undefined) {
    if (one.value !== other.value) findings.add('total', place, values)
    return
  }
  const apart = Math.abs(Number(one.value) - Number(other.value))
  const isLess = { source: one.relation === 'gte', target: other.relation === 'gte' }
  if (isLess.source && isLess.target) return
  if (isLess.source === isLess.target) {
    if (!isEqual(one.value, other.value)) findings.add('total', place, { ...values, extent: apart })
    return
  }
  const [exact, bound] = isLess.source ? [other.value, one.value] : [one.value, other.value]
  if (exact < bound) findings.add('total', place, { ...values, extent: apart })
  else findings.add('relation', place, values)
}

const idsNamed = 10

function nameRanking(
  { missing, extra, discordantPairs, pairs }: RankingComparison,
  {
    sourceHits,
    targetHits,
    where,
  }: { sourceHits: readonly Hit[]; targetHits: readonly Hit[]; where: string },
  findings: Findings,
): void {
  const place = `${where}.hits`
  if (missing.length > 0 || extra.length > 0) {
    const extent = Math.max(missing.length, extra.length)
    findings.add('ids', place, { source: named(missing), target: named(extra), extent })
  }
  if (discordantPairs === 0) return
  const onTarget = new Set(targetHits.map(({ id }) => id))
  const onSource = new Set(sourceHits.map(({ id }) => id))
  const both = (hits: readonly Hit[], others: ReadonlySet<string>): string[] =>
    hits.map(({ id }) => id).filter((id) => others.has(id))
  findings.add('order', place, {
    source: named(both(sourceHits, onTarget)),
    target: named(both(targetHits, onSource)),
    extent: discordantPairs / pairs,
  })
}

function named(ids: readonly string[]): string[] | undefined {
  if (ids.length === 0) return undefined
  const more = ids.length - idsNamed
  return more > 0 ? [...ids.slice(0, idsNamed), `and ${more} more`] : [...ids]
}

/** Counted, compared elsewhere, or of the engine's own making: versions on the target are another count. */
const notReturned = new Set([
  ...['_index', '_type', '_id', '_nested', '_score', 'sort', 'highlight', 'inner_hits', '_parent'],
  ...['_version', '_seq_no', '_primary_term', '_shard', '_node', '_explanation', '_ignored'],
])

function compareHit(source: Hit, target: Hit, where: string, context: AnswerContext): void {
  const { findings } = context
  if (source.sort !== undefined || target.sort !== undefined) {
    const same = sameSort(source.sort ?? [], target.sort ?? [], context)
    const values = { source: source.sort, target: target.sort }
    if (!same && !sortsByScoreAlone(context)) findings.add('sort', `${where}.sort`, values)
  }
  for (const key of keysOfBoth(source.members, target.members)) {
    if (notReturned.has(key)) continue
    const isSet = key === 'matched_queries'
    eachDifference(
      isSet ? asSet(source.members[key]) : source.members[key],
      isSet ? asSet(target.members[key]) : target.members[key],
      {
        path: memberPath(where, key),
        onDifference: (path, one, other) =>
          findings.add('fields', path, { source: one, target: other }),
      },
    )
  }
  eachDifference(source.members.highlight, target.members.highlight, {
    path: `${where}.highlight`,
    onDifference: (path, one, other) =>
      findings.add('highlight', path, { source: one, target: other }),
  })
  compareInnerHits(source.members.inner_hits, target.members.inner_hits, where, context)
}

/** Scores are compared by rank, once. */
function sortsByScoreAlone({ asked }: AnswerContext): boolean {
  return asked?.sort?.every((kind) => kind !== 'value') ?? false
}

function asSet(value: unknown): unknown {
  return Array.isArray(value) ? value.map(canonicalText).sort() : value
}

function compareInnerHits(
  source: unknown,
  target: unknown,
  where: string,
  context: AnswerContext,
): void {
  if (source === undefined && target === undefined) return
  const inner = { ...context, asked: undefined }
  for (const name of keysOfBoth(isObject(source) ? source : {}, isObject(target) ? target : {})) {
    const path = memberPath(`${where}.inner_hits`, name)
    compareHits(own(own(source, name), 'hits'), own(own(target, name), 'hits'), path, inner)
  }
}
