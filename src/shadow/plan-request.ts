import { decodeBody } from '../traffic/content-encoding.ts'
import type { LoggedExchange } from '../traffic/exchanges.ts'
import type { CapturedRequest, CapturedResponse } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'
import { parseRequest, type ParsedRequest } from '../traffic/api/parse-request.ts'
import type { CursorIds } from './cursor-ids.ts'
import type { SkipReason } from './records.ts'
import type { SentRequest } from './tuple.ts'

/** A request in plain text, as rules and steps know it. */
export interface PlainRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
}

/** Says a request in the words of the target; undefined where that cannot be done. */
export type Translate = (
  request: PlainRequest,
) => Promise<{ readonly request: PlainRequest; readonly rules: readonly string[] } | undefined>

/** Whether a request may go to the target, and in which form; undefined: it may not. */
export type Guard = (request: PlainRequest) => PlainRequest | undefined

export interface PlanOptions {
  readonly writes: boolean
  /** Whether fields were taken out of what was recorded (`capture.redact`). */
  readonly isRedacted: boolean
  readonly cursors: CursorIds
  /** Absent: requests go as they are. */
  readonly translate?: Translate | undefined
  /** Judges what may write, and what the prefix is for; absent: reads go as they are, and nothing else goes. */
  readonly guard?: Guard | undefined
  /** Whether paths on the target may hold types: there a search can be the write of a document. */
  readonly isTargetTyped: boolean
}

/** A request that is to be sent. */
export interface PlannedRequest {
  readonly request: CapturedRequest
  readonly response: CapturedResponse
  readonly sent: SentRequest
  readonly isChanged: boolean
  readonly isWrite: boolean
  readonly rules: readonly string[]
}

const unpackedMax = 400 * 1024 * 1024
/** What is done to the cluster as such, or asked of it, is not replayed. */
const writeEffects: ReadonlySet<string> = new Set(['documents', 'by-query', 'indices', 'upkeep'])
const readEffects: ReadonlySet<string> = new Set(['read', 'cursor'])

/** What of an exchange can be decided when it is read: the request and its answer, or why it is not replayed. */
export function selectExchange(
  { request, response }: LoggedExchange,
  { writes, isRedacted }: Pick<PlanOptions, 'writes' | 'isRedacted'>,
): { readonly request: CapturedRequest; readonly response: CapturedResponse } | SkipReason {
  if (request === undefined) return 'incomplete'
  const { effect } = parseRequest(request.method, request.target)
  const isWanted = readEffects.has(effect) || (writes && writeEffects.has(effect))
  if (!isWanted) return 'kind'
  if (response === undefined) return 'unanswered'
  if (response.kind === 'thin' || request.body.length < request.bodyBytes) return 'incomplete'
  if (isRedacted && isEmptied(request, response)) return 'incomplete'
  if (response.status === 0) return 'unanswered'
  return { request, response }
}

/** A read that named a redacted field lies in the log without its query and both bodies. */
function isEmptied(request: CapturedRequest, response: CapturedResponse): boolean {
  const hasNoQuestion = request.body.length === 0 && !request.target.includes('?')
  return hasNoQuestion && response.body.length === 0 && response.bodyBytes > 0
}

/** What is sent for a request, or why it is not. */
export async function planRequest(
  { request, response }: { request: CapturedRequest; response: CapturedResponse },
  options: PlanOptions,
): Promise<PlannedRequest | SkipReason> {
  const parsed = parseRequest(request.method, request.target)
  const asked = cursorless(request, parsed, options)
  if (asked === undefined) return 'cursor'
  // Rules and steps are for what reads.
  const said = readEffects.has(parsed.effect)
    ? await translated(asked, request, options)
    : { ...asked, rules: [] }
  if (said === undefined) return 'untranslatable'
  const guarded = guardedRequest(said.plain, request, options)
  if (guarded === undefined) return 'guard'
  const { plain, isWrite } = guarded
  const sent = plain === undefined ? asRecorded(request) : plainRequest(plain, request)
  return { request, response, sent, isChanged: plain !== undefined, isWrite, rules: said.rules }
}

/** The text of the request with the target's cursors; `plain` undefined: as recorded. The whole undefined: one is not known. */
function cursorless(
  request: CapturedRequest,
  parsed: ParsedRequest,
  { cursors }: PlanOptions,
): { readonly plain: PlainRequest | undefined } | undefined {
  if (!mayHoldCursor(request, parsed)) return { plain: undefined }
  const plain = plainOf(request)
  const found = plain && cursors.translate(plain, parsed)
  return found === undefined ? undefined : { plain: found === plain ? undefined : found }
}

function mayHoldCursor(request: CapturedRequest, { api, effect }: ParsedRequest): boolean {
  if (effect === 'cursor') return true
  if (api !== 'search' && api !== 'msearch') return false
  const { body } = request
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes('"pit"')
}

interface Said {
  readonly plain: PlainRequest | undefined
  readonly rules: readonly string[]
}

async function translated(
  { plain }: { plain: PlainRequest | undefined },
  request: CapturedRequest,
  { translate }: PlanOptions,
): Promise<Said | undefined> {
  if (translate === undefined) return { plain, rules: [] }
  const given = plain ?? plainOf(request)
  const found = given && (await translate(given))
  if (found === undefined) return undefined
  return { plain: found.request === given ? plain : found.request, rules: found.rules }
}

interface Guarded {
  readonly plain: PlainRequest | undefined
  readonly isWrite: boolean
}

/** The last thing before a request goes: what it does is read from what is sent, as the target reads it. */
function guardedRequest(
  plain: PlainRequest | undefined,
  request: CapturedRequest,
  { guard, isTargetTyped }: PlanOptions,
): Guarded | undefined {
  const { method, path } = plain ?? { method: request.method, path: request.target }
  const { effect, mayWrite } = parseRequest(method, path, { typed: isTargetTyped })
  if (guard === undefined) return readEffects.has(effect) ? { plain, isWrite: false } : undefined
  const given = plain ?? plainOf(request)
  const found = given && guard(given)
  if (found === undefined) return undefined
  return { plain: found === given ? plain : found, isWrite: mayWrite }
}

/** The request in text; undefined where its body cannot be unpacked. */
export function plainOf(request: CapturedRequest): PlainRequest | undefined {
  const { method, target: path, body, headers } = request
  if (body.length === 0) return { method, path }
  try {
    const bytes = decodeBody(body, headerValue(headers, 'content-encoding'), unpackedMax)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    return { method, path, body: text }
  } catch {
    return undefined
  }
}

function asRecorded({ method, target, headers, body }: CapturedRequest): SentRequest {
  const encoding = headerValue(headers, 'content-encoding')
  const own = {
    ...keptHeaders(headers),
    ...(encoding !== undefined && { 'content-encoding': encoding }),
  }
  return {
    method,
    path: target,
    headers: own,
    body: body.length === 0 ? undefined : bufferOf(body),
  }
}

function plainRequest(
  { method, path, body }: PlainRequest,
  { headers }: CapturedRequest,
): SentRequest {
  const bytes = body === undefined || body === '' ? undefined : Buffer.from(body)
  return { method, path, headers: keptHeaders(headers), body: bytes }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What a header says of a request and not of its sender. */
function keptHeaders(headers: readonly string[]): { [name: string]: string } {
  const type = headerValue(headers, 'content-type')
  const opaque = headerValue(headers, 'x-opaque-id')
  return {
    'content-type': type === undefined ? 'application/json' : targetType(type),
    ...(opaque !== undefined && { 'x-opaque-id': opaque }),
  }
}

/** Clients of Elasticsearch 8 and 9 name a media type that OpenSearch does not know. */
function targetType(type: string): string {
  return type.replace(
    /application\/vnd\.elasticsearch\+([a-z-]+)\s*;\s*compatible-with=\d+/i,
    'application/$1',
  )
}
