import { isJsonObject, type JsonObject } from '../../base/json.ts'
import { parsePath } from './request-path.ts'
import { hasTypes, type PlainRequest } from './translate.ts'
import type { RuleContext } from './rule.ts'

/**
 * Says an answer of the target in the form that the source would have given to `request`: the number of hits as a number
 * and the type of each document (before 7), and the answers of APIs that have become others. Changes the JSON in place and
 * gives it back; what is no answer to such a request stays as it is. Names of indices stay those of the target.
 */
export type AnswerTranslator = (request: PlainRequest, body: unknown) => unknown

export function createAnswerTranslator({ source }: Pick<RuleContext, 'source'>): AnswerTranslator {
  if (!hasTypes(source)) return answerOfPointInTime
  const isOld = source.major < 7
  return (request, body) => {
    if (!isJsonObject(body)) return body
    const path = parsePath(request, true)
    if (path === undefined) return body
    const type = path.types?.length === 1 && path.types[0] !== '_all' ? path.types[0]! : '_doc'
    if (path.api === '_suggest') return suggestAnswer(body)
    if (path.api === '_search/exists' && isJsonObject(body.hits))
      return { exists: totalOf(body.hits) > 0 }
    if (path.api === '_pit') return answerOfPointInTime(request, body)
    const asNumber = isOld && path.query.get('rest_total_hits_as_int') !== 'false'
    for (const answer of answersIn(body)) searchAnswer(answer, { type, asNumber })
    if (typeof body._id === 'string' && typeof body._index === 'string') withType(body, type)
    for (const one of Array.isArray(body.docs) ? body.docs : [])
      if (isJsonObject(one)) withType(one, type)
    return body
  }
}

function answersIn(body: JsonObject): JsonObject[] {
  return Array.isArray(body.responses) ? body.responses.filter(isJsonObject) : [body]
}

interface Form {
  readonly type: string
  readonly asNumber: boolean
}

/** Hits stand in answers, in top_hits of aggregations, and in inner_hits of hits. */
function searchAnswer(answer: JsonObject, form: Form): void {
  hitsAnswer(answer.hits, form)
  for (const name of ['aggregations', 'aggs']) aggregationsAnswer(answer[name], form)
}

function hitsAnswer(hits: unknown, form: Form): void {
  if (!isJsonObject(hits)) return
  if (form.asNumber && isJsonObject(hits.total)) hits.total = totalOf(hits)
  if (!Array.isArray(hits.hits)) return
  for (const hit of hits.hits) {
    if (!isJsonObject(hit)) continue
    if (typeof hit._index === 'string') withType(hit, form.type)
    if (!isJsonObject(hit.inner_hits)) continue
    for (const inner of Object.values(hit.inner_hits))
      if (isJsonObject(inner)) hitsAnswer(inner.hits, form)
  }
}

function aggregationsAnswer(value: unknown, form: Form): void {
  if (Array.isArray(value)) {
    for (const one of value) aggregationsAnswer(one, form)
    return
  }
  if (!isJsonObject(value)) return
  if (isJsonObject(value.hits) && Array.isArray(value.hits.hits)) hitsAnswer(value.hits, form)
  else for (const one of Object.values(value)) aggregationsAnswer(one, form)
}

function totalOf(hits: JsonObject): number {
  const total = isJsonObject(hits.total) ? hits.total.value : hits.total
  return typeof total === 'number' ? total : 0
}

/** `_type` stands behind `_index`. */
function withType(document: JsonObject, type: string): void {
  if ('_type' in document) return
  const entries = Object.entries(document)
  for (const [name] of entries) delete document[name]
  for (const [name, value] of entries) {
    document[name] = value
    if (name === '_index') document._type = type
  }
}

function suggestAnswer(body: JsonObject): JsonObject {
  const { _shards: shards, suggest } = body
  if (!isJsonObject(suggest)) return body
  return { ...(shards !== undefined && { _shards: shards }), ...suggest }
}

function answerOfPointInTime({ path }: PlainRequest, body: unknown): unknown {
  if (!/\/_pit(\?|$)/.test(path) || !isJsonObject(body) || typeof body.pit_id !== 'string')
    return body
  const { pit_id: id, ...rest } = body
  return { id, ...rest }
}
