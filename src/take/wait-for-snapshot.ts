import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { PrimaryBytes } from './checks.ts'
import {
  isRunning,
  readSnapshotRecord,
  readSnapshotStatus,
  type SnapshotProgress,
  type SnapshotRecord,
} from './snapshot-status.ts'

export interface WaitOptions {
  /** Sizes of shards that are not begun. */
  readonly primaryBytes: PrimaryBytes
  /** How long nothing may move before it is given up to wait. Default 1 hour. */
  readonly stallMaxMs?: number
  readonly onProgress?: (progress: SnapshotProgress) => void
  readonly signal?: AbortSignal
}

const pollMsMin = 100
const pollMsMax = 2_000
const stallMaxMsDefault = 3_600_000
/** A busy source may not know at once what it was asked for. */
const appearsMaxMs = 60_000

/**
 * Waits for a snapshot that the source is making, while anything of it moves: one of terabytes takes hours.
 *
 * Errors: MA_SNAPSHOT when it ends other than complete (naming the shards that failed), is gone, or does not move any
 * more; MA_STOPPED when told to stop. The source goes on in either of the last cases.
 */
export async function waitForSnapshot(
  source: Cluster,
  { repository, name }: { readonly repository: string; readonly name: string },
  options: WaitOptions,
): Promise<SnapshotRecord> {
  const { onProgress, signal, primaryBytes, stallMaxMs = stallMaxMsDefault } = options
  const stall = new Stall(stallMaxMs)
  for (let pollMs = pollMsMin; ; pollMs = Math.min(pollMs * 2, pollMsMax)) {
    try {
      const progress = await readSnapshotStatus(source, repository, name, { signal, primaryBytes })
      if (progress) onProgress?.(progress)
      stall.see(progress)
      if (!progress || !isRunning(progress.state)) {
        // The shards are done, and the repository's own files may still be under way: the snapshot itself knows.
        const record = await readSnapshotRecord(source, repository, name, { signal })
        if (record && !isRunning(record.state)) {
          if (progress) onProgress?.({ ...progress, state: record.state })
          if (wasCancelled(record)) throw vanished(source, name)
          requireSuccess(record)
          return record
        }
        if (!record && stall.hadItsTime) throw vanished(source, name)
      }
    } catch (error) {
      if (signal?.aborted) throw stopped(name, error)
      if (!(error instanceof MigrationError && error.retryable)) throw error
      stall.lastError = error
    }
    if (stall.isOver) throw stalled(source, name, stall)
    await wait(pollMs, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      throw stopped(name, error)
    })
  }
}

/** Since when nothing has moved. */
class Stall {
  readonly #maxMs: number
  #last = ''
  #since = performance.now()
  #hasSeen = false
  lastError: MigrationError | undefined

  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  see(progress: SnapshotProgress | undefined): void {
    this.lastError = undefined
    if (!progress) return
    this.#hasSeen = true
    const now = `${progress.state} ${progress.shardsDone} ${progress.bytesDone} ${progress.bytesTotal}`
    if (now === this.#last) return
    this.#last = now
    this.#since = performance.now()
  }

  get isOver(): boolean {
    return performance.now() - this.#since > this.#maxMs
  }

  /** True once it was there, or should have been. */
  get hadItsTime(): boolean {
    return this.#hasSeen || performance.now() - this.#since > appearsMaxMs
  }

  /** For people: `12 min`. */
  get duration(): string {
    const seconds = Math.round((performance.now() - this.#since) / 1000)
    return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  }
}

const howToGoOn =
  'Watch it with `osmigrate snapshot status`, wait again with `osmigrate snapshot create`, cancel it with `osmigrate snapshot delete --cancel`'

function stopped(name: string, cause: unknown): MigrationError {
  return new MigrationError(
    'MA_STOPPED',
    `stopped waiting for the snapshot ${name}; the source goes on making it. ${howToGoOn}`,
    { cause, details: { snapshot: name } },
  )
}

function stalled(source: Cluster, name: string, { duration, lastError }: Stall): MigrationError {
  const found = lastError ? `: ${lastError.message}` : ', though the source answers'
  return new MigrationError(
    'MA_SNAPSHOT',
    `nothing of the snapshot ${name} has moved for ${duration} on ${source.url}${found}. The source may go on making it. ${howToGoOn}`,
    { ...(lastError && { cause: lastError }), details: { snapshot: name }, retryable: true },
  )
}

/** A snapshot that is cancelled may be seen for a moment as one that failed, before it goes. */
function wasCancelled({ state, failures }: SnapshotRecord): boolean {
  return (
    state !== 'SUCCESS' &&
    failures.length > 0 &&
    failures.every(({ reason }) => /abort/i.test(reason))
  )
}

function vanished(source: Cluster, name: string): MigrationError {
  return new MigrationError(
    'MA_SNAPSHOT',
    `the snapshot ${name} is gone from ${source.url} before it was complete: somebody has cancelled it, ` +
      'or its nodes could not write its end to the repository (full, or not writable any more); their logs tell',
    { details: { snapshot: name } },
  )
}

const failuresShown = 20

/** Throws MA_SNAPSHOT for a snapshot that is not complete, naming its shards and reasons. */
export function requireSuccess(record: SnapshotRecord): void {
  const { name, state, reason } = record
  if (state === 'SUCCESS') return
  const failures = record.failures.map((one) => `${one.index}[${one.shard}]: ${one.reason}`)
  const shown = failures.slice(0, failuresShown).join('; ')
  const more =
    failures.length > failuresShown ? `; and ${failures.length - failuresShown} more` : ''
  throw new MigrationError(
    'MA_SNAPSHOT',
    `the snapshot ${name} ended ${state}: ${shown === '' ? (reason ?? 'the source does not say why; look into its log') : shown + more}. ` +
      'Mend this on the source, delete the snapshot (osmigrate snapshot delete) and make it again; or leave these indices out',
    { details: { snapshot: name, state, failures: failures.slice(0, 1000) } },
  )
}
