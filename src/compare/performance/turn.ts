import { setTimeout as sleep } from 'node:timers/promises'
import { allOf } from '../../base/all-of.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { LatencyHistogram, type BucketCounts } from './latency-histogram.ts'
import type { MixedRequest } from './mix.ts'
import { sendOnce, type Sent } from './send.ts'
import type { SourceBrake } from './source-brake.ts'

/** A stretch of load on one side. */
export interface TurnPlan {
  readonly cluster: Cluster
  /** What is asked, in this order. */
  readonly requests: readonly MixedRequest[]
  readonly shapeCount: number
  readonly load: Load
  /** After this long nothing more is begun, in milliseconds; what is not begun by then at a constant rate is late. */
  readonly msMax: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Told of what the source answers; absent for the target. */
  readonly brake?: SourceBrake
  /** Told of each request that is done. */
  readonly onSent?: (request: MixedRequest, sent: Sent) => void
}

/**
 * `connections`: so many requests under way all the time, each timed from when it is sent (closed loop).
 * `rate`: so many begin a second whatever the cluster does, each timed from when it was to begin, so that waiting behind
 * a slow one counts (open loop: no coordinated omission).
 */
export type Load = { readonly connections: number } | { readonly rate: number }

export interface TurnShape {
  readonly latencies: BucketCounts
  readonly tooks: BucketCounts
  readonly errors: number
  /** Errors that count as slow: given up, or not begun in time. */
  readonly late: number
}

export interface Turn {
  /** Those that were answered, or given up. */
  readonly requests: number
  readonly errors: number
  /** From the first request's beginning to the last one's end. */
  readonly ms: number
  readonly shapes: readonly TurnShape[]
  /** At a constant rate: how late requests began though there was a connection for them. */
  readonly starts: BucketCounts
  /** Requests that had to wait for a connection. */
  readonly waited: number
}

/** As many sockets as the transport has. */
export const connectionsMost = 64

/** Runs a turn to its end. Throws MA_STOPPED when the signal fires, after all that was under way has ended. */
export async function runTurn(plan: TurnPlan): Promise<Turn> {
  const recorder = new TurnRecorder(plan)
  if ('rate' in plan.load) await atConstantRate(plan, plan.load.rate, recorder)
  else await constantlyUnderWay(plan, plan.load.connections, recorder)
  return recorder.done()
}

async function constantlyUnderWay(
  plan: TurnPlan,
  connections: number,
  recorder: TurnRecorder,
): Promise<void> {
  const end = performance.now() + plan.msMax
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < plan.requests.length && performance.now() < end) {
      const request = plan.requests[next++]!
      const begun = performance.now()
      recorder.record(request, begun, await recorder.send(request))
    }
  }
  await allOf(Array.from({ length: connections }, lane))
}

async function atConstantRate(plan: TurnPlan, rate: number, recorder: TurnRecorder): Promise<void> {
  const { requests, signal, msMax } = plan
  const first = performance.now() + 1
  const end = first + msMax
  const intended = (i: number): number => first + (i * 1000) / rate
  const lanes = new Set<Promise<void>>()
  const failures: unknown[] = []
  /** Requests whose time has come, and those of them that a connection has taken. */
  let due = 0
  let taken = 0
  const lane = async (): Promise<void> => {
    while (taken < due && failures.length === 0) {
      const i = taken++
      if (performance.now() > end) recorder.giveUp(requests[i]!, intended(i))
      else recorder.record(requests[i]!, intended(i), await recorder.send(requests[i]!))
    }
  }
  const begin = (): void => {
    due++
    if (lanes.size >= connectionsMost) {
      recorder.waited++
      return
    }
    recorder.startedLate(performance.now() - intended(due - 1))
    const running: Promise<void> = lane()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => lanes.delete(running))
    lanes.add(running)
  }
  while (due < requests.length && failures.length === 0) {
    const wait = intended(due) - performance.now()
    if (wait > 0) await sleep(wait, undefined, { signal }).catch((error) => failures.push(error))
    if (failures.length === 0) begin()
  }
  await Promise.all(lanes)
  signal.throwIfAborted()
  if (failures.length > 0) throw failures[0]
}

class TurnRecorder {
  readonly #plan: TurnPlan
  readonly #latencies: LatencyHistogram[]
  readonly #tooks: LatencyHistogram[]
  readonly #errors: number[]
  readonly #late: number[]
  readonly #starts = new LatencyHistogram()
  readonly #begun = performance.now()
  #end = this.#begun
  #requests = 0
  waited = 0

  constructor(plan: TurnPlan) {
    this.#plan = plan
    const make = (): LatencyHistogram => new LatencyHistogram()
    this.#latencies = Array.from({ length: plan.shapeCount }, make)
    this.#tooks = Array.from({ length: plan.shapeCount }, make)
    this.#errors = new Array<number>(plan.shapeCount).fill(0)
    this.#late = new Array<number>(plan.shapeCount).fill(0)
  }

  async send(request: MixedRequest): Promise<Sent> {
    const { cluster, brake, timeoutMs, signal } = this.#plan
    const flight = brake?.begin(performance.now())
    const sent = await sendOnce(cluster, request[cluster.side], { timeoutMs, signal })
    const failed = sent.error !== undefined && !sent.isRefused
    if (flight !== undefined) brake?.end(flight, { now: sent.end, failed })
    return sent
  }

  /** Errors have no latency: to refuse is quick. But for those that came to nothing in their time. */
  record(request: MixedRequest, begun: number, sent: Sent): void {
    const { shape } = request
    this.#requests++
    this.#end = Math.max(this.#end, sent.end)
    if (sent.error !== undefined) this.#errors[shape]!++
    if (sent.isLate) this.#late[shape]!++
    if (sent.error === undefined || sent.isLate) this.#latencies[shape]!.record(sent.end - begun)
    if (sent.tookMs !== undefined) this.#tooks[shape]!.record(sent.tookMs)
    this.#plan.onSent?.(request, sent)
  }

  giveUp(request: MixedRequest, intended: number): void {
    const error = 'not begun in time'
    const end = performance.now()
    this.record(request, intended, {
      end,
      tookMs: undefined,
      error,
      isLate: true,
      isRefused: false,
    })
  }

  startedLate(ms: number): void {
    this.#starts.record(ms)
  }

  done(): Turn {
    return {
      requests: this.#requests,
      errors: this.#errors.reduce((sum, one) => sum + one, 0),
      ms: this.#end - this.#begun,
      shapes: this.#latencies.map((latencies, i) => ({
        latencies: latencies.take(),
        tooks: this.#tooks[i]!.take(),
        errors: this.#errors[i]!,
        late: this.#late[i]!,
      })),
      starts: this.#starts.take(),
      waited: this.waited,
    }
  }
}
