import type { Cluster } from '../cluster/cluster.ts'
import { changeSetting, openEntries, type SettingName } from '../state/ledger.ts'
import { ledgerKind } from '../state/records.ts'
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
  if (names.length === 0) return work()
  const access = settingAccess({ target })
  await changeSetting(state, access, { ...shield, newValue: objectPresent, until: 'close' })
  await target.request('PUT', `/${shield.setting}`, {
    body: { index_patterns: [...names], priority: 2 ** 31 - 1, template: {} },
  })
  try {
    await work()
  } finally {
    await access.apply(shield, null)
    await noteRestored(state)
  }
}

async function noteRestored(state: StateStore): Promise<void> {
  const restoredAt = new Date().toISOString()
  for (const { key, value, revision } of await openEntries(state)) {
    if (value.setting !== shield.setting) continue
    await state.commit([
      { op: 'put', kind: ledgerKind, key, revision, value: { ...value, restoredAt } },
    ])
  }
}
