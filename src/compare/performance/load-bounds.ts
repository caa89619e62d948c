import type { LoadPlan } from './load-plan.ts'
import type { SourceBrake } from './source-brake.ts'

/** What is left of the time and the requests that a run may take, and whether the source has had enough. */
export class LoadBounds {
  readonly brake: SourceBrake
  readonly requests = { source: 0, target: 0 }
  readonly #plan: LoadPlan
  readonly #begun: number

  constructor(plan: LoadPlan, { brake, now }: { brake: SourceBrake; now: number }) {
    this.#plan = plan
    this.brake = brake
    this.#begun = now
  }

  /** Why nothing more may be sent; undefined: it may. */
  ended(now: number): string | undefined {
    const { timeMaxMs, requestsMax } = this.#plan
    if (this.brake.reason !== undefined) return `the brake of the source: ${this.brake.reason}`
    if (this.msLeft(now) === 0) return `timeMax: ${timeMaxMs / 1000} s are over`
    const { source, target } = this.requests
    if (Math.max(source, target) >= requestsMax) {
      return `requestsMax: ${requestsMax} requests were sent to a side`
    }
    return undefined
  }

  msLeft(now: number): number {
    return Math.max(0, this.#begun + this.#plan.timeMaxMs - now)
  }

  /** Requests that a turn may have: of all that are left the share that leaves as many to the other turns. */
  turnRequests(wanted: number, turnsLeft: number): number {
    const left = this.#plan.requestsMax - Math.max(this.requests.source, this.requests.target)
    return Math.max(1, Math.min(Math.round(wanted), Math.floor(left / Math.max(1, turnsLeft))))
  }
}
