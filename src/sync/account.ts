import type { AccountRecord, Explained } from './account-records.ts'
import { IntervalSet } from './interval-set.ts'

/** What the numbers of an account belong to. */
export type Life = Pick<AccountRecord, 'uuid' | 'historyUuid'>

/** The numbers of one shard of the source that are accounted for, in one incarnation. */
export class Account {
  readonly index: string
  readonly shard: number
  readonly life: Life
  readonly numbers: IntervalSet
  readonly explained: Explained
  targets: string
  primaryTerm: number | null
  globalCheckpoint: number
  floor: number
  isDirty = true
  /** What the snapshot holds of the shard is known and counted. */
  isCovered = false
  /** Found by a search, and on their way to the target. */
  readonly #found = new IntervalSet()

  constructor(record: AccountRecord) {
    const { index, shard, uuid, historyUuid } = record
    this.index = index
    this.shard = shard
    this.life = { uuid, historyUuid }
    this.numbers = IntervalSet.fromJSON(record.numbers)
    this.explained = { ...record.explained }
    this.targets = record.targets
    this.primaryTerm = record.primaryTerm
    this.globalCheckpoint = record.globalCheckpoint
    this.floor = record.floor
    this.isCovered = record.explained.snapshot > 0
  }

  static empty(about: Pick<AccountRecord, 'index' | 'shard' | 'targets'> & Life): Account {
    return new Account({
      ...about,
      primaryTerm: null,
      globalCheckpoint: -1,
      floor: -1,
      numbers: [],
      explained: { snapshot: 0, captured: 0, search: 0, comparison: 0 },
    })
  }

  /**
   * The target has acknowledged what this number did. Above the floor a number counts only under the present primary
   * term: another primary gives it to another write.
   */
  acknowledge(number: number, primaryTerm: number | undefined): void {
    const isFound = this.#found.has(number)
    const isOfTerm = this.primaryTerm === null || (primaryTerm ?? -1) >= this.primaryTerm
    if (!isFound && !isOfTerm && number > this.floor) return
    if (!this.numbers.add(number)) return
    this.explained[isFound ? 'search' : 'captured']++
    this.isDirty = true
  }

  /** Its document was found; it counts once it is acknowledged. */
  noteFound(number: number): void {
    this.#found.add(number)
  }

  settle(from: number, to: number, how: keyof Explained): number {
    const added = this.numbers.addRange(from, to)
    if (added === 0) return 0
    this.explained[how] += added
    this.isDirty = true
    return added
  }

  /**
   * What was seen of the primary. Under another primary term numbers above the checkpoint that was seen before may be
   * those of other writes now: they are missing again. Gives how many were forgotten.
   */
  seen(primaryTerm: number | null, globalCheckpoint: number): number {
    const isOther = this.primaryTerm !== null && primaryTerm !== this.primaryTerm
    const forgotten = isOther ? this.numbers.removeAbove(this.globalCheckpoint) : 0
    if (isOther) {
      this.#found.removeAbove(this.globalCheckpoint)
      this.floor = this.globalCheckpoint
      this.globalCheckpoint = -1
    }
    // Answers of two requests may come in another order than they were made.
    const checkpoint = Math.max(globalCheckpoint, this.globalCheckpoint)
    if (primaryTerm !== this.primaryTerm || checkpoint !== this.globalCheckpoint) {
      this.primaryTerm = primaryTerm
      this.globalCheckpoint = checkpoint
      this.isDirty = true
    }
    return forgotten
  }

  /** Numbers that were found are settled or looked for anew: a look at the shard begins. */
  forgetFound(): void {
    this.#found.removeAbove(-1)
  }

  record(): AccountRecord {
    const { index, shard, life, targets, primaryTerm, globalCheckpoint, floor } = this
    return {
      ...{ index, shard, ...life, targets, primaryTerm, globalCheckpoint, floor },
      numbers: this.numbers.toJSON(),
      explained: { ...this.explained },
    }
  }
}
