import { countDropped, type Dropped } from './dropped.ts'
import type { WorkItem } from './records.ts'

/** What became of the documents of one batch. */
export interface Settled {
  read: number
  written: number
  failed: number
  withoutSource: number
  /** Absent: none. */
  dropped?: Dropped[]
  withTimestamp: number
  sourceBytes: number
}

/** A batch of an item that is under way or settled out of order. */
export interface Stretch {
  readonly toDoc: number
  /** Of the item's stored bytes up to there, where it is known. */
  readonly crc: number | undefined
  settled: Settled | null
}

/**
 * The checkpoint of a work item. Answers come in any order; the checkpoint goes up to the end of the last batch before
 * the first one without an answer, and no further: what a held answer was about is sent again after a restart.
 */
export class Checkpoint {
  readonly #item: WorkItem
  readonly #open: Stretch[] = []

  constructor(item: WorkItem) {
    this.#item = { ...item }
  }

  get item(): WorkItem {
    return { ...this.#item }
  }

  /** Batches are added in order of their documents, before they are sent. */
  add(toDoc: number, crc?: number): Stretch {
    const stretch: Stretch = { toDoc, crc, settled: null }
    this.#open.push(stretch)
    return stretch
  }

  settle(stretch: Stretch, settled: Settled): void {
    stretch.settled = settled
    for (let first = this.#open[0]; first?.settled; first = this.#open[0]) {
      this.#open.shift()
      this.#pass(first, first.settled)
    }
  }

  #pass({ toDoc, crc }: Stretch, settled: Settled): void {
    const item = this.#item
    item.checkpoint = toDoc
    if (crc === undefined) delete item.crc
    else item.crc = crc
    item.read += settled.read
    item.written += settled.written
    item.failed += settled.failed
    if (settled.withoutSource > 0) {
      item.withoutSource = (item.withoutSource ?? 0) + settled.withoutSource
    }
    if (settled.dropped !== undefined) {
      item.dropped = structuredClone(item.dropped ?? [])
      for (const one of settled.dropped) countDropped(item.dropped, one)
    }
    if (settled.withTimestamp > 0) {
      item.withTimestamp = (item.withTimestamp ?? 0) + settled.withTimestamp
    }
    item.sourceBytes += settled.sourceBytes
    item.done = toDoc >= item.toDoc
  }
}
