import assert from 'node:assert/strict'
import { MigrationError } from '../base/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import {
  applyClusterSetting,
  applyIndexSetting,
  readClusterSetting,
  readIndexSetting,
} from '../cluster/settings.ts'
import type { SettingAccess, SettingName } from '../state/ledger.ts'

/** What the names of indices begin with that are there for a moment alone. */
export const temporaryIndices = 'osmigrate-'

/**
 * How entries of the ledger are read and changed on the clusters. Four sorts of names:
 *
 *   index given         a setting of that index
 *   `_<api>/<name>`     an object: a registered repository, an index template; its value is its JSON
 *   `/osmigrate-…*`     temporary indices: all of those names
 *   anything else       a persistent cluster setting
 */
export function settingAccess(clusters: {
  readonly source?: Cluster
  readonly target?: Cluster
}): SettingAccess {
  const clusterOf = ({ side, setting }: SettingName): Cluster => {
    const cluster = clusters[side]
    if (cluster) return cluster
    throw new MigrationError(
      'MA_CONFIG',
      `${setting} was changed on the ${side}, and no ${side} cluster is configured to put it back on; give ${side}.url`,
    )
  }
  return {
    read: (name) => {
      const cluster = clusterOf(name)
      if (name.index !== null) return readIndexSetting(cluster, name.index, name.setting)
      if (name.setting.startsWith('_')) return readObject(cluster, name.setting)
      if (name.setting.startsWith('/')) return readTemporary(cluster, name.setting)
      return readClusterSetting(cluster, name.setting)
    },
    apply: (name, value) => {
      const cluster = clusterOf(name)
      if (name.index !== null) return applyIndexSetting(cluster, name.index, name.setting, value)
      if (name.setting.startsWith('_')) return applyObject(cluster, name.setting, value)
      if (name.setting.startsWith('/')) return applyTemporary(cluster, name.setting, value)
      return applyClusterSetting(cluster, name.setting, value)
    },
  }
}

// Engines print objects with defaults added, so one of ours is known by its name only: its text is kept in the ledger.
async function readObject(cluster: Cluster, path: string): Promise<string | null> {
  const answer = await cluster.request('GET', `/${path}`, { accept: [404] })
  return answer.status === 404 ? null : objectPresent
}

/** The value of every object that is there. */
export const objectPresent = 'present'

async function applyObject(cluster: Cluster, path: string, value: string | null): Promise<void> {
  if (value !== null) return // made by its own call, which has a body; the ledger only remembers that it was made
  const answer = await cluster.request('DELETE', `/${path}`, {
    accept: [400, 404],
    repeatable: true,
  })
  if (answer.status !== 400) return
  // A template that data streams live by cannot be deleted; one that fits none can.
  const body = { index_patterns: [`osmigrate-nothing-${path.split('/').at(-1)!}`], data_stream: {} }
  if (path.startsWith('_index_template/')) await cluster.request('PUT', `/${path}`, { body })
  await cluster.request('DELETE', `/${path}`, { accept: [404] })
}

async function listTemporary(cluster: Cluster, path: string): Promise<string[]> {
  const prefix = path.slice(1, -1)
  assert(path.endsWith('*') && prefix.startsWith(temporaryIndices), path)
  const { body } = await cluster.request('GET', path, {
    query: {
      expand_wildcards: 'all',
      allow_no_indices: true,
      filter_path: '*.settings.index.uuid',
    },
  })
  return Object.keys(body).filter((name) => name.startsWith(prefix))
}

async function readTemporary(cluster: Cluster, path: string): Promise<string | null> {
  return (await listTemporary(cluster, path)).length === 0 ? null : objectPresent
}

/** Deleted one by one: clusters may refuse to delete by a pattern. */
async function applyTemporary(cluster: Cluster, path: string, value: string | null): Promise<void> {
  if (value !== null) return
  for (const name of await listTemporary(cluster, path)) {
    await cluster.request('DELETE', `/${encodeURIComponent(name)}`, { accept: [404] })
  }
}
