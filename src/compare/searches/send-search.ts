import { MigrationError } from '../../base/errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { parseRequest } from '../../traffic/api/parse-request.ts'
import { parseAnswer, type SearchAnswer } from './search-request.ts'

/** A request as it goes to one side. */
export interface SentRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
}

export interface SendOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Why a request is not sent to this side: it does more than read there. Looked at as it is sent, since an engine without
 * types takes `POST /shop/_doc/_search` for a document with the id `_search`. Undefined: it only reads.
 */
export function notARead(
  { version }: Pick<Cluster, 'version'>,
  request: SentRequest,
): string | undefined {
  const { pathname, search } = new URL(`http://host${request.path}`)
  const isTyped = version.flavour === 'elasticsearch' ? version.major < 8 : version.major < 2
  const isUnsure = version.flavour === 'elasticsearch' && version.major === 8
  const typed = isUnsure ? undefined : isTyped
  const parsed = parseRequest(request.method, pathname + search, { typed })
  if (parsed.mayWrite) return 'change something'
  if (parsed.effect === 'cursor' || isInPointInTime(parsed.api, parsed.indices, request.body)) {
    return 'go on with a scroll, or a point in time, of the cluster that made it'
  }
  return parsed.effect === 'read' ? undefined : 'are no searches'
}

function isInPointInTime(
  api: string,
  indices: readonly string[] | undefined,
  body: string | undefined,
): boolean {
  return api === 'search' && indices === undefined && body !== undefined && /"pit"\s*:/.test(body)
}

/** The indices that a path names; undefined: none, or each search names its own. */
export function indicesOf({ method, path }: SentRequest): readonly string[] | undefined {
  return parseRequest(method, path).indices
}

/** Sends a request once and reads the whole answer. Throws MA_STOPPED alone. */
export async function sendSearch(
  cluster: Cluster,
  { method, path, body }: SentRequest,
  { timeoutMs, signal }: SendOptions,
): Promise<SearchAnswer> {
  const isLines = /\/_msearch(\/template)?(\?|$)/.test(path)
  const startedAt = performance.now()
  try {
    const answer = await cluster.requestRaw(method, path, {
      ...(body !== undefined && {
        body: Buffer.from(body),
        headers: { 'content-type': isLines ? 'application/x-ndjson' : 'application/json' },
      }),
      accept: 'any',
      attemptsMax: 1,
      timeoutMs,
      signal,
    })
    const ms = performance.now() - startedAt
    const parsed = parseAnswer(answer.body.toString('utf8'))
    await endScroll(cluster, parsed, { timeoutMs, signal })
    return { status: answer.status, body: parsed, ms, bytes: answer.body.length }
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code === 'MA_STOPPED') throw error
    const ms = performance.now() - startedAt
    return { status: 0, body: undefined, ms, bytes: 0, error: error.message }
  }
}

/** The first page of a scroll is compared; the rest would hold shards of the cluster open. */
async function endScroll(cluster: Cluster, body: unknown, options: SendOptions): Promise<void> {
  const id: unknown =
    typeof body === 'object' && body !== null && '_scroll_id' in body ? body._scroll_id : undefined
  if (typeof id !== 'string') return
  const isOld = cluster.version.flavour === 'elasticsearch' && cluster.version.major < 2
  await cluster.requestRaw('DELETE', '/_search/scroll', {
    body: isOld ? Buffer.from(id) : { scroll_id: [id] },
    accept: 'any',
    attemptsMax: 1,
    ...options,
  })
}
