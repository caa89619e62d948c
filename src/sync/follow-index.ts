import type { Json, JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refusal } from '../metadata/apply.ts'
import { compareIndex } from '../metadata/compare-metadata.ts'
import { readExistingIndex, type ExistingIndex } from '../metadata/existing.ts'
import type { JsonDifference } from '../metadata/json-difference.ts'
import { objectOf } from '../metadata/json-objects.ts'
import type { PlannedIndex } from '../metadata/plan.ts'
import type { LedgerEntry } from '../state/records.ts'

export interface FollowInput {
  readonly target: Cluster
  /** Settings that are changed for a time. */
  readonly changedMeanwhile: readonly LedgerEntry[]
  readonly signal?: AbortSignal
}

/** What became of an index of the target that was brought in step with the source. */
export interface Followed {
  /** Documents cannot be written to it until this is mended; undefined: they can. */
  readonly waiting?: string
  /** What is otherwise than wanted all the same, and does not touch documents. */
  readonly differs: readonly string[]
  /** As it was found. */
  readonly existing: ExistingIndex | undefined
}

/**
 * Brings mapping and settings of an index that is on the target to what the plan has by now. Fields are only ever added: a
 * mapping that the target refuses makes the index wait, since its documents would get another one. Settings that cannot
 * be changed on an open index are named.
 */
export async function followIndex(planned: PlannedIndex, input: FollowInput): Promise<Followed> {
  const { target, signal } = input
  const existing = await readExistingIndex(target, planned.targetIndex, signal)
  const differences = differencesOf(planned, existing, input)
  if (existing === undefined || differences.length === 0) return { differs: [], existing }
  const refused = await followMapping(planned, differences, input)
  if (refused !== undefined) return { waiting: refused, differs: [], existing }
  await followSettings(planned, differences, input)
  const after = await readExistingIndex(target, planned.targetIndex, signal)
  return { differs: differencesOf(planned, after, input).map(({ path }) => path), existing }
}

/** But for aliases, which are set for all indices at once (follow-aliases.ts). */
function differencesOf(
  planned: PlannedIndex,
  existing: ExistingIndex | undefined,
  { changedMeanwhile }: FollowInput,
): JsonDifference[] {
  const { differences } = compareIndex(planned, existing, changedMeanwhile)
  return differences.filter(({ path }) => !isIn(path, 'aliases'))
}

function isIn(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}.`)
}

/** Why the target does not take the mapping; undefined where it does, or nothing is missing in it. */
async function followMapping(
  { targetIndex, body }: PlannedIndex,
  differences: readonly JsonDifference[],
  { target, signal }: FollowInput,
): Promise<string | undefined> {
  const isMissing = differences.some(
    ({ path, wanted }) => isIn(path, 'mappings') && wanted !== undefined,
  )
  if (!isMissing) return undefined
  const answer = await target.request('PUT', `/${encodeURIComponent(targetIndex)}/_mapping`, {
    body: objectOf(body.mappings),
    repeatable: true,
    accept: [400, 404],
    ...(signal && { signal }),
  })
  return answer.status !== 200 ? refusal(`the mapping of ${targetIndex}`, answer.body) : undefined
}

/** At once, or one by one where one of them is refused. */
async function followSettings(
  { targetIndex, body }: PlannedIndex,
  differences: readonly JsonDifference[],
  { target, signal }: FollowInput,
): Promise<void> {
  const wanted = objectOf(body.settings)
  const names = settingsOf(differences, wanted)
  const put = async (settings: JsonObject): Promise<boolean> => {
    const answer = await target.request('PUT', `/${encodeURIComponent(targetIndex)}/_settings`, {
      body: settings,
      repeatable: true,
      accept: [400, 404],
      ...(signal && { signal }),
    })
    return answer.status === 200
  }
  const all = Object.fromEntries(names.map((name): [string, Json] => [name, wanted[name] ?? null]))
  if (names.length === 0 || (await put(all)) || names.length === 1) return
  for (const name of names) await put({ [name]: all[name]! })
}

/** Full names of the settings that differ; one whose value is a list or an object differs below its name. */
function settingsOf(differences: readonly JsonDifference[], wanted: JsonObject): string[] {
  const paths = differences.map(({ path }) => path).filter((path) => isIn(path, 'settings'))
  const names = paths.map((path) => {
    const name = path.slice('settings.'.length).replace(/\[\d+\]$/, '')
    return Object.keys(wanted).find((one) => isIn(name, one)) ?? name
  })
  return [...new Set(names)]
}
