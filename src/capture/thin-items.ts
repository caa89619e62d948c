import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import { decodeBody } from '../traffic/content-encoding.ts'
import type { ThinItem } from '../traffic/exchange.ts'

export interface SentBody {
  readonly body: Uint8Array
  readonly encoding: string | undefined
}

export interface ThinInput {
  readonly parsed: ParsedRequest
  readonly request: SentBody
  readonly response: SentBody
  /** Of each body when it is unpacked. */
  readonly bytesMax: number
}

/**
 * What a thin record says of each document: from the source's answer, and its routing from the request. Undefined where
 * they do not tell it: an answer in another form (YAML, CBOR, cut down by filter_path), a request that no longer fits it.
 * Nothing for requests that change no documents by name.
 */
export function thinItems(input: ThinInput): ThinItem[] | undefined {
  if (input.parsed.effect !== 'documents') return []
  const answer = jsonOf(input.response, input.bytesMax)
  if (!isJsonObject(answer)) return undefined
  const query = new URLSearchParams(input.parsed.query)
  const routing = query.get('routing') ?? query.get('parent') ?? undefined
  if (input.parsed.api === 'bulk') return bulkItems(answer, input, routing)
  if (answer.error !== undefined) return []
  const item = itemOf(answer, { op: input.parsed.api, routing })
  return item && [item]
}

function bulkItems(
  answer: JsonObject,
  { request, bytesMax }: ThinInput,
  routing: string | undefined,
): ThinItem[] | undefined {
  const { items, error } = answer
  if (error !== undefined) return []
  if (!Array.isArray(items)) return undefined
  const routings = routingsOf(request, bytesMax)
  if (routings?.length !== items.length) return undefined
  const found = items.map((one, place) => {
    const [op, item] = isJsonObject(one) ? (Object.entries(one)[0] ?? []) : []
    if (op === undefined || !isJsonObject(item)) return undefined
    return itemOf(item, { op, routing: routings[place] ?? routing })
  })
  return found.every((one) => one !== undefined) ? found : undefined
}

function itemOf(
  item: JsonObject,
  { op, routing }: { op: string; routing: string | undefined },
): ThinItem | undefined {
  const { _index: index, _id: id, _seq_no: seqNo, _primary_term: primaryTerm } = item
  const result = resultOf(item, op)
  if (typeof index !== 'string' || result === undefined) return undefined
  // A new document that was refused has no id.
  if (typeof id !== 'string' && item.error === undefined) return undefined
  return {
    index,
    id: typeof id === 'string' ? id : '',
    result,
    ...(isNumber(seqNo) && { seqNo }),
    ...(isNumber(primaryTerm) && { primaryTerm }),
    ...(routing !== undefined && { routing }),
  }
}

/** -2 stands for none in some answers. */
function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number' && value >= 0
}

/** Before 5.0 there is no `result`: `created` and `found` tell it, or the status. */
function resultOf(item: JsonObject, op: string): string | undefined {
  const { error, result, created, found, status } = item
  if (isJsonObject(error)) return typeof error.type === 'string' ? error.type : 'error'
  if (typeof error === 'string') return error.split('[')[0]!
  if (typeof result === 'string') return result
  if (op === 'delete' && typeof found === 'boolean') return found ? 'deleted' : 'not_found'
  if (typeof created === 'boolean') return created ? 'created' : 'updated'
  if (op === 'delete') return status === 404 ? 'not_found' : 'deleted'
  return status === 201 || op === 'create' ? 'created' : 'updated'
}

/** The routing of each action of a bulk, undefined where it names none. */
function routingsOf(request: SentBody, bytesMax: number): (string | undefined)[] | undefined {
  const text = textOf(request, bytesMax)
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const routings: (string | undefined)[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trim()
    if (line === '') continue
    const action = parseJson(line)
    if (!isJsonObject(action)) return undefined
    const [op, values] = Object.entries(action)[0] ?? []
    routings.push(isJsonObject(values) ? routingOf(values) : undefined)
    if (op !== 'delete') at++
  }
  return routings
}

function routingOf(values: JsonObject): string | undefined {
  const { routing, _routing, parent, _parent } = values
  const named = routing ?? _routing ?? parent ?? _parent
  return typeof named === 'string' || typeof named === 'number' ? String(named) : undefined
}

function jsonOf(sent: SentBody, bytesMax: number): Json | undefined {
  const text = textOf(sent, bytesMax)
  return text === undefined ? undefined : parseJson(text)
}

function textOf({ body, encoding }: SentBody, bytesMax: number): string | undefined {
  try {
    return Buffer.from(decodeBody(body, encoding, bytesMax)).toString('utf8')
  } catch {
    return undefined
  }
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
