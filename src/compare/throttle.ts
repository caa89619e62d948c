import { systemClock, type Clock } from '../cluster/backoff.ts'

/** Holds a reader to so many bytes a second. A second's worth may be saved up. */
export class Throttle {
  readonly #bytesPerSecond: number
  readonly #clock: Clock
  /** When what was read so far is paid for. */
  #paidAt = 0

  /** `bytesPerSecond` undefined: nothing is held up. */
  constructor(bytesPerSecond: number | undefined, clock: Clock = systemClock) {
    this.#bytesPerSecond = bytesPerSecond ?? Infinity
    this.#clock = clock
  }

  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === Infinity) return
    const now = this.#clock.now()
    this.#paidAt = Math.max(this.#paidAt, now - 1000) + (bytes / this.#bytesPerSecond) * 1000
    if (this.#paidAt > now) await this.#clock.sleep(this.#paidAt - now, signal)
  }
}
