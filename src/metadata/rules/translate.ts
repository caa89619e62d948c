import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import { matcher } from '../../base/select.ts'
import { settingText } from '../../cluster/settings.ts'
import type { PlannedChange } from '../plan.ts'
import type { FlatSettings } from '../settings.ts'
import { Analysis } from './analysis-settings.ts'
import { Edit, Notes } from './edit.ts'
import {
  isIn,
  type FieldPlace,
  type FieldRule,
  type MappingsByType,
  type Rule,
  type RuleContext,
  type SettingRule,
} from './rule.ts'
import { rules } from './table.ts'

/** Settings by full name, and the mappings by type, of an index or a template. */
export interface Content {
  readonly settings: FlatSettings
  readonly mappings: MappingsByType
}

export interface Translated {
  readonly settings: FlatSettings
  readonly mapping: JsonObject
  /** Settings kept off the target until the switch. */
  readonly withheld: { readonly [setting: string]: string }
  readonly changes: PlannedChange[]
  /** Why it cannot be made: all that the rules say cannot be. */
  readonly refused?: string
}

/** Runs the rules over one content: types, root of the mapping, fields, settings, analysis. */
export function translateContent(
  content: Content,
  facts: Omit<RuleContext, 'settings'>,
  table: readonly Rule[] = rules,
): Translated {
  const context: RuleContext = { ...facts, settings: content.settings }
  const applicable = table.filter(
    (rule) => isIn(context.source, rule.source) && isIn(context.target, rule.target),
  )
  const notes = new Notes()
  const settings = new Edit(content.settings, 'settings', notes)
  const work = { rules: applicable, context, notes, settings }
  const mapping = translateMapping(oneMapping(content.mappings, work), work)
  const withheld = translateSettings(work)
  translateAnalysis(mapping, work)
  const refused = refusalOf(notes.changes)
  return {
    settings: { ...settings.node },
    mapping,
    withheld,
    changes: notes.changes,
    ...(refused !== undefined && { refused }),
  }
}

interface Work {
  readonly rules: readonly Rule[]
  readonly context: RuleContext
  readonly notes: Notes
  readonly settings: Edit
}

/** After the rules for types there is one, except where they say that it cannot be: then the first. */
function oneMapping(types: MappingsByType, { rules, context, notes }: Work): JsonObject {
  for (const rule of rules) {
    if (rule.kind !== 'types' || !rule.matches(types, context)) continue
    notes.worker = rule
    types = rule.does(types, notes, context)
  }
  return Object.values(types)[0] ?? {}
}

function translateMapping(source: JsonObject, work: Work): JsonObject {
  const root = new Edit(source, 'mappings', work.notes)
  for (const rule of work.rules) {
    if (rule.kind !== 'root' || !rule.matches(root.node, work.context)) continue
    work.notes.worker = rule
    rule.does(root, work.context, work.settings)
  }
  const fieldRules = work.rules.filter((rule): rule is FieldRule => rule.kind === 'field')
  const place = { name: '', settings: work.settings, inDynamicTemplate: false, isMultiField: false }
  const visitor: Visitor = { ...work, fieldRules, place }
  const mapping = { ...root.node }
  const { properties, dynamic_templates: templates } = mapping
  if (isJsonObject(properties)) {
    mapping.properties = visitFields(properties, 'mappings.properties', visitor)
  }
  if (Array.isArray(templates)) {
    mapping.dynamic_templates = templates.map((template, i) =>
      visitDynamicTemplate(template, `mappings.dynamic_templates[${i}]`, visitor),
    )
  }
  return mapping
}

interface Visitor extends Work {
  readonly fieldRules: readonly FieldRule[]
  readonly place: FieldPlace
}

function visitFields(fields: JsonObject, path: string, visitor: Visitor): JsonObject {
  const { place } = visitor
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const inner = { ...place, name: place.name === '' ? name : `${place.name}.${name}` }
      return [name, visitField(field, `${path}.${name}`, { ...visitor, place: inner })]
    }),
  )
}

/** The rules in the order of the table, then what is below: multi-fields and properties, as they are by then. */
function visitField(source: Json, path: string, visitor: Visitor): Json {
  if (!isJsonObject(source)) return source
  const { context, place, fieldRules, notes } = visitor
  const field = new Edit(source, path, notes)
  for (const rule of fieldRules) {
    if (!rule.matches(field.node, context, place)) continue
    notes.worker = rule
    rule.does(field, context, place)
  }
  const node = { ...field.node }
  if (isJsonObject(node.fields)) {
    const inMulti = { ...visitor, place: { ...place, isMultiField: true } }
    node.fields = visitFields(node.fields, `${path}.fields`, inMulti)
  }
  if (isJsonObject(node.properties)) {
    node.properties = visitFields(node.properties, `${path}.properties`, visitor)
  }
  return node
}

/** `{ NAME: { match…, mapping: FIELD } }`, the field with `{name}` and `{dynamic_type}` in it. */
function visitDynamicTemplate(template: Json, path: string, visitor: Visitor): Json {
  if (!isJsonObject(template)) return template
  return Object.fromEntries(
    Object.entries(template).map(([name, body]) => {
      if (!isJsonObject(body) || !isJsonObject(body.mapping)) return [name, body]
      const matchMappingType = body.match_mapping_type
      const place = {
        ...visitor.place,
        name: '*',
        inDynamicTemplate: true,
        ...(typeof matchMappingType === 'string' && { matchMappingType }),
      }
      const inner = `${path}.${name}.mapping`
      return [name, { ...body, mapping: visitField(body.mapping, inner, { ...visitor, place }) }]
    }),
  )
}

/** Each setting meets the first rule that fits it. Gives what is withheld. */
function translateSettings({ rules, context, notes, settings }: Work): { [name: string]: string } {
  const withheld: { [setting: string]: string } = {}
  const settingRules = rules.filter((rule): rule is SettingRule => rule.kind === 'setting')
  for (const name of Object.keys(settings.node).sort()) {
    const rule = settingRules.find(
      (rule) =>
        fitsName(rule, name) && (rule.matches?.(settings.get(name) ?? null, context) ?? true),
    )
    if (rule === undefined) continue
    notes.worker = rule
    if (rule.does === 'drop') settings.drop(name)
    else if (rule.does === 'withhold') withheld[name] = settingText(settings.withhold(name))
    else rule.does(settings, name, context)
  }
  return withheld
}

function translateAnalysis(mapping: JsonObject, { rules, context, notes, settings }: Work): void {
  const analysis = new Analysis(settings, mapping)
  for (const rule of rules) {
    if (rule.kind !== 'analysis') continue
    notes.worker = rule
    rule.does(analysis, context)
  }
}

const matchers = new WeakMap<SettingRule, (name: string) => boolean>()

function fitsName(rule: SettingRule, name: string): boolean {
  let fits = matchers.get(rule)
  if (fits === undefined) {
    fits = matcher(rule.names)
    matchers.set(rule, fits)
  }
  return fits(name)
}

const refusalsShown = 5

/** What cannot be, in one sentence. */
export function refusalOf(changes: readonly PlannedChange[]): string | undefined {
  const cannot = changes.filter(({ what }) => what === 'cannot')
  if (cannot.length === 0) return undefined
  const shown = cannot.slice(0, refusalsShown).map(({ path, reason }) => `${path}: ${reason}`)
  const more = cannot.length > refusalsShown ? ` and ${cannot.length - refusalsShown} more` : ''
  return shown.join('; ') + more
}
