import { randomBytes } from 'node:crypto'
import type { Cluster } from '../cluster/cluster.ts'
import { changeSetting, noteRestored, openEntries, type SettingName } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import { objectPresent, settingAccess } from './setting-access.ts'

/** Part of a name that no other run gives: several migrations may have one target. */
export function uniquePart(): string {
  return randomBytes(6).toString('hex')
}

/**
 * Runs `work`, which puts a thing on the target that must not stay. It is in the ledger (settingAccess() knows how to
 * take it off) before, and is taken off afterwards, whatever comes out; after a kill by the next removeLeftOver(), by
 * `settings restore`, or by `close`.
 */
export async function withTemporary(
  { target, state }: { target: Cluster; state: StateStore },
  setting: string,
  work: () => Promise<void>,
): Promise<void> {
  const access = settingAccess({ target })
  const name: SettingName = { side: 'target', index: null, setting }
  await changeSetting(state, access, { ...name, newValue: objectPresent, until: 'backfill' })
  try {
    await work()
  } finally {
    await access.apply(name, null)
    await noteRestored(state, name)
  }
}

/** Takes off what runs that were killed have left, by what its names in the ledger begin with. */
export async function removeLeftOver(
  { target, state }: { target: Cluster; state: StateStore },
  prefix: string,
): Promise<void> {
  const access = settingAccess({ target })
  for (const { value } of await openEntries(state)) {
    if (value.side !== 'target' || !value.setting.startsWith(prefix)) continue
    await access.apply(value, null)
    await noteRestored(state, value)
  }
}
