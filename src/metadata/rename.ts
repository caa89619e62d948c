import { matcher } from '../base/select.ts'
import { objectOf } from './json-objects.ts'
import type { RenameRule } from './options.ts'
import type { PlannedChange, PlannedIndex } from './plan.ts'

/**
 * An index may have another name on the target (`metadata.rename`); the first rule that fits its whole name counts.
 * Aliases, data streams and the patterns of templates keep theirs: they are what clients say. Which name became which
 * is kept with the record of the index, so that the way back needs no inverse of a rule.
 */
export function renamed(name: string, rules: readonly RenameRule[]): string {
  for (const { from, to } of rules) {
    const whole = wholeName(from)
    if (whole.test(name)) return name.replace(whole, to)
  }
  return name
}

function wholeName(from: string): RegExp {
  return new RegExp(`^(?:${from})$`, 'su')
}

/** Patterns of the names that the rules give. */
export function newNames(rules: readonly RenameRule[]): string[] {
  return rules.map(({ to }) => to.replaceAll(/\$(?:\d{1,2}|<[^>]*>|&)/g, '*').replaceAll('$$', '$'))
}

/** What is wrong with a rule; undefined when nothing is. */
export function renameFault({ from, to }: RenameRule): string | undefined {
  let groups: number
  let names: readonly string[]
  try {
    // The empty alternative always fits, so that the answer shows all groups.
    const found = new RegExp(`${wholeName(from).source}|`, 'su').exec('')!
    groups = found.length - 1
    names = Object.keys(found.groups ?? {})
  } catch (error) {
    return `the pattern "${from}": ${(error as Error).message}`
  }
  for (const [reference, number, name] of to.matchAll(/\$(?:(\d{1,2})|<([^>]*)>)/g)) {
    const isThere =
      number === undefined ? names.includes(name!) : Number(number) >= 1 && Number(number) <= groups
    if (!isThere) return `"${to}" speaks of ${reference}, and "${from}" has no such group`
  }
  return undefined
}

/** What the plan says of a renamed index. `templates` are the patterns of the source's templates, by their names. */
export function renameChanges(
  name: string,
  targetIndex: string,
  templates: ReadonlyMap<string, readonly string[]>,
): PlannedChange[] {
  if (name === targetIndex) return []
  const change: PlannedChange = {
    path: 'name',
    what: 'changed',
    from: name,
    to: targetIndex,
    reason: 'asked for by metadata.rename',
    loss: false,
  }
  const fits = (index: string, patterns: readonly string[]): boolean => matcher(patterns)(index)
  const left = [...templates].filter(
    ([, patterns]) => fits(name, patterns) && !fits(targetIndex, patterns),
  )
  if (left.length === 0) return [change]
  const names = left.map(([template]) => template).join(', ')
  const reason = `${names} fits ${name} and not ${targetIndex}: an index that follows it by rollover gets nothing of this template`
  return [change, { path: 'name', what: 'noted', reason, loss: false }]
}

/**
 * Refuses what cannot stand side by side: two indices that would get one name, and an index that would get the name of
 * an alias of another, or of its own. An index that is made already stays.
 */
export function refuseClashes(indices: readonly PlannedIndex[]): PlannedIndex[] {
  const named = grouped(indices.map((index) => [index.targetIndex, index]))
  const aliased = grouped(
    indices
      .filter(({ action }) => action !== 'refused')
      .flatMap((index) =>
        [
          ...Object.keys(objectOf(index.body.aliases)),
          ...(index.stream ? [index.stream.name] : []),
        ].map((alias) => [alias, index] as const),
      ),
  )
  return indices.map((index): PlannedIndex => {
    if (index.action === 'exists-equal') return index
    const { name, targetIndex } = index
    const others = (named.get(targetIndex) ?? []).filter((other) => other !== index)
    if (others.length > 0) {
      const names = [name, ...others.map((other) => other.name)].sort().join(' and ')
      const reason = `${names} would both be ${targetIndex} on the target. Correct metadata.rename, or exclude one of them`
      return { ...index, action: 'refused', reason }
    }
    const holders = aliased.get(targetIndex) ?? []
    if (holders.length === 0) return index
    const names = holders.map((holder) => holder.name).join(', ')
    const reason = `${name} would be ${targetIndex} on the target, and that is the name of an alias or data stream of ${names}. Correct metadata.rename, or take the alias off (metadata migrate --plan)`
    return { ...index, action: 'refused', reason }
  })
}

function grouped(
  entries: readonly (readonly [string, PlannedIndex])[],
): Map<string, PlannedIndex[]> {
  const groups = new Map<string, PlannedIndex[]>()
  for (const [key, index] of entries) {
    const group = groups.get(key)
    if (group) group.push(index)
    else groups.set(key, [index])
  }
  return groups
}
