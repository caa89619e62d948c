import { MigrationError } from '../base/errors.ts'

/** Throws MA_STOPPED once the signal has fired. */
export function throwIfStopped(signal: AbortSignal, doing: string): void {
  if (!signal.aborted) return
  throw new MigrationError('MA_STOPPED', `stopped on request while ${doing}`, {
    cause: signal.reason,
    retryable: true,
  })
}
