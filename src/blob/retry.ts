import { channel } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'

/** What requests to a store over the network may cost. */
export interface RequestLimits {
  /** Requests of one store under way at once. */
  readonly atOnce: number
  /** One request and its repetitions. */
  readonly attempts: number
  /** A request that has no whole answer by then is given up and made again. */
  readonly timeoutMs: number
}

export const requestDefaults: RequestLimits = { atOnce: 16, attempts: 5, timeoutMs: 60_000 }

const firstWaitMs = 200
const waitMsMax = 10_000

/** A request to a store that is about to be made again. */
export interface BlobRetry {
  /** Why, with the blob and where it is. */
  readonly reason: string
  /** The attempt that has failed, from 1. */
  readonly attempt: number
  readonly waitMs: number
}

/** Told of each BlobRetry. */
export const blobRetryChannel = channel('osmigrate.blob.retry')

/**
 * Makes a request to a remote store up to `attempts` times while it fails in a way that may pass; the waits in between
 * double, up to ten seconds. `attempt` gets a signal that ends it after `timeoutMs`, or when `closed` fires.
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  closed: AbortSignal,
  { attempts, timeoutMs }: Pick<RequestLimits, 'attempts' | 'timeoutMs'> = requestDefaults,
): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt(AbortSignal.any([closed, AbortSignal.timeout(timeoutMs)]))
    } catch (error) {
      if (!(error instanceof MigrationError) || !error.retryable || closed.aborted) throw error
      if (made >= attempts) throw givenUp(error, made)
      const waitMs = Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(made - 1, 20))
      const retry: BlobRetry = { reason: error.message, attempt: made, waitMs }
      blobRetryChannel.publish(retry)
      await sleep(waitMs, undefined, { signal: closed })
    }
  }
}

function givenUp(error: MigrationError, made: number): MigrationError {
  return new MigrationError(
    error.code,
    `${error.message} (tried ${made} times; start the same command again later)`,
    { cause: error, details: error.details, retryable: true },
  )
}
