import { eachAtOnce } from '../base/each-at-once.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { matcher, type Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { LedgerEntry } from '../state/records.ts'
import {
  canonicalTemplate,
  readExistingIndex,
  settingsTold,
  readExistingTemplates,
  type ExistingIndex,
} from './existing.ts'
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
import { flattenSettings } from './settings.ts'

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

/** Settings flat and without those that a cluster gives to each index; mappings without what only says the default. */
function indexForm(index: JsonObject): JsonObject {
  const settings = flattenSettings(objectOf(index.settings))
  for (const name of Object.keys(settings)) if (ofEachIndex(name)) delete settings[name]
  return {
    settings,
    mappings: mappingForm(objectOf(index.mappings), malformedOf(settings)),
    aliases: { ...objectOf(index.aliases) },
  }
}

const ofEachIndex = matcher([
  'index.uuid',
  'index.creation_date',
  'index.provided_name',
  'index.version.*',
  'index.replication.type',
])

/** Without what only says the default, which engines leave out or write down; empty `properties` and `fields` among it. */
function mappingForm(mapping: JsonObject, malformed: string): JsonObject {
  const form: JsonObject = {}
  for (const [key, value] of Object.entries(mapping)) {
    if (isDefault(mapping, key)) continue
    if (key === 'ignore_malformed' && textOf(value) === malformed) continue
    if (key === 'fielddata_frequency_filter')
      form[key] = { ...frequencyDefaults, ...objectOf(value) }
    else if (key === 'contexts') form[key] = contextsForm(value)
    else if (key !== 'properties' && key !== 'fields') form[key] = value
    else if (isJsonObject(value) && Object.keys(value).length > 0)
      form[key] = fieldsForm(value, malformed)
  }
  return form
}

/** What `ignore_malformed` is in a field that does not say. */
function malformedOf(settings: JsonObject): string {
  return textOf(settings['index.mapping.ignore_malformed'] ?? 'false')
}

const frequencyDefaults = { min_segment_size: 0, max: 2 ** 31 - 1 }

/** Those that have doc values unless they say otherwise; on Elasticsearch 1 they had to say so. */
const withDocValues = [
  ...['keyword', 'boolean', 'date', 'ip', 'geo_point'],
  ...['byte', 'short', 'integer', 'long', 'float', 'double'],
]

/** `[key, value, type]`: of fields of any type where none is named. */
const defaults: readonly (readonly [key: string, value: string, type?: string])[] = [
  ['type', 'object'],
  ['analyzer', 'default'],
  ['search_analyzer', 'default_search'],
  ['fielddata', 'false'],
  ['format', 'strict_date_optional_time||epoch_millis', 'date'],
  ['eager_global_ordinals', 'true', 'join'],
  ...withDocValues.map((type) => ['doc_values', 'true', type] as const),
]

function isDefault(field: JsonObject, key: string): boolean {
  return defaults.some(
    ([name, value, type]) =>
      name === key && textOf(field[key]) === value && (type ?? field.type) === field.type,
  )
}

/** Engines print the type of a context of completion in capital letters. */
function contextsForm(contexts: Json): Json {
  if (!Array.isArray(contexts)) return contexts
  return contexts.map(objectOf).map((one) => ({ ...one, type: textOf(one.type).toLowerCase() }))
}

/** A name with dots is a path of objects, as engines write it down. */
function fieldsForm(fields: JsonObject, malformed: string): JsonObject {
  const form: JsonObject = {}
  for (const [name, field] of Object.entries(fields)) {
    const path = name.split('.')
    let at = form
    for (const part of path.slice(0, -1)) {
      const object = objectOf(at[part])
      const properties = { ...objectOf(object.properties) }
      at[part] = { ...object, properties }
      at = properties
    }
    const last = path.at(-1)!
    const own = mappingForm(objectOf(field), malformed)
    const properties = { ...objectOf(objectOf(at[last]).properties), ...objectOf(own.properties) }
    at[last] = { ...own, ...(Object.keys(properties).length > 0 && { properties }) }
  }
  return form
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
