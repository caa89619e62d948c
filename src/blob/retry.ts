import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'

/** One request and its repetitions. */
export const attemptsMax = 5
const firstWaitMs = 200
/** A request that has no whole answer by then is given up and made again. */
export const attemptTimeoutMs = 60_000

/**
 * Makes a request to a remote store up to `attemptsMax` times while it fails in a way that may pass; the waits in
 * between double. `attempt` gets a signal that ends it after `attemptTimeoutMs`, or when `closed` fires.
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  closed: AbortSignal,
): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt(AbortSignal.any([closed, AbortSignal.timeout(attemptTimeoutMs)]))
    } catch (error) {
      if (!(error instanceof MigrationError) || !error.retryable || closed.aborted) throw error
      if (made === attemptsMax) throw givenUp(error)
      await wait(firstWaitMs * 2 ** (made - 1), undefined, { signal: closed })
    }
  }
}

function givenUp(error: MigrationError): MigrationError {
  return new MigrationError(
    error.code,
    `${error.message} (tried ${attemptsMax} times; start the same command again later)`,
    { cause: error, details: error.details, retryable: true },
  )
}
