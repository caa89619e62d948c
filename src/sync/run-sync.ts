import { setTimeout as wait } from 'node:timers/promises'
import { allOf } from '../base/all-of.ts'
import { MigrationError } from '../base/errors.ts'
import { syncRunKind, type SyncRun } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { Heartbeat } from './heartbeat.ts'
import { syncRequestKind } from './records.ts'
import type { SyncStatus } from './status.ts'
import { openParts, type SyncInput, type SyncParts } from './sync-parts.ts'

/** The run as others in its process see it. */
export type FollowingSync = Pick<Heartbeat, 'status' | 'prove'>

export interface RunSyncInput extends SyncInput {
  readonly version: string
  /** Stops it: what was read goes to the target, then it ends. */
  readonly signal: AbortSignal
  /** Each time that it begins to follow; the run ends when this throws. */
  readonly onRunning: (run: FollowingSync) => Promise<void>
}

const againAfterMs = 5000
/** So long it tries to go on when a cluster is away; the log keeps what is written meanwhile. */
const giveUpAfterMs = 24 * 3_600_000

/**
 * Follows the source until it is stopped: reads the capture log, writes what it comes to, audits. It goes on where an
 * earlier run ended, in whatever way that ended. Returns when it was asked to stop and what it had read is on the target, or
 * `drainTimeout` is over: the rest is read again.
 *
 * A cluster that is away for longer than `waitMax` ends what was under way; it is begun anew as soon as that goes, for a day.
 * Throws what keeps it from following otherwise, and what kept it from beginning.
 */
export async function runSync(input: RunSyncInput): Promise<SyncStatus> {
  const { state, signal } = input
  await state.commit([{ op: 'delete', kind: syncRequestKind, key: 'stop' }])
  const startedAt = new Date().toISOString()
  const note = noteRun(state, startedAt)
  await note('running')
  let followedAt: number | undefined
  const onRunning = async (run: FollowingSync): Promise<void> => {
    await note('running')
    await input.onRunning(run)
  }
  for (;;) {
    const following = new Following({ ...input, startedAt, onRunning })
    try {
      const status = await following.run()
      await note('stopped')
      return status
    } catch (error) {
      if (following.hasFollowed) followedAt = performance.now()
      const isAway = error instanceof MigrationError && error.retryable && followedAt !== undefined
      if (!isAway || signal.aborted || performance.now() - followedAt! > giveUpAfterMs) {
        await note(isStop(error) ? 'stopped' : 'failed', isStop(error) ? undefined : error)
        throw error
      }
      await note('running', error)
    }
    await wait(againAfterMs, undefined, { signal }).catch(() => undefined)
  }
}

function noteRun(
  state: StateStore,
  startedAt: string,
): (stands: SyncRun['state'], error?: unknown) => Promise<void> {
  return (stands, error) => {
    const value: SyncRun = {
      ...{ state: stands, pid: process.pid, startedAt },
      endedAt: stands === 'running' ? null : new Date().toISOString(),
      error: error === undefined ? null : errorRecord(error),
    }
    return state.commit([{ op: 'put', kind: syncRunKind, key: 'run', value }])
  }
}

/** From one opening of all parts to their end. */
class Following {
  readonly #input: RunSyncInput & { readonly startedAt: string }
  /** Ends what begins new work: reading the log, auditing, following metadata. */
  readonly #reading = new AbortController()
  /** Ends everything. */
  readonly #writing = new AbortController()
  hasFollowed = false

  constructor(input: RunSyncInput & { readonly startedAt: string }) {
    this.#input = input
  }

  async run(): Promise<SyncStatus> {
    const { signal } = this.#input
    const stop = (): void => this.#endReading()
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    const signals = { reading: this.#reading.signal, writing: this.#writing.signal }
    try {
      const parts = await openParts(this.#input, signals)
      try {
        return await this.#work(parts)
      } finally {
        this.#writing.abort(stopped())
        parts.applier.close()
        await parts.feed.close()
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #work(parts: SyncParts): Promise<SyncStatus> {
    const onStop = (): void => this.#endReading()
    const heartbeat = new Heartbeat(parts, { ...this.#input, onStop })
    const beating = new AbortController()
    // One that ends, in whatever way, ends the other: no more is read, and what was read is brought to the target.
    const beat = heartbeat.run(beating.signal).finally(onStop)
    const work = this.#whileReading(parts, heartbeat).finally(async () => {
      onStop()
      heartbeat.isDraining = true
      await this.#drain(parts)
      beating.abort()
    })
    await allOf([work, beat])
    await heartbeat.beat()
    return heartbeat.status()
  }

  async #whileReading(parts: SyncParts, heartbeat: Heartbeat): Promise<void> {
    const { signal } = this.#reading
    const { follower, audit, reconciling, remembering, reconciler } = parts
    try {
      await reconciler.reconcile('all')
      await this.#input.onRunning(heartbeat)
      this.hasFollowed = true
      const tasks = [
        ...[follower.run(signal), audit.run()],
        ...[reconciling.run(signal), remembering.run(signal)],
      ]
      await allOf(tasks.map((task) => task.finally(() => this.#endReading())))
    } catch (error) {
      if (!signal.aborted || !isStop(error)) throw error
    }
  }

  #endReading(): void {
    this.#reading.abort(stopped())
  }

  /** What ended the applier is told by whom it kept from going on. */
  async #drain({ applier }: SyncParts): Promise<void> {
    const done = new AbortController()
    const { drainTimeout } = this.#input.options
    const timeout = wait(drainTimeout, undefined, { signal: done.signal }).catch(() => undefined)
    await Promise.race([applier.flush().catch(() => undefined), timeout])
    done.abort()
  }
}

function stopped(): MigrationError {
  return new MigrationError('MA_STOPPED', 'sync is stopped; sync start goes on from there')
}

function isStop(error: unknown): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError'
  return isAbort || (error instanceof MigrationError && error.code === 'MA_STOPPED')
}

function errorRecord(error: unknown): { code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  return { code: error instanceof MigrationError ? error.code : 'MA_BUG', message }
}
