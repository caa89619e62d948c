/** When requests are due. */
export interface PaceOptions {
  /** How much faster than recorded; `max`: at once. */
  readonly speed: number | 'max'
  /** Requests in a second, in the place of recorded times. */
  readonly rate?: number | undefined
}

/**
 * Turns the times of a recording into times of now. Milliseconds of a clock that never goes back; the first request that it
 * is asked for begins the time.
 */
export class Pace {
  readonly #options: PaceOptions
  #begunAt: number | undefined
  #firstAt = 0
  #count = 0

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Of the request that came in then (epoch microseconds); `now` where there is no time to keep. */
  dueAt(recordedAt: number, now: number): number {
    const { speed, rate } = this.#options
    if (this.#begunAt === undefined) {
      this.#begunAt = now
      this.#firstAt = recordedAt
    }
    if (rate !== undefined) return this.#begunAt + (this.#count * 1000) / rate
    if (speed === 'max') return now
    return this.#begunAt + (recordedAt - this.#firstAt) / 1000 / speed
  }

  /** A request has gone, which counts for a rate. */
  gone(): void {
    this.#count++
  }
}
