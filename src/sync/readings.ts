/** What a shard's primary told at a time. */
export interface Reading {
  /** Epoch ms; before it was asked. */
  readonly at: number
  readonly maxSeqNo: number
  readonly globalCheckpoint: number
}

const readingsMax = 64

/** The readings of a shard that still tell something: those above what is accounted for, and the last one below. */
export class Readings {
  #list: Reading[] = []

  /** With too many, every other one is dropped: what was missing then seems to be missing since a little later. */
  add(reading: Reading): void {
    this.#list.push(reading)
    if (this.#list.length > readingsMax) {
      const last = this.#list.length - 1
      this.#list = this.#list.filter((_, at) => at % 2 === 0 || at === last)
    }
  }

  /** Another primary has begun: what the one before told is of no use. */
  clear(): void {
    this.#list = []
  }

  get newest(): Reading | undefined {
    return this.#list.at(-1)
  }

  /** The highest global checkpoint that was told at this time or before; -1: none. */
  checkpointAt(time: number): number {
    return this.#list.findLast(({ at }) => at <= time)?.globalCheckpoint ?? -1
  }

  /** Drops what is of no use any more: `completeTo` is the number up to which all are accounted for. */
  passed(completeTo: number): void {
    const covered = this.#list.findLastIndex(({ maxSeqNo }) => maxSeqNo <= completeTo)
    if (covered > 0) this.#list.splice(0, covered)
  }

  /** The time of the newest reading all of whose numbers are accounted for. */
  coveredAt(completeTo: number): number | undefined {
    return this.#list.findLast(({ maxSeqNo }) => maxSeqNo <= completeTo)?.at
  }

  /** Since when a number has been below the global checkpoint, as far as it was seen. */
  since(number: number): number | undefined {
    return this.#list.find(({ globalCheckpoint }) => globalCheckpoint >= number)?.at
  }
}
