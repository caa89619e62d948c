import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { OnWait } from './waits.ts'

const apartMs = 1000

/** Does something again while it fails in a way that may pass, for `waitMaxMs` at most. `key` names what waits. */
export async function patiently<T>(
  key: string,
  { onWait, waitMaxMs, signal }: { onWait: OnWait; waitMaxMs: number; signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const until = performance.now() + waitMaxMs
  for (;;) {
    try {
      const result = await work()
      onWait(key, undefined)
      return result
    } catch (error) {
      const mayPass = error instanceof MigrationError && error.retryable
      if (signal.aborted || !mayPass || performance.now() > until) throw error
      onWait(key, error.message)
    }
    await wait(apartMs, undefined, { signal })
  }
}
