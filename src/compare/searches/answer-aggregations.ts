import { compareHits, type AnswerContext } from './answer-hits.ts'
import {
  apart,
  canonicalText,
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

/** Place of an aggregation in the answer, and its name in the request (`brands>visitors`). */
interface Place {
  readonly path: string
  readonly name: string
}

type Members = Readonly<Record<string, unknown>>

/** Compares the aggregations of two answers by name, with those below them. */
export function compareAggregations(
  source: unknown,
  target: unknown,
  where: string,
  context: AnswerContext,
): void {
  const one = byPlainName(source)
  const other = byPlainName(target)
  for (const name of keysOfBoth(one, other)) {
    const place = { path: memberPath(where, name), name }
    compareAggregation(one[name], other[name], place, context)
  }
}

/** With `typed_keys` names are `sterms#brands`, and engines call their types differently. */
function byPlainName(aggregations: unknown): Members {
  if (!isObject(aggregations)) return {}
  return Object.fromEntries(
    Object.entries(aggregations).map(([name, one]) => [name.slice(name.indexOf('#') + 1), one]),
  )
}

function compareAggregation(
  source: unknown,
  target: unknown,
  place: Place,
  context: AnswerContext,
): void {
  if (isObject(source) && isObject(target)) compareMembers(source, target, place, context)
  else if (!isEqual(source, target))
    context.findings.add('aggregation', place.path, { source, target })
}

/** Follow from other members, or tell of the way that the figures were made. */
const derived = new Set([
  ...['doc_count_error_upper_bound', 'sum_other_doc_count', 'meta', 'after_key'],
])

/** Of an aggregation of one bucket, and of each bucket of several: its own figures, and aggregations below. */
function compareMembers(
  source: Members,
  target: Members,
  place: Place,
  context: AnswerContext,
  skipped?: ReadonlySet<string>,
): void {
  const one = byPlainName(source)
  const other = byPlainName(target)
  for (const key of keysOfBoth(one, other)) {
    if (derived.has(key) || skipped?.has(key) === true) continue
    const path = memberPath(place.path, key)
    const values = { source: one[key], target: other[key] }
    if (key === 'buckets') compareBuckets({ source: one, target: other }, place, context)
    else if (key === 'hits' && Array.isArray(own(one[key], 'hits')))
      compareHits(one[key], other[key], `${place.path}.hits`, { ...context, asked: undefined })
    else if (key.endsWith('_as_string')) {
      const figure = key.slice(0, -'_as_string'.length)
      if (isEqual(one[figure], other[figure])) compareFigure(values, path, { place, context })
    } else if (isObject(values.source) && isObject(values.target))
      compareMembers(values.source, values.target, below(place, path, key), context)
    else if (Array.isArray(values.source) && Array.isArray(values.target))
      compareLists(values.source, values.target, { path, name: place.name }, context)
    else compareFigure(values, path, { place, context })
  }
}

function below({ name }: Place, path: string, key: string): Place {
  return { path, name: name === '' ? key : `${name}>${key}` }
}

/** percentiles with `keyed: false` = [{ key, value }], and what scripts make. */
function compareLists(
  source: readonly unknown[],
  target: readonly unknown[],
  place: Place,
  context: AnswerContext,
): void {
  const length = Math.max(source.length, target.length)
  for (let i = 0; i < length; i++) {
    const path = `${place.path}[${i}]`
    const [one, other] = [source[i], target[i]]
    if (isObject(one) && isObject(other)) compareMembers(one, other, { ...place, path }, context)
    else compareFigure({ source: one, target: other }, path, { place, context })
  }
}

const counts = new Set(['doc_count', 'bg_count', 'count'])

function compareFigure(
  { source, target }: { source: unknown; target: unknown },
  path: string,
  { place, context }: { place: Place; context: AnswerContext },
): void {
  const { valueTolerance, estimateTolerance } = context.options
  const isCount = counts.has(path.slice(path.lastIndexOf('.') + 1))
  const tolerance = isEstimate(place, context) ? estimateTolerance : isCount ? 0 : valueTolerance
  if (isNear(source, target, tolerance)) return
  const extent = isCount ? apart(source, target) : relativeDifference(source, target)
  context.findings.add('aggregation', path, { source, target, extent })
}

/** By the request; without one, what has `values` are percentiles. */
function isEstimate({ name, path }: Place, { asked }: AnswerContext): boolean {
  if (asked === undefined) return /\.values[.[]?/.test(path)
  return [...asked.estimates].some((one) => name === one || name.startsWith(`${one}>`))
}

interface Sides<T> {
  readonly source: T
  readonly target: T
}

/** buckets = [ { key, doc_count, … } ] | { name: { doc_count, … } } */
function compareBuckets(aggregation: Sides<Members>, place: Place, context: AnswerContext): void {
  const source = bucketsByKey(aggregation.source.buckets)
  const target = bucketsByKey(aggregation.target.buckets)
  const slack = { source: slackOf(aggregation.source), target: slackOf(aggregation.target) }
  const both: string[] = []
  for (const key of new Set([...source.keys(), ...target.keys()])) {
    const one = source.get(key)
    const other = target.get(key)
    const path = `${place.path}[${key}]`
    if (one && other) {
      both.push(key)
      compareBucket({ source: one, target: other }, slack, { ...place, path }, context)
    } else if (!isCutOff(one ?? other!, one ? 'target' : 'source', { source, target, slack }))
      context.findings.add('aggregation', path, {
        source: one && { doc_count: one.doc_count },
        target: other && { doc_count: other.doc_count },
        extent: Number((one ?? other!).doc_count ?? 1),
      })
  }
  compareOthers(aggregation, place, context)
  compareOrder({ source, target }, both, place, context)
}

function bucketsByKey(buckets: unknown): Map<string, Members> {
  if (isObject(buckets))
    return new Map(
      Object.entries(buckets).map(([key, bucket]) => [
        JSON.stringify(key),
        isObject(bucket) ? bucket : {},
      ]),
    )
  return new Map(
    listOf(buckets).map((bucket, i) => {
      const members = isObject(bucket) ? bucket : {}
      return [members.key === undefined ? String(i) : canonicalText(members.key), members]
    }),
  )
}

/** How wrong the counts of a `terms` aggregation may be, and whether it was cut off. */
interface Slack {
  readonly error: number
  readonly isCut: boolean
}

function slackOf({
  doc_count_error_upper_bound: error,
  sum_other_doc_count: others,
}: Members): Slack {
  return { error: Math.max(0, Number(error ?? 0)), isCut: Number(others ?? 0) > 0 }
}

/** A bucket that the other side has cut off: it would stand among its last ones, and by their counts it is as good as they. */
function isCutOff(
  bucket: Members,
  side: 'source' | 'target',
  { slack, ...buckets }: Sides<ReadonlyMap<string, Members>> & { slack: Sides<Slack> },
): boolean {
  const list = [...buckets[side].values()]
  if (!slack[side].isCut || list.length === 0) return false
  const last = Math.min(...list.map(({ doc_count: count }) => Number(count)))
  return Number(bucket.doc_count) <= last + slack.source.error + slack.target.error
}

const comparedApart = new Set(['key', 'doc_count'])

function compareBucket(
  { source, target }: Sides<Members>,
  slack: Sides<Slack>,
  place: Place,
  context: AnswerContext,
): void {
  const error = (side: 'source' | 'target', bucket: Members): number =>
    Math.max(slack[side].error, slackOf(bucket).error)
  const allowed = error('source', source) + error('target', target)
  const difference = apart(source.doc_count, target.doc_count)
  if (difference === undefined || difference > allowed)
    compareFigure(
      { source: source.doc_count, target: target.doc_count },
      `${place.path}.doc_count`,
      { place, context },
    )
  compareMembers(source, target, place, context, comparedApart)
}

/** What is shown and what is cut off make up one sum, however it is cut. */
function compareOthers(
  { source, target }: Sides<Members>,
  place: Place,
  context: AnswerContext,
): void {
  if (source.sum_other_doc_count === undefined || target.sum_other_doc_count === undefined) return
  const sum = (side: Members): number =>
    [...bucketsByKey(side.buckets).values()].reduce(
      (total, bucket) => total + Number(bucket.doc_count),
      Number(side.sum_other_doc_count),
    )
  const difference = Math.abs(sum(source) - sum(target))
  const { error } = slackOf(source)
  if (difference === 0 || difference <= error + slackOf(target).error) return
  context.findings.add('aggregation', `${place.path}.sum_other_doc_count`, {
    source: source.sum_other_doc_count,
    target: target.sum_other_doc_count,
    extent: difference,
  })
}

/**
 * What buckets are ordered by the answer does not tell. So two neighbours that stand the other way round count only where
 * they are equal in nothing that they could be ordered by.
 */
function compareOrder(
  { source, target }: Sides<ReadonlyMap<string, Members>>,
  both: readonly string[],
  place: Place,
  context: AnswerContext,
): void {
  const order = [...target.keys()].filter((key) => source.has(key))
  const rank = new Map(both.map((key, i) => [key, i]))
  const wrong = order.findIndex((key, i) => {
    const next = order[i + 1]
    if (next === undefined || rank.get(key)! < rank.get(next)!) return false
    return (
      !mayTie(source.get(key)!, source.get(next)!) && !mayTie(target.get(key)!, target.get(next)!)
    )
  })
  if (wrong < 0) return
  const keys = (list: readonly string[]): string => list.slice(0, 20).join(', ')
  context.findings.add('aggregation', `${place.path}.order`, {
    source: keys(both),
    target: keys(order),
  })
}

/** Equal counts, or an equal figure of one aggregation below. */
function mayTie(a: Members, b: Members): boolean {
  if (isEqual(a.doc_count, b.doc_count)) return true
  return Object.keys(a).some((name) => {
    const one = a[name]
    return (
      isObject(one) &&
      Object.keys(one).some((key) => isNumber(one[key]) && isEqual(one[key], own(b[name], key)))
    )
  })
}
