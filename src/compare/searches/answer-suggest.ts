import type { AnswerContext } from './answer-hits.ts'
import {
  eachDifference,
  isNear,
  isObject,
  keysOfBoth,
  listOf,
  memberPath,
  own,
} from './answer-value.ts'

/**
 * suggest = { name: [ { text, offset, length, options: [ { text, score | freq, … } ] } ] }
 * Options of one score may stand in any order; a score is compared with the tolerance of scores.
 */
export function compareSuggestions(
  source: unknown,
  target: unknown,
  where: string,
  context: AnswerContext,
): void {
  const one = isObject(source) ? source : {}
  const other = isObject(target) ? target : {}
  for (const name of keysOfBoth(one, other)) {
    const path = memberPath(where, name)
    const length = Math.max(listOf(one[name]).length, listOf(other[name]).length)
    for (let i = 0; i < length; i++)
      compareEntry(listOf(one[name])[i], listOf(other[name])[i], `${path}[${i}]`, context)
  }
}

/** Numbers of documents, scores of engines, and how a hit is stored. */
const ofTheEngine = new Set(['score', '_score', '_index', '_type', 'options'])

function compareEntry(
  source: unknown,
  target: unknown,
  path: string,
  context: AnswerContext,
): void {
  const { findings, options } = context
  const onDifference = (where: string, one: unknown, other: unknown): void =>
    findings.add('suggest', where, { source: one, target: other })
  eachDifference(source, target, { path, ignored: ofTheEngine, onDifference })
  const lists = { source: inOrder(source), target: inOrder(target) }
  const length = Math.max(lists.source.length, lists.target.length)
  for (let i = 0; i < length; i++) {
    const [one, other] = [lists.source[i], lists.target[i]]
    const where = `${path}.options[${i}]`
    eachDifference(one, other, { path: where, ignored: ofTheEngine, onDifference })
    if (!isNear(scoreOf(one), scoreOf(other), options.scoreTolerance))
      findings.add('suggest', `${where}.score`, { source: scoreOf(one), target: scoreOf(other) })
  }
}

function scoreOf(option: unknown): unknown {
  return own(option, 'score') ?? own(option, '_score')
}

/** By the engine's order, and among equal scores by text and id. */
function inOrder(entry: unknown): unknown[] {
  const name = (option: unknown): string =>
    `${String(own(option, 'text'))}\n${String(own(option, '_id'))}`
  return [...listOf(own(entry, 'options'))].sort((a, b) => {
    const difference = Number(scoreOf(b) ?? 0) - Number(scoreOf(a) ?? 0)
    if (difference !== 0) return difference
    return name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0
  })
}
