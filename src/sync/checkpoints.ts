import {
  logCheckpointKey,
  logCheckpointKind,
  neededFrom,
  type LogCheckpoint,
} from '../state/log-checkpoint.ts'
import type { Change, StateStore } from '../state/store.ts'
import type { LogFeed, StreamEnds } from '../traffic/log-feed.ts'
import type { StreamProgress } from '../traffic/stream-progress.ts'

const consumer = 'sync'

/** How far sync has come in each stream, as the state knows it; the log is let go of behind. */
export class Checkpoints {
  readonly #state: StateStore
  /** As committed. */
  readonly #offsets = new Map<string, number>()
  /** As the log was told. */
  readonly #released = new Map<string, number>()

  static async load(state: StateStore): Promise<Checkpoints> {
    const checkpoints = new Checkpoints(state)
    for await (const { value } of state.each(logCheckpointKind)) {
      if (value.consumer === consumer) checkpoints.#offsets.set(value.stream, value.offset)
    }
    return checkpoints
  }

  private constructor(state: StateStore) {
    this.#state = state
  }

  get offsets(): ReadonlyMap<string, number> {
    return this.#offsets
  }

  /** What has to be committed for these streams to go on from where they are done with now. */
  advanced(streams: Iterable<StreamProgress>): Advance {
    const advance: Advance = { changes: [], offsets: new Map() }
    for (const progress of streams) {
      const { stream, settledTo: offset } = progress
      if (this.#offsets.get(stream) === offset) continue
      const value: LogCheckpoint = {
        ...{ stream, consumer, offset, recordedAt: progress.readAt },
        at: new Date().toISOString(),
      }
      advance.offsets.set(stream, offset)
      const key = logCheckpointKey(value)
      advance.changes.push({ op: 'put', kind: logCheckpointKind, key, value })
    }
    return advance
  }

  committed({ offsets }: Advance): void {
    for (const [stream, offset] of offsets) this.#offsets.set(stream, offset)
  }

  /** Whether all that lay before these ends of streams is done with. */
  hasPassed(ends: StreamEnds): boolean {
    return Object.entries(ends).every(([stream, end]) => (this.#offsets.get(stream) ?? -1) >= end)
  }

  /** Lets the log remove what no consumer needs any more. */
  async release(feed: LogFeed): Promise<void> {
    for (const stream of feed.streamNames) {
      const offset = await this.#neededFrom(stream)
      if (offset === undefined || this.#released.get(stream) === offset) continue
      await feed.release({ stream, offset })
      this.#released.set(stream, offset)
    }
  }

  async #neededFrom(stream: string): Promise<number | undefined> {
    const records = await this.#state.list(logCheckpointKind, { prefix: `${stream} ` })
    const checkpoints = records.map(({ value }) => value)
    return neededFrom(checkpoints, Date.now())
  }
}

export interface Advance {
  readonly changes: Change[]
  readonly offsets: Map<string, number>
}
