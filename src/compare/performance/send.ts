import type { Cluster } from '../../cluster/cluster.ts'
import { MigrationError } from '../../base/errors.ts'
import type { ReadyRequest } from './mix.ts'

/** What became of one request. */
export interface Sent {
  /** Milliseconds of performance.now() at its last byte. */
  readonly end: number
  /** What the cluster says that it took; undefined where it does not. */
  readonly tookMs: number | undefined
  /** `status 503`, `no answer in time`, `left shards out` …; undefined: a success. */
  readonly error: string | undefined
  /** It counts as at least as slow as it was, though it failed. */
  readonly isLate: boolean
  /** The cluster does not take the request as it is, however often it is sent. */
  readonly isRefused: boolean
}

/**
 * Sends one request and reads the answer's bytes, of which only the beginning is looked at: engines write `took`,
 * `timed_out` and `_shards` first. Never sent twice. Throws only MA_STOPPED.
 */
export async function sendOnce(
  cluster: Cluster,
  { method, path, body, headers }: ReadyRequest,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Sent> {
  try {
    const answer = await cluster.requestRaw(method, path, {
      ...(body !== undefined && { body }),
      headers,
      accept: 'any',
      attemptsMax: 1,
      timeoutMs,
      signal,
    })
    const end = performance.now()
    if (answer.status < 200 || answer.status > 299) {
      const { status } = answer
      const isRefused = status >= 400 && status < 500 && status !== 408 && status !== 429
      return { ...failed, end, error: `status ${status}`, isRefused }
    }
    const head = answer.body.toString('latin1', 0, headBytes)
    const took = /^\{"took":(\d{1,9})/.exec(head)
    const tookMs = took === null ? undefined : Number(took[1])
    return { ...failed, end, tookMs, error: partOf(head) }
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code === 'MA_STOPPED') throw error
    const isLate = error.details['kind'] === 'timeout'
    const what = isLate ? 'no answer in time' : 'no answer'
    return { ...failed, end: performance.now(), error: what, isLate }
  }
}

const failed = { tookMs: undefined, isLate: false, isRefused: false }
const headBytes = 400

/** A success in name that is not the whole answer. */
function partOf(head: string): string | undefined {
  if (/^\{"took":\d+,("ingest_took":\d+,)?"errors":true/.test(head)) return 'refused documents'
  if (/"timed_out":true/.test(head)) return 'timed out on the cluster'
  const [, failed] = /"_shards":\{[^}]*"failed":(\d+)/.exec(head) ?? []
  return failed === undefined || failed === '0' ? undefined : 'left shards out'
}
