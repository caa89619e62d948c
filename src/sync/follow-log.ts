import { setTimeout as wait } from 'node:timers/promises'
import { asRead, type Change, type Outcome, type Signal } from './change.ts'
import { doubtMs, type Doubt, type Doubts } from './doubts.ts'
import type { Gaps } from './gaps.ts'
import type { FedRecord, LogFeed, StreamEnds } from '../traffic/log-feed.ts'
import type { StreamProgress } from '../traffic/stream-progress.ts'
import { type LogWork } from '../traffic/stream-progress.ts'
import type { LoggedExchange } from '../traffic/exchanges.ts'

export interface FollowInput {
  readonly feed: LogFeed
  readonly streams: Map<string, StreamProgress>
  readonly doubts: Doubts
  readonly gaps: Gaps
  /** Brings the view of the source up to date, and the target to it; between two batches of records. */
  readonly ready: () => Promise<void>
  readonly outcomeOf: (exchange: LoggedExchange) => Outcome
  /** Resolves when they are taken; `settled` is called when they are on the target, or handed on by name. */
  readonly apply: (changes: readonly Change[], settled: () => void) => Promise<void>
  readonly onSignal: (signal: Signal) => void
}

/** Looks at the source's cluster state are at least so far apart. */
const batchApartMs = 50

/**
 * Takes what the streams of the log have, a batch at a time, and gives what it comes to on. What is read of the source is read
 * after the records of a batch and before their changes are applied: the mapping of an index is never older than what is
 * written to it.
 */
export class LogFollower {
  readonly #input: FollowInput
  /** Of this run. */
  readonly counts = { records: 0, exchanges: 0, changes: 0 }

  constructor(input: FollowInput) {
    this.#input = input
  }

  /** Goes on until `signal` says stop; throws what keeps it from going on. */
  async run(signal: AbortSignal): Promise<void> {
    const { feed, ready } = this.#input
    while (!signal.aborted) {
      const batch = await feed.take(signal).catch((error: unknown) => {
        if (signal.aborted) return []
        throw error
      })
      const begun = performance.now()
      const works = batch.flatMap((one) => this.#read(one))
      if (works.length > 0) await ready()
      for (const work of works) await this.#do(work)
      const restMs = batchApartMs - (performance.now() - begun)
      if (restMs > 0) await wait(restMs)
    }
  }

  #read({ stream, record, next }: FedRecord): LogWork[] {
    const progress = this.#input.streams.get(stream)!
    if (record === undefined) {
      progress.skip(next)
      return []
    }
    this.counts.records++
    return progress.add(record, next)
  }

  async #do(work: LogWork): Promise<void> {
    const { what, settle } = work
    switch (what.kind) {
      case 'gap':
        await this.#input.gaps.note(what, work)
        settle()
        return
      case 'started':
      case 'stopped':
        settle()
        return
      case 'exchange': {
        const { changes, signals } = this.#input.outcomeOf(what)
        this.counts.exchanges++
        this.counts.changes += changes.length
        for (const signal of signals) this.#input.onSignal(signal)
        if (changes.length === 0) settle()
        else await this.#input.apply(this.#certain(changes, what, work), settle)
      }
    }
  }

  /** Numbers that may be of another incarnation are not used: their documents are read. */
  #certain(
    changes: readonly Change[],
    exchange: LoggedExchange,
    place: LogWork,
  ): readonly Change[] {
    const { doubts } = this.#input
    if (changes.every(({ index }) => doubts.get(index) === undefined)) return changes
    return changes.map((change) => {
      const doubt = doubts.get(change.index)
      if (doubt === undefined || !isDoubtful(doubt, exchange, place)) return change
      return asRead(change, undefined)
    })
  }
}

function isDoubtful(
  { since, ends }: Doubt,
  { request }: LoggedExchange,
  { stream, offset }: LogWork,
): boolean {
  const end = (ends as StreamEnds)[stream]
  if (end !== undefined && offset < end) return true
  return request === undefined || request.firstByteAt / 1000 < Date.parse(since) + doubtMs
}
