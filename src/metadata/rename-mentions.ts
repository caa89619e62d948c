import { isJsonObject, type Json } from '../base/json.ts'
import { objectOf } from './json-objects.ts'
import type { PlannedChange, PlannedIndex, PlannedPipeline } from './plan.ts'

interface Mentioning {
  readonly pipelines: readonly PlannedPipeline[]
  readonly indices: readonly PlannedIndex[]
}

/**
 * Says where an index is spoken of by the name that it has on the source and not on the target: in the filter of an alias
 * that looks terms up, and in pipelines. Such a text is left as it is, since it may mean something else.
 */
export function noteMentions<T extends Mentioning>(plan: T): T {
  const names = new Map(
    plan.indices
      .filter(({ action, name, targetIndex }) => action !== 'refused' && name !== targetIndex)
      .map(({ name, targetIndex }) => [name, targetIndex]),
  )
  if (names.size === 0) return plan
  const noted = (path: string, part: Json): PlannedChange[] =>
    [...mentioned(part, names)].map((name) => ({
      path,
      what: 'noted',
      reason: `it speaks of ${name}, which is ${names.get(name)} on the target: correct it there, or in a plan file`,
      loss: true,
    }))
  return {
    ...plan,
    pipelines: plan.pipelines.map((one) => {
      const changes = noted('body', one.body)
      return changes.length === 0 ? one : { ...one, changes: [...one.changes, ...changes] }
    }),
    indices: plan.indices.map((index) => {
      const changes = Object.entries(objectOf(index.body.aliases)).flatMap(([alias, options]) =>
        noted(`aliases.${alias}.filter`, objectOf(options).filter ?? null),
      )
      return changes.length === 0 ? index : { ...index, changes: [...index.changes, ...changes] }
    }),
  }
}

/** Texts in the part, however deep, that are one of the names. */
function mentioned(
  part: Json,
  names: ReadonlyMap<string, string>,
  found = new Set<string>(),
): Set<string> {
  if (typeof part === 'string') {
    if (names.has(part)) found.add(part)
  } else if (Array.isArray(part)) {
    for (const item of part) mentioned(item, names, found)
  } else if (isJsonObject(part)) {
    for (const item of Object.values(part)) mentioned(item, names, found)
  }
  return found
}
