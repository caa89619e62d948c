/**
 * Clients that do to a source whatever clients do, at random: the same seed asks for the same operations in the same
 * order. What an engine of that version cannot do is found out before, and named.
 */
import http from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { JsonObject } from '../../src/base/json.ts'
import { ask } from './capture.ts'
import type { EngineFacts } from './engines.ts'
import { randomOperations, type Operation, type OperationKind } from './random-client-operations.ts'
import { prepareIndices, probeKinds } from './random-client-world.ts'

export interface RandomClientInput {
  readonly engine: EngineFacts
  /** Index names begin with it. */
  readonly prefix: string
  readonly seed: number
  /** Documents that are written, changed or deleted: an item of a bulk counts, a by-query counts once. */
  readonly operations: number
  readonly connections?: number
  /** Share of the requests that goes past the proxy. */
  readonly bypass?: number
  /** Operations in a second at most; undefined: as fast as it goes. */
  readonly perSecond?: number
}

/** One run of the clients: through `proxy()`, whose address may change while they run. */
export class RandomClient {
  /** How many requests of each kind the source answered, by the status. */
  readonly answered = new Map<OperationKind, Map<number, number>>()
  /** Kinds that this engine cannot do. */
  readonly notProven: ReadonlyMap<OperationKind, string>
  /** Operations asked for so far, without those of requests that broke off or found no source. */
  asked = 0
  /** Requests that broke off. */
  broken = 0
  readonly #input: RandomClientInput
  readonly #proxy: () => string
  readonly #next: () => Operation
  readonly #madeIds: { index: string; id: string }[]
  readonly #random: () => number
  #isStopped = false
  readonly #began = Date.now()

  private constructor(
    input: RandomClientInput,
    proxy: () => string,
    notProven: ReadonlyMap<OperationKind, string>,
  ) {
    this.#input = input
    this.#proxy = proxy
    this.notProven = notProven
    this.#random = seeded(input.seed)
    this.#madeIds = []
    this.#next = randomOperations({
      prefix: input.prefix,
      operations: input.operations,
      version: input.engine.version,
      kind: input.engine.kind,
      random: this.#random,
      without: new Set(notProven.keys()),
      madeIds: this.#madeIds,
    })
  }

  /** Makes the indices, aliases and pipelines on the source, and finds out what it can do. */
  static async prepare(input: RandomClientInput, proxy: () => string): Promise<RandomClient> {
    await prepareIndices(input.engine, input.prefix)
    const notProven = await probeKinds(input.engine, input.prefix)
    return new RandomClient(input, proxy, notProven)
  }

  /** Ends when all operations were asked for. */
  async run(until = this.#input.operations): Promise<void> {
    const { connections = 8 } = this.#input
    await Promise.all(Array.from({ length: connections }, () => this.#connection(until)))
  }

  stop(): void {
    this.#isStopped = true
  }

  async #connection(until: number): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const { engine, bypass = 0, perSecond } = this.#input
    while (!this.#isStopped && this.asked < until) {
      const operation = this.#next()
      this.asked += operation.count
      const isPast = this.#random() < bypass
      await this.#send(isPast ? engine.url : this.#proxy(), operation, agent)
      if (perSecond !== undefined) {
        const aheadMs = (this.asked / perSecond) * 1000 - (Date.now() - this.#began)
        if (aheadMs > 0) await wait(aheadMs)
      }
    }
    agent.destroy()
  }

  async #send(url: string, operation: Operation, agent: http.Agent): Promise<void> {
    const { method, target, body, kind } = operation
    const headers = {
      'content-type': target.includes('_bulk') ? 'application/x-ndjson' : 'application/json',
    }
    try {
      const request = { method, target, headers, ...(body !== undefined && { body }) }
      const { status, body: answer } = await ask(url, request, agent)
      const statuses = this.answered.get(kind) ?? new Map<number, number>()
      this.answered.set(kind, statuses.set(status, (statuses.get(status) ?? 0) + 1))
      if (kind === 'server-id' && status < 300) this.#remember(answer)
      if (status === 502 || status === 503) await this.#comeAgain(operation)
    } catch {
      this.broken++
      await this.#comeAgain(operation)
    }
  }

  /** Nothing was done: it does not count. */
  async #comeAgain({ count }: Operation): Promise<void> {
    this.asked -= count
    await wait(100)
  }

  /** Some of the ids that the server made, so that they are updated and deleted, too. */
  #remember(answer: Buffer): void {
    const { _index: index, _id: id } = JSON.parse(answer.toString()) as JsonObject
    if (typeof index !== 'string' || typeof id !== 'string') return
    if (this.#madeIds.length < 200) this.#madeIds.push({ index, id })
    else this.#madeIds[Math.floor(this.#random() * 200)] = { index, id }
  }

  /** For people: what was answered how often, and what this engine could not be asked. */
  report(): string {
    const lines = [...this.answered].map(([kind, statuses]) => {
      const counts = [...statuses].sort().map(([status, count]) => `${status}×${count}`)
      return `${kind} ${counts.join(' ')}`
    })
    const notProven = [...this.notProven].map(([kind, why]) => `${kind} (${why.slice(0, 100)})`)
    return [
      `seed ${this.#input.seed}: ${this.asked} operations, ${this.broken} requests broke off`,
      `  ${lines.sort().join(', ')}`,
      ...(notProven.length > 0 ? [`  not proven: ${notProven.join(', ')}`] : []),
    ].join('\n')
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
