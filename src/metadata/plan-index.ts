import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../base/json.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import type { TargetIndex } from '../state/records.ts'
import { planAliases } from './alias-types.ts'
import { clusterOf, type EvaluateInput } from './evaluate-input.ts'
import { decideIndex, readExistingIndex } from './existing.ts'
import { objectOf } from './json-objects.ts'
import { numberFor, type MetadataOptions } from './options.ts'
import { withheldAgain } from './plan-file.ts'
import type { StreamPlace } from './data-stream-places.ts'
import type { PlannedChange, PlannedIndex } from './plan.ts'
import { isIntent, recordOf } from './records.ts'
import { factsOfIndex, type RuleFacts } from './rule-facts.ts'
import { translateContent } from './rules/translate.ts'
import { flattenSettings, type FlatSettings } from './settings.ts'
import { planShards, type PlannedShards } from './shards.ts'
import { renameChanges, renamed } from './rename.ts'
import { planSource } from './source-form.ts'
import { checkOnTarget, type IndexContent } from './target-check.ts'
import { nameConflict, type NamesInUse } from './target-names.ts'
import { planTypes } from './plan-types.ts'
import { dividedOtherwise, type IndexPart } from './parts.ts'
import { planTransform } from './transform-mapping.ts'

export interface IndexPlanning {
  readonly inUse: NamesInUse
  readonly facts: RuleFacts
  /** What templates of the source fit, by their names. */
  readonly templates: ReadonlyMap<string, readonly string[]>
  /** Behind a data stream of the target, which names its indices itself. */
  readonly place?: StreamPlace | undefined
  /** Of a plan file: sent even where a rule would refuse the source's. */
  readonly edited?: JsonObject | undefined
}

/** Plans one index: what is sent, each change with its reason, and what is there already. */
export async function planIndex(
  input: EvaluateInput,
  part: IndexPart,
  { inUse, facts, templates, place, edited }: IndexPlanning,
): Promise<PlannedIndex> {
  const { options, documents, state, signal } = input
  const target = clusterOf(input.target)
  const { name, index, fenceAlias } = part
  const targetIndex = place?.targetIndex ?? renamed(part.targetName, options.rename)
  const sourceSettings = flattenSettings(objectOf(index.settings))
  const translated = translateContent(
    { settings: sourceSettings, mappings: index.mappings },
    factsOfIndex(facts, index.createdVersion),
  )
  const transformed = await planTransform(input, index.name, translated.mapping)
  const { mapping } = transformed
  const source = await planSource(input, index, sourceSettings)
  const shards = await planShards({
    index,
    mapping,
    wantedShards: numberFor(index.name, options.shards),
    documents,
  })
  const replicas = planReplicas(index.name, translated.settings, options)
  const record = await recordOf(state, { name, targetIndex })
  const { changes: typeChanges, ...types } = await planTypes(input, part, {
    record,
    shards,
    isRefused: edited === undefined && translated.refused !== undefined,
  })
  const aliases = planAliases(part)
  const planned = {
    kind: 'index' as const,
    name,
    targetIndex,
    ...(types.types && { types: types.types }),
    ...(types.distinctIn !== undefined && { distinctIn: types.distinctIn }),
    sourceUuid: index.uuid,
    ...(part.life > 0 && { life: part.life }),
    fenceAlias,
    sourceShards: index.numberOfShards,
    targetShards: shards.targetShards,
    mayHoldRouted: shards.mayHoldRouted,
    routedBy: shards.routedBy,
    sourceForm: source.form,
    sourceDocuments: source.documents,
    withheld: translated.withheld,
  }
  const changes = [
    ...(place ? [] : renameChanges(part.targetName, targetIndex, templates)),
    ...typeChanges,
    ...translated.changes,
    ...transformed.changes,
    ...source.changes,
    ...shards.changes,
    ...replicas.changes,
    ...aliases.changes,
    ...closedChange(index),
  ]
  const settings = settingsToSend(translated.settings, replicas.settings, shards)
  const content = edited
    ? contentOf(edited)
    : { settings, mappings: mapping, aliases: aliases.aliases }
  const conflict =
    dividedOtherwise(part, inUse.aliases) ??
    nameConflict(planned, input.aliasesLater ? {} : content.aliases, inUse)
  const refused = edited
    ? editRefusal(content.settings, settings, translated.withheld)
    : translated.refused
  const refusal =
    refused !== undefined
      ? `${name}: ${refused}`
      : (transformed.refused ??
        shards.refused ??
        source.refused ??
        types.refused ??
        (conflict && `${name} cannot be made: ${conflict}`))
  if (refusal !== undefined) {
    return { ...planned, action: 'refused', reason: refusal, changes, body: { ...content } }
  }
  const existing = target && (await readExistingIndex(target, targetIndex, signal))
  const check = await checkOnTarget(target, content, { ...(signal && { signal }) })
  const body: JsonObject = { ...content, settings: check.settings }
  const all = { ...planned, changes: [...changes, ...check.changes], body }
  const adopt = options.adopt || (place !== undefined && isIntent(record))
  const decision = decideIndex({ ...planned, body }, record, existing, adopt)
  if (decision.action === 'create' && check.refused !== undefined) {
    return {
      ...all,
      action: 'refused',
      reason: `the target does not take ${targetIndex}: ${check.refused}`,
    }
  }
  if (decision.action === 'exists-equal' && record) {
    const isOther = (record.stream === undefined) !== (place === undefined)
    return isOther ? madeOtherwise(all, 'metadata.dataStreams') : asMade(all, record)
  }
  return { ...all, ...decision }
}

function contentOf(body: JsonObject): IndexContent {
  return {
    settings: flattenSettings(objectOf(body.settings)),
    mappings: objectOf(body.mappings),
    aliases: objectOf(body.aliases),
  }
}

/** What a plan file may not change: documents are placed by the shards, and what is withheld would touch them. */
function editRefusal(
  edited: FlatSettings,
  planned: FlatSettings,
  withheld: PlannedIndex['withheld'],
): string | undefined {
  const back = Object.keys(withheld).filter((name) => name in edited)
  if (back.length > 0) return withheldAgain(back)
  const other = shardSettings.filter((name) => edited[name] !== planned[name])
  if (other.length === 0) return undefined
  return `the plan file has another ${other.join(', ')}: give it by metadata.shards (--shards), and make the file anew`
}

/** An index that was made before is what it was made as, whatever the options say by now. */
function asMade(planned: Omit<PlannedIndex, 'action'>, record: TargetIndex): PlannedIndex {
  if (!isDeepStrictEqual(planned.types, record.types)) {
    return madeOtherwise(planned, 'metadata.types (or typeField)')
  }
  const { targetShards, mayHoldRouted } = record
  const made = { ...planned, targetShards, mayHoldRouted, action: 'exists-equal' as const }
  if (planned.targetShards === targetShards) return made
  const change: PlannedChange = {
    path: 'settings.index.number_of_shards',
    what: 'noted',
    from: String(planned.targetShards),
    to: String(targetShards),
    reason:
      'the index was made before with this number of shards; to have the other one delete it on the target and run again',
    loss: false,
  }
  const others = planned.changes.filter(({ path }) => path !== change.path)
  return { ...made, changes: [...others, change] }
}

function madeOtherwise(planned: Omit<PlannedIndex, 'action'>, option: string): PlannedIndex {
  const reason = `${planned.targetIndex} on the target was made by another ${option}: delete it there, or put the option back`
  return { ...planned, action: 'refused', reason }
}

function settingsToSend(
  source: FlatSettings,
  replicas: FlatSettings,
  shards: PlannedShards,
): FlatSettings {
  const settings = { ...source }
  for (const name of shardSettings) delete settings[name]
  return { ...settings, ...replicas, ...shards.settings }
}

// What IndexMetadata says of shards is the truth; the settings lack what the engine chose by itself.
const shardSettings = [
  'index.number_of_shards',
  'index.number_of_routing_shards',
  'index.routing_partition_size',
]

function planReplicas(
  name: string,
  settings: FlatSettings,
  options: MetadataOptions,
): { settings: FlatSettings; changes: PlannedChange[] } {
  const wanted = numberFor(name, options.replicas)
  const from = settings['index.number_of_replicas'] ?? '1'
  const expand = settings['index.auto_expand_replicas'] ?? 'false'
  if (wanted === undefined || (from === String(wanted) && expand === 'false')) {
    return { settings: {}, changes: [] }
  }
  const reason = 'asked for by metadata.replicas'
  const change = (setting: string, from: FlatSettings[string], to: string): PlannedChange => ({
    path: `settings.index.${setting}`,
    what: 'changed',
    from,
    to,
    reason,
    loss: false,
  })
  return {
    settings: {
      'index.number_of_replicas': String(wanted),
      ...(expand !== 'false' && { 'index.auto_expand_replicas': 'false' }),
    },
    changes: [
      change('number_of_replicas', from, String(wanted)),
      ...(expand === 'false' ? [] : [change('auto_expand_replicas', expand, 'false')]),
    ],
  }
}

function closedChange(index: IndexMetadata): PlannedChange[] {
  if (index.state === 'open') return []
  return [
    {
      path: 'state',
      what: 'changed',
      from: 'close',
      to: 'open',
      reason: 'the index is closed on the source; on the target it must be open to be written to',
      loss: false,
    },
  ]
}
