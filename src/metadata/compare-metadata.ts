import { eachAtOnce } from '../base/each-at-once.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { LedgerEntry } from '../state/records.ts'
import {
  canonicalTemplate,
  readExistingIndex,
  settingsTold,
  readExistingTemplates,
  type ExistingIndex,
} from './existing.ts'
import { indexForm } from './index-form.ts'
import { differences, type JsonDifference } from './json-difference.ts'
import { objectOf, textOf, without } from './json-objects.ts'
import { findOnlyOnTarget, type OnlyOnTarget } from './only-on-target.ts'
import { readExistingPipeline } from './plan-pipelines.ts'
import {
  plannedTemplates,
  type MetadataPlan,
  type NotCarried,
  type PlannedChange,
  type PlannedIndex,
  type PlannedObject,
} from './plan.ts'

export interface ComparedObject {
  readonly kind: string
  readonly name: string
  /** Of an index that has another name on the target. */
  readonly renamedTo?: string
  /**
   * `equal`: as on the source, or with announced changes by which nothing is lost. `announced`: with losses that the
   * plan announced, or left out by it. `different`: otherwise than the plan says. `missing`: not on the target.
   */
  readonly verdict: 'equal' | 'announced' | 'different' | 'missing'
  /** What nobody has announced; `wanted` is what the source has, brought to the form of the target. */
  readonly differences: readonly JsonDifference[]
  /** What the plan says that is not as on the source. */
  readonly announced: readonly PlannedChange[]
  /** Why it is missing, where the plan knows. */
  readonly reason?: string
}

export interface MetadataComparison {
  readonly objects: readonly ComparedObject[]
  readonly notCarried: readonly NotCarried[]
  /** What is in nobody's way does not count against `equal`: the target may be used for more than this. */
  readonly onlyOnTarget: readonly OnlyOnTarget[]
  /** True when every object is `equal`, nothing stays behind, and nothing of the target takes the place of what was carried over. */
  readonly equal: boolean
}

export interface CompareMetadataInput {
  readonly target: Cluster
  /** Settings that are changed for a time, as the ledger has them. */
  readonly changedMeanwhile: readonly LedgerEntry[]
  /** Which indices of the target are looked at that are not in the source. */
  readonly select?: Selection
  readonly signal?: AbortSignal
}

/**
 * Compares what is on the target with what the source's metadata becomes there by the plan: so both sides have one form,
 * and whatever is left has not been announced. Changes nothing.
 */
export async function compareMetadata(
  plan: MetadataPlan,
  input: CompareMetadataInput,
): Promise<MetadataComparison> {
  const { target, changedMeanwhile, select = {}, signal } = input
  const templates = await readExistingTemplates(target, signal)
  const objects = [
    ...(await eachAtOnce(plan.pipelines, atOnce, async (one) =>
      verdictOn(one, one.body, await readExistingPipeline(target, one, signal)),
    )),
    ...plannedTemplates(plan).map((one) => {
      const found = templates[one.kind][one.name]
      const wanted = canonicalTemplate(one.body)
      return verdictOn(
        one,
        wanted,
        found && templateAtSwitch(canonicalTemplate(found), wanted, one.withheld),
      )
    }),
    ...(await eachAtOnce(plan.indices, atOnce, async (one) =>
      compareIndex(one, await readExistingIndex(target, one.targetIndex, signal), changedMeanwhile),
    )),
  ]
  const { notCarried } = plan
  const onlyOnTarget = await findOnlyOnTarget(plan, { target, templates, select, signal })
  const equal =
    notCarried.length === 0 &&
    objects.every(({ verdict }) => verdict === 'equal') &&
    onlyOnTarget.every(({ inPlaceOf }) => inPlaceOf.length === 0)
  return { objects, notCarried, onlyOnTarget, equal }
}

const atOnce = 8
const differencesMost = 1000

/** What the target has in the place of a planned index, against what is planned. */
export function compareIndex(
  planned: PlannedIndex,
  existing: ExistingIndex | undefined,
  changedMeanwhile: readonly LedgerEntry[],
): ComparedObject {
  const { targetIndex, body, fenceAlias, withheld } = planned
  const named = targetIndex === planned.name ? {} : { renamedTo: targetIndex }
  if (existing === undefined) return { ...verdictOn(planned, body, undefined), ...named }
  const settingsWanted = settingsTold(objectOf(body.settings), existing)
  const wanted = indexForm({ ...body, settings: settingsWanted })
  const found = indexForm({ ...existing })
  for (const place of objectsByRule(planned)) {
    found.mappings = withoutFieldsOfDocuments(objectOf(found.mappings), wanted.mappings, place)
  }
  const settings = settingsAtSwitch(objectOf(found.settings), objectOf(wanted.settings), withheld)
  const borrowed = changedMeanwhile.filter(
    ({ side, index }) => side === 'target' && index === targetIndex,
  )
  for (const { setting } of borrowed) {
    delete settings[setting]
    if (isJsonObject(wanted.settings)) delete wanted.settings[setting]
  }
  const aliases = without(objectOf(found.aliases), [fenceAlias])
  if (planned.stream) wanted.data_stream = planned.stream.name
  if (existing.dataStream !== undefined) found.data_stream = existing.dataStream
  const changes = [...planned.changes, ...borrowed.map(borrowedChange)]
  const verdict = verdictOn({ ...planned, changes }, wanted, { ...found, settings, aliases })
  return { ...verdict, ...named }
}

/** Paths of fields that are objects on the target alone, and get their fields from documents there. */
function objectsByRule({ changes }: PlannedIndex): string[][] {
  const prefix = 'mappings.'
  return changes
    .filter(({ path, to }) => path.startsWith(prefix) && path.endsWith('.type') && to === 'object')
    .map(({ path }) => path.slice(prefix.length).split('.').slice(0, -1))
}

/** The mapping that was found without the fields at this place where the plan has none. */
function withoutFieldsOfDocuments(
  found: JsonObject,
  wanted: Json | undefined,
  [key, ...rest]: readonly string[],
): JsonObject {
  if (key === undefined)
    return 'properties' in objectOf(wanted) ? found : without(found, ['properties'])
  if (!isJsonObject(found[key])) return found
  const inner = withoutFieldsOfDocuments(found[key], objectOf(wanted)[key], rest)
  return { ...found, [key]: inner }
}

function borrowedChange({ setting, oldValue, newValue }: LedgerEntry): PlannedChange {
  return {
    path: `settings.${setting}`,
    what: 'changed',
    from: oldValue,
    to: newValue,
    reason: 'changed for the time of the backfill, and put back after it',
    loss: false,
  }
}

/** Without what was withheld and is set by now, as on the source. */
function settingsAtSwitch(
  found: JsonObject,
  wanted: JsonObject,
  withheld: PlannedIndex['withheld'],
): JsonObject {
  const set = ([name, value]: [string, Json]): boolean =>
    !(name in wanted) && name in withheld && textOf(value) === withheld[name]
  return Object.fromEntries(Object.entries(found).filter((one) => !set(one)))
}

function templateAtSwitch(
  found: JsonObject,
  wanted: JsonObject,
  withheld: PlannedIndex['withheld'],
): JsonObject {
  const of = (one: JsonObject, other: JsonObject): JsonObject => ({
    ...one,
    settings: settingsAtSwitch(objectOf(one.settings), objectOf(other.settings), withheld),
  })
  return { ...of(found, wanted), template: of(objectOf(found.template), objectOf(wanted.template)) }
}

function verdictOn(
  planned: PlannedObject & { readonly kind: string },
  wanted: JsonObject,
  found: JsonObject | undefined,
): ComparedObject {
  const { kind, name, action, changes: announced, reason } = planned
  if (found === undefined) {
    const why = action === 'refused' && reason !== undefined ? { reason } : {}
    return { kind, name, verdict: 'missing', differences: [], announced, ...why }
  }
  const list = differences(wanted, found, differencesMost)
  const isLost = announced.some(({ loss }) => loss)
  const verdict = list.length > 0 ? 'different' : isLost ? 'announced' : 'equal'
  return { kind, name, verdict, differences: list, announced }
}
