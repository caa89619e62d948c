import { isJsonObject } from '../base/json.ts'
import { MigrationError } from '../base/errors.ts'

/** What a cluster says about a request or an item that it did not carry out. */
export interface EngineError {
  readonly status: number
  /** The engine's name of the error, e.g. `mapper_parsing_exception`; `http_413` where the answer has none. */
  readonly type: string
  readonly reason: string
}

/** Reasons may quote whole documents; a message needs the beginning. */
const reasonCharsMax = 2_000

/**
 * Reads the error of an answer that is not 2xx:
 *
 *   {"error": {"type": T, "reason": R, "caused_by": …, "root_cause": […]}, "status": S}    Elasticsearch, OpenSearch
 *   {"error": "IndexMissingException[[x] missing]", "status": 404}                          Elasticsearch 1.x
 *   {"message": M} | {"Message": M}                                                         gateways of managed services
 *   plain text, HTML or nothing                                                             proxies, OpenSearch security (401)
 */
export function engineErrorOf(status: number, body: Buffer): EngineError {
  const text = body.toString('utf8', 0, Math.min(body.length, 64 * 1024)).trim()
  const unnamed = { status, type: `http_${status}`, reason: shortened(text.replace(/\s+/g, ' ')) }
  let parsed: unknown
  try {
    parsed = JSON.parse(body.length > 64 * 1024 ? body.toString('utf8') : text)
  } catch {
    return unnamed
  }
  if (!isJsonObject(parsed)) return unnamed
  const error = parsed['error']
  if (isJsonObject(error)) return errorOfObject(status, error)
  const message = error ?? parsed['message'] ?? parsed['Message']
  return typeof message === 'string' ? { ...unnamed, reason: shortened(message) } : unnamed
}

/** Reads an `error` object, of a whole answer or of one bulk item. */
export function errorOfObject(status: number, error: { [key: string]: unknown }): EngineError {
  const type = typeof error['type'] === 'string' ? error['type'] : `http_${status}`
  let reason = typeof error['reason'] === 'string' ? error['reason'] : ''
  // The outermost reason often says only that something failed; the inner ones say what.
  let inner = error['caused_by']
  for (let depth = 0; depth < 4 && isJsonObject(inner); depth++) {
    if (typeof inner['reason'] === 'string' && !reason.includes(inner['reason'])) {
      reason += `: ${inner['reason']}`
    }
    inner = inner['caused_by']
  }
  return { status, type, reason: shortened(reason) }
}

function shortened(text: string): string {
  return text.length <= reasonCharsMax ? text : `${text.slice(0, reasonCharsMax)}…`
}

/**
 * The permission that an answer with 403 says is missing, e.g. `indices:data/write/bulk[s]`.
 *
 *   no permissions for [P] and User [name=U, …]                       OpenSearch security
 *   action [P] is unauthorized for user [U] …                         Elasticsearch
 *   User: U is not authorized to perform: P …                         Amazon's gateway
 */
export function missingPermission(reason: string): string | undefined {
  const opensearch = /no permissions for \[(.+?)\] and (?:associated roles|User)/.exec(reason)
  const elasticsearch = /action \[(.+?)\] is unauthorized for/.exec(reason)
  const amazon = /is not authorized to perform: (\S+)/.exec(reason)
  return (opensearch ?? elasticsearch ?? amazon)?.[1]
}

export interface AnswerFacts {
  readonly side: string
  /** Of the cluster. */
  readonly url: string
  /** e.g. `PUT /logs`. */
  readonly request: string
  /** What the request was signed with, e.g. `the user migrator`; never the secret. */
  readonly identity: string
}

/** The MigrationError for an answer that is neither 2xx nor accepted by the caller. */
export function answerError(error: EngineError, facts: AnswerFacts): MigrationError {
  const { status, type, reason } = error
  const { side, url, request, identity } = facts
  const where = `${side} ${url}`
  const details = { status, type, reason, request, url }
  if (status === 401) {
    return new MigrationError(
      'MA_CLUSTER_AUTH',
      `${where} refuses ${identity} (401): ${reason === '' ? 'unauthorized' : reason}; check ${side}.auth`,
      { details },
    )
  }
  if (status === 403 && isAboutPermission(error)) {
    const permission = missingPermission(reason)
    const lacks =
      permission === undefined ? 'may not do this' : `lacks the permission ${permission}`
    return new MigrationError(
      'MA_CLUSTER_AUTH',
      `${where}: ${identity} ${lacks}, which ${request} needs (403: ${reason === '' ? 'forbidden' : reason}); ` +
        `have it granted, or use other credentials`,
      { details: { ...details, ...(permission !== undefined && { permission }) } },
    )
  }
  return new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `${where} answered ${request} with ${status} ${type}${reason === '' ? '' : `: ${reason}`}`,
    { details, retryable: status === 429 || status >= 500 },
  )
}

// 403 is also the status of blocks that somebody set on an index.
function isAboutPermission(error: EngineError): boolean {
  return /^(security|authorization|http)_/.test(error.type)
}
