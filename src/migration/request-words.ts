import { sourceIndexOf } from '../base/document-types.ts'
import { matcher } from '../base/select.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import type { TargetPlace } from '../transform/request/rule.ts'
import { createAnswerTranslator } from '../transform/request/translate-answer.ts'
import {
  createRequestTranslator,
  type FiredRule,
  type PlainRequest,
} from '../transform/request/translate.ts'
import type { Migration } from './migration.ts'

/** How requests of clients are said to the target, and its answers to the clients. */
export interface RequestWords {
  /** First the steps of the user, then the request rules. Throws MA_TRANSFORM where a step fails. */
  readonly translate: (
    request: PlainRequest,
  ) => Promise<{ readonly request: PlainRequest; readonly fired: readonly FiredRule[] }>
  /** In the form that the source would have given to this request; changes the JSON in place. */
  readonly answerBack: (request: PlainRequest, body: unknown) => unknown
  /** Name on the source of an index of the target; the same where none is known. */
  readonly sourceIndexOf: (targetIndex: string) => string
}

/** Of the configured source and target, with the names of the indices that this migration made. */
export async function requestWords(migration: Migration): Promise<RequestWords> {
  const [source, target] = [await migration.source(), await migration.target()]
  const records = await targetIndices(migration)
  const context = { source: source.version, target: target.version, placeOf: placesOf(records) }
  const rules = createRequestTranslator(context)
  const steps = await userSteps(migration)
  const back = new Map(records.map(({ index, targetIndex }) => [targetIndex, sourceIndexOf(index)]))
  return {
    translate: async (request) => {
      const changed = steps === undefined ? request : await steps(request)
      const { fired, ...said } = rules(changed)
      return { request: said, fired }
    },
    answerBack: createAnswerTranslator(context),
    sourceIndexOf: (name) => back.get(name) ?? name,
  }
}

async function targetIndices(migration: Migration): Promise<TargetIndex[]> {
  if (!migration.hasState) return []
  const state = await migration.state('read')
  const records: TargetIndex[] = []
  for await (const { value } of state.each(targetIndexKind)) records.push(value)
  return records
}

/** The steps' requests, one after the other: their thread does one thing at a time. */
async function userSteps(
  migration: Migration,
): Promise<((request: PlainRequest) => Promise<PlainRequest>) | undefined> {
  const transformer = await (await migration.transform())?.open()
  if (transformer === undefined || !transformer.changesRequests) return undefined
  let before: Promise<unknown> = Promise.resolve()
  return (request) => {
    const asked = before.then(() => transformer.request({ ...request }))
    before = asked.catch(() => undefined)
    return asked
  }
}

/** What became of an index that a request names, by the records of this migration. */
export function placesOf(
  records: readonly TargetIndex[],
): (index: string, types: readonly string[] | undefined) => TargetPlace | undefined {
  const parts = Map.groupBy(records, ({ index }) => sourceIndexOf(index))
  const moved = records.filter(({ index, targetIndex }) => sourceIndexOf(index) !== targetIndex)
  return (index, types) => {
    const own = parts.get(index)
    if (own !== undefined) return placeOf(index, own, types)
    if (!index.includes('*') || index.startsWith('-')) return undefined
    const isMeant = matcher([index])
    const others = moved.filter(
      (one) => isMeant(sourceIndexOf(one.index)) && !isMeant(one.targetIndex),
    )
    return others.length === 0
      ? undefined
      : { indices: [index, ...new Set(others.map(({ targetIndex }) => targetIndex))] }
  }
}

function placeOf(
  index: string,
  parts: readonly TargetIndex[],
  types: readonly string[] | undefined,
): TargetPlace | undefined {
  const holds = ({ types: kept }: TargetIndex): boolean =>
    types === undefined || kept?.only == null || types.some((type) => kept.only!.includes(type))
  const asked = parts.some(holds) ? parts.filter(holds) : parts
  const indices = [...new Set(asked.map(({ targetIndex }) => targetIndex))]
  if (types === undefined)
    return indices.length === 1 && indices[0] === index ? undefined : { indices }
  const field = asked.find(({ types: kept }) => kept?.keepIn != null)?.types?.keepIn
  const isMixed = asked.some(
    ({ types: kept, distinctIn }) => kept?.only == null && distinctIn !== undefined,
  )
  return {
    indices,
    ...(field != null ? { type: { field, values: types } } : isMixed && { holdsOthers: true }),
  }
}
