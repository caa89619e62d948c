import { isUtf8 } from 'node:buffer'
import type { AnswerFinding } from '../compare/searches/answer-difference.ts'
import { decodeBody } from '../traffic/content-encoding.ts'
import type { CapturedRequest, CapturedResponse, RawHeaders } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'
import { redactJson } from '../traffic/redact.ts'

/** What is sent to the target. */
export interface SentRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer | undefined
}

/** What the target answered, or why it did not. */
export interface TargetAnswer {
  /** 0: no whole answer came. */
  readonly status: number
  readonly body: Buffer
  /** Of the last attempt, from sending to the last byte. */
  readonly ms: number
  readonly attempts: number
  /** Epoch microseconds at which the last attempt was sent. */
  readonly sentAt: number
  readonly error?: string
}

export interface TupleParts {
  readonly request: CapturedRequest
  readonly response: CapturedResponse
  readonly sourceMs: number
  readonly shapeKey: string
  /** Absent: the request went as it was recorded. */
  readonly sent?: SentRequest | undefined
  readonly rules: readonly string[]
  readonly answer: TargetAnswer
  /** The target's body with values taken out; undefined: it may not be kept. */
  readonly targetBody: Uint8Array | undefined
  readonly isDifferent: boolean
  /** Null: the answers were not compared. */
  readonly findings: readonly AnswerFinding[] | null
}

export const tupleFormat = 1
const findingsKept = 10
const unpackedMax = 64 * 1024 * 1024

/**
 * One tuple as a line of JSON, without its line end. Specified in docs/formats/tuples.md:
 *
 *   tuple  = { "at", "proxy", "connection", "number", "shape", "request", ["sent", "rules"], "source", "target",
 *              "different", "findings" }
 *   body   = text | { "base64": … } | absent, with "bodyBytes" as it was sent
 */
export function tupleLine(parts: TupleParts): string {
  const { request, response, answer, sent, rules, findings } = parts
  return JSON.stringify({
    at: isoMicros(request.firstByteAt),
    proxy: request.exchange.proxy,
    connection: request.connection,
    number: request.exchange.number,
    shape: parts.shapeKey,
    request: {
      method: request.method,
      path: request.target,
      headers: headersOf(request.headers),
      ...bodyFields(request.body, request.headers),
      bodyBytes: request.bodyBytes,
    },
    ...(sent && { sent: { method: sent.method, path: sent.path, ...textFields(sent.body) } }),
    ...(rules.length > 0 && { rules }),
    source: {
      status: response.status,
      ms: parts.sourceMs,
      headers: headersOf(response.headers),
      ...bodyFields(response.body, response.headers),
      bodyBytes: response.bodyBytes,
    },
    target: {
      status: answer.status,
      ms: Math.round(answer.ms * 1000) / 1000,
      at: isoMicros(answer.sentAt),
      attempts: answer.attempts,
      ...(answer.error !== undefined && { error: answer.error }),
      ...textFields(parts.targetBody),
      bodyBytes: answer.body.length,
    },
    different: parts.isDifferent,
    findings: findings?.slice(0, findingsKept) ?? null,
  })
}

function isoMicros(micros: number): string {
  const text = new Date(micros / 1000).toISOString()
  const rest = String(Math.floor(micros) % 1000).padStart(3, '0')
  return `${text.slice(0, -1)}${rest}Z`
}

/** Names in small letters; of a name that comes twice both values stand, with a comma between. */
function headersOf(headers: RawHeaders): { [name: string]: string } {
  const found: { [name: string]: string } = {}
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase()
    found[name] = name in found ? `${found[name]}, ${headers[i + 1]}` : headers[i + 1]!
  }
  return found
}

type BodyFields = { body?: string | { base64: string } }

/** Unpacked, where that can be done. */
function bodyFields(body: Uint8Array, headers: RawHeaders): BodyFields {
  const encoding = headerValue(headers, 'content-encoding')
  if (encoding === undefined || body.length === 0) return textFields(body)
  try {
    return textFields(decodeBody(body, encoding, unpackedMax))
  } catch {
    return textFields(body)
  }
}

function textFields(body: Uint8Array | undefined): BodyFields {
  if (body === undefined || body.length === 0) return {}
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return { body: isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') } }
}

/**
 * The target's answer without the values of these fields, which were taken out of the source's as it was recorded. What is
 * no JSON is left out whole where something is to be taken out: nobody could find it there.
 */
export function redactedBody(body: Buffer, redact: readonly string[]): Buffer | undefined {
  if (redact.length === 0) return body
  const kept = redactJson(body.toString('utf8'), redact)
  return kept === undefined ? undefined : Buffer.from(kept)
}
