import { MigrationError } from '../base/errors.ts'
import { backoffMs, stoppedError, systemClock } from '../cluster/backoff.ts'
import type { OnWait } from './waits.ts'

export interface Patience {
  readonly onWait: OnWait
  readonly waitMaxMs: number
  readonly signal: AbortSignal
  /** Each time that it fails. */
  readonly onFailure?: () => void
}

const backoffBaseMs = 250
const backoffMaxMs = 10_000

/** Does something again while it fails in a way that may pass, for `waitMaxMs` at most. `key` names what waits. */
export async function patiently<T>(
  key: string,
  { onWait, waitMaxMs, signal, onFailure }: Patience,
  work: () => Promise<T>,
): Promise<T> {
  let since: number | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await work()
      if (since !== undefined) onWait(key, undefined)
      return result
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error
      since ??= performance.now()
      if (performance.now() - since > waitMaxMs) throw error
      onFailure?.()
      onWait(key, error.message)
    }
    await pause(attempt, signal)
  }
}

function mayPass(error: unknown): error is MigrationError {
  return error instanceof MigrationError && error.retryable && error.code !== 'MA_STOPPED'
}

async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const backoff = { attempt, baseMs: backoffBaseMs, maxMs: backoffMaxMs }
  try {
    await systemClock.sleep(
      backoffMs(backoff, () => systemClock.random()),
      signal,
    )
  } catch {
    throw stoppedError('waiting for a cluster', signal)
  }
}
