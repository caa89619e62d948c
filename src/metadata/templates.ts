import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { translatePartOf } from './composed.ts'
import { objectOf, without } from './json-objects.ts'
import { mappingsByType } from './mappings.ts'
import type { PlannedChange, TemplateKind } from './plan.ts'
import type { RuleFacts } from './rule-facts.ts'
import { flattenSettings, type FlatSettings } from './settings.ts'

export interface TranslatedTemplate {
  readonly kind: TemplateKind
  readonly name: string
  /** As the target's API takes it. */
  readonly body: JsonObject
  readonly changes: PlannedChange[]
  readonly withheld: { readonly [setting: string]: string }
  /** What the parts that it is used with set, as it is on the target. */
  readonly beside: FlatSettings
  readonly refused?: string
}

/**
 * Translates a template of any of the three kinds: settings parted, types taken off. `beside` are the settings of the
 * parts that it is used with (settingsBeside()).
 */
export function translateTemplate(
  kind: TemplateKind,
  name: string,
  source: JsonObject,
  facts: RuleFacts,
  beside: FlatSettings = {},
): TranslatedTemplate {
  return kind === 'legacy-template'
    ? translateLegacy(name, source, facts)
    : translateComposable({ kind, name, beside }, source, facts)
}

/** `{ order, version?, index_patterns, settings, mappings, aliases }`; before 6.0 one pattern under `template`. */
function translateLegacy(name: string, source: JsonObject, facts: RuleFacts): TranslatedTemplate {
  const content = translatePart(source, facts)
  const body: JsonObject = {
    ...without(source, ['settings', 'mappings', 'aliases', 'template']),
    index_patterns: source.index_patterns ?? (source.template ? [source.template] : []),
    ...content.body,
  }
  return { kind: 'legacy-template', name, ...content, body }
}

/** `{ index_patterns, template: { settings, mappings, aliases }, composed_of, priority, … }`. */
function translateComposable(
  { kind, name, beside }: Pick<TranslatedTemplate, 'kind' | 'name' | 'beside'>,
  source: JsonObject,
  facts: RuleFacts,
): TranslatedTemplate {
  const content = translatePart(objectOf(source.template), facts, beside)
  const rest = without(source, ['template', ...ownTimes])
  const changes = [...content.changes, ...droppedContent(source.template)]
  if (isJsonObject(rest.data_stream)) {
    const { timestamp_field: field, ...others } = rest.data_stream
    changes.push(...droppedOfStreams(others))
    // As the target gives it back.
    rest.data_stream = { timestamp_field: field ?? { name: '@timestamp' } }
  }
  for (const [key, reason] of unknownToOpenSearch) {
    if (!(key in rest)) continue
    const from: Json = rest[key] ?? null
    delete rest[key]
    changes.push({ path: key, what: 'dropped', from, reason, loss: isLoss(from) })
  }
  return { kind, name, ...content, changes, body: { ...rest, template: content.body } }
}

/** When the engine made or changed the template: notes of its own (Elasticsearch 9.2 and later). */
const ownTimes = ['created_date', 'created_date_millis', 'modified_date', 'modified_date_millis']

const unknownToOpenSearch: readonly (readonly [string, string])[] = [
  ['allow_auto_create', 'OpenSearch has no switch for it in a template'],
  ['deprecated', 'OpenSearch does not know deprecated templates'],
  ['ignore_missing_component_templates', 'OpenSearch does not know optional component templates'],
]

/** What a template says of the data streams made from it, besides the field of their time. */
function droppedOfStreams(options: JsonObject): PlannedChange[] {
  return Object.entries(options).map(([key, from]) => ({
    path: `data_stream.${key}`,
    what: 'dropped',
    from,
    reason: 'data streams of OpenSearch do not know it',
    loss: isLoss(from),
  }))
}

/** Parts of a template besides settings, mappings and aliases, e.g. `lifecycle` of Elasticsearch 8. */
function droppedContent(template: Json | undefined): PlannedChange[] {
  if (!isJsonObject(template)) return []
  return Object.entries(template)
    .filter(([key]) => !['settings', 'mappings', 'aliases'].includes(key))
    .map(([key, from]) => ({
      path: `template.${key}`,
      what: 'dropped',
      from,
      reason: 'OpenSearch templates hold settings, mappings and aliases only',
      loss: isLoss(from),
    }))
}

function isLoss(value: Json): boolean {
  return value !== null && value !== false && !(Array.isArray(value) && value.length === 0)
}

interface Content {
  readonly body: JsonObject
  readonly changes: PlannedChange[]
  readonly withheld: { readonly [setting: string]: string }
  readonly beside: FlatSettings
  readonly refused?: string
}

function translatePart(
  content: JsonObject,
  facts: RuleFacts,
  settingsBeside: FlatSettings = {},
): Content {
  const { settings, mapping, withheld, changes, refused, beside } = translatePartOf(
    {
      settings: flattenSettings(objectOf(content.settings)),
      mappings: mappingsByType(content.mappings),
    },
    settingsBeside,
    facts,
  )
  const unsaid = copiesUnsaid(settings, beside, facts)
  const said = { ...settings, ...unsaid }
  const body: JsonObject = {}
  if (Object.keys(said).length > 0) body.settings = said
  if (Object.keys(mapping).length > 0) body.mappings = mapping
  if (isJsonObject(content.aliases) && Object.keys(content.aliases).length > 0) {
    body.aliases = content.aliases
  }
  return {
    body,
    changes: [...changes, ...Object.entries(unsaid).map(addedCopies)],
    withheld,
    beside,
    ...(refused !== undefined && { refused }),
  }
}

const copiesSettings = ['index.number_of_replicas', 'index.auto_expand_replicas']

/**
 * A target that balances copies over its zones looks at each part of a template by itself, also at one that says
 * nothing of them, or leaves it to a component: it gets what the parts beside it say, or the default rounded up.
 */
function copiesUnsaid(
  own: FlatSettings,
  beside: FlatSettings,
  { replicasUnsaid }: RuleFacts,
): FlatSettings {
  if (replicasUnsaid === undefined || copiesSettings.some((name) => name in own)) return {}
  const told = Object.entries(beside).filter(([name]) => copiesSettings.includes(name))
  return told.length > 0 ? Object.fromEntries(told) : { 'index.number_of_replicas': replicasUnsaid }
}

function addedCopies([name, to]: [string, Json]): PlannedChange {
  return {
    rule: 'awareness',
    path: `settings.${name}`,
    what: 'added',
    to,
    reason:
      "the target balances copies over its awareness attribute's values, and takes no part of a template that does not say a multiple of their number; indices made without saying it are refused there until its setting cluster.default_number_of_replicas is one less than such a multiple",
    loss: false,
  }
}
