import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { StateStore } from '../state/store.ts'
import { requirePluginOnAll } from './advice.ts'
import {
  requireIdle,
  requirePrimaries,
  requireSpace,
  type PrimaryBytes,
  type SpaceNeeded,
} from './checks.ts'
import { chooseIndices, type ChosenIndices, type LeftOut } from './choose-indices.ts'
import { repositoryPlace, type RepositoryOptions } from './place.ts'
import { readyRepository, reasonOf, unregisterNew, type RepositoryChoice } from './repository.ts'
import {
  isRunning,
  readSnapshotRecord,
  readSnapshotStatus,
  snapshotPath,
  type SnapshotProgress,
  type SnapshotRecord,
} from './snapshot-status.ts'

export interface CreateSnapshotInput extends RepositoryChoice {
  /** Name of the snapshot. */
  readonly name: string
  readonly select: Selection
  /** Given, the registered repository is noted in the ledger, and goes at close. */
  readonly state?: StateStore
  /** How the repository is registered. Default: its metadata compressed, the engine's own rate. */
  readonly repositoryOptions?: RepositoryOptions
  /** Whether templates, pipelines and cluster settings come along. Default true. */
  readonly globalState?: boolean
  /** Free bytes where the repository is, asked when it is registered; undefined where that is not known. */
  readonly bytesFree?: () => Promise<number | undefined>
  /** False: answers as soon as the source has begun. Default true. */
  readonly wait?: boolean
  /** How long nothing may move before it is given up to wait. Default 1 hour. */
  readonly stallMaxMs?: number
  readonly onBegin?: (begun: BegunSnapshot) => void
  readonly onProgress?: (progress: SnapshotProgress) => void
  readonly signal?: AbortSignal
}

/** What is known when the source has begun. */
export interface BegunSnapshot {
  /** As registered on the source. */
  readonly repository: string
  readonly name: string
  readonly indices: readonly string[]
  readonly leftOut: readonly LeftOut[]
  /** undefined when a snapshot that was being made already is waited for. */
  readonly space: SpaceNeeded | undefined
}

export interface CreatedSnapshot extends BegunSnapshot {
  /** '' while it is being made, and where the engine (before 5.0) gives none. */
  readonly uuid: string
  readonly state: string
  readonly shards: number
  /** 0 while it is being made. */
  readonly durationMs: number
}

/**
 * Makes a snapshot of the selected indices and waits until it is complete. Nothing is flushed, closed or changed on the
 * source beyond the registered repository, which goes again where the snapshot is not begun. One of that name that is
 * being made of the same indices already is waited for.
 *
 * Errors, before anything is begun: MA_REPOSITORY when the source cannot use the location or it does not fit there,
 * MA_SNAPSHOT when the name is taken, primary shards are missing, or another snapshot is being made. Afterwards:
 * MA_SNAPSHOT when it ends other than complete (naming the shards that failed), is deleted, or does not move any more;
 * MA_STOPPED when told to stop: the source goes on making it.
 */
export async function createSnapshot(
  source: Cluster,
  input: CreateSnapshotInput,
): Promise<CreatedSnapshot> {
  const { signal } = input
  const chosen = await chooseIndices(source, input.select, signal)
  const primaryBytes = await requirePrimaries(source, chosen.indices, signal)
  if (input.location !== undefined && input.registeredAs === undefined) {
    await requirePluginOnAll(source, repositoryPlace(input.location).type, signal)
  }
  const begun = await begin(source, input, { chosen, primaryBytes })
  input.onBegin?.(begun)
  if (input.wait !== false) {
    const ended = await waitUntilDone(source, begun, { ...input, primaryBytes })
    return { ...begun, ...outcome(ended) }
  }
  return { ...begun, uuid: '', state: 'IN_PROGRESS', shards: primaryBytes.size, durationMs: 0 }
}

function outcome(
  record: SnapshotRecord,
): Pick<CreatedSnapshot, 'uuid' | 'state' | 'shards' | 'durationMs'> {
  const { uuid, state, shards, startTimeMs, endTimeMs = startTimeMs } = record
  return { uuid, state, shards, durationMs: endTimeMs - startTimeMs }
}

interface Wanted {
  readonly chosen: ChosenIndices
  readonly primaryBytes: PrimaryBytes
}

async function begin(
  source: Cluster,
  input: CreateSnapshotInput,
  { chosen, primaryBytes }: Wanted,
): Promise<BegunSnapshot> {
  const { name, state, signal, repositoryOptions: options = { compress: true } } = input
  const repository = await readyRepository(source, input, {
    options,
    ...(state && { state }),
    ...(signal && { signal }),
  })
  const { indices, leftOut } = chosen
  const begun = { repository: repository.name, name, indices, leftOut }
  try {
    const there = await readSnapshotRecord(source, repository.name, name, { signal })
    if (there && isSame(there, chosen)) return { ...begun, space: undefined }
    if (there) throw taken(there, input, repository.name)
    await requireIdle(source, signal)
    const bytesFree = await input.bytesFree?.()
    const space = await requireSpace(source, repository, { primaryBytes, bytesFree, signal })
    await ask(source, snapshotPath(repository.name, name), input, chosen)
    return { ...begun, space }
  } catch (error) {
    if (repository.isNew && !hasBegun(error)) await unregisterNew(source, repository.name, state)
    throw error
  }
}

/** An answer that never came may be that of a snapshot which is being made. */
function hasBegun(error: unknown): boolean {
  return (
    error instanceof MigrationError &&
    (error.code === 'MA_CLUSTER_UNREACHABLE' || error.code === 'MA_STOPPED')
  )
}

/** True for the snapshot that an earlier call has begun and not waited for. */
function isSame(there: SnapshotRecord, { indices }: ChosenIndices): boolean {
  const wanted = new Set(indices)
  return (
    isRunning(there.state) &&
    there.indices.length === wanted.size &&
    there.indices.every((index) => wanted.has(index))
  )
}

function taken(
  { state }: SnapshotRecord,
  { name, location }: CreateSnapshotInput,
  repository: string,
): MigrationError {
  const next = isRunning(state)
    ? 'it is being made of other indices; watch it with: osmigrate snapshot status'
    : 'use it as it is (without creating one), or choose another name'
  return new MigrationError(
    'MA_SNAPSHOT',
    `there is a snapshot ${name} in ${location ?? repository} already (${state}); ${next}`,
    { details: { snapshot: name, state } },
  )
}

/** Without `partial` a snapshot that would lack a shard is refused before it begins. */
async function ask(
  source: Cluster,
  path: string,
  { name, globalState = true, signal }: CreateSnapshotInput,
  { names }: ChosenIndices,
): Promise<void> {
  const body: JsonObject = {
    indices: names.join(','),
    include_global_state: globalState,
    partial: false,
    // Without it the global state brings the indices of all features along.
    ...(globalState && hasFeatureStates(source) && { feature_states: ['none'] }),
  }
  const answer = await source.request('PUT', path, {
    query: { wait_for_completion: false },
    body,
    accept: [400, 404, 500, 503],
    ...(signal && { signal }),
  })
  if (answer.status < 400) return
  throw new MigrationError(
    'MA_SNAPSHOT',
    `the source ${source.url} cannot make the snapshot ${name}: ${reasonOf(answer.body)}`,
    { details: { snapshot: name, status: answer.status }, retryable: answer.status === 503 },
  )
}

function hasFeatureStates({ version }: Cluster): boolean {
  const { flavour, major, minor } = version
  return flavour === 'elasticsearch' && (major > 7 || (major === 7 && minor >= 12))
}

const pollMsMin = 100
const pollMsMax = 2_000
const stallMaxMsDefault = 3_600_000

/** Waits while anything moves; a snapshot of terabytes takes hours. */
async function waitUntilDone(
  source: Cluster,
  { repository, name }: BegunSnapshot,
  input: CreateSnapshotInput & { primaryBytes: PrimaryBytes },
): Promise<SnapshotRecord> {
  const { onProgress, signal, primaryBytes, stallMaxMs = stallMaxMsDefault } = input
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
          requireSuccess(record)
          return record
        }
        if (!record && stall.hasSeen) throw vanished(source, name)
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
  hasSeen = false
  lastError: MigrationError | undefined

  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  see(progress: SnapshotProgress | undefined): void {
    this.lastError = undefined
    if (!progress) return
    this.hasSeen = true
    const now = `${progress.state} ${progress.shardsDone} ${progress.bytesDone} ${progress.bytesTotal}`
    if (now === this.#last) return
    this.#last = now
    this.#since = performance.now()
  }

  get isOver(): boolean {
    return performance.now() - this.#since > this.#maxMs
  }

  get minutes(): number {
    return Math.round((performance.now() - this.#since) / 60_000)
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

function stalled(source: Cluster, name: string, { minutes, lastError }: Stall): MigrationError {
  const found = lastError ? `: ${lastError.message}` : ', though the source answers'
  return new MigrationError(
    'MA_SNAPSHOT',
    `nothing of the snapshot ${name} has moved for ${minutes} min on ${source.url}${found}. The source may go on making it. ${howToGoOn}`,
    { ...(lastError && { cause: lastError }), details: { snapshot: name }, retryable: true },
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
