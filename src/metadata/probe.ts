import { eachAtOnce } from '../base/each-at-once.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { StateStore } from '../state/store.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { MetadataPlan, PlannedChange, PlannedIndex } from './plan.ts'
import { temporaryIndices } from './setting-access.ts'
import { withoutTemplates } from './shield.ts'
import { deepestReason } from './target-check.ts'
import { removeLeftOver, uniquePart, withTemporary } from './temporary.ts'

export interface ProbeInput {
  readonly target: Cluster
  readonly state: StateStore
  readonly signal?: AbortSignal
  readonly onProbed?: (done: number, total: number) => void
}

/**
 * Has the target make each index of the plan that is to be made, under a temporary name, and deletes it again: what a
 * simulation does not see (limits of the cluster, plugins that look at an index when it is made) shows. One that is
 * refused is `refused` in the plan that it gives, with the target's reason.
 *
 * Each body is sent whole, with aliases of temporary names, and hidden, so that no search finds it. The prefix of all
 * names is in the ledger before the first is made: after a kill the next probe, `settings restore` or `close` deletes
 * what is left. At most `probesAtOnce` indices are there at once.
 */
export async function probePlan(plan: MetadataPlan, input: ProbeInput): Promise<MetadataPlan> {
  const { target, state, signal } = input
  await removeLeftOver(input, `/${probePrefix}`)
  const toMake = plan.indices.filter(({ action }) => action === 'create')
  if (toMake.length === 0) return plan
  await requireDelete(target)
  const prefix = `${probePrefix}${uniquePart()}-`
  const probed = new Map<PlannedIndex, PlannedIndex>()
  let begun = 0
  const probe = async (index: PlannedIndex): Promise<void> => {
    signal?.throwIfAborted()
    const refusal = await probeIndex(target, `${prefix}${begun++}`, index.body)
    probed.set(index, refusal === undefined ? { ...index, probed: true } : refused(index, refusal))
    input.onProbed?.(probed.size, toMake.length)
  }
  await withoutTemplates(target, state, [`${prefix}*`], () =>
    withTemporary(input, `/${prefix}*`, async () => {
      await eachAtOnce(toMake, probesAtOnce, probe)
    }),
  )
  return { ...plan, indices: plan.indices.map((index) => probed.get(index) ?? index) }
}

const probePrefix = `${temporaryIndices}probe-`
const probesAtOnce = 4

/** Throws MA_CLUSTER_AUTH where the user could make indices that he could not delete again. */
async function requireDelete(target: Cluster): Promise<void> {
  await target.request('DELETE', `/${probePrefix}${uniquePart()}`, { accept: [404] })
}

/** Why the target does not take the body; undefined when it does. Not stopped between making and deleting. */
async function probeIndex(
  target: Cluster,
  name: string,
  { settings, mappings, aliases }: JsonObject,
): Promise<string | undefined> {
  const path = `/${encodeURIComponent(name)}`
  const temporary = Object.values(objectOf(aliases)).map((options, i) => [`${name}-a${i}`, options])
  const answer = await target.request('PUT', path, {
    query: { wait_for_active_shards: 0 },
    body: {
      settings: { ...objectOf(settings), 'index.hidden': 'true' },
      mappings: objectOf(mappings),
      aliases: Object.fromEntries(temporary) as JsonObject,
    },
    accept: [400, 500],
  })
  if (answer.status < 400 || isThere(answer.body)) {
    await target.request('DELETE', path, { accept: [404] })
    return undefined
  }
  const { error } = answer.body
  return (isJsonObject(error) ? deepestReason(error) : textOf(error)).replaceAll(name, 'it')
}

/** A request that was sent again after a lost answer is refused, since it was carried out. */
function isThere({ error }: JsonObject): boolean {
  return objectOf(error).type === 'resource_already_exists_exception'
}

function refused(index: PlannedIndex, why: string): PlannedIndex {
  const change: PlannedChange = {
    path: 'probe',
    what: 'cannot',
    reason: `the target refused it when it was tried: ${why}`,
    loss: true,
  }
  const reason =
    `the target does not take ${index.targetIndex}, which was tried: ${why}. ` +
    'Exclude it, or mend its body in a plan file (metadata evaluate --output, metadata migrate --plan)'
  return { ...index, action: 'refused', reason, changes: [...index.changes, change] }
}
