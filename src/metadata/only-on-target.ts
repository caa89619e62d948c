import { defaultExclude, matcher, selectNames, type Selection } from '../base/select.ts'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ExistingTemplates } from './existing.ts'
import { objectOf, textOf } from './json-objects.ts'
import { isManaged } from './not-carried.ts'
import { plannedObjects, type MetadataPlan, type TemplateKind } from './plan.ts'
import { readNamesInUse } from './target-names.ts'

/** What the target has, and the source has not. */
export interface OnlyOnTarget {
  readonly kind: 'index' | 'ingest-pipeline' | TemplateKind
  readonly name: string
  /**
   * Templates that were carried over and no longer hold alone, and carried indices whose successors it fits: an index that
   * is made there from now on (by a rollover, by a name with a date) is otherwise than it would be on the source.
   */
  readonly inPlaceOf: readonly string[]
}

export interface OnlyOnTargetInput {
  readonly target: Cluster
  readonly templates: ExistingTemplates
  readonly select: Selection
  readonly signal?: AbortSignal | undefined
}

/** Selected indices, templates and pipelines of the target that are not in the source; no stored scripts, which need more rights. */
export async function findOnlyOnTarget(
  plan: MetadataPlan,
  { target, templates, select, signal }: OnlyOnTargetInput,
): Promise<OnlyOnTarget[]> {
  const known = knownNames(plan)
  const excluded = matcher([...(select.exclude ?? defaultExclude), 'osmigrate-*'])
  const isStrange = (name: string): boolean => !known.has(name) && !excluded(name)
  const { indices } = await readNamesInUse(target, signal)
  const { body: pipelines } = await target.request('GET', '/_ingest/pipeline', {
    accept: [404],
    ...(signal && { signal }),
  })
  const list = (kind: OnlyOnTarget['kind'], names: Iterable<string>): OnlyOnTarget[] =>
    [...names].filter(isStrange).map((name) => ({ kind, name, inPlaceOf: [] }))
  const ofTemplates = (kind: TemplateKind): OnlyOnTarget[] =>
    Object.entries(templates[kind])
      .filter(([name, { _meta: meta }]) => isStrange(name) && !isManaged(meta))
      .map(([name]) => ({ kind, name, inPlaceOf: inPlaceOf(plan, templates, { kind, name }) }))
  return [
    ...ofTemplates('index-template'),
    ...ofTemplates('legacy-template'),
    ...ofTemplates('component-template'),
    ...list('ingest-pipeline', Object.keys(pipelines)),
    ...list('index', selectNames(indices, select)),
  ]
}

/** Names that the source has, whether they are carried over or not; one name is enough for all kinds. */
function knownNames(plan: MetadataPlan): Set<string> {
  return new Set([
    ...plannedObjects(plan).map(({ name }) => name),
    ...plan.indices.map(({ targetIndex }) => targetIndex),
    ...plan.notCarried.map(({ name }) => name),
    ...plan.templatesNotSelected,
    ...plan.notSelected,
  ])
}

interface Named {
  readonly kind: TemplateKind
  readonly name: string
}

/** Of the templates that fit an index the one with the highest priority alone counts, and those of the older kind only where there is none. */
export function inPlaceOf(
  plan: MetadataPlan,
  templates: ExistingTemplates,
  { kind, name }: Named,
): string[] {
  if (kind === 'component-template') return []
  const template = templates[kind][name]!
  const patterns = patternsOf(template)
  const isStronger = (other: JsonObject, otherKind: TemplateKind): boolean =>
    kind === 'index-template'
      ? otherKind === 'legacy-template' || priorityOf(template) > priorityOf(other)
      : otherKind === 'legacy-template'
  const carried = [...plan.indexTemplates, ...plan.legacyTemplates].flatMap((one) => {
    const found = templates[one.kind][one.name]
    return found ? [{ kind: one.kind, name: one.name, body: found }] : []
  })
  const templatesBelow = carried.filter(
    (one) => isStronger(one.body, one.kind) && overlap(patterns, patternsOf(one.body)),
  )
  const fits = matcher(patterns)
  const successors = plan.indices
    .map(({ targetIndex }) => targetIndex)
    .filter((index) => fits(index) && !carried.some((one) => fitsIndex(one.body, index)))
    .filter((index) => kind === 'index-template' || !fittedByComposable(templates, index))
  return [...templatesBelow.map((one) => one.name), ...successors]
}

function fittedByComposable(templates: ExistingTemplates, index: string): boolean {
  return Object.values(templates['index-template']).some((body) => fitsIndex(body, index))
}

function fitsIndex(template: JsonObject, index: string): boolean {
  return matcher(patternsOf(template))(index)
}

function patternsOf({ index_patterns: patterns }: JsonObject): string[] {
  return Array.isArray(patterns) ? patterns.map(textOf) : []
}

function priorityOf(template: JsonObject): number {
  return Number(objectOf(template).priority ?? 0)
}

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.some((other) => patternsOverlap(one, other)))
}

/** Whether there is a name that both patterns fit; `*` stands for any run of characters. */
export function patternsOverlap(one: string, other: string): boolean {
  // reach[j]: the part of `one` that was gone through fits what the first j characters of `other` fit.
  let reach = beginning(other)
  for (const char of one) {
    const next: boolean[] = [char === '*' && reach[0]!]
    for (let j = 1; j <= other.length; j++) {
      const there = other[j - 1]!
      next[j] =
        char === '*' || there === '*'
          ? reach[j]! || next[j - 1]! || (char === '*' && there === '*' && reach[j - 1]!)
          : reach[j - 1]! && char === there
    }
    reach = next
  }
  return reach[other.length]!
}

function beginning(pattern: string): boolean[] {
  const reach = [true]
  for (let j = 1; j <= pattern.length; j++) reach[j] = reach[j - 1]! && pattern[j - 1] === '*'
  return reach
}
