import type { Json, JsonObject } from '../../base/json.ts'
import { differingPaths } from '../json-difference.ts'
import { objectOf, textOf, without } from '../json-objects.ts'
import type { Notes, Remark } from './edit.ts'
import type { MappingsByType, RuleChoices } from './rule.ts'

/** All types in one mapping, and what is said of it by what was chosen for the documents. */
export function uniteAs(
  { types: choice, typeField }: Pick<RuleChoices, 'types' | 'typeField'>,
  types: MappingsByType,
  notes: Notes,
): MappingsByType {
  if (choice !== 'keep') {
    const why = joinsAll(types) ? joined : choice === 'split' ? forEach : undefined
    return unite(types, notes, why === undefined ? {} : { why, loses: 'nothing' })
  }
  const why = `the types become one: each document has its type in the field ${typeField} (metadata.typeField), and its id is type#id, so that no two have one`
  const { _doc: united = {} } = unite(types, notes, { why, loses: 'nothing' })
  const properties = objectOf(united.properties)
  const path = `mappings.properties.${typeField}`
  if (typeField in properties) {
    const taken = 'a field of this name is there: choose another by metadata.typeField'
    notes.add(path, 'cannot', { from: properties[typeField] }, { why: taken, loses: 'dropped' })
    return { _doc: united }
  }
  const to = { type: 'keyword' }
  notes.add(path, 'added', { to }, { why: 'for the type of each document', loses: 'nothing' })
  return { _doc: { ...united, properties: { ...properties, [typeField]: to } } }
}

const joined = 'the types become one: by the join field of a document one sees which type it had'

// Of an index that is split only types that are joined stay together.
const forEach =
  'metadata.types is split: the indices of each type that the template fits get the fields of all its types'

/** True when each type is a name in a join field. */
function joinsAll(types: MappingsByType): boolean {
  const names = Object.values(types)
    .flatMap(({ properties }) => Object.values(objectOf(properties)).map(objectOf))
    .filter(({ type }) => type === 'join')
    .flatMap(({ relations }) => Object.entries(objectOf(relations)).flat(2))
  return Object.keys(types).every((type) => names.includes(type))
}

/** All types in one mapping. Two definitions of one field that differ cannot be: none is overwritten. */
function unite(types: MappingsByType, notes: Notes, remark: Remark): MappingsByType {
  const names = Object.keys(types)
  notes.add(`mappings.${names.join(', ')}`, 'changed', { to: '_doc' }, remark)
  const united: JsonObject = {}
  for (const name of names) {
    for (const [key, value] of Object.entries(types[name]!)) {
      const path = `mappings.${name}.${key}`
      const there = united[key]
      if (there === undefined) united[key] = value
      else if (key === 'properties')
        united[key] = mergeFields(objectOf(there), objectOf(value), path, notes)
      else if (key === 'dynamic_templates') united[key] = mergeTemplates(there, value, path, notes)
      else if (!isEqual(there, value)) united[key] = chooseOne(key, [there, value], path, notes)
    }
  }
  loosenRouting(united, types, notes)
  return { _doc: united }
}

function mergeFields(a: JsonObject, b: JsonObject, path: string, notes: Notes): JsonObject {
  const merged = { ...a }
  for (const [name, field] of Object.entries(b)) {
    const there = merged[name]
    if (there === undefined) merged[name] = field
    else if (!isEqual(there, field)) {
      const { properties, fields, ...rest } = objectOf(field)
      const other = objectOf(there)
      if (isEqual(without(other, ['properties', 'fields', ...ignored]), without(rest, ignored))) {
        merged[name] = {
          ...other,
          ...mergePart('properties', other, properties, `${path}.${name}`, notes),
          ...mergePart('fields', other, fields, `${path}.${name}`, notes),
        }
      } else {
        notes.add(
          `${path}.${name}`,
          'cannot',
          { from: field, to: there },
          {
            why: `another type of the index defines the field otherwise (${JSON.stringify(there)}): reindex one of them on the source under another name, or leave the index out`,
            loses: 'dropped',
          },
        )
      }
    }
  }
  return merged
}

/** Without meaning on the target, so that they may differ. */
const ignored = ['include_in_all']

function mergePart(
  key: 'properties' | 'fields',
  there: JsonObject,
  more: Json | undefined,
  path: string,
  notes: Notes,
): JsonObject {
  if (more === undefined) return {}
  return { [key]: mergeFields(objectOf(there[key]), objectOf(more), `${path}.${key}`, notes) }
}

function mergeTemplates(a: Json, b: Json, path: string, notes: Notes): Json {
  const merged = listOf(a)
  for (const template of listOf(b)) {
    if (merged.some((other) => isEqual(other, template))) continue
    const [name] = Object.keys(objectOf(template))
    if (name !== undefined && merged.some((other) => name in objectOf(other))) {
      notes.add(
        `${path}.${name}`,
        'cannot',
        { from: template },
        {
          why: 'another type has another dynamic template of that name: rename one of them on the source, or leave the index out',
          loses: 'dropped',
        },
      )
    } else merged.push(template)
  }
  return merged
}

/** From strict to lenient: what one type let in must be let in. */
const dynamicOrder = ['strict', 'false', 'true']

function chooseOne(key: string, [there, value]: [Json, Json], path: string, notes: Notes): Json {
  if (key === 'dynamic') {
    const [stricter, chosen] = [there, value].sort(
      (a, b) => dynamicOrder.indexOf(textOf(a)) - dynamicOrder.indexOf(textOf(b)),
    )
    notes.add(
      path,
      'dropped',
      { from: stricter, to: chosen },
      {
        why: 'types differ in it: what one of them let in must be let in',
      },
    )
    return chosen!
  }
  if (key === '_routing') return there
  if (key === '_source') {
    const why = 'types of the index keep different parts of their documents: leave the index out'
    notes.add(path, 'cannot', { from: value, to: there }, { why, loses: 'dropped' })
  } else
    notes.add(
      path,
      'dropped',
      { from: value, to: there },
      { why: 'types differ in it: the first holds' },
    )
  return there
}

/** Routing that one type required and another did not cannot be required of all. */
function loosenRouting(united: JsonObject, types: MappingsByType, notes: Notes): void {
  const { _routing: routing } = united
  if (
    routing === undefined ||
    Object.values(types).every((type) => isEqual(type._routing, routing))
  )
    return
  delete united._routing
  notes.add(
    'mappings._routing',
    'dropped',
    { from: routing },
    {
      why: 'not every type required it',
    },
  )
}

function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  return a !== undefined && b !== undefined && differingPaths(a, b, 1).length === 0
}

function listOf(value: Json): Json[] {
  return Array.isArray(value) ? [...value] : [value]
}
