import { settingAccess } from '../metadata/setting-access.ts'
import { openEntries, restoreSettings, type Restored } from '../state/ledger.ts'
import type { LedgerEntry } from '../state/records.ts'
import type { Migration } from './migration.ts'

export interface RestoredSettings {
  readonly restored: readonly Restored[]
  /** What stands until the migration is closed: among it the fence that keeps late writers out. */
  readonly kept: readonly LedgerEntry[]
}

/**
 * Puts back the settings that the backfill changed, with `all` also those that stand until close. Connects only to the
 * sides that the ledger names.
 */
export async function restoreChanged(
  migration: Migration,
  { all }: { all: boolean },
): Promise<RestoredSettings> {
  if (!migration.hasState) return { restored: [], kept: [] }
  const state = await migration.state('write')
  const open = (await openEntries(state)).map(({ value }) => value)
  const kept = all ? [] : open.filter(({ until }) => until === 'close')
  const sides = new Set(open.filter((entry) => !kept.includes(entry)).map(({ side }) => side))
  const access = settingAccess({
    ...(sides.has('source') && { source: await migration.source() }),
    ...(sides.has('target') && { target: await migration.target() }),
  })
  const restored = await restoreSettings(state, access, all ? {} : { until: 'backfill' })
  return { restored, kept }
}
