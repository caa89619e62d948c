import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { OnWait } from './waits.ts'

/** At least so far apart: a client that makes an index a second must not have all metadata read a second. */
const apartMs = 1000

interface ReconcilingInput {
  readonly reconcile: () => Promise<void>
  readonly everyMs: number
  readonly onWait: OnWait
}

/** Has all metadata looked at once an interval, and soon after somebody asks for it. */
export class Reconciling {
  readonly #input: ReconcilingInput
  #wake: (() => void) | undefined
  #isWanted = false

  constructor(input: ReconcilingInput) {
    this.#input = input
  }

  want(): void {
    this.#isWanted = true
    this.#wake?.()
  }

  /** Until the signal ends it. Throws what is no passing trouble. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs, reconcile, onWait } = this.#input
    for (;;) {
      await this.#rest(apartMs, signal)
      if (!this.#isWanted) await this.#rest(everyMs - apartMs, signal, { wakes: true })
      if (signal.aborted) return
      this.#isWanted = false
      try {
        await reconcile()
        onWait('metadata', undefined)
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof MigrationError) || !error.retryable) throw error
        onWait('metadata', error.message)
      }
    }
  }

  async #rest(ms: number, signal: AbortSignal, { wakes = false } = {}): Promise<void> {
    const woken = new AbortController()
    if (wakes) this.#wake = () => woken.abort()
    const ends = AbortSignal.any([signal, woken.signal])
    await wait(Math.max(0, ms), undefined, { signal: ends }).catch(() => undefined)
    this.#wake = undefined
  }
}
