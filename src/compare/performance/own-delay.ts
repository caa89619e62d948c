import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { addCounts, quantileOf, type BucketCounts } from './latency-histogram.ts'
import type { GeneratorLoad } from './record.ts'

const sampleMs = 5
/** Timers of Node.js round to whole milliseconds. */
const timerMs = 1
/** A thread that works more than this part of the time is the limit itself. */
export const busyMost = 0.9

/** Watches this process while it makes load: what it is late adds to latencies, and what it cannot send is no limit of a cluster. */
export class OwnDelay {
  readonly #loop = monitorEventLoopDelay({ resolution: sampleMs })
  readonly #starts: BucketCounts[] = []
  #utilization = performance.eventLoopUtilization()
  #cpu = process.cpuUsage()
  #begun = 0
  #activeMs = 0
  #ms = 0
  #cpuMs = 0

  /** Of the time of the last turn its thread was at work, 0 to 1. */
  lastBusy = 0

  begin(): void {
    this.#utilization = performance.eventLoopUtilization()
    this.#cpu = process.cpuUsage()
    this.#begun = performance.now()
    this.#loop.enable()
  }

  end(starts: BucketCounts | undefined): void {
    this.#loop.disable()
    const { active } = performance.eventLoopUtilization(this.#utilization)
    const { user, system } = process.cpuUsage(this.#cpu)
    const ms = performance.now() - this.#begun
    this.lastBusy = ms === 0 ? 0 : Math.min(1, active / ms)
    this.#activeMs += active
    this.#ms += ms
    this.#cpuMs += (user + system) / 1000
    if (starts !== undefined) this.#starts.push(starts)
    if (this.#starts.length > 100) this.#starts.splice(0, 100, addCounts(this.#starts))
  }

  load(): GeneratorLoad {
    const at = (percent: number): number => {
      const ms = this.#loop.percentile(percent) / 1e6
      return this.#ms === 0 ? 0 : Math.max(0, ms - sampleMs - timerMs)
    }
    const busy = this.#ms === 0 ? 0 : Math.min(1, this.#activeMs / this.#ms)
    return {
      delayP50: at(50),
      delayP90: at(90),
      delayP99: at(99),
      startP99: quantileOf(addCounts(this.#starts), 0.99),
      busy,
      cpu: this.#ms === 0 ? 0 : this.#cpuMs / this.#ms,
      bottleneck:
        busy > busyMost
          ? `the load generator was at work ${Math.round(busy * 100)} % of the time: its limit was measured, not that of the clusters`
          : null,
    }
  }
}
