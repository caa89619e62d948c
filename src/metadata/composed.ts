import type { Json, JsonObject } from '../base/json.ts'
import type { GlobalMetadata } from '../snapshot/snapshot.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { PlannedChange, TemplateKind } from './plan.ts'
import type { RuleFacts } from './rule-facts.ts'
import { refusalOf, translateContent, type Content, type Translated } from './rules/translate.ts'
import { flattenSettings, type FlatSettings } from './settings.ts'

/**
 * An index made from a composable template has the settings of all that it is composed of: the analyser of one component
 * may be used by a field of another. So rules see, beside the settings of a part, those of the parts that it is used
 * with; what the part itself becomes is what is its own.
 */
export function settingsBeside(
  kind: TemplateKind,
  name: string,
  { componentTemplates, indexTemplates }: GlobalMetadata,
): FlatSettings {
  if (kind === 'legacy-template') return {}
  const own = indexTemplates[name]
  const composed = kind === 'index-template' ? (own ? [own] : []) : Object.values(indexTemplates)
  const beside: FlatSettings = {}
  for (const template of composed) {
    const components = namesOf(template.composed_of)
    if (kind === 'component-template' && !components.includes(name)) continue
    const parts = components.filter((one) => kind === 'index-template' || one !== name)
    for (const part of parts) Object.assign(beside, settingsOf(componentTemplates[part]))
    if (kind === 'component-template') Object.assign(beside, settingsOf(template))
  }
  return beside
}

/**
 * The template without the component templates that it may do without (`ignore_missing_component_templates`) and that the
 * source does not have, as with the `@custom` ones of Elasticsearch: OpenSearch takes no name of one that is not there.
 */
export function withoutAbsent(
  template: JsonObject,
  { componentTemplates }: GlobalMetadata,
): { template: JsonObject; changes: PlannedChange[] } {
  const optional = namesOf(template.ignore_missing_component_templates)
  const names = namesOf(template.composed_of)
  const absent = names.filter((name) => optional.includes(name) && !(name in componentTemplates))
  if (absent.length === 0) return { template, changes: [] }
  const change: PlannedChange = {
    path: 'composed_of',
    what: 'dropped',
    from: absent,
    reason: 'the source has no such component template; when one is made, name it in the template',
    loss: false,
  }
  const composed_of = names.filter((name) => !absent.includes(name))
  return { template: { ...template, composed_of }, changes: [change] }
}

function namesOf(composedOf: Json | undefined): string[] {
  return Array.isArray(composedOf) ? composedOf.map(textOf) : []
}

function settingsOf(template: JsonObject | undefined): FlatSettings {
  return flattenSettings(objectOf(objectOf(template?.template).settings))
}

/** As translateContent(), for a part with others `beside` it: what it gives is the part's own. */
export function translatePartOf(
  own: Content,
  beside: FlatSettings,
  facts: RuleFacts,
): Translated & { readonly beside: FlatSettings } {
  const alone = Object.keys(beside).length === 0
  if (alone) return { ...translateContent(own, facts), beside: {} }
  const others = translateContent({ settings: beside, mappings: {} }, facts)
  const joined = translateContent({ ...own, settings: { ...beside, ...own.settings } }, facts)
  const isOwn = (setting: string): boolean =>
    setting in own.settings || !(setting in beside || setting in others.settings)
  const pick = <T>(settings: { readonly [name: string]: T }): { [name: string]: T } =>
    Object.fromEntries(Object.entries(settings).filter(([setting]) => isOwn(setting)))
  const changes = joined.changes.filter(({ path }) => isOwnChange(path, isOwn))
  const refused = refusalOf(changes)
  return {
    settings: pick(joined.settings),
    mapping: joined.mapping,
    withheld: pick(joined.withheld),
    changes: [...changes],
    ...(refused !== undefined && { refused }),
    beside: others.settings,
  }
}

const settingsPath = 'settings.'

function isOwnChange(path: PlannedChange['path'], isOwn: (setting: string) => boolean): boolean {
  return !path.startsWith(settingsPath) || isOwn(path.slice(settingsPath.length))
}
