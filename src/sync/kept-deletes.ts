import type { Json } from '../base/json.ts'
import { kind, type Change as StateChange, type StateStore } from '../state/store.ts'
import type { Change } from './change.ts'

/** A delete that was applied, and is once more when all that was read before it is on the target. Key: `generation/index/…`. */
export type KeptDelete = {
  index: string
  /** The target index that it was applied to: in another one its number may mean something else. */
  targetUuid: string
  id: string
  routing: string | null
  type: string | null
  /** The source's number, before 6.0 its `_version`. */
  number: number
  version: number | null
}
export const keptDeleteKind = kind<KeptDelete>('kept-delete')

/** Deletes that are kept together. Key: the generation, 12 digits. */
export type KeptGeneration = {
  /** Where the streams ended when it was closed. */
  ends: Json
  closedAt: string
}
export const keptGenerationKind = kind<KeptGeneration>('kept-delete-generation')

/** A delete with the target index that it was applied to. */
export interface DeleteAgain extends Change {
  readonly targetUuid: string
}

export interface Reapply {
  /** Whether the checkpoints of all streams have passed these ends. */
  hasPassed(ends: Json): boolean
  /** The backfill of the index has ended, or there is none. */
  isFilled(index: string): Promise<boolean>
  /** Resolves when they are settled. */
  apply(deletes: readonly DeleteAgain[]): Promise<void>
}

/** Deletes that are held in memory before they are written to the state. */
const heldMax = 5000
const pageOf = 1000

/**
 * The deletes of sync, since the target forgets its own (design §3.3). They come in generations: one is closed with the ends
 * of all streams as they are then, and when the checkpoints have passed those ends nothing older than its deletes is under
 * way any more: they are applied once more and forgotten. Those of an index whose backfill runs wait for its end.
 *
 * Memory: a few thousand; the rest lies in the state. store() has to be called before a checkpoint is: what was deleted
 * below it is read from no stream again.
 */
export class KeptDeletes {
  readonly #state: StateStore
  #generation: number
  #held = new Map<string, KeptDelete>()
  #appliedTo: string | null = null

  private constructor(state: StateStore, generation: number) {
    this.#state = state
    this.#generation = generation
  }

  static async open(state: StateStore): Promise<KeptDeletes> {
    let last = 0
    for await (const { key } of state.each(keptGenerationKind)) last = Number(key)
    return new KeptDeletes(state, last + 1)
  }

  async keep(one: KeptDelete): Promise<void> {
    const { index, id, routing, type, number } = one
    this.#held.set(`${index}/${JSON.stringify([id, routing, type, number])}`, one)
    if (this.#held.size >= heldMax) await this.store()
  }

  /** Writes what was kept so far to the state. */
  async store(): Promise<void> {
    const held = this.#held
    if (held.size === 0) return
    this.#held = new Map()
    const generation = keyOf(this.#generation)
    try {
      await this.#state.commit(
        [...held].map(([key, value]) => {
          return { op: 'put', kind: keptDeleteKind, key: `${generation}/${key}`, value }
        }),
      )
    } catch (error) {
      for (const [key, value] of held) this.#held.set(key, value)
      throw error
    }
  }

  /** What is kept from now on belongs to a new generation. `ends`: where the streams of the log end now. */
  async closeGeneration(ends: Json): Promise<void> {
    await this.store()
    const value: KeptGeneration = { ends, closedAt: new Date().toISOString() }
    const key = keyOf(this.#generation)
    await this.#state.commit([{ op: 'put', kind: keptGenerationKind, key, value }])
    this.#generation++
  }

  /** ISO 8601: all that was kept before is applied once more; null: nothing in this run. */
  get appliedTo(): string | null {
    return this.#appliedTo
  }

  /** Applies once more, and forgets, what nothing older can follow any more. Gives how many. */
  async reapply(how: Reapply): Promise<number> {
    let applied = 0
    let isWhole = true
    for await (const { key, value } of this.#state.each(keptGenerationKind)) {
      if (!how.hasPassed(value.ends)) {
        isWhole = false
        continue
      }
      const done = await this.#reapplyGeneration(key, how)
      applied += done.applied
      isWhole &&= done.isEmpty
      if (done.isEmpty) {
        await this.#state.commit([{ op: 'delete', kind: keptGenerationKind, key }])
      }
      if (isWhole) this.#appliedTo = value.closedAt
    }
    return applied
  }

  count(): Promise<number> {
    return this.#state.count(keptDeleteKind)
  }

  async #reapplyGeneration(
    generation: string,
    how: Reapply,
  ): Promise<{ applied: number; isEmpty: boolean }> {
    const prefix = `${generation}/`
    const filled = new Map<string, boolean>()
    let applied = 0
    let isEmpty = true
    for (let after = ''; ;) {
      const page = await this.#state.list(keptDeleteKind, { prefix, after, limit: pageOf })
      if (page.length === 0) return { applied, isEmpty }
      after = page.at(-1)!.key
      const due: typeof page = []
      for (const record of page) {
        const { index } = record.value
        if (!filled.has(index)) filled.set(index, await how.isFilled(index))
        if (filled.get(index)) due.push(record)
        else isEmpty = false
      }
      await how.apply(due.map(({ value }) => changeOf(value)))
      applied += due.length
      await this.#state.commit(
        due.map(({ key }): StateChange => ({ op: 'delete', kind: keptDeleteKind, key })),
      )
    }
  }
}

function changeOf({
  index,
  targetUuid,
  id,
  routing,
  type,
  number,
  version,
}: KeptDelete): DeleteAgain {
  return {
    ...{ index, targetUuid, id, routing, what: 'delete', seqNo: number },
    version: version ?? number,
    ...(type !== null && { type }),
  }
}

function keyOf(generation: number): string {
  return String(generation).padStart(12, '0')
}
