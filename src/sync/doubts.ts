import type { Json } from '../base/json.ts'
import { kind, type StateStore } from '../state/store.ts'

/**
 * A number belongs to one incarnation of an index (its UUID and the histories of its shards). When the view finds another
 * one the capture log still holds records of the former, and nothing in them says which one they are of. So what was
 * recorded up to then, and what was asked shortly after, is read from the source again and its numbers are not used.
 * Key: name of the index.
 */
export type Doubt = {
  index: string
  /** ISO 8601: when the other incarnation was found. */
  since: string
  /** The ends of all streams of the capture log at that time. */
  ends: Json
}
export const doubtKind = kind<Doubt>('doubt')

/** A request that began earlier than this after `since` may have been carried out by the former incarnation. */
export const doubtMs = 10_000

/** The doubts of a migration: in memory, since each record is asked about, and in the state. */
export class Doubts {
  readonly #state: StateStore
  readonly #doubts = new Map<string, Doubt>()

  private constructor(state: StateStore) {
    this.#state = state
  }

  static async load(state: StateStore): Promise<Doubts> {
    const doubts = new Doubts(state)
    for await (const { key, value } of state.each(doubtKind)) doubts.#doubts.set(key, value)
    return doubts
  }

  get(index: string): Doubt | undefined {
    return this.#doubts.get(index)
  }

  all(): Iterable<Doubt> {
    return this.#doubts.values()
  }

  /** A later one takes the place of an earlier one: its ends are further on. */
  async add(doubts: readonly Doubt[]): Promise<void> {
    for (const doubt of doubts) this.#doubts.set(doubt.index, doubt)
    await this.#state.commit(
      doubts.map((value) => ({ op: 'put', kind: doubtKind, key: value.index, value })),
    )
  }

  /** When all that was recorded before its ends is settled. */
  async drop(index: string): Promise<void> {
    this.#doubts.delete(index)
    await this.#state.commit([{ op: 'delete', kind: doubtKind, key: index }])
  }
}
