/** The cases of the rules, as contents that can be translated and put onto a target. */
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { EngineVersion } from '../../cluster/cluster.ts'
import { parseVersion } from '../../cluster/version.ts'
import type { RuleFacts } from '../rule-facts.ts'
import { flattenSettings } from '../settings.ts'
import { defaultChoices, type Rule, type RuleCase } from './rule.ts'
import { translateContent, type Content, type Translated } from './translate.ts'

/** What goes to the target. */
export interface Outcome {
  readonly settings: JsonObject
  readonly mapping: JsonObject
}

/** One case with what it stands for written out. */
export interface WholeCase {
  readonly name: string
  readonly kind: Rule['kind']
  readonly title: string
  readonly case: RuleCase
  readonly source: EngineVersion
  readonly target: EngineVersion
  readonly before: Content
  readonly after: Outcome
  readonly untried: string | undefined
}

/** All cases of a table, written out. */
export function casesOf(rules: readonly Rule[]): WholeCase[] {
  return rules.flatMap((rule) =>
    rule.cases.map((one, i) => {
      const { source, target } = versionsOf(one.on)
      const shown = JSON.stringify(one.before).slice(0, 80)
      return {
        name: rule.name,
        kind: rule.kind,
        title: `case ${i + 1}, ${one.on}, ${shown}`,
        case: one,
        source,
        target,
        before: beforeOf(rule, one),
        after: partsOf(rule, one, 1),
        untried: one.untried ?? rule.untried,
      }
    }),
  )
}

/** Runs the whole table over a case. */
export function runCase(one: WholeCase): Translated {
  return translateContent(one.before, factsOf(one))
}

/** What the case says of the world around its content. */
export function factsOf(one: WholeCase): RuleFacts {
  return {
    source: one.source,
    created: one.source,
    target: one.target,
    choices: { ...defaultChoices, ...one.case.choices },
    awarenessCopies: one.case.awarenessCopies ?? 1,
    searchPipelines: new Set(one.case.searchPipelines),
  }
}

/** The changes in the short form of the cases. */
export function shortChanges({ changes }: Translated): string[] {
  return changes.map(shortChange)
}

function shortChange({ path, what, loss }: Translated['changes'][number]): string {
  const short = path
    .replace(/^mappings\.properties\.f(\.|$)/, '')
    .replace(/^mappings\./, '')
    .replace(/^settings\./, '')
  return `${short === '' ? '.' : short} ${what}${loss ? ' !' : ''}`
}

function beforeOf(rule: Rule, one: RuleCase): Content {
  if (rule.kind !== 'types') {
    const { settings, mapping } = partsOf(rule, one, 0)
    return { settings, mappings: { _doc: mapping } }
  }
  return { settings: {}, mappings: one.before as Content['mappings'] }
}

function partsOf(rule: Rule, one: RuleCase, which: 0 | 1): Outcome {
  const given = which === 0 ? one.before : one.after
  const settings = flattenSettings(one.settings?.[which] ?? {})
  switch (rule.kind) {
    case 'field':
      return { settings, mapping: { properties: { f: given } } }
    case 'root':
    case 'types':
      return { settings, mapping: given }
    case 'setting':
    case 'analysis':
      return { settings: flattenSettings(given), mapping: one.mapping?.[which] ?? {} }
  }
}

function versionsOf(on: string): { source: EngineVersion; target: EngineVersion } {
  const match = /^(os)?([\d.]+) > ([\d.]+)$/.exec(on)
  const source = match && parseVersion(match[1] ? 'opensearch' : 'elasticsearch', match[2])
  const target = match && parseVersion('opensearch', match[3])
  if (!source || !target)
    throw new Error(`a case on "${on}": write \`5.6 > 3.6\` or \`os2.19 > 3.6\``)
  return { source, target }
}

/** Whether the content holds a type of the k-NN plugin. */
export function needsKnn({ mapping, settings }: Outcome): boolean {
  return holdsKnn(mapping) || Object.keys(settings).some((name) => name.startsWith('index.knn'))
}

function holdsKnn(value: Json): boolean {
  if (Array.isArray(value)) return value.some(holdsKnn)
  if (!isJsonObject(value)) return false
  return value.type === 'knn_vector' || Object.values(value).some(holdsKnn)
}
