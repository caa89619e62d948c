import type { ShardTask } from './local-worker.ts'
import type { IndexWork } from './plan.ts'
import type { WorkItem } from './records.ts'

export type Task =
  | { kind: 'open'; index: IndexWork; shard: ShardTask }
  | { kind: 'item'; index: IndexWork; item: WorkItem }

interface ScheduledShard {
  index: IndexWork
  task: ShardTask
  state: 'closed' | 'opening' | 'open'
  items: WorkItem[]
}

/**
 * Which task comes next. Each shard is opened, and so checked, before any item of it is given out. A worker stays with
 * the shard that it has open; then it opens another; then it helps with one that another worker opened.
 */
export class Schedule {
  #shards: ScheduledShard[] = []
  #waiting: (() => void)[] = []

  constructor(indices: readonly IndexWork[]) {
    for (const index of indices) {
      for (const { shard, state, unchecked } of index.shards) {
        if (state === 'lacking' || state === 'elsewhere') continue
        const open = index.items.filter((item) => item.shard === shard && !item.done)
        if (state === 'planned' && open.length === 0 && unchecked === undefined) continue
        const task = { index: index.record.index, shard }
        this.#shards.push({ index, task, state: 'closed', items: [] })
      }
    }
  }

  /** The next task for a worker; undefined when there is none any more. Waits while another worker opens the last shards. */
  async next(worker: { at?: ShardTask }): Promise<Task | undefined> {
    for (;;) {
      const task = this.#take(worker)
      if (task) {
        worker.at = task.kind === 'open' ? task.shard : task.item
        return task
      }
      if (!this.#shards.some(({ state }) => state === 'opening')) return undefined
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** A shard was opened: its items may be worked on. */
  opened(task: ShardTask, items: readonly WorkItem[]): void {
    const shard = this.#shards.find((one) => isSame(one.task, task))
    if (shard) {
      shard.state = 'open'
      shard.items = items.filter((item) => !item.done)
    }
    this.#wake()
  }

  /** Takes a shard, an index (no shard) or everything off. */
  drop(what?: { index: string; shard?: number }): void {
    this.#shards = what
      ? this.#shards.filter(
          ({ task }) =>
            task.index !== what.index || (what.shard !== undefined && task.shard !== what.shard),
        )
      : []
    this.#wake()
  }

  #take({ at }: { at?: ShardTask }): Task | undefined {
    const own = at && this.#shards.find((one) => one.items.length > 0 && isSame(one.task, at))
    if (own) return { kind: 'item', index: own.index, item: own.items.shift()! }
    const closed = this.#shards.find(({ state }) => state === 'closed')
    if (closed) {
      closed.state = 'opening'
      return { kind: 'open', index: closed.index, shard: closed.task }
    }
    const other = this.#shards.find(({ items }) => items.length > 0)
    return other && { kind: 'item', index: other.index, item: other.items.shift()! }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function isSame(one: ShardTask, other: ShardTask): boolean {
  return one.index === other.index && one.shard === other.shard
}
