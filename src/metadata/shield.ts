import type { Cluster } from '../cluster/cluster.ts'
import { changeSetting, noteRestored, openEntries, type SettingName } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import { objectPresent, settingAccess } from './setting-access.ts'

const shield: SettingName = {
  side: 'target',
  index: null,
  setting: '_index_template/osmigrate-shield',
}

/**
 * Runs `work`, which makes indices of these names, such that no template of the target adds to them: an index must get
 * the settings, fields and aliases that it has on the source, not those that its templates would give a new one. Of
 * the templates that fit a name the engine takes the one with the highest priority alone, and none of the older kind:
 * an empty one, for these names only, is put there meanwhile.
 */
export async function withoutTemplates(
  target: Cluster,
  state: StateStore,
  names: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  if (names.length === 0 && !(await isLeftOver(state))) return work()
  const access = settingAccess({ target })
  if (names.length > 0) {
    await changeSetting(state, access, { ...shield, newValue: objectPresent, until: 'close' })
    await target.request('PUT', `/${shield.setting}`, {
      body: { index_patterns: [...names], priority: 2 ** 31 - 1, template: {} },
    })
  }
  try {
    await work()
  } finally {
    await access.apply(shield, null)
    await noteRestored(state, shield)
  }
}

/** A run that was killed may have left its own. */
async function isLeftOver(state: StateStore): Promise<boolean> {
  return (await openEntries(state)).some(({ value }) => value.setting === shield.setting)
}
