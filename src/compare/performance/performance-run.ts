import type { Cluster, Side } from '../../cluster/cluster.ts'
import { MigrationError } from '../../base/errors.ts'
import type { Round } from './compare-latencies.ts'
import { LoadBounds } from './load-bounds.ts'
import type { LoadPlan } from './load-plan.ts'
import { drawRequests, type Mix, type MixedRequest } from './mix.ts'
import { ResourceWatch } from './node-stats.ts'
import { OwnDelay } from './own-delay.ts'
import type { GeneratorLoad } from './record.ts'
import type { Sent } from './send.ts'
import { SourceBrake } from './source-brake.ts'
import { runTurn, type Load, type Turn } from './turn.ts'

export type Phase = 'trial' | 'warm-up' | 'closed loop' | 'open loop' | 'saturation' | 'writes'

export interface PerformanceProgress {
  readonly phase: Phase
  readonly done: number
  readonly total: number
  readonly requests: { readonly source: number; readonly target: number }
}

export interface RunInput {
  readonly clusters: { readonly source: Cluster; readonly target: Cluster }
  readonly plan: LoadPlan
  readonly requestTimeoutMs: number
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onProgress?: (progress: PerformanceProgress) => void
}

/** Rounds under one kind of load, and how the load generator did meanwhile. */
export interface MeasuredRounds {
  readonly rounds: readonly Round[]
  readonly generator: GeneratorLoad
}

export const notMeasured: MeasuredRounds = { rounds: [], generator: new OwnDelay().load() }

const sides: readonly Side[] = ['source', 'target']
const warmRequestsMost = 50_000
/** Of the requests that may be sent, the part that one turn of the warm-up takes at most. */
const warmShare = 40
/** A turn that takes this many times as long as it was to is cut. */
const turnTimesMost = 3

/** Puts load on both sides, turn by turn, never on both at once, within the bounds of the plan. */
export class PerformanceRun {
  readonly bounds: LoadBounds
  readonly resources: { readonly source: ResourceWatch; readonly target: ResourceWatch }
  /** Of the load that is under way. */
  ownDelay = new OwnDelay()
  readonly #input: RunInput
  readonly #signal: AbortSignal

  constructor(input: RunInput) {
    const { plan, clusters, signal } = input
    const brake = new SourceBrake(plan.sourceBrake)
    this.#input = input
    this.bounds = new LoadBounds(plan, { brake, now: performance.now() })
    this.resources = {
      source: new ResourceWatch(clusters.source),
      target: new ResourceWatch(clusters.target),
    }
    this.#signal = AbortSignal.any([signal, brake.signal])
  }

  /** Why nothing more may be sent; undefined: it may. */
  get ended(): string | undefined {
    return this.bounds.ended(performance.now())
  }

  get random(): () => number {
    return this.#input.random
  }

  async lookAtResources(always = false): Promise<void> {
    for (const side of sides) await this.resources[side].look(this.#input.signal, always)
  }

  progress(phase: Phase, done: number, total: number): void {
    this.#input.onProgress?.({ phase, done, total, requests: { ...this.bounds.requests } })
  }

  /** Undefined when the brake ended it. Throws MA_STOPPED where it was stopped from outside. */
  async turn(
    side: Side,
    what: {
      readonly mix: Mix
      readonly requests: readonly MixedRequest[]
      readonly load: Load
      readonly msMax: number
      readonly onSent?: (request: MixedRequest, sent: Sent) => void
    },
  ): Promise<Turn | undefined> {
    const { clusters, requestTimeoutMs, signal } = this.#input
    const { brake, requests } = this.bounds
    const onSent = (request: MixedRequest, sent: Sent): void => {
      requests[side]++
      what.onSent?.(request, sent)
    }
    brake.watch()
    this.ownDelay.begin()
    let turn: Turn | undefined
    try {
      turn = await runTurn({
        cluster: clusters[side],
        requests: what.requests,
        shapeCount: what.mix.shapes.length,
        load: what.load,
        msMax: Math.min(what.msMax, this.bounds.msLeft(performance.now())),
        timeoutMs: requestTimeoutMs,
        signal: this.#signal,
        ...(side === 'source' && { brake }),
        onSent,
      })
      return turn
    } catch (error) {
      signal.throwIfAborted()
      if (brake.reason !== undefined && isStop(error)) return undefined
      throw error
    } finally {
      this.ownDelay.end(turn?.starts)
      brake.release()
    }
  }

  /** A turn that is not measured, as long as it may take. */
  async warmTurn(
    side: Side,
    mix: Mix,
    { connections, msMax }: { connections: number; msMax: number },
  ): Promise<Turn | undefined> {
    const most = this.bounds.turnRequests(warmRequestsMost, warmShare)
    const requests = drawRequests(mix, most, this.random)
    return this.turn(side, { mix, requests, load: { connections }, msMax })
  }

  /** Rounds of the same load on both sides, as far as the bounds let it come. Only whole rounds. */
  async rounds(
    phase: Phase,
    mix: Mix,
    { load, perSecond, turnsLater }: { load: Load; perSecond: number; turnsLater: number },
  ): Promise<MeasuredRounds> {
    const { plan, random } = this.#input
    const done: Round[] = []
    this.ownDelay = new OwnDelay()
    await this.lookAtResources(true)
    for (const order of turnOrders(plan.rounds, random)) {
      this.progress(phase, done.length, plan.rounds)
      if (this.ended !== undefined) break
      const turnsLeft = plan.rounds - done.length + turnsLater
      const count = this.bounds.turnRequests((perSecond * plan.turnMs) / 1000, turnsLeft)
      const requests = drawRequests(mix, count, random)
      const turns: { source?: Turn; target?: Turn } = {}
      for (const side of order) {
        const turn = await this.turn(side, {
          ...{ mix, requests, load },
          msMax: plan.turnMs * turnTimesMost,
        })
        if (turn !== undefined) turns[side] = turn
        if (this.ended !== undefined) break
      }
      const { source, target } = turns
      if (source !== undefined && target !== undefined) done.push({ source, target })
      await this.lookAtResources()
    }
    await this.lookAtResources(true)
    this.progress(phase, done.length, plan.rounds)
    return { rounds: done, generator: this.ownDelay.load() }
  }
}

function isStop(error: unknown): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError'
  return isAbort || (error instanceof MigrationError && error.code === 'MA_STOPPED')
}

/** A B, B A, or B A, A B: by chance, and so that what drifts in time meets both sides alike. */
export function turnOrders(rounds: number, random: () => number): Side[][] {
  const orders: Side[][] = []
  for (let i = 0; i < rounds; i++) {
    const before = orders[i - 1]
    if (i % 2 === 1 && before !== undefined) orders.push([...before].reverse())
    else orders.push(random() < 0.5 ? ['source', 'target'] : ['target', 'source'])
  }
  return orders
}
