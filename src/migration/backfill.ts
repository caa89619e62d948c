import { runBackfill, type BackfillInput, type BackfillSummary } from '../backfill/run.ts'
import { backfillStatus, requestStop, type BackfillStatus } from '../backfill/status.ts'
import { forbidAutoCreate } from '../metadata/fence.ts'
import type { LockHolder } from '../base/folder-lock.ts'
import { currentWriter } from '../state/writer-lock.ts'
import { clusterOptions, type Migration } from './migration.ts'
import { selectedIndices, storeOptions } from './open-snapshot.ts'
import { required } from './required.ts'

/** Runs the backfill of the selected indices until it is done, or until the migration's signal stops it. */
export async function runConfiguredBackfill(
  migration: Migration,
  { onProgress, onIdsRead }: Required<Pick<BackfillInput, 'onProgress' | 'onIdsRead'>>,
): Promise<BackfillSummary> {
  const { config, signal } = migration
  const snapshot = await migration.snapshot()
  const target = await migration.target()
  const state = await migration.state('write')
  const transform = await migration.transform()
  // Modules that cannot be used are found before anything is read.
  await transform?.open()
  return runBackfill({
    snapshot,
    target,
    state,
    indices: await selectedIndices(config, snapshot),
    options: config.backfill,
    allowPartial: config.snapshot.allowPartial,
    allowPartialSource: config.snapshot.allowPartialSource,
    reopen: {
      repository: required(config.snapshot.repository, 'snapshot.repository'),
      store: storeOptions(config),
      target: clusterOptions(required(config.target, 'target.url')),
    },
    // Somebody may have put the cluster's settings back since the metadata was migrated.
    beforeWriting: async () => void (await forbidAutoCreate(target, state)),
    ...(transform && { transform: transform.spec }),
    signal,
    onProgress,
    onIdsRead,
  })
}

/** The backfill as any process sees it. */
export async function readBackfillStatus(migration: Migration): Promise<BackfillStatus> {
  const state = await migration.state('read')
  return backfillStatus(state, { isRunning: writerOf(migration) !== undefined })
}

/** The process that works on the migration now. */
export function writerOf(migration: Migration): LockHolder | undefined {
  return currentWriter(migration.loaded.stateFolder, 'write')
}

/** Asks the run at work to stop; false when none is. */
export async function stopBackfill(migration: Migration): Promise<boolean> {
  if (writerOf(migration) === undefined) return false
  await requestStop(await migration.state('note'))
  return true
}
