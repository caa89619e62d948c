import { compareAggregations } from './answer-aggregations.ts'
import {
  answerDefaults,
  type AnswerDifference,
  type AnswerOptions,
  type RankingAgreement,
} from './answer-difference.ts'
import { errorType } from './answer-error.ts'
import { Findings } from './answer-findings.ts'
import { compareHits, type AnswerContext } from './answer-hits.ts'
import { compareSuggestions } from './answer-suggest.ts'
import {
  apart,
  eachDifference,
  isEqual,
  isObject,
  keysOfBoth,
  listOf,
  own,
} from './answer-value.ts'
import type { SearchAnswer } from './search-request.ts'

/**
 * Compares the answers that two clusters gave to one request: of searches what they found, in which order, with what scores,
 * aggregations, suggestions and fields; of counts the number; of anything else the JSON by value. What cannot be the same,
 * or says nothing of the answer, does not count: times, shards, versions, types, the order of what ties.
 */
export function compareAnswers(
  source: SearchAnswer,
  target: SearchAnswer,
  options: Partial<AnswerOptions> = {},
): AnswerDifference {
  const findings = new Findings()
  const completed = { ...answerDefaults, ...options }
  const rankings = compareParts(
    { status: source.status, body: source.body, error: source.error },
    { status: target.status, body: target.body, error: target.error },
    { options: completed, asked: completed.asked?.[0], findings, where: '' },
  )
  return { ...meanOf(rankings), ...findings.result(), rankingIsNoise: false }
}

/** An answer, or one of several in the answer to `_msearch`. */
interface Part {
  readonly status: number
  readonly body: unknown
  readonly error?: string | undefined
}

interface PartContext extends AnswerContext {
  readonly where: string
}

function compareParts(source: Part, target: Part, context: PartContext): RankingAgreement[] {
  const { findings, where } = context
  if (source.status !== target.status || source.error !== undefined || target.error !== undefined) {
    if (source.error !== undefined && target.error !== undefined) return []
    findings.add('status', `${where}status`, { source: shown(source), target: shown(target) })
    return isRanked(source.body) && !isRanked(target.body) ? [nothingAlike] : []
  }
  if (source.status >= 400) return compareErrors(source, target, context)
  const one = listOf(own(source.body, 'responses'))
  const other = listOf(own(target.body, 'responses'))
  if (one.length > 0 && one.length === other.length)
    return one.flatMap((part, i) =>
      compareParts(responsePart(part), responsePart(other[i]), {
        ...context,
        where: `${where}responses[${i}].`,
        asked: context.options.asked?.[i],
      }),
    )
  return compareBodies(source.body, target.body, context)
}

/** Of an engine before 5.0 a part has no status. */
function responsePart(part: unknown): Part {
  const status = own(part, 'status')
  const fallback = own(part, 'error') === undefined ? 200 : 400
  return { status: typeof status === 'number' ? status : fallback, body: part }
}

function shown({ status, body, error }: Part): string {
  if (error !== undefined) return error
  const type = errorType(body)
  return type === undefined ? String(status) : `${status} ${type}`
}

function isRanked(body: unknown): boolean {
  return listOf(own(own(body, 'hits'), 'hits')).length > 0
}

const nothingAlike: RankingAgreement = {
  overlapAtK: 0,
  rankBiasedOverlap: 0,
  ndcg: 0,
  kendallTau: null,
}

function compareErrors(source: Part, target: Part, { findings, where }: PartContext): [] {
  const one = errorType(source.body)
  const other = errorType(target.body)
  if (one !== other && one !== undefined && other !== undefined)
    findings.add('error', `${where}error`, { source: one, target: other })
  return []
}

/** Of an engine's answer: what says nothing of what was asked for. */
const notCompared = new Set([
  ...['took', 'timed_out', '_shards', '_scroll_id', 'pit_id', 'num_reduce_phases', '_clusters'],
  ...['terminated_early', 'status', 'profile', 'phase_took', 'processor_results', 'ext', 'id'],
  ...['_index', '_type', '_version', '_seq_no', '_primary_term', '_node', '_nodes'],
])

/** An answer without any of these is a document (`GET /shop/_source/1`), whose members may have any name. */
const ofEngines = ['hits', '_shards', '_index', 'docs', 'responses', '_nodes']

function compareBodies(source: unknown, target: unknown, context: PartContext): RankingAgreement[] {
  const { where } = context
  if (!isObject(source) || !isObject(target)) {
    compareOther(source, target, where === '' ? 'body' : where.slice(0, -1), context)
    return []
  }
  comparePartial(source, target, context)
  const isAnswer = ofEngines.some((key) => Object.hasOwn(source, key))
  return [...keysOfBoth(source, target)].flatMap((key) => {
    if (isAnswer && notCompared.has(key)) return []
    return compareMember(key, source[key], target[key], context) ?? []
  })
}

function compareMember(
  key: string,
  source: unknown,
  target: unknown,
  context: PartContext,
): RankingAgreement | undefined {
  const { findings, where } = context
  const place = `${where}${key}`
  switch (key) {
    case 'hits':
      return compareHits(source, target, place, context)
    case 'aggregations':
    case 'aggs':
      compareAggregations(source, target, place, context)
      return undefined
    case 'suggest':
      compareSuggestions(source, target, place, context)
      return undefined
    case 'count':
      if (!isEqual(source, target))
        findings.add('total', place, { source, target, extent: apart(source, target) })
      return undefined
    case 'docs':
      compareDocuments(listOf(source), listOf(target), place, context)
      return undefined
    case 'found':
      if (source !== target) findings.add('ids', place, { source, target })
      return undefined
    default:
      compareOther(source, target, place, context)
      return undefined
  }
}

/** docs of `_mget` = [ { _index, _id, found, _source } | { _index, _id, error } ], in the order of the request */
function compareDocuments(
  source: readonly unknown[],
  target: readonly unknown[],
  where: string,
  context: PartContext,
): void {
  const length = Math.max(source.length, target.length)
  for (let i = 0; i < length; i++)
    compareBodies(source[i], target[i], { ...context, where: `${where}[${i}].` })
}

function compareOther(
  source: unknown,
  target: unknown,
  where: string,
  { findings }: PartContext,
): void {
  const what = /(^|\.)(_source|fields)$/.test(where) ? 'fields' : 'other'
  eachDifference(source, target, {
    path: where,
    onDifference: (path, one, other) => findings.add(what, path, { source: one, target: other }),
  })
}

/** An answer from some of the shards only, or that ran out of its time. */
function comparePartial(source: unknown, target: unknown, { findings, where }: PartContext): void {
  const one = incompleteness(source)
  const other = incompleteness(target)
  if (one !== other) findings.add('partial', `${where}_shards`, { source: one, target: other })
}

function incompleteness(body: unknown): string | undefined {
  if (own(body, 'timed_out') === true) return 'timed out'
  const failed = Number(own(own(body, '_shards'), 'failed') ?? 0)
  return failed > 0 ? 'shards failed' : undefined
}

function meanOf(rankings: readonly RankingAgreement[]): RankingAgreement {
  const mean = (figure: keyof RankingAgreement): number | null => {
    const known = rankings.map((one) => one[figure]).filter((value) => value !== null)
    if (known.length === 0) return null
    return known.reduce((sum, value) => sum + value, 0) / known.length
  }
  return {
    overlapAtK: mean('overlapAtK'),
    rankBiasedOverlap: mean('rankBiasedOverlap'),
    ndcg: mean('ndcg'),
    kendallTau: mean('kendallTau'),
  }
}
