import { systemClock, type Clock } from '../cluster/backoff.ts'

/** Spreads the documents that are read from the source over time. */
export class ReadBudget {
  readonly #perSecondMax: number
  readonly #clock: Clock
  /** When what was taken so far is used up. */
  #until = 0

  constructor(perSecondMax: number, clock: Clock = systemClock) {
    this.#perSecondMax = perSecondMax
    this.#clock = clock
  }

  /** Waits until so many more may be read. A second's worth may be saved up, so that bursts need not wait. */
  async take(documents: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now()
    this.#until = Math.max(this.#until, now - 1000) + (documents / this.#perSecondMax) * 1000
    if (this.#until > now) await this.#clock.sleep(this.#until - now, signal)
  }
}
