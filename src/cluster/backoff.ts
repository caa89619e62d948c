import { setTimeout as sleep } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'

/** What waiting depends on, passed in so that tests need not wait. */
export interface Clock {
  /** Milliseconds from any fixed moment; never goes back. */
  now(): number
  /** Resolves after `ms`; rejects when the signal fires. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>
  /** In [0, 1). */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }),
  random: Math.random,
}

export interface BackoffOptions {
  /** 1 for the first wait. */
  readonly attempt: number
  readonly baseMs: number
  readonly maxMs: number
  /** What the server asked for; it is waited for at least this long, up to `maxMs`. */
  readonly retryAfterMs?: number | undefined
}

/** Exponential with full jitter, so that many workers turned away at once do not come back at once. */
export function backoffMs(options: BackoffOptions, random: () => number): number {
  const { attempt, baseMs, maxMs, retryAfterMs = 0 } = options
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30))
  return Math.min(maxMs, Math.max(retryAfterMs, random() * ceiling))
}

/** `Retry-After` is seconds or an HTTP date; undefined when it is absent or neither. */
export function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** The error of everything here that was stopped by its AbortSignal. */
export function stoppedError(doing: string, signal: AbortSignal): MigrationError {
  return new MigrationError('MA_STOPPED', `stopped on request while ${doing}`, {
    cause: signal.reason,
    retryable: true,
  })
}
