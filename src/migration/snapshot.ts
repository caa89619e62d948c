import {
  createSnapshot,
  type CreatedSnapshot,
  type SnapshotProgress,
} from '../metadata/create-snapshot.ts'
import type { Migration } from './migration.ts'
import { selectionOf, snapshotName } from './open-snapshot.ts'
import { required } from './required.ts'

/** Makes the configured snapshot on the source; the repository that it registers is noted in the ledger. */
export async function createConfiguredSnapshot(
  migration: Migration,
  onProgress: (progress: SnapshotProgress) => void,
): Promise<CreatedSnapshot> {
  const { config, signal } = migration
  const { rateMbPerNode } = config.snapshot
  const repository = required(config.snapshot.repository, 'snapshot.repository')
  const source = await migration.source()
  return createSnapshot(source, {
    migration: config.name,
    repository,
    name: snapshotName(config),
    select: selectionOf(config),
    state: await migration.state('write'),
    ...(rateMbPerNode !== undefined && { rateMbPerNode }),
    onProgress,
    signal,
  })
}
