/** Counters that only grow, and how fast they grew over the last ten seconds. */
export class Meter<T extends { readonly [name: string]: number }> {
  readonly #now: () => number
  #samples: { readonly at: number; readonly totals: T }[] = []

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Takes the totals as they are now; to be called about once a second. */
  take(totals: T): void {
    const at = this.#now()
    this.#samples.push({ at, totals })
    while (this.#samples.length > 2 && this.#samples[1]!.at <= at - windowMs) this.#samples.shift()
  }

  perSecond(name: keyof T): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || first === last) return 0
    const seconds = (last.at - first.at) / 1000
    return seconds > 0 ? Math.round((last.totals[name]! - first.totals[name]!) / seconds) : 0
  }
}

const windowMs = 10_000
