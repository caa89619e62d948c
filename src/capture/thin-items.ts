import { isJsonObject, type JsonObject } from '../base/json.ts'
import { answeredItems, bodyText, parseJson, type SentBody } from '../traffic/answered-items.ts'
import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { ThinItem } from '../traffic/exchange.ts'

export interface ThinInput {
  readonly parsed: ParsedRequest
  readonly request: SentBody
  readonly response: SentBody
  /** Of each body when it is unpacked. */
  readonly bytesMax: number
}

/**
 * What a thin record says of each document: from the source's answer, and its routing from the request. Undefined where
 * they do not tell it. Nothing for requests that change no documents by name.
 */
export function thinItems({
  parsed,
  request,
  response,
  bytesMax,
}: ThinInput): ThinItem[] | undefined {
  if (parsed.effect !== 'documents') return []
  const items = answeredItems(parsed, response, bytesMax)
  if (items === undefined || items.length === 0) return items && []
  const routings = parsed.api === 'bulk' ? routingsOf(request, bytesMax) : [undefined]
  if (routings?.length !== items.length) return undefined
  const query = new URLSearchParams(parsed.query)
  const ofAll = query.get('routing') ?? query.get('parent') ?? undefined
  return items.map(({ index, id, result, seqNo, primaryTerm }, place) => {
    const routing = routings[place] ?? ofAll
    return {
      ...{ index, id, result },
      ...(seqNo !== undefined && { seqNo }),
      ...(primaryTerm !== undefined && { primaryTerm }),
      ...(routing !== undefined && { routing }),
    }
  })
}

/** The routing of each action of a bulk, undefined where it names none. */
function routingsOf(request: SentBody, bytesMax: number): (string | undefined)[] | undefined {
  const lines = bodyText(request, bytesMax)?.split('\n')
  if (lines === undefined) return undefined
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

function routingOf({ routing, _routing, parent, _parent }: JsonObject): string | undefined {
  const named = routing ?? _routing ?? parent ?? _parent
  return typeof named === 'string' || typeof named === 'number' ? String(named) : undefined
}
