import { openShardReader } from '../document/open-shard-reader.ts'
import { sourceLook } from '../document/source-sample.ts'
import { applyMetadata, type ApplyInput, type MetadataResult } from '../metadata/apply.ts'
import { evaluateMetadata } from '../metadata/evaluate.ts'
import type { MetadataPlan } from '../metadata/plan.ts'
import type { StateStore } from '../state/store.ts'
import type { Migration } from './migration.ts'
import { required } from './required.ts'
import { selectionOf } from './open-snapshot.ts'

/** What carrying the metadata over would do; changes nothing. */
export async function planMetadata(migration: Migration): Promise<MetadataPlan> {
  const state = migration.hasState ? await migration.state('read') : undefined
  return evaluate(migration, state)
}

/** Plans anew, so that what is applied is what the target looks like now, and applies it. */
export async function migrateMetadata(
  migration: Migration,
  onApplied: NonNullable<ApplyInput['onApplied']>,
): Promise<{ plan: MetadataPlan; result: MetadataResult }> {
  const state = await migration.state('write')
  const plan = await evaluate(migration, state)
  const target = await migration.target()
  const { signal } = migration
  return { plan, result: await applyMetadata(plan, { target, state, signal, onApplied }) }
}

async function evaluate(
  migration: Migration,
  state: StateStore | undefined,
): Promise<MetadataPlan> {
  const { config, signal } = migration
  return evaluateMetadata({
    repository: required(config.snapshot.repository, 'snapshot.repository'),
    snapshot: await migration.snapshot(),
    target: await migration.target(),
    select: selectionOf(config),
    options: config.metadata,
    openShard: (files) => openShardReader(files, { verify: 'touched' }),
    sourceLook,
    allowPartialSource: config.snapshot.allowPartialSource,
    ...(state && { state }),
    signal,
  })
}
