import type { Cluster } from '../cluster/cluster.ts'
import type { StateStore } from '../state/store.ts'
import { highestPriority, isPriorityTaken, putOwnTemplate } from './own-template.ts'
import { removeLeftOver, uniquePart, withTemporary } from './temporary.ts'

const shieldPrefix = '_index_template/osmigrate-shield-'

/**
 * Runs `work`, which makes indices of these names (or patterns), such that no template of the target adds to them: an
 * index must get the settings, fields and aliases that it has on the source, not those that its templates would give a
 * new one. Of the templates that fit a name the engine takes the one with the highest priority alone, and none of the
 * older kind: an empty one, for these names only, is put there meanwhile.
 */
export async function withoutTemplates(
  target: Cluster,
  state: StateStore,
  names: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  await removeLeftOver({ target, state }, shieldPrefix)
  if (names.length === 0) return work()
  const shield = `${shieldPrefix}${uniquePart()}`
  await withTemporary({ target, state }, shield, async () => {
    await putOnTop(target, shield, names)
    await work()
  })
}

/** As many hosts as may make the same indices at the same time. */
const hostsMax = 64

/** The engine refuses two templates of one priority for one name: who comes second stands below, and is as empty. */
async function putOnTop(target: Cluster, path: string, names: readonly string[]): Promise<void> {
  for (let below = 0; ; below++) {
    try {
      const priority = highestPriority - below
      return await putOwnTemplate(target, path, { patterns: names, priority, settings: {} })
    } catch (error) {
      if (!isPriorityTaken(String(error)) || below === hostsMax) throw error
    }
  }
}
