import type { TargetIndex } from '../state/records.ts'

/** Numbers that writes of ours have taken from a target index. */
export interface OwnCounts {
  /** By writes that were answered as written. */
  readonly taken: number
  /** By writes that may have taken one, or one more: refused in the middle, or sent more than once. */
  readonly unsure: number
  /** Writes that are not answered. */
  readonly underWay: number
}

interface Item {
  readonly target: Pick<TargetIndex, 'targetUuid'>
}

const nothing: OwnCounts = { taken: 0, unsure: 0, underWay: 0 }

/** Counts what this process writes to each target index, by its UUID: what else is written there is somebody else's. */
export class OwnWrites {
  readonly #counts = new Map<string, { -readonly [K in keyof OwnCounts]: number }>()

  /** As it is now. */
  of(targetUuid: string): OwnCounts {
    return { ...(this.#counts.get(targetUuid) ?? nothing) }
  }

  /** They are about to be sent. */
  sent(items: readonly Item[]): void {
    for (const { target } of items) this.#of(target).underWay++
  }

  /** The same ones are answered; `unwritten`: places in the list. */
  answered(items: readonly Item[], { unwritten, refused, repeated }: AnsweredWrites): void {
    for (let at = 0; at < items.length; at++) {
      const counts = this.#of(items[at]!.target)
      counts.underWay--
      if (!unwritten.has(at)) counts.taken++
      if (repeated) counts.unsure++
    }
    // Of what Lucene refuses an operation without document is kept, under a number.
    for (const { item } of refused) this.#of(items[item]!.target).unsure++
  }

  #of({ targetUuid }: Item['target']): { -readonly [K in keyof OwnCounts]: number } {
    let counts = this.#counts.get(targetUuid)
    if (counts === undefined) this.#counts.set(targetUuid, (counts = { ...nothing }))
    return counts
  }
}

export interface AnsweredWrites {
  readonly unwritten: ReadonlySet<number>
  readonly refused: readonly { readonly item: number }[]
  /** Some may have been carried out twice. */
  readonly repeated: boolean
}
