import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TargetIndex } from '../state/records.ts'
import { indexForm } from './index-form.ts'
import {
  differences,
  differenceText,
  differingPaths,
  type JsonDifference,
} from './json-difference.ts'
import { objectOf, textOf, without } from './json-objects.ts'
import { mappingsByType, onlyMapping } from './mappings.ts'
import type { PlannedIndex, TemplateKind } from './plan.ts'
import { flattenSettings } from './settings.ts'

/** An index as the target has it. */
export interface ExistingIndex {
  readonly uuid: string
  readonly settings: JsonObject
  readonly mappings: JsonObject
  readonly aliases: JsonObject
  /** The data stream that it is behind; absent: it is not. */
  readonly dataStream?: string
}

/** Reads an index of the target by its name (an alias of that name counts as none); undefined when there is none. */
export async function readExistingIndex(
  target: Cluster,
  name: string,
  signal?: AbortSignal,
): Promise<ExistingIndex | undefined> {
  const answer = await target.request('GET', `/${encodeURIComponent(name)}`, {
    query: { flat_settings: true },
    accept: [404],
    ...(signal && { signal }),
  })
  const index = answer.body[name]
  if (answer.status === 404 || !isJsonObject(index)) return undefined
  const settings = await withRoutingShards(
    target,
    { name, settings: objectOf(index.settings) },
    signal,
  )
  return {
    uuid: textOf(settings['index.uuid']),
    settings,
    mappings: objectOf(index.mappings),
    aliases: objectOf(index.aliases),
    ...(typeof index.data_stream === 'string' && { dataStream: index.data_stream }),
  }
}

const routingShards = 'index.number_of_routing_shards'

/** OpenSearch 1 tells them in the cluster state alone; who may not read that is not told. */
async function withRoutingShards(
  target: Cluster,
  { name, settings }: { name: string; settings: JsonObject },
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  if (routingShards in settings) return settings
  const { body } = await target.request(
    'GET',
    `/_cluster/state/metadata/${encodeURIComponent(name)}`,
    {
      query: { filter_path: 'metadata.indices.*.routing_num_shards', expand_wildcards: 'all' },
      accept: [403],
      ...(signal && { signal }),
    },
  )
  const state = objectOf(objectOf(objectOf(body.metadata).indices)[name])
  const { routing_num_shards: told } = state
  return told === undefined ? settings : { ...settings, [routingShards]: textOf(told) }
}

/** The settings that are wanted, without what the target does not tell of an index. */
export function settingsTold(wanted: JsonObject, { settings }: ExistingIndex): JsonObject {
  return routingShards in settings ? wanted : without(wanted, [routingShards])
}

type Wanted = Pick<PlannedIndex, 'name' | 'targetIndex' | 'sourceUuid' | 'fenceAlias' | 'body'>

export interface Decision {
  readonly action: 'create' | 'exists-equal' | 'exists-different' | 'adopt' | 'refused'
  readonly reason?: string
}

/**
 * What to do about an index of the target, from what the state remembers and what is there. A record with an empty
 * targetUuid is an intent: this migration was about to make the index when it was killed; then the fence alias, which
 * is made in one step with the index, tells whether it came to be. One that is gone is made again: checkpoints count
 * only for the uuid that they were made for, so it is filled from the beginning.
 */
export function decideIndex(
  wanted: Wanted,
  record: TargetIndex | undefined,
  existing: ExistingIndex | undefined,
  adopt: boolean,
): Decision {
  const { name } = wanted
  if (!existing) return { action: 'create' }
  if (record && record.sourceUuid !== wanted.sourceUuid) {
    return refused(
      `the snapshot holds another incarnation of ${name} (uuid ${wanted.sourceUuid}) than the one that the target index was made for (uuid ${record.sourceUuid}): ` +
        'it was deleted and made anew on the source. Nothing is overwritten; delete the index on the target, then run again',
    )
  }
  const isOurs = record?.targetUuid === existing.uuid
  if (isOurs) return { action: 'exists-equal' }
  if (wanted.fenceAlias in existing.aliases) {
    return record?.targetUuid === '' ? { action: 'exists-equal' } : decideJoining(wanted, existing)
  }
  if (adopt) return decideAdoption(wanted, existing)
  return record && record.targetUuid !== ''
    ? refused(remade(record, existing))
    : decideForeign(wanted, existing)
}

/**
 * The index bears the fence alias of this very source index and epoch, which only osmigrate gives: another host of this
 * migration has made it (`backfill start --share`), or a state that is lost. It is taken as it is, if it was made with
 * the same settings. Those that a backfill which is under way changes for its time may be others.
 */
function decideJoining(wanted: Wanted, existing: ExistingIndex): Decision {
  const settings = settingsTold(objectOf(wanted.body.settings), existing)
  const paths = Object.keys(settings)
    .filter((name) => !changedMeanwhile.has(name))
    .filter((name) => differingPaths(settings[name]!, existing.settings[name] ?? null).length > 0)
  if (paths.length === 0) return { action: 'exists-equal' }
  return refused(
    `${wanted.targetIndex} on the target was made for this index by another run of osmigrate with other settings: ${paths.join(', ')}. ` +
      'Give all hosts of a migration the same migration.yaml; or delete the index on the target, then run again',
  )
}

const changedMeanwhile: ReadonlySet<string> = new Set([
  'index.refresh_interval',
  'index.number_of_replicas',
  'index.auto_expand_replicas',
])

function remade({ targetIndex, targetUuid }: TargetIndex, existing: ExistingIndex): string {
  return (
    `${targetIndex} on the target (uuid ${existing.uuid}) is not the index that this migration made (uuid ${targetUuid}). ` +
    'Delete it, then run again; or take it over with --adopt if it is meant to be filled'
  )
}

/** Without being asked, nothing is written to an index that somebody else made, whatever it is like. */
function decideForeign(wanted: Wanted, existing: ExistingIndex): Decision {
  const there = `an index ${wanted.targetIndex} is on the target already, and this migration did not make it`
  const list = adoptionDifference(wanted, existing)
  if (list.length > 0) {
    const reason = `${there}; it differs from what is wanted: ${differenceText(list)}. Delete it there, or leave it out with --exclude`
    return { action: 'exists-different', reason }
  }
  return refused(
    `${there}. It is as wanted: take it over with --adopt if it is meant to be filled. Else delete it there, or leave it out with --exclude`,
  )
}

function decideAdoption(wanted: Wanted, existing: ExistingIndex): Decision {
  const list = adoptionDifference(wanted, existing)
  if (list.length === 0) return { action: 'adopt' }
  return refused(
    `${wanted.targetIndex} on the target cannot be adopted, it differs from what is wanted: ${differenceText(list)}`,
  )
}

/** Where an index that somebody else made is not as wanted; what it has beyond that does not count in settings. */
function adoptionDifference(wanted: Wanted, existing: ExistingIndex): JsonDifference[] {
  const settings = settingsTold(objectOf(wanted.body.settings), existing)
  const found = Object.fromEntries(
    Object.keys(settings).map((key) => [key, existing.settings[key] ?? null]),
  )
  const below = (prefix: string, list: readonly JsonDifference[]): JsonDifference[] =>
    list.map((one) => ({ ...one, path: `${prefix}.${one.path}` }))
  return [
    ...below('settings', differences(settings, found)),
    ...below('mappings', differences(mappingFormOf(wanted.body), mappingFormOf({ ...existing }))),
    // These would run for every document that is written.
    ...['index.default_pipeline', 'index.final_pipeline']
      .map((path) => ({ path: `settings.${path}`, found: existing.settings[path] ?? '_none' }))
      .filter(({ found: pipeline }) => pipeline !== '_none'),
  ]
}

function mappingFormOf(index: JsonObject): JsonObject {
  return objectOf(indexForm(index).mappings)
}

function refused(reason: string): Decision {
  return { action: 'refused', reason }
}

/** Templates of the target by kind and name, in the form that is sent. */
export type ExistingTemplates = { readonly [kind in TemplateKind]: { [name: string]: JsonObject } }

export const noTemplatesThere: ExistingTemplates = {
  'legacy-template': {},
  'component-template': {},
  'index-template': {},
}

/** Reads all templates of the target: three requests. */
export async function readExistingTemplates(
  target: Cluster,
  signal?: AbortSignal,
): Promise<ExistingTemplates> {
  const get = async (path: string): Promise<JsonObject> =>
    (await target.request('GET', path, { accept: [404], ...(signal && { signal }) })).body
  const legacy = await get('/_template')
  const listed = (body: JsonObject, list: string, item: string): { [name: string]: JsonObject } =>
    Object.fromEntries(
      (Array.isArray(body[list]) ? body[list] : [])
        .filter(isJsonObject)
        .map((entry) => [textOf(entry.name), objectOf(entry[item])]),
    )
  return {
    'legacy-template': Object.fromEntries(
      Object.entries(legacy).map(([name, body]) => [name, objectOf(body)]),
    ),
    'component-template': listed(
      await get('/_component_template'),
      'component_templates',
      'component_template',
    ),
    'index-template': listed(await get('/_index_template'), 'index_templates', 'index_template'),
  }
}

/** Where a template of the target differs from the wanted one, whatever form either has. */
export function templateDifference(wanted: JsonObject, existing: JsonObject): JsonDifference[] {
  return differences(canonicalTemplate(wanted), canonicalTemplate(existing))
}

/** One form of a template, whichever it has. */
export function canonicalTemplate(template: JsonObject): JsonObject {
  const canonical: JsonObject = { order: 0, ...template, ...canonicalContent(template) }
  canonical.template = canonicalContent(objectOf(template.template))
  // Engines add these where they were left out.
  if (Array.isArray(canonical.composed_of) && canonical.composed_of.length === 0) {
    delete canonical.composed_of
  }
  for (const [key, value] of Object.entries(canonical)) if (value === null) delete canonical[key]
  return canonical
}

function canonicalContent(content: JsonObject): JsonObject {
  return {
    settings: flattenSettings(objectOf(content.settings)),
    mappings: onlyMapping(mappingsByType(content.mappings)),
    aliases: objectOf(content.aliases),
  }
}
