import { setTimeout as wait } from 'node:timers/promises'
import { allOf } from '../base/all-of.ts'
import { MigrationError } from '../base/errors.ts'
import { Heartbeat } from './heartbeat.ts'
import { syncRunKind, type SyncRun } from '../state/records.ts'
import { syncRequestKind } from './records.ts'
import type { SyncStatus } from './status.ts'
import { openParts, type SyncInput, type SyncParts } from './sync-parts.ts'

export interface RunSyncInput extends SyncInput {
  readonly version: string
  /** Stops it: what was read goes to the target, then it ends. */
  readonly signal: AbortSignal
  /** Once it follows; the run ends when this throws. */
  readonly onRunning: (status: () => SyncStatus) => Promise<void>
}

/**
 * Follows the source until it is stopped: reads the capture log, writes what it comes to, audits. It goes on where an
 * earlier run ended, in whatever way that ended. Returns when it was asked to stop and what it had read is on the target, or
 * `drainTimeout` is over: the rest is read again. Throws what keeps it from following.
 */
export async function runSync(input: RunSyncInput): Promise<SyncStatus> {
  await input.state.commit([{ op: 'delete', kind: syncRequestKind, key: 'stop' }])
  const run = new Run(input)
  await run.note('running')
  try {
    const status = await run.follow()
    await run.note('stopped')
    return status
  } catch (error) {
    if (isStop(error)) await run.note('stopped')
    else await run.note('failed', error)
    throw error
  }
}

class Run {
  readonly #input: RunSyncInput
  readonly #startedAt = new Date().toISOString()
  /** Ends what begins new work: reading the log, auditing, following metadata. */
  readonly #reading = new AbortController()
  /** Ends everything. */
  readonly #writing = new AbortController()

  constructor(input: RunSyncInput) {
    this.#input = input
  }

  async note(stands: SyncRun['state'], error?: unknown): Promise<void> {
    const value: SyncRun = {
      state: stands,
      pid: process.pid,
      startedAt: this.#startedAt,
      endedAt: stands === 'running' ? null : new Date().toISOString(),
      error: error === undefined ? null : errorRecord(error),
    }
    await this.#input.state.commit([{ op: 'put', kind: syncRunKind, key: 'run', value }])
  }

  async follow(): Promise<SyncStatus> {
    const { signal } = this.#input
    const stop = (): void => this.#reading.abort(signal.reason)
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
    const endReading = (): void => this.#reading.abort(stopped())
    const heartbeat = new Heartbeat(parts, {
      ...this.#input,
      ...{ startedAt: this.#startedAt, onStop: endReading },
    })
    const beating = new AbortController()
    const tasks = [heartbeat.run(beating.signal), this.#whileReading(parts, heartbeat)]
    // One that ends, in whatever way, ends the others: reading first, then what was read is brought to the target.
    const [beat, work] = tasks.map((task) => task.finally(endReading))
    const ended = work!.finally(async () => {
      heartbeat.isDraining = true
      await this.#drain(parts)
      beating.abort(stopped())
    })
    await allOf([ended, beat!])
    await heartbeat.beat()
    return heartbeat.status()
  }

  async #whileReading(parts: SyncParts, heartbeat: Heartbeat): Promise<void> {
    const signal = this.#reading.signal
    const { follower, audit, reconciling } = parts
    try {
      await parts.reconciler.reconcile('all')
      await this.#input.onRunning(() => heartbeat.status())
      const tasks = [follower.run(signal), audit.run(), reconciling.run(signal)]
      await allOf(tasks.map((task) => task.finally(() => this.#reading.abort(stopped()))))
    } catch (error) {
      if (!signal.aborted || !isStop(error)) throw error
    }
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
