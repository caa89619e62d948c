import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import { isUnknown, type NodeFacts, type OrUnknown, type PluginFacts } from './assessment.ts'
import { counterpartOf } from './plugins.ts'
import { orUnknown } from './or-unknown.ts'

/** The nodes of a live cluster with their disks and plugins: two requests, whatever the number of indices. */
export async function readNodes(
  cluster: Cluster,
  signal?: AbortSignal,
): Promise<{ nodes: OrUnknown<NodeFacts[]>; plugins: OrUnknown<PluginFacts[]> }> {
  const ask = async (path: string, parts: readonly string[]): Promise<{ byId: JsonObject }> => {
    const { body } = await cluster.request('GET', path, {
      query: { filter_path: parts.map((part) => `nodes.*.${part}`).join(',') },
      ...(signal && { signal }),
    })
    return { byId: objectOf(body.nodes) }
  }
  const infos = await orUnknown(() => ask('/_nodes/plugins', infoParts))
  if (isUnknown(infos)) return { nodes: infos, plugins: infos }
  const disks = await orUnknown(() => ask('/_nodes/stats/fs', ['fs.total']))
  return { nodes: nodeFacts(infos.byId, disks), plugins: pluginFacts(infos.byId) }
}

const infoParts = ['name', 'version', 'roles', 'attributes', 'plugins.name', 'plugins.version']

function nodeFacts(infos: JsonObject, disks: OrUnknown<{ byId: JsonObject }>): NodeFacts[] {
  return Object.entries(infos).map(([id, info]) => {
    const { name, version, roles, attributes } = objectOf(info)
    const total = (key: string): OrUnknown<number> => {
      if (isUnknown(disks)) return disks
      const bytes = objectOf(objectOf(objectOf(disks.byId[id]).fs).total)[key]
      return typeof bytes === 'number' ? bytes : { unknown: 'the node does not say' }
    }
    return {
      name: textOf(name),
      version: textOf(version),
      roles: Array.isArray(roles) ? roles.map(textOf) : oldRoles(objectOf(attributes)),
      diskBytes: total('total_in_bytes'),
      diskFreeBytes: total('available_in_bytes'),
    }
  })
}

/** Before 5.0 a node says `master: false`, `data: false` or `client: true` among its attributes, and has both else. */
function oldRoles({ master, data, client }: JsonObject): string[] {
  if (client === 'true') return []
  return [...(master === 'false' ? [] : ['master']), ...(data === 'false' ? [] : ['data'])]
}

function pluginFacts(infos: JsonObject): PluginFacts[] {
  const found = new Map<string, { version: string; nodes: number }>()
  for (const info of Object.values(infos)) {
    const { plugins } = objectOf(info)
    for (const plugin of Array.isArray(plugins) ? plugins.filter(isJsonObject) : []) {
      const name = textOf(plugin.name)
      const before = found.get(name)
      if (before) before.nodes++
      else found.set(name, { version: textOf(plugin.version), nodes: 1 })
    }
  }
  return [...found]
    .map(([name, facts]) => ({ name, ...facts, ...counterpartOf(name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
