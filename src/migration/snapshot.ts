import { statfs } from 'node:fs/promises'
import { MigrationError } from '../base/errors.ts'
import { plannedBackfills, type PlannedBackfill } from '../backfill/status.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Restored } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import {
  createSnapshot,
  type BegunSnapshot,
  type CreatedSnapshot,
} from '../take/create-snapshot.ts'
import { deleteSnapshot, requireSnapshot } from '../take/delete-snapshot.ts'
import {
  ownRepositoryName,
  requireRepository,
  unregister,
  type RepositoryChoice,
} from '../take/repository.ts'
import {
  isRunning,
  readSnapshotRecord,
  readSnapshotStatus,
  type SnapshotProgress,
  type SnapshotRecord,
} from '../take/snapshot-status.ts'
import { startProofKind } from '../sync/records.ts'
import type { Config } from './config.ts'
import type { Migration } from './migration.ts'
import { selectionOf, snapshotName, storeOptions } from './open-snapshot.ts'
import { required } from './required.ts'
import { proveCapture, type StartOrder } from './start-order.ts'

export interface CreateHandlers {
  readonly wait?: boolean
  readonly onBegin?: (begun: BegunSnapshot) => void
  readonly onProgress: (progress: SnapshotProgress) => void
  /** How it is proven, for a live migration, that the proxy sees the writes; absent: not at all. */
  readonly order?: StartOrder
}

/** Makes the configured snapshot on the source; the repository that it registers is noted in the ledger. */
export async function createConfiguredSnapshot(
  migration: Migration,
  { order, ...handlers }: CreateHandlers,
): Promise<CreatedSnapshot> {
  if (order && !(await isProven(migration))) await proveCapture(migration, order)
  const { config, signal } = migration
  const { rateMbPerNode, compress, repositorySettings, globalState, stallMax } = config.snapshot
  const { s3 } = storeOptions(config)
  const choice = repositoryChoice(config)
  const source = await migration.source()
  return createSnapshot(source, {
    ...choice,
    name: snapshotName(config),
    select: selectionOf(config),
    state: await migration.state('write'),
    repositoryOptions: {
      compress,
      settings: repositorySettings,
      ...(s3 && { s3 }),
      ...(rateMbPerNode !== undefined && { rateMbPerNode }),
    },
    globalState,
    bytesFree: () => bytesFreeAt(config.snapshot.repository),
    stallMaxMs: stallMax,
    ...handlers,
    signal,
  })
}

/** Whether the source has begun the snapshot already, and how it was then is noted: what is seen now proves nothing of it. */
async function isProven(migration: Migration): Promise<boolean> {
  const { config, signal } = migration
  const state = await migration.state('write')
  if ((await state.get(startProofKind, 'start')) === undefined) return false
  const source = await migration.source()
  try {
    const { name: repository } = await requireRepository(source, repositoryChoice(config), signal)
    const there = await readSnapshotRecord(source, repository, snapshotName(config), { signal })
    return there !== undefined
  } catch (error) {
    if (error instanceof MigrationError && error.code === 'MA_REPOSITORY') return false
    throw error
  }
}

/** The repository as the source knows it: by its name there, else by the location that its nodes see. */
function repositoryChoice(config: Config): RepositoryChoice {
  const { sourceRepository, sourceLocation, repository } = config.snapshot
  const migration = config.name
  if (sourceRepository !== undefined) return { migration, registeredAs: sourceRepository }
  const location = sourceLocation ?? required(repository, 'snapshot.repository')
  return { migration, location }
}

/** What is free in a folder of this machine; undefined for other places, and for a folder that is not there. */
async function bytesFreeAt(location: string | undefined): Promise<number | undefined> {
  const path = location?.replace(/^file:\/\/(?=\/)/, '')
  if (path?.startsWith('/') !== true) return undefined
  const found = await statfs(path).catch(() => undefined)
  return found && found.bavail * found.bsize
}

export interface SnapshotView {
  readonly snapshot: SnapshotRecord
  /** undefined where the source does not tell. */
  readonly progress: SnapshotProgress | undefined
  readonly repository: string
}

/** The configured snapshot as the source tells it. */
export async function readSnapshotView(migration: Migration): Promise<SnapshotView> {
  const { config, signal } = migration
  const source = await migration.source()
  const { name: repository } = await requireRepository(source, repositoryChoice(config), signal)
  const name = snapshotName(config)
  const snapshot = await requireSnapshot(source, { repository, name, signal })
  const progress = await readSnapshotStatus(source, repository, name, { signal })
  return { snapshot, progress, repository }
}

export interface DeleteWanted {
  /** Also one that is being made. */
  readonly cancel: boolean
  /** Also one that the backfill of this migration reads. */
  readonly inUse: boolean
  /** Whether the repository is to be taken off afterwards, for which the state is written to. */
  readonly unregister: boolean
  /** Asked when all else allows it; false: nothing is done. */
  readonly confirm: (snapshot: SnapshotRecord, repository: string) => Promise<boolean>
}

/** undefined when it was not confirmed. */
export async function deleteConfiguredSnapshot(
  migration: Migration,
  { cancel, inUse, unregister: writes, confirm }: DeleteWanted,
): Promise<{ snapshot: SnapshotRecord; repository: string } | undefined> {
  const { config, signal } = migration
  const name = snapshotName(config)
  // The process that waits for the snapshot to be cancelled holds the state.
  const mode = writes ? 'write' : 'read'
  if (!inUse && migration.hasState) await refuseInUse(await migration.state(mode), name)
  const source = await migration.source()
  const { name: repository } = await requireRepository(source, repositoryChoice(config), signal)
  const snapshot = await requireSnapshot(source, { repository, name, signal })
  if ((cancel || !isRunning(snapshot.state)) && !(await confirm(snapshot, repository))) {
    return undefined
  }
  const waitMaxMs = config.snapshot.stallMax
  await deleteSnapshot(source, { repository, name, cancel, waitMaxMs, signal })
  return { snapshot, repository }
}

async function refuseInUse(state: StateStore, name: string): Promise<void> {
  const indices = (await plannedBackfills(state)).filter(({ snapshot }) => snapshot === name)
  if (indices.length === 0) return
  throw new MigrationError(
    'MA_SNAPSHOT',
    `the backfill of this migration reads the snapshot ${name}: ${summary(indices)}. ` +
      'Comparison and dead letters read it, too. When it is not needed any more, say --in-use',
    { details: { snapshot: name, indices: indices.slice(0, 1000) } },
  )
}

function summary(indices: readonly PlannedBackfill[]): string {
  const done = indices.filter(({ state }) => state === 'done').length
  const open = indices.filter(({ state }) => state !== 'done').map(({ index }) => index)
  const shown = open.length === 0 ? '' : `, open: ${open.slice(0, 10).join(', ')}`
  return `${done} of ${indices.length} indices are done${shown}`
}

/** Takes off the repository that this migration registered; undefined when it registered none. */
export async function unregisterOwn(migration: Migration): Promise<Restored | undefined> {
  if (!migration.hasState) return undefined
  const state = await migration.state('write')
  const source: Cluster = await migration.source()
  return unregister(source, ownRepositoryName(migration.config.name), state)
}
