import type { JsonObject } from '../base/json.ts'
import { matcher, selectExisting, type Selection, defaultExclude } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { GlobalMetadata, IndexMetadata, Snapshot } from '../snapshot/snapshot.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import {
  decideIndex,
  nameConflict,
  readExistingIndex,
  readExistingTemplates,
  readNamesInUse,
  templateDifference,
  type ExistingTemplates,
  type NamesInUse,
} from './existing.ts'
import { objectOf, textOf } from './json-objects.ts'
import { mappingOfTypes, sourceFormChange, sourceFormOf } from './mappings.ts'
import { isManaged, listNotCarried } from './not-carried.ts'
import { numberFor, type MetadataOptions } from './options.ts'
import type {
  MetadataPlan,
  NotCarried,
  PlannedChange,
  PlannedIndex,
  PlannedTemplate,
} from './plan.ts'
import { flattenSettings, translateSettings, type FlatSettings } from './settings.ts'
import { planShards, type OpenShard, type PlannedShards } from './shards.ts'
import { checkOnTarget } from './target-check.ts'
import { translateTemplate, type TranslatedTemplate } from './templates.ts'

export interface EvaluateInput {
  readonly repository: string
  readonly snapshot: Snapshot
  readonly target: Cluster
  readonly select: Selection
  readonly options: MetadataOptions
  /** What this migration did before; undefined at the first look. */
  readonly state?: StateStore
  /** Needed where metadata.shards asks for another count: tells whether a shard holds routed documents. */
  readonly openShard?: OpenShard
  readonly signal?: AbortSignal
}

/**
 * Finds out everything that carrying the metadata over would do, object by object, and changes nothing anywhere.
 * What the target would refuse is found by asking it to simulate.
 */
export async function evaluateMetadata(input: EvaluateInput): Promise<MetadataPlan> {
  const { snapshot, target, select, signal } = input
  const selected = selectExisting(snapshot.indices, select)
  const global = await snapshot.readGlobalMetadata()
  const templates = input.options.templates ? await planTemplates(input, global) : noTemplates
  const inUse = await readNamesInUse(target, signal)
  const indices: PlannedIndex[] = []
  for (const name of selected) {
    signal?.throwIfAborted()
    indices.push(await planIndex(input, await snapshot.readIndexMetadata(name), inUse))
  }
  const chosen = new Set(selected)
  return {
    repository: input.repository,
    snapshot: snapshot.name,
    target: target.url,
    ...templates,
    indices,
    notCarried: [...listNotCarried(global), ...templatesLeft(input, global)],
    templatesNotSelected: templatesDeselected(input, global),
    notSelected: snapshot.indices.filter((name) => !chosen.has(name)),
  }
}

type PlannedTemplates = Pick<
  MetadataPlan,
  'componentTemplates' | 'legacyTemplates' | 'indexTemplates'
>
const noTemplates: PlannedTemplates = {
  componentTemplates: [],
  legacyTemplates: [],
  indexTemplates: [],
}

type Templates = { readonly [name: string]: JsonObject }

/**
 * A selection of indices does not choose templates; what it excludes by name (the engines' own, `.*`) it does exclude.
 * The engine's own without a dot (`logs`, `metrics` … of Elasticsearch 7.9 and later) say of themselves that they are.
 */
function templateSelected(
  { select }: EvaluateInput,
  templates: Templates,
): (name: string) => boolean {
  const excluded = matcher(select.exclude ?? defaultExclude)
  return (name) => !excluded(name) && !isManaged(templates[name]?._meta)
}

function templatesDeselected(input: EvaluateInput, global: GlobalMetadata): string[] {
  const { componentTemplates, legacyTemplates, indexTemplates } = global
  return [componentTemplates, legacyTemplates, indexTemplates].flatMap((templates) => {
    const selected = templateSelected(input, templates)
    return Object.keys(templates).filter((name) => !selected(name))
  })
}

function templatesLeft(input: EvaluateInput, global: GlobalMetadata): NotCarried[] {
  if (input.options.templates) return []
  const reason = 'metadata.templates is off'
  const left = (kind: string, templates: Templates): NotCarried[] =>
    Object.keys(templates)
      .filter(templateSelected(input, templates))
      .map((name) => ({ kind, name, reason }))
  return [
    ...left('component template', global.componentTemplates),
    ...left('legacy template', global.legacyTemplates),
    ...left('index template', global.indexTemplates),
  ]
}

async function planTemplates(
  input: EvaluateInput,
  global: GlobalMetadata,
): Promise<PlannedTemplates> {
  const existing = await readExistingTemplates(input.target, input.signal)
  const plan = async (
    kind: PlannedTemplate['kind'],
    sources: Templates,
    components: readonly PlannedTemplate[],
  ): Promise<PlannedTemplate[]> => {
    const planned: PlannedTemplate[] = []
    for (const name of Object.keys(sources).filter(templateSelected(input, sources)).sort()) {
      const template = translateTemplate(kind, name, sources[name]!)
      planned.push(await planTemplate(input, template, existing, components))
    }
    return planned
  }
  const componentTemplates = await plan('component-template', global.componentTemplates, [])
  return {
    componentTemplates,
    legacyTemplates: await plan('legacy-template', global.legacyTemplates, []),
    indexTemplates: await plan('index-template', global.indexTemplates, componentTemplates),
  }
}

async function planTemplate(
  { target, signal }: EvaluateInput,
  template: TranslatedTemplate,
  existing: ExistingTemplates,
  components: readonly PlannedTemplate[],
): Promise<PlannedTemplate> {
  const { kind, name, withheld } = template
  if (template.refused !== undefined) {
    return { ...template, action: 'refused', reason: `${name}: ${template.refused}` }
  }
  const own = contentOf(template.body, kind)
  const inherited = inheritedSettings(template.body, components)
  const check = await checkOnTarget(
    target,
    {
      settings: { ...inherited, ...objectOf(own.settings) },
      mappings: objectOf(own.mappings),
      aliases: objectOf(own.aliases),
    },
    signal,
  )
  const settings = Object.fromEntries(
    Object.entries(check.settings).filter(([key]) => key in objectOf(own.settings)),
  )
  const changes = [
    ...template.changes,
    ...check.changes.filter(({ path }) => path.slice('settings.'.length) in objectOf(own.settings)),
  ]
  const body = withSettings(template.body, kind, settings)
  const planned = { kind, name, withheld, changes, body }
  const there = existing[kind][name]
  if (there) {
    const paths = templateDifference(body, there)
    if (paths.length === 0) return { ...planned, action: 'exists-equal' }
    const reason = `a ${kind.replace('-', ' ')} ${name} is on the target with other contents (${paths.join(', ')}); it is left as it is`
    return { ...planned, action: 'exists-different', reason }
  }
  const missing = missingComponents(body, components, existing)
  if (missing.length > 0) {
    const reason = `${name} needs component templates that are not carried over: ${missing.join(', ')}`
    return { ...planned, action: 'refused', reason }
  }
  if (check.refused !== undefined) {
    return {
      ...planned,
      action: 'refused',
      reason: `the target does not take ${name}: ${check.refused}`,
    }
  }
  return { ...planned, action: 'create' }
}

function contentOf(body: JsonObject, kind: PlannedTemplate['kind']): JsonObject {
  return kind === 'legacy-template' ? body : objectOf(body.template)
}

function withSettings(
  body: JsonObject,
  kind: PlannedTemplate['kind'],
  settings: FlatSettings,
): JsonObject {
  const content = { ...contentOf(body, kind) }
  if (Object.keys(settings).length > 0) content.settings = settings
  else delete content.settings
  return kind === 'legacy-template' ? content : { ...body, template: content }
}

function missingComponents(
  body: JsonObject,
  components: readonly PlannedTemplate[],
  existing: ExistingTemplates,
): string[] {
  const names = Array.isArray(body.composed_of) ? body.composed_of.map(textOf) : []
  const made = new Set(
    components.filter(({ action }) => action === 'create').map((component) => component.name),
  )
  return names.filter((name) => !made.has(name) && !(name in existing['component-template']))
}

/** An index template may use an analyzer that one of its components defines. */
function inheritedSettings(body: JsonObject, components: readonly PlannedTemplate[]): FlatSettings {
  const names = Array.isArray(body.composed_of) ? body.composed_of : []
  return Object.assign(
    {},
    ...names.map((name) => {
      const component = components.find((candidate) => candidate.name === name)
      return component ? objectOf(contentOf(component.body, component.kind).settings) : {}
    }),
  ) as FlatSettings
}

async function planIndex(
  input: EvaluateInput,
  index: IndexMetadata,
  inUse: NamesInUse,
): Promise<PlannedIndex> {
  const { options, snapshot, openShard, state, target, signal } = input
  const { name } = index
  const translated = mappingOfTypes(index.mappings)
  const mapping = 'mapping' in translated ? translated.mapping : {}
  const sourceSettings = flattenSettings(objectOf(index.settings))
  const parted = translateSettings(sourceSettings)
  const form = sourceFormOf(mapping, sourceSettings)
  const shards = await planShards({
    index,
    mapping,
    wantedShards: numberFor(name, options.shards),
    snapshot,
    ...(openShard && { openShard }),
  })
  const replicas = planReplicas(name, parted.settings, options)
  const fenceAlias = `osmigrate-${index.uuid}-0`
  const planned = {
    kind: 'index' as const,
    name,
    targetIndex: name,
    sourceUuid: index.uuid,
    fenceAlias,
    sourceShards: index.numberOfShards,
    targetShards: shards.targetShards,
    mayHoldRouted: shards.mayHoldRouted,
    routedBy: shards.routedBy,
    sourceForm: form,
    withheld: parted.withheld,
  }
  const changes = [
    ...parted.changes,
    ...('changes' in translated ? translated.changes : []),
    ...sourceFormChange(form),
    ...shards.changes,
    ...replicas.changes,
    ...closedChange(index),
  ]
  const settings = settingsToSend(parted.settings, replicas.settings, shards)
  const content = { settings, mappings: mapping, aliases: { ...index.aliases } as JsonObject }
  const conflict = nameConflict(name, Object.keys(index.aliases), inUse)
  const refusal =
    'refused' in translated
      ? `${name}: ${translated.refused}`
      : (shards.refused ?? (conflict && `${name} cannot be made: ${conflict}`))
  if (refusal !== undefined) {
    return { ...planned, action: 'refused', reason: refusal, changes, body: { ...content } }
  }
  const record = (await state?.get(targetIndexKind, name))?.value
  const existing = await readExistingIndex(target, name, signal)
  const check = await checkOnTarget(target, content, signal)
  const body: JsonObject = { ...content, settings: check.settings }
  const all = { ...planned, changes: [...changes, ...check.changes], body }
  const decision = decideIndex({ ...planned, body }, record, existing, options.adopt)
  if (decision.action === 'create' && check.refused !== undefined) {
    return {
      ...all,
      action: 'refused',
      reason: `the target does not take ${name}: ${check.refused}`,
    }
  }
  if (decision.action === 'exists-equal' && record) return asMade(all, record)
  return { ...all, ...decision }
}

/** An index that was made before is what it was made as, whatever the options say by now. */
function asMade(planned: Omit<PlannedIndex, 'action'>, record: TargetIndex): PlannedIndex {
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
