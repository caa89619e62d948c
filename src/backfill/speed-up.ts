import type { Cluster } from '../cluster/cluster.ts'
import { applyIndexSetting, readIndexSetting } from '../cluster/settings.ts'
import {
  changeSetting,
  restoreSettings,
  type Restored,
  type SettingAccess,
} from '../state/ledger.ts'
import type { TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'

/** Refresh off and no replicas on the target indices while they are filled; the ledger knows what they were. */
export async function speedUpTarget(
  state: StateStore,
  target: Cluster,
  indices: readonly TargetIndex[],
): Promise<void> {
  const access = indexSettings(target)
  for (const { targetIndex: index } of indices) {
    const common = { side: 'target', index, until: 'backfill' } as const
    await changeSetting(state, access, {
      ...common,
      setting: 'index.refresh_interval',
      newValue: '-1',
    })
    await changeSetting(state, access, {
      ...common,
      setting: 'index.number_of_replicas',
      newValue: '0',
    })
  }
}

/** Puts back what speedUpTarget() changed, in this run or in one that was killed. */
export async function endSpeedUp(state: StateStore, target: Cluster): Promise<Restored[]> {
  return restoreSettings(state, indexSettings(target), { side: 'target', until: 'backfill' })
}

/** The settings of a cluster's indices. */
function indexSettings(cluster: Cluster): SettingAccess {
  return {
    read: ({ index, setting }) => readIndexSetting(cluster, index ?? '', setting),
    apply: ({ index, setting }, value) => applyIndexSetting(cluster, index ?? '', setting, value),
  }
}
