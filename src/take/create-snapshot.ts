import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Selection } from '../base/select.ts'
import type { Answer, Cluster } from '../cluster/cluster.ts'
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
  snapshotPath,
  type SnapshotProgress,
  type SnapshotRecord,
} from './snapshot-status.ts'
import { waitForSnapshot } from './wait-for-snapshot.ts'

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
  if (input.location !== undefined && input.registeredAs === undefined) {
    await requirePluginOnAll(source, repositoryPlace(input.location).type, signal)
  }
  const { begun, primaryBytes } = await chooseAndBegin(source, input)
  input.onBegin?.(begun)
  if (input.wait !== false) {
    const ended = await waitForSnapshot(source, begun, { ...input, primaryBytes })
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

/** Indices come and go at the source: where one of the chosen was deleted before the source began, they are chosen anew. */
async function chooseAndBegin(
  source: Cluster,
  input: CreateSnapshotInput,
): Promise<{ begun: BegunSnapshot; primaryBytes: PrimaryBytes }> {
  const { signal } = input
  for (let tries = 1; ; tries++) {
    const chosen = await chooseIndices(source, input.select, signal)
    const primaryBytes = await requirePrimaries(source, chosen.indices, signal)
    try {
      return { begun: await begin(source, input, { chosen, primaryBytes }), primaryBytes }
    } catch (error) {
      if (!isOfGoneIndex(error) || tries === choicesMax) throw error
    }
  }
}

const choicesMax = 5

function isOfGoneIndex(error: unknown): boolean {
  return error instanceof MigrationError && error.details.indexIsGone === true
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
  let asked = false
  try {
    const there = await readSnapshotRecord(source, repository.name, name, { signal })
    if (there && isSame(there, chosen)) return { ...begun, space: undefined }
    if (there) throw taken(there, input, repository.name)
    await requireIdle(source, signal)
    const bytesFree = await input.bytesFree?.()
    const space = await requireSpace(source, repository, { primaryBytes, bytesFree, signal })
    asked = true
    await ask(source, snapshotPath(repository.name, name), input, chosen)
    return { ...begun, space }
  } catch (error) {
    if (repository.isNew && !(asked && mayHaveBegun(error))) {
      // Where this fails too, what went wrong first is what counts: the ledger still knows of the repository.
      await unregisterNew(source, repository.name, state).catch(() => undefined)
    }
    throw error
  }
}

/** An answer that never came may be that of a snapshot which is being made. */
function mayHaveBegun(error: unknown): boolean {
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
    : 'to go on with it: osmigrate metadata evaluate; to make a new one choose another name (--snapshot)'
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
  const deadline = performance.now() + busyWaitMs
  for (;;) {
    const answer = await source.request('PUT', path, {
      query: { wait_for_completion: false },
      body,
      accept: [400, 404, 500, 503],
      ...(signal && { signal }),
    })
    if (answer.status < 400) return
    if (!isBusy(answer.body) || performance.now() > deadline) {
      throw notBegun(source, name, answer)
    }
    await wait(busyPollMs, undefined, signal ? { signal } : {})
    await requireIdle(source, signal)
  }
}

/** Somebody's snapshot may have begun since the source was found idle, or may still be put away. */
const busyWaitMs = 30_000
const busyPollMs = 500

function isBusy({ error }: JsonObject): boolean {
  return /concurrent_?snapshot_?execution/i.test(JSON.stringify(error ?? ''))
}

function notBegun(source: Cluster, name: string, answer: Answer): MigrationError {
  const { status } = answer
  const indexIsGone =
    status === 404 && JSON.stringify(answer.body.error ?? '').includes('index_not_found')
  return new MigrationError(
    'MA_SNAPSHOT',
    `the source ${source.url} cannot make the snapshot ${name}: ${reasonOf(answer.body)}`,
    {
      details: { snapshot: name, status, ...(indexIsGone && { indexIsGone }) },
      retryable: status === 503,
    },
  )
}

function hasFeatureStates({ version }: Cluster): boolean {
  const { flavour, major, minor } = version
  return flavour === 'elasticsearch' && (major > 7 || (major === 7 && minor >= 12))
}
