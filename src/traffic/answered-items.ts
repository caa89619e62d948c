import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import type { ParsedRequest } from './api/parse-request.ts'
import { decodeBody } from './content-encoding.ts'

/** A body with what its head says of it. */
export interface SentBody {
  readonly body: Uint8Array
  /** Of its Content-Encoding. */
  readonly encoding: string | undefined
}

/** What the source says of one document that a request wrote, or did not. */
export interface AnsweredItem {
  /** index, create, update or delete. */
  readonly op: string
  readonly index: string
  /** Empty where the source gave none: a new document that was refused. */
  readonly id: string
  /** Absent where the source does not tell them (before 6.0). */
  readonly seqNo?: number
  readonly primaryTerm?: number
  /** Absent as well where a double cannot hold it: clients may give any int64. */
  readonly version?: number
  /** The mapping type; from 7.0 on `_doc`, from 8.0 on absent. */
  readonly type?: string
  /** created, updated, deleted, not_found, noop; or the error's type. */
  readonly result: string
  readonly isError: boolean
  /** Of HTTP, of an item of a bulk; absent elsewhere. */
  readonly status?: number
}

/**
 * The documents that an answer names, in the order of the request; for requests of the effect `documents`. Undefined
 * where the answer does not tell them: in another form (YAML, CBOR), cut down by filter_path, cut off.
 */
export function answeredItems(
  { api }: Pick<ParsedRequest, 'api'>,
  response: SentBody,
  bytesMax: number,
): AnsweredItem[] | undefined {
  const answer = jsonOf(response, bytesMax)
  if (!isJsonObject(answer)) return undefined
  const { items, error } = answer
  if (api !== 'bulk') {
    if (error !== undefined && answer._index === undefined) return []
    const item = itemOf(answer, api)
    return item && [item]
  }
  if (error !== undefined && items === undefined) return []
  if (!Array.isArray(items)) return undefined
  const found: AnsweredItem[] = []
  for (const one of items) {
    const op = firstKey(one)
    const answered = op === undefined ? undefined : (one as JsonObject)[op]
    const item = isJsonObject(answered) ? itemOf(answered, op!) : undefined
    if (item === undefined) return undefined
    found.push(item)
  }
  return found
}

function firstKey(value: Json): string | undefined {
  if (isJsonObject(value)) for (const key in value) return key
  return undefined
}

function itemOf(item: JsonObject, op: string): AnsweredItem | undefined {
  const { _index: index, _id: id, _type: type, _version: version, status } = item
  const { _seq_no: seqNo, _primary_term: primaryTerm } = item
  const isError = item.error !== undefined
  if (typeof index !== 'string' || (typeof id !== 'string' && !isError)) return undefined
  return {
    op,
    index,
    id: typeof id === 'string' ? id : '',
    result: resultOf(item, op),
    isError,
    ...(isNumber(seqNo) && { seqNo }),
    ...(isNumber(primaryTerm) && { primaryTerm }),
    ...(isNumber(version) && { version }),
    ...(typeof type === 'string' && { type }),
    ...(isNumber(status) && { status }),
  }
}

/** -1, -2 and -3 stand for none in some answers. */
function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)
}

/** Before 5.0 there is no `result`: `created` and `found` tell it, or the status. */
function resultOf({ error, result, created, found, status }: JsonObject, op: string): string {
  if (isJsonObject(error)) return typeof error.type === 'string' ? error.type : 'error'
  if (typeof error === 'string') return error.split('[')[0]!
  if (typeof result === 'string') return result
  if (op === 'delete') return found === false || status === 404 ? 'not_found' : 'deleted'
  if (typeof created === 'boolean') return created ? 'created' : 'updated'
  return status === 201 || op === 'create' ? 'created' : 'updated'
}

function jsonOf(sent: SentBody, bytesMax: number): Json | undefined {
  const text = bodyText(sent, bytesMax)
  return text === undefined ? undefined : parseJson(text)
}

/** The text of a body without its encoding; undefined where it is broken or becomes longer than `bytesMax`. */
export function bodyText({ body, encoding }: SentBody, bytesMax: number): string | undefined {
  try {
    const { buffer, byteOffset, length } = decodeBody(body, encoding, bytesMax)
    return Buffer.from(buffer, byteOffset, length).toString('utf8')
  } catch {
    return undefined
  }
}

/** undefined where it is no JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
