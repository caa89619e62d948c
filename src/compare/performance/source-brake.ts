import { MigrationError } from '../../base/errors.ts'

export interface BrakeLimits {
  /** More than one percent of the latest answers may not take longer, in milliseconds. */
  readonly p99: number
  /** Share of the latest answers that may be errors. */
  readonly errorRate: number
}

/** The latest answers that are looked at. */
const latestMost = 200
/** One or two slow answers are a hiccup. */
const fewest = 3
const checkEveryMs = 200

/**
 * Watches what the source answers to the load, and fires its signal when that says that it is too much. A request that is
 * still under way beyond the limit counts as slow, so that a source that does not answer at all trips it, too.
 */
export class SourceBrake {
  readonly #limits: BrakeLimits
  readonly #controller = new AbortController()
  readonly #underWay = new Map<symbol, number>()
  /** A ring: what the latest answers were. */
  readonly #latest: { readonly slow: boolean; readonly failed: boolean }[] = []
  #next = 0
  #slow = 0
  #failed = 0
  #timer: NodeJS.Timeout | undefined
  #reason: string | undefined

  constructor(limits: BrakeLimits) {
    this.#limits = limits
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What passed its limit; undefined: nothing has. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** A request begins, at `now` by performance.now(). */
  begin(now: number): symbol {
    const flight = Symbol()
    this.#underWay.set(flight, now)
    return flight
  }

  end(flight: symbol, { now, failed }: { now: number; failed: boolean }): void {
    const slow = now - (this.#underWay.get(flight) ?? now) > this.#limits.p99
    this.#underWay.delete(flight)
    const oldest = this.#latest[this.#next]
    this.#latest[this.#next] = { slow, failed }
    this.#next = (this.#next + 1) % latestMost
    this.#slow += Number(slow) - Number(oldest?.slow ?? false)
    this.#failed += Number(failed) - Number(oldest?.failed ?? false)
    if (slow || failed) this.check(now)
  }

  check(now: number): void {
    if (this.#reason !== undefined) return
    const { p99, errorRate } = this.#limits
    const waiting = [...this.#underWay.values()].filter((begun) => now - begun > p99).length
    const seen = this.#latest.length + waiting
    const slow = this.#slow + waiting
    if (slow >= fewest && slow > seen / 100) {
      this.#trip(`${slow} of the latest ${seen} answers of the source took more than ${p99} ms`)
    } else if (this.#failed >= fewest && this.#failed > errorRate * seen) {
      this.#trip(`${this.#failed} of the latest ${seen} answers of the source were errors`)
    }
  }

  /** Looks at what is under way from time to time, until release(). */
  watch(): void {
    this.#timer ??= setInterval(() => this.check(performance.now()), checkEveryMs)
    this.#timer.unref()
  }

  release(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #trip(reason: string): void {
    this.#reason = reason
    this.#controller.abort(new MigrationError('MA_STOPPED', `the brake of the source: ${reason}`))
  }
}
