import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { joinLines } from '../bytes/one-line.ts'
import { parseJson } from '../traffic/answered-items.ts'
import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import { decodeBody } from '../traffic/content-encoding.ts'
import type { CapturedRequest } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'
import { queryParameters } from './query-parameters.ts'

/** What a request asks to be done with one document. */
export interface AskedWrite {
  readonly op: 'index' | 'create' | 'update' | 'delete'
  /** As it is named: an index, an alias, a data stream, a name with a date to be calculated; undefined: it is not. */
  readonly index: string | undefined
  readonly type: string | undefined
  /** undefined: the source makes it. */
  readonly id: string | undefined
  /** null: none is named. undefined: not told. */
  readonly routing: string | null | undefined
  readonly namesPipeline: boolean
  /** `version_type` external, external_gte, or `force` of older engines. */
  readonly hasClientVersion: boolean
  /** Of index and create: the document as it was sent, JSON in one line. undefined: it is not in the log, or no JSON. */
  readonly source: Buffer | undefined
}

/** What a request of the effect `documents` asks for, in its order; undefined where its body does not tell. */
export function askedWrites(
  request: CapturedRequest,
  parsed: ParsedRequest,
  bytesMax: number,
): AskedWrite[] | undefined {
  if (parsed.api !== 'bulk') return [askedAlone(request, parsed, bytesMax)]
  const body = jsonBody(request, bytesMax)
  return body && askedInBulk(body, parsed)
}

function askedAlone(
  request: CapturedRequest,
  { api, parts, query }: ParsedRequest,
  bytesMax: number,
): AskedWrite {
  const parameters = queryParameters(query)
  const op = opNamed(api === 'index' ? (parameters.get('op_type') ?? api) : api) ?? 'index'
  const body = op === 'index' || op === 'create' ? jsonBody(request, bytesMax) : undefined
  return {
    op,
    index: parts.index,
    type: parts.type,
    id: parts.id,
    routing: routingOfQuery(query, parameters),
    namesPipeline: isPipeline(parameters.get('pipeline')),
    hasClientVersion: isOfClient(parameters.get('version_type')),
    source: body && inOneLine(body),
  }
}

/**
 * A bulk. Blank lines are taken between actions, as the engines do. What does not end with a line break was refused with
 * all of the bulk, or (before 6.0) passed over.
 *
 *   body   = *( *blank-line action newline [ source newline ] ) ; a delete has no source
 *   action = {"index" | "create" | "update" | "delete": {…}}
 */
function askedInBulk(body: Buffer, parsed: ParsedRequest): AskedWrite[] | undefined {
  const defaults = defaultsOf(parsed)
  const asked: AskedWrite[] = []
  for (let at = 0; at < body.length;) {
    const end = lineEnd(body, at)
    if (isBlank(body, at, end)) {
      at = end + 1
      continue
    }
    const text = body.toString('utf8', at, end)
    const action = parseJson(text)
    if (!isJsonObject(action)) return undefined
    const [name, values] = firstEntry(action)
    const op = opNamed(name)
    if (op === undefined) return undefined
    const sourceEnd = op === 'delete' ? end : lineEnd(body, end + 1)
    if (sourceEnd >= body.length) break
    const source = op === 'index' || op === 'create' ? trimmed(body, end + 1, sourceEnd) : undefined
    asked.push(askedByAction(op, isJsonObject(values) ? values : {}, { text, defaults, source }))
    at = sourceEnd + 1
  }
  return asked
}

interface BulkDefaults {
  readonly index: string | undefined
  readonly type: string | undefined
  readonly routing: string | null | undefined
  readonly pipeline: string | undefined
}

function defaultsOf({ parts, query }: ParsedRequest): BulkDefaults {
  const parameters = queryParameters(query)
  return {
    index: parts.index,
    type: parts.type,
    routing: routingOfQuery(query, parameters),
    pipeline: parameters.get('pipeline'),
  }
}

/** Engines before 5.0 take a `;` for a part of the value. */
function routingOfQuery(
  query: string,
  parameters: ReadonlyMap<string, string>,
): string | null | undefined {
  if (query.includes(';')) return undefined
  return parameters.get('routing') || parameters.get('parent') || null
}

interface ActionPlace {
  /** The line of the action. */
  readonly text: string
  readonly defaults: BulkDefaults
  readonly source: Buffer | undefined
}

function askedByAction(
  op: AskedWrite['op'],
  values: JsonObject,
  { text, defaults, source }: ActionPlace,
): AskedWrite {
  const { _index: index, _type: type, _id: id } = values
  const routingKey = routingKeys.find((key) => given(values[key]))
  return {
    op,
    index: typeof index === 'string' ? index : defaults.index,
    type: typeof type === 'string' ? type : defaults.type,
    id: given(id) ? (textOf(id, '_id', text) ?? '') : undefined,
    routing:
      routingKey === undefined
        ? defaults.routing
        : orNone(textOf(values[routingKey]!, routingKey, text)),
    namesPipeline: isPipeline(values.pipeline ?? defaults.pipeline),
    hasClientVersion: isOfClient(values.version_type ?? values._version_type),
    source,
  }
}

/** The later ones count where there are no others: engines with parents take the parent's id for the routing. */
const routingKeys = ['routing', '_routing', 'parent', '_parent']

function given(value: Json | undefined): value is Json {
  return value !== undefined && value !== null
}

/** No routing, for the engines. */
function orNone(routing: string | undefined): string | null | undefined {
  return routing === '' ? null : routing
}

/** A scalar as the engines read it: a number is the text that stands in the line. */
function textOf(value: Json, key: string, line: string): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number') return undefined
  // In JSON a quote inside of a string stands behind a backslash, so that no string looks like this.
  return [...line.matchAll(new RegExp(`"${key}"\\s*:\\s*([-+.0-9eE]+)`, 'g'))].at(-1)?.[1]
}

function opNamed(name: string | undefined): AskedWrite['op'] | undefined {
  return name === 'index' || name === 'create' || name === 'update' || name === 'delete'
    ? name
    : undefined
}

function isPipeline(name: Json | undefined): boolean {
  return given(name) && name !== '' && name !== '_none'
}

function isOfClient(versionType: Json | undefined): boolean {
  return typeof versionType === 'string' && /^(external|force)/i.test(versionType)
}

function firstEntry(value: JsonObject): [string | undefined, Json | undefined] {
  for (const key in value) return [key, value[key]]
  return [undefined, undefined]
}

const lineFeed = 0x0a
const openBrace = 0x7b

/** The body without its encoding, where the log has all of it and it may be JSON. */
function jsonBody(request: CapturedRequest, bytesMax: number): Buffer | undefined {
  const { body, bodyBytes, headers } = request
  if (body.length === 0 || body.length < bodyBytes) return undefined
  if (/yaml|smile|cbor/i.test(headerValue(headers, 'content-type') ?? '')) return undefined
  try {
    const plain = decodeBody(body, headerValue(headers, 'content-encoding'), bytesMax)
    return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
  } catch {
    return undefined
  }
}

/** The place of the next line break; the length where there is none. */
function lineEnd(body: Buffer, from: number): number {
  const at = body.indexOf(lineFeed, from)
  return at < 0 ? body.length : at
}

function isBlank(body: Buffer, start: number, end: number): boolean {
  while (start < end && isSpace(body[start]!)) start++
  return start === end
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

/** The object at [start, end) without what stands around it; undefined where something else begins there. */
function trimmed(body: Buffer, start: number, end: number): Buffer | undefined {
  while (start < end && isSpace(body[start]!)) start++
  while (end > start && isSpace(body[end - 1]!)) end--
  return body[start] === openBrace ? body.subarray(start, end) : undefined
}

function inOneLine(body: Buffer): Buffer | undefined {
  const source = trimmed(body, 0, body.length)
  if (source?.includes(lineFeed) !== true) return source
  const bytes = Buffer.allocUnsafe(source.length * 2)
  return bytes.subarray(0, joinLines(source, 0, source.length, { bytes, at: 0 }))
}
