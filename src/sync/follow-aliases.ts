import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refusal } from '../metadata/apply.ts'
import { differingPaths } from '../metadata/json-difference.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'

/** The aliases that an index of the target has, and those that it is to have. */
export interface IndexAliases {
  /** Name on the source, for messages. */
  readonly index: string
  readonly targetIndex: string
  readonly found: JsonObject
  readonly wanted: JsonObject
}

/**
 * Gives all of these indices their aliases in one request, so that one which goes from index to index is never on both or
 * on none. Gives what the target refuses, by index: then each index is tried alone.
 */
export async function followAliases(
  target: Cluster,
  indices: readonly IndexAliases[],
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const refused = new Map<string, string>()
  const changed = indices
    .map((one) => ({ one, actions: actionsOf(one) }))
    .filter(({ actions }) => actions.length > 0)
  const all = changed.flatMap(({ actions }) => actions)
  if (all.length === 0 || (await putAliases(target, all, signal)) === undefined) return refused
  for (const { one, actions } of changed) {
    const why = await putAliases(target, actions, signal)
    if (why !== undefined) refused.set(one.index, why)
  }
  return refused
}

/** Takes aliases off that have a name which an index is about to get, or that index could not be made. */
export async function removeAliases(
  target: Cluster,
  indices: readonly IndexAliases[],
  names: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<void> {
  const actions = indices.flatMap((one) =>
    actionsOf(one).filter(({ remove }) => names.has(textOf(objectOf(remove).alias))),
  )
  if (actions.length > 0) await putAliases(target, actions, signal)
}

function actionsOf({ targetIndex: index, found, wanted }: IndexAliases): JsonObject[] {
  const gone = Object.keys(found).filter((alias) => !(alias in wanted) && !isOurs(alias))
  const other = Object.keys(wanted).filter(
    (alias) => !(alias in found) || differingPaths(wanted[alias]!, found[alias]!).length > 0,
  )
  return [
    ...gone.map((alias) => ({ remove: { index, alias } })),
    ...other.map((alias) => ({ add: { index, alias, ...objectOf(wanted[alias]) } })),
  ]
}

/** Fences stay whatever the source has. */
function isOurs(alias: string): boolean {
  return alias.startsWith('osmigrate-')
}

async function putAliases(
  target: Cluster,
  actions: readonly JsonObject[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const answer = await target.request('POST', '/_aliases', {
    body: { actions: [...actions] },
    repeatable: true,
    accept: [400, 404],
    ...(signal && { signal }),
  })
  return answer.status === 200 ? undefined : refusal('its aliases', answer.body)
}
