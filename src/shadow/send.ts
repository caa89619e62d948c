import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { backoffMs, retryAfterMs } from '../cluster/backoff.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { SentRequest, TargetAnswer } from './tuple.ts'

export interface SendOptions {
  readonly attempts: number
  readonly signal: AbortSignal
}

const backoffBaseMs = 100
const backoffMaxMs = 10_000
const busyStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * Sends a request of a recording to the target, with the target's login in the place of the client's, and reads the whole
 * answer. Where there is none, or a busy one, it is sent again as often as wanted; what was told last counts.
 * Throws where it was stopped, and what no other attempt can mend (MA_SECRET).
 */
export async function sendToTarget(
  target: Cluster,
  request: SentRequest,
  { attempts, signal }: SendOptions,
): Promise<TargetAnswer> {
  for (let attempt = 1; ; attempt++) {
    const { retryAfter, ...answer } = await sendOnce(target, request, { attempt, signal })
    const isBusy = answer.status === 0 || busyStatuses.has(answer.status)
    if (!isBusy || attempt >= attempts) return answer
    const backoff = {
      attempt,
      baseMs: backoffBaseMs,
      maxMs: backoffMaxMs,
      retryAfterMs: retryAfter,
    }
    await wait(backoffMs(backoff, Math.random), undefined, { signal })
  }
}

async function sendOnce(
  target: Cluster,
  { method, path, headers, body }: SentRequest,
  { attempt, signal }: { attempt: number; signal: AbortSignal },
): Promise<TargetAnswer & { retryAfter?: number | undefined }> {
  const begun = performance.now()
  const sentAt = (performance.timeOrigin + begun) * 1000
  try {
    const answer = await target.requestRaw(method, path, {
      ...{ headers, signal, accept: 'any', attemptsMax: 1 },
      ...(body !== undefined && { body }),
    })
    return {
      ...{ status: answer.status, body: answer.body, ms: performance.now() - begun },
      ...{ attempts: attempt, sentAt, retryAfter: retryAfterMs(answer.headers['retry-after']) },
    }
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code !== 'MA_CLUSTER_UNREACHABLE') throw error
    return {
      ...{ status: 0, body: nothing, ms: performance.now() - begun },
      ...{ attempts: attempt, sentAt, error: error.message },
    }
  }
}

const nothing = Buffer.alloc(0)
