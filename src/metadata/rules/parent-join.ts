import type { JsonObject } from '../../base/json.ts'
import { objectOf, textOf } from '../json-objects.ts'
import type { Notes } from './edit.ts'
import type { MappingsByType } from './rule.ts'

/** Parent type of each type that has a `_parent`. */
export function parentsOf(types: MappingsByType): { [child: string]: string } {
  return Object.fromEntries(
    Object.entries(types)
      .filter(([, type]) => '_parent' in type)
      .map(([child, type]) => [child, textOf(objectOf(type._parent).type)]),
  )
}

/** A name for the field of type `join` that no field of the index has. */
export function joinFieldOf(types: MappingsByType): string {
  const isTaken = (name: string): boolean =>
    Object.values(types).some(({ properties }) => name in objectOf(properties))
  let name = 'join'
  while (isTaken(name)) name = name === 'join' ? 'parent_join' : `${name}_`
  return name
}

/** The types with the field of type `join` in the place of `_parent`. */
export function parentToJoin(types: MappingsByType, notes: Notes): MappingsByType {
  const parents = parentsOf(types)
  const field = joinFieldOf(types)
  const join = { type: 'join', relations: relationsOf(parents) }
  const joined = Object.keys(parents).map((child) => {
    const { _parent: from, properties, ...rest } = types[child]!
    notes.add(`mappings.${child}._parent`, 'changed', { from, to: { [field]: join } })
    dropRouting(child, rest, notes)
    return [child, { ...rest, properties: { [field]: join, ...objectOf(properties) } }]
  })
  return { ...types, ...(Object.fromEntries(joined) as MappingsByType) }
}

function relationsOf(parents: { [child: string]: string }): JsonObject {
  const relations: { [parent: string]: string | string[] } = {}
  for (const [child, parent] of Object.entries(parents)) {
    const others = relations[parent]
    relations[parent] = others === undefined ? child : [others, child].flat()
  }
  return relations
}

/** Parents have no routing, so it cannot be required any more. */
function dropRouting(child: string, type: JsonObject, notes: Notes): void {
  const routing = objectOf(type._routing)
  if (Object.keys(routing).length === 0) return
  delete type._routing
  const why = 'the parents are in the same mapping by now, and they have no routing'
  notes.add(`mappings.${child}._routing`, 'dropped', { from: routing }, { why, loses: 'nothing' })
}
