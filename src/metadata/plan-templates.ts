import { isJsonObject, type JsonObject } from '../base/json.ts'
import { defaultExclude, matcher } from '../base/select.ts'
import type { GlobalMetadata } from '../snapshot/snapshot.ts'
import { settingsBeside, withoutAbsent } from './composed.ts'
import { clusterOf, type EvaluateInput } from './evaluate-input.ts'
import {
  noTemplatesThere,
  readExistingTemplates,
  templateDifference,
  type ExistingTemplates,
} from './existing.ts'
import { differenceText } from './json-difference.ts'
import { objectOf, textOf } from './json-objects.ts'
import { isManaged } from './not-carried.ts'
import { withEdit, withheldAgain, type PlanEdits } from './plan-file.ts'
import type { MetadataPlan, NotCarried, PlannedTemplate } from './plan.ts'
import type { RuleFacts } from './rule-facts.ts'
import { flattenSettings, type FlatSettings } from './settings.ts'
import { checkOnTarget, type TemplateHead } from './target-check.ts'
import { planMappingTransform } from './transform-mapping.ts'
import { translateTemplate, type TranslatedTemplate } from './templates.ts'

export type PlannedTemplates = Pick<
  MetadataPlan,
  'componentTemplates' | 'legacyTemplates' | 'indexTemplates'
>
export const noTemplates: PlannedTemplates = {
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

/** Names that the selection leaves out. */
export function templatesDeselected(input: EvaluateInput, global: GlobalMetadata): string[] {
  const { componentTemplates, legacyTemplates, indexTemplates } = global
  return [componentTemplates, legacyTemplates, indexTemplates].flatMap((templates) => {
    const selected = templateSelected(input, templates)
    return Object.keys(templates).filter((name) => !selected(name))
  })
}

/** What the templates of the source fit, by their names. */
export function templatePatterns(global: GlobalMetadata): Map<string, readonly string[]> {
  const both = Object.entries({ ...global.legacyTemplates, ...global.indexTemplates })
  return new Map(both.map(([name, template]) => [name, patternsOf(template)]))
}

function patternsOf({ index_patterns: patterns, template }: JsonObject): string[] {
  return Array.isArray(patterns) ? patterns.map(textOf) : [textOf(patterns ?? template)]
}

/** What a template is for; a component template is for what those are for that name it. */
function patternsFor(
  { kind, name }: Pick<PlannedTemplate, 'kind' | 'name'>,
  source: JsonObject,
  { indexTemplates }: GlobalMetadata,
): string[] {
  if (kind !== 'component-template') return patternsOf(source)
  return Object.values(indexTemplates)
    .filter(({ composed_of: names }) => Array.isArray(names) && names.includes(name))
    .flatMap(patternsOf)
}

/** The template with its mapping as the transform makes it. */
async function transformedTemplate(
  input: EvaluateInput,
  template: TranslatedTemplate,
  patterns: readonly string[],
): Promise<TranslatedTemplate> {
  const { kind, name, body } = template
  const content = contentOf(body, kind)
  if (!isJsonObject(content.mappings)) return template
  const of = { index: patterns[0] ?? '', template: { name, patterns } }
  const { mapping, changes, refused } = await planMappingTransform(input, of, content.mappings)
  const changed = { ...content, mappings: mapping }
  return {
    ...template,
    body: kind === 'legacy-template' ? changed : { ...body, template: changed },
    changes: [...template.changes, ...changes],
    ...(refused !== undefined && { refused }),
  }
}

/** All that are selected, where the options say that no template is to be carried over. */
export function templatesLeft(input: EvaluateInput, global: GlobalMetadata): NotCarried[] {
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

/** Plans the three kinds; component templates first, since the others name them. */
export async function planTemplates(
  input: EvaluateInput,
  global: GlobalMetadata,
  { facts, edits }: { facts: RuleFacts; edits?: PlanEdits | undefined },
): Promise<PlannedTemplates> {
  const cluster = clusterOf(input.target)
  const existing =
    cluster === undefined ? noTemplatesThere : await readExistingTemplates(cluster, input.signal)
  const plan = async (
    kind: PlannedTemplate['kind'],
    sources: Templates,
    components: readonly PlannedTemplate[],
  ): Promise<PlannedTemplate[]> => {
    const planned: PlannedTemplate[] = []
    for (const name of Object.keys(sources).filter(templateSelected(input, sources)).sort()) {
      const beside = settingsBeside(kind, name, global)
      const patterns = patternsFor({ kind, name }, sources[name]!, global)
      const { template: source, changes } = withoutAbsent(sources[name]!, global)
      const translated = translateTemplate(kind, name, source, facts, beside)
      const template = await transformedTemplate(
        input,
        { ...translated, changes: [...changes, ...translated.changes] },
        patterns,
      )
      planned.push(
        await withEdit(edits, (edited) =>
          planTemplate(input, editedTemplate(template, edited), existing, components),
        ),
      )
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

/** The template with the body of a plan file, which is sent even where a rule would refuse the source's. */
function editedTemplate(
  { refused, ...template }: TranslatedTemplate,
  edited: JsonObject | undefined,
): TranslatedTemplate {
  if (edited === undefined) return { ...template, ...(refused !== undefined && { refused }) }
  const settings = flattenSettings(objectOf(contentOf(edited, template.kind).settings))
  const back = Object.keys(template.withheld).filter((name) => name in settings)
  return {
    ...template,
    body: withSettings(edited, template.kind, settings),
    ...(back.length > 0 && { refused: withheldAgain(back) }),
  }
}

async function planTemplate(
  { target, signal }: EvaluateInput,
  template: TranslatedTemplate,
  existing: ExistingTemplates,
  components: readonly PlannedTemplate[],
): Promise<PlannedTemplate> {
  const { kind, name, withheld, refused } = template
  if (refused !== undefined) {
    const { changes, body } = template
    return { kind, name, withheld, changes, body, action: 'refused', reason: `${name}: ${refused}` }
  }
  const own = contentOf(template.body, kind)
  const check = await checkOnTarget(
    clusterOf(target),
    {
      // Engines look at a component by itself, and at a template with all that it is composed of.
      settings: { ...(kind === 'index-template' && template.beside), ...objectOf(own.settings) },
      mappings: objectOf(own.mappings),
      aliases: objectOf(own.aliases),
    },
    { ...(kind === 'index-template' && { as: simulatedAs(template) }), ...(signal && { signal }) },
  )
  const settings = Object.fromEntries(
    Object.entries(check.settings).filter(([key]) => key in objectOf(own.settings)),
  )
  const changes = [
    ...template.changes,
    ...check.changes.filter(
      ({ path }) =>
        !path.startsWith('settings.') || path.slice('settings.'.length) in objectOf(own.settings),
    ),
  ]
  const body = withSettings(template.body, kind, settings)
  const planned = { kind, name, withheld, changes, body }
  const there = existing[kind][name]
  if (there) {
    const list = templateDifference(body, there)
    if (list.length === 0) return { ...planned, action: 'exists-equal' }
    const reason = `a ${kind.replace('-', ' ')} ${name} is on the target with other contents: ${differenceText(list)}; it is left as it is`
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

/** Under its own name it replaces itself, and shows whether another one of its priority fits the same indices. */
function simulatedAs({ name, body }: TranslatedTemplate): TemplateHead {
  const patterns = Array.isArray(body.index_patterns) ? body.index_patterns.map(textOf) : []
  return { name, patterns, priority: Number(body.priority ?? 0) }
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
