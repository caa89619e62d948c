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
  snapshotTo: number
  isDoubtful: boolean
  isDirty = true
  /** The backfill has opened the shard: what the snapshot holds of it is counted. */
  isOpened = false
  /** Found by a search, and on their way: they count when all documents of that number are settled. */
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
    this.snapshotTo = record.snapshotTo
    this.isDoubtful = record.isDoubtful
    this.isOpened = record.snapshotTo >= 0
  }

  static empty(about: Pick<AccountRecord, 'index' | 'shard' | 'targets'> & Life): Account {
    return new Account({
      ...about,
      primaryTerm: null,
      globalCheckpoint: -1,
      floor: -1,
      snapshotTo: -1,
      isDoubtful: false,
      numbers: [],
      explained: { snapshot: 0, captured: 0, search: 0, comparison: 0 },
    })
  }

  /**
   * The target has acknowledged what this number did. Above the floor a number counts only under the present primary
   * term: another primary gives it to another write.
   */
  acknowledge(number: number, primaryTerm: number | undefined): void {
    const isOfTerm = this.primaryTerm === null || (primaryTerm ?? -1) >= this.primaryTerm
    if ((!isOfTerm && number > this.floor) || this.#found.has(number)) return
    this.settle(number, number, 'captured')
  }

  noteFound(number: number): void {
    this.#found.add(number)
  }

  /**
   * The snapshot holds what the numbers up to this one did. Where one of them was written before that was known the document
   * may have been deleted on the source since, and before the snapshot: it is in no snapshot, and no number tells of it. And
   * the snapshot of a primary that was lost since may hold what nobody has any more.
   */
  countSnapshot(localCheckpoint: number, primaryTerm: number | undefined): void {
    if (primaryTerm !== undefined && primaryTerm !== this.primaryTerm) this.isDoubtful = true
    const [first] = this.numbers.missing(0, localCheckpoint)
    const isUntouched = first?.from === 0 && first.to === localCheckpoint
    this.snapshotTo = localCheckpoint
    if (localCheckpoint >= 0 && !isUntouched) this.isDoubtful = true
    this.settle(0, localCheckpoint, 'snapshot')
    this.isDirty = true
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
      // What nobody has any more may have come to the target under the former one.
      if (forgotten > 0) this.isDoubtful = true
      this.#found.removeAbove(this.globalCheckpoint)
      this.floor = this.globalCheckpoint
      this.snapshotTo = Math.min(this.snapshotTo, this.floor)
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

  /** A search begins: none that was found before is under way. */
  forgetFound(): void {
    this.#found.removeAbove(-1)
  }

  record(): AccountRecord {
    const { index, shard, life, targets, primaryTerm, globalCheckpoint, floor } = this
    const { snapshotTo, isDoubtful } = this
    return {
      ...{ index, shard, ...life, targets, primaryTerm, globalCheckpoint, floor },
      ...{ snapshotTo, isDoubtful },
      numbers: this.numbers.toJSON(),
      explained: { ...this.explained },
    }
  }
}
