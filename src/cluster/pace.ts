import { stoppedError } from './backoff.ts'

/**
 * How many requests may be under way at once: one more for each full round of answers while the target keeps pace, half
 * of them when it pushes back (429, 503 …) or an answer took longer than `slowMs`.
 */
export class Pace {
  readonly #max: number
  #limit: number
  #underWay = 0
  #waiting: (() => void)[] = []

  constructor(max: number) {
    this.#max = max
    this.#limit = Math.min(2, max)
  }

  /** The present limit; a fraction is a step under way. */
  get limit(): number {
    return this.#limit
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Waits for a place. Throws MA_STOPPED when the signal is aborted first. */
  async enter(signal: AbortSignal): Promise<void> {
    while (this.#underWay >= Math.floor(this.#limit)) {
      if (signal.aborted) throw stoppedError(doing, signal)
      await this.#freed(signal)
    }
    if (signal.aborted) throw stoppedError(doing, signal)
    this.#underWay++
  }

  /** Gives the place back. */
  leave(answer: { latencyMs: number }): void {
    this.#underWay--
    if (answer.latencyMs > slowMs) this.pushBack()
    else this.#limit = Math.min(this.#max, this.#limit + 1 / this.#limit)
    this.#wake()
  }

  /** The target asked for less. */
  pushBack(): void {
    this.#limit = Math.max(1, this.#limit / 2)
  }

  async #freed(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const onAbort = (): void => resolve()
    signal.addEventListener('abort', onAbort)
    await promise
    signal.removeEventListener('abort', onAbort)
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

const slowMs = 10_000
const doing = 'waiting for a place among the requests under way'
