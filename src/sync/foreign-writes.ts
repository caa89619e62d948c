import type { Cluster } from '../cluster/cluster.ts'
import type { TargetIndex } from '../state/records.ts'
import type { OwnCounts, OwnWrites } from './own-writes.ts'
import { readShards } from './read-shards.ts'

/** What somebody else has written to a target index while sync ran. */
export type ForeignWrites = {
  index: string
  /** At least so many writes. */
  count: number
  /** ISO 8601. */
  firstAt: string
  lastAt: string
}

export interface ForeignWatchInput {
  readonly target: Cluster
  readonly ours: Pick<OwnWrites, 'of'>
  /**
   * Names the last process of this migration that wrote to the target beside sync, which may be another one each time;
   * undefined: one does now.
   */
  readonly otherWriter: () => string | undefined
  /** How long what a process has sent may still be carried out after its end. Default: a minute. */
  readonly lateMs?: number
  /** How long the target remembers deletes. */
  readonly gcDeletesMs: number
  readonly signal: AbortSignal
  readonly now?: () => number
}

interface Base extends OwnCounts {
  readonly numbers: number
}

/**
 * Raises the alarm when somebody else writes to the side that should be quiet: each operation takes a number of its shard, so
 * where the highest numbers of an index have grown by more than what sync has written, somebody else has. What is under
 * way, or was sent twice, is taken to be ours: it never alarms in vain, and what it cannot tell at once it tells when
 * less is under way. Costs one request for all indices. Indices behind data streams are left out: what sync does
 * there takes numbers that it is not told of.
 */
export class ForeignWatch {
  readonly #input: ForeignWatchInput
  readonly #bases = new Map<string, Base>()
  readonly #found = new Map<string, ForeignWrites>()
  /** Indices to be compared once more, when the target has forgotten what others have deleted. */
  readonly #again = new Map<string, number>()
  #writer: string | undefined
  /** Since when nobody of ours but this process writes. */
  #aloneSince: number

  constructor(input: ForeignWatchInput) {
    this.#input = input
    this.#aloneSince = this.#now()
  }

  /** Of this run. */
  get found(): ForeignWrites[] {
    return [...this.#found.values()]
  }

  /** Looks at the target indices of indices that nothing but sync writes to; gives those that are in doubt by what it sees. */
  async look(
    indices: readonly { readonly index: string; readonly targets: readonly TargetIndex[] }[],
  ): Promise<Set<string>> {
    const { target, ours, otherWriter, signal } = this.#input
    const writer = otherWriter()
    if (writer === undefined || writer !== this.#writer) this.#aloneSince = this.#now()
    if (this.#now() - this.#aloneSince < (this.#input.lateMs ?? lateMsDefault)) this.#bases.clear()
    this.#writer = writer
    const watched = indices.flatMap(({ index, targets }) =>
      targets.filter(({ stream }) => stream === undefined).map((one) => ({ index, target: one })),
    )
    if (writer === undefined || watched.length === 0) return this.#due()
    const before = new Map(watched.map(({ target: one }) => [one, ours.of(one.targetUuid)]))
    const shards = await readShards(target, watched.map(askedOf), signal)
    if (otherWriter() !== writer) return this.#due()
    const doubtful = this.#due()
    for (const { index, target: one } of watched) {
      const told = shards.get(one.targetIndex)
      if (told === undefined) continue
      const numbers = told.reduce((sum, { maxSeqNo }) => sum + (maxSeqNo ?? -1) + 1, 0)
      const count = this.#judge(one, { ...before.get(one)!, numbers })
      if (count <= 0) continue
      this.#note(index, count)
      doubtful.add(index)
    }
    return doubtful
  }

  /** How many writes were not ours, at least. */
  #judge({ targetUuid }: TargetIndex, now: Base): number {
    const base = this.#bases.get(targetUuid)
    const after = this.#input.ours.of(targetUuid)
    const known = base ?? now
    const own = after.taken - known.taken + (after.unsure - known.unsure) + after.underWay
    const count = now.numbers - known.numbers - own
    const isIdle = after.underWay === 0 && after.taken === now.taken
    if (base === undefined || count > 0 || isIdle || now.numbers < known.numbers) {
      this.#bases.set(targetUuid, now)
    }
    return base === undefined ? 0 : count
  }

  #note(index: string, count: number): void {
    const at = this.#now()
    const known = this.#found.get(index)
    const lastAt = new Date(at).toISOString()
    const firstAt = known?.firstAt ?? lastAt
    this.#found.set(index, { index, count: (known?.count ?? 0) + count, firstAt, lastAt })
    this.#again.set(index, at + this.#input.gcDeletesMs + forgetMs)
  }

  #due(): Set<string> {
    const now = this.#now()
    const due = new Set([...this.#again].flatMap(([index, at]) => (at <= now ? [index] : [])))
    for (const index of due) this.#again.delete(index)
    return due
  }

  #now(): number {
    return (this.#input.now ?? Date.now)()
  }
}

const lateMsDefault = 60_000

/** Engines forget what they have deleted some time after they may. */
const forgetMs = 120_000

function askedOf({ target: { targetIndex, targetShards } }: { readonly target: TargetIndex }) {
  return { name: targetIndex, numberOfShards: targetShards, primaryTerms: [] }
}
