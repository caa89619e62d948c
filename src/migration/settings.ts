import { settingAccess } from '../metadata/setting-access.ts'
import { openEntries, restoreSettings, type Restored } from '../state/ledger.ts'
import type { Migration } from './migration.ts'

/** Puts back every setting that the ledger still holds as changed. Connects only to the sides that it names. */
export async function restoreAllSettings(migration: Migration): Promise<Restored[]> {
  if (!migration.hasState) return []
  const state = await migration.state('write')
  const sides = new Set((await openEntries(state)).map((entry) => entry.value.side))
  const access = settingAccess({
    ...(sides.has('source') && { source: await migration.source() }),
    ...(sides.has('target') && { target: await migration.target() }),
  })
  return restoreSettings(state, access)
}
