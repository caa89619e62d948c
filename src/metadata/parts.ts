import { createHash } from 'node:crypto'
import { typeMark, type DocumentTypes } from '../base/document-types.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import { objectOf, without } from './json-objects.ts'
import type { RuleChoices } from './rules/rule.ts'
import { joinFieldOf, parentsOf } from './rules/parent-join.ts'
import type { MappingsByType } from './rules/rule.ts'

/** What of an index becomes one index of the target: all of it, or some of its mapping types. */
export interface IndexPart {
  /** The name of the index; `index#type` of a part. */
  readonly name: string
  /** What it is called on the target unless it is renamed. */
  readonly targetName: string
  /** With the mappings of its types alone. */
  readonly index: IndexMetadata
  readonly fenceAlias: string
  /** Those of all parts of the index. */
  readonly fences: readonly string[]
  /** See SourceIncarnation. */
  readonly life: number
  /** What becomes of its documents; null where they go as they are. */
  readonly types: Omit<DocumentTypes, 'routeById'> | null
  /** Documents of several types keep their ids in it, so that two may have one. */
  readonly idsMayMeet: boolean
}

/**
 * The parts of an index: with `split` one for each type, where types that are joined by `_parent` stay together, since
 * the target joins documents of one index only; else the one that is all of it.
 */
export function partsOf(
  index: IndexMetadata,
  choices: Pick<RuleChoices, 'types' | 'typeField'>,
  life = 0,
): IndexPart[] {
  const families = familiesOf(index.mappings)
  const isSplit = choices.types === 'split' && families.length > 1
  if (!isSplit) return [partOf(index, choices, life)]
  const defaults = objectOf(index.mappings._default_)
  const parts = families.map((types): IndexPart => {
    const mappings = Object.fromEntries(types.map((type) => [type, index.mappings[type]!]))
    const all = '_default_' in index.mappings ? { ...mappings, _default_: defaults } : mappings
    const [first] = types
    const part = partOf({ ...index, mappings: all }, choices, life)
    const join = part.types?.join ?? null
    return {
      ...part,
      // A key of the state has `/` behind the name.
      name: `${index.name}${typeMark}${first!.replaceAll('/', '%2F')}`,
      targetName: `${index.name}-${first}`.toLowerCase(),
      fenceAlias: `${part.fenceAlias}-${shortHash(first!)}`,
      types: { only: types, keepIn: null, join },
    }
  })
  const fences = parts.map(({ fenceAlias }) => fenceAlias)
  return parts.map((part) => ({ ...part, fences }))
}

function partOf(
  index: IndexMetadata,
  { types: choice, typeField }: Pick<RuleChoices, 'types' | 'typeField'>,
  life: number,
): IndexPart {
  const { name, uuid, mappings } = index
  const own = without(mappings, ['_default_']) as MappingsByType
  const several = Object.keys(own).length > 1
  const keepIn = several && choice === 'keep' ? typeField : null
  const parents = parentsOf(own)
  const join = Object.keys(parents).length > 0 ? { field: joinFieldOf(own), parents } : null
  const fenceAlias = fenceOf(uuid, life)
  return {
    name,
    targetName: name,
    index,
    fenceAlias,
    fences: [fenceAlias],
    life,
    types: keepIn === null && join === null ? null : { only: null, keepIn, join },
    idsMayMeet: several && keepIn === null && choice !== 'refuse',
  }
}

/**
 * Why the part cannot be made: the index is on the target already, divided otherwise (another `metadata.types`).
 * `aliases` are those of the target.
 */
export function dividedOtherwise(
  { index, fences, life }: IndexPart,
  aliases: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const own = fenceOf(index.uuid, life)
  const others = [...aliases].filter(
    ([alias]) => (alias === own || alias.startsWith(`${own}-`)) && !fences.includes(alias),
  )
  if (others.length === 0) return undefined
  const names = others.flatMap(([, names]) => names).join(', ')
  return `${names} on the target was made for ${index.name} by another metadata.types: delete it there, or put the option back`
}

/** Of an index whose numbers began anew under its UUID it is another one: late writers of its former life find none. */
function fenceOf(uuid: string, life: number): string {
  return life === 0 ? `osmigrate-${uuid}-0` : `osmigrate-${uuid}-0.${life}`
}

/** A type may have characters that no alias has. */
function shortHash(type: string): string {
  return createHash('sha256').update(type).digest('hex').slice(0, 8)
}

function typesOf(mappings: MappingsByType): string[] {
  return Object.keys(mappings).filter((type) => type !== '_default_')
}

/** The types, those together that `_parent` joins: the one that has no parent first. */
function familiesOf(mappings: MappingsByType): string[][] {
  const parents = parentsOf(mappings)
  const families = new Map<string, string[]>()
  for (const type of typesOf(mappings)) {
    let root = type
    // A circle cannot be on any engine; a hostile one ends.
    for (let steps = 0; root in parents && steps < 100; steps++) root = parents[root]!
    families.set(root, [...(families.get(root) ?? []), type])
  }
  return [...families.values()].map((family) =>
    family.sort((a, b) => Number(a in parents) - Number(b in parents)),
  )
}
