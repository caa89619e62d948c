import type { Json, JsonObject } from '../../base/json.ts'
import { differingPaths } from '../json-difference.ts'
import { objectOf, textOf, without } from '../json-objects.ts'
import type { Notes } from './edit.ts'
import { anyVersion, elasticsearch, type MappingsByType, type TypesRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const removal = `${es}/7.17/removal-of-types.html`

/** Mappings by type, which become the one mapping `_doc`. */
export const typeRules: readonly TypesRule[] = [
  {
    kind: 'types',
    name: 'default-mapping',
    source: anyVersion,
    target: anyVersion,
    matches: (types) => '_default_' in types,
    does: ({ _default_: from, ...types }, notes) => {
      notes.add('mappings._default_', 'dropped', { from })
      return types
    },
    loses: 'nothing',
    why: 'it only served new types, which the target does not have',
    link: removal,
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          _default_: { dynamic: 'strict' },
          tweet: { properties: { a: { type: 'long' } } },
        },
        after: { properties: { a: { type: 'long' } } },
        changes: ['_default_ dropped', 'mappings changed'],
      },
    ],
  },
  {
    kind: 'types',
    name: 'parent-join',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: (types) => Object.values(types).some((type) => '_parent' in objectOf(type)),
    does: parentToJoin,
    loses: 'meaning',
    why: '_parent became the join field: the documents keep their routing and get no value in it, so that has_child and has_parent find nothing until they are given one',
    link: `${es}/6.8/parent-join.html`,
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          question: { properties: { t: { type: 'text' } } },
          answer: { _parent: { type: 'question' }, _routing: { required: true }, properties: {} },
        },
        after: {
          properties: {
            t: { type: 'text' },
            join: { type: 'join', relations: { question: 'answer' } },
          },
        },
        changes: [
          'answer._parent changed !',
          'answer._routing dropped',
          'question, answer changed !',
        ],
      },
      {
        on: '2.4 > 1.3',
        before: {
          p: {},
          a: { _parent: { type: 'p' } },
          b: { _parent: { type: 'p' }, properties: { join: { type: 'long' } } },
        },
        after: {
          properties: {
            parent_join: { type: 'join', relations: { p: ['a', 'b'] } },
            join: { type: 'long' },
          },
        },
        changes: ['a._parent changed !', 'b._parent changed !', 'p, a, b changed !'],
      },
    ],
  },
  {
    kind: 'types',
    name: 'types-union',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: (types) => Object.keys(types).length > 1,
    does: (types, notes, { choices }) => {
      if (choices.types === 'union') return unite(types, notes)
      const names = Object.keys(types).join(', ')
      const why = `the index has the mapping types ${names}, and metadata.types is refuse`
      notes.add(`mappings.${names}`, 'cannot', {}, { why, loses: 'dropped' })
      return types
    },
    loses: 'meaning',
    why: 'the types become one: which type a document had is not kept, and documents of two types with one id become one document',
    link: removal,
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          user: { properties: { name: { type: 'text' }, id: { type: 'long' } } },
          tweet: { properties: { id: { type: 'long' }, text: { type: 'text' } } },
        },
        after: {
          properties: { name: { type: 'text' }, id: { type: 'long' }, text: { type: 'text' } },
        },
        changes: ['user, tweet changed !'],
      },
      {
        on: '2.4 > 3.6',
        before: {
          a: {
            properties: {
              o: { properties: { x: { type: 'long' } } },
              s: { type: 'string', fields: { r: { type: 'long' } } },
            },
          },
          b: { properties: { o: { properties: { y: { type: 'long' } } }, s: { type: 'string' } } },
        },
        after: {
          properties: {
            o: { properties: { x: { type: 'long' }, y: { type: 'long' } } },
            s: { type: 'text', fields: { r: { type: 'long' } } },
          },
        },
        changes: ['a, b changed !', 'properties.s.type changed'],
      },
      {
        on: '1.7 > 3.6',
        before: {
          a: { properties: { x: { type: 'long' } } },
          b: { properties: { x: { type: 'date' } } },
        },
        after: { properties: { x: { type: 'long' } } },
        changes: ['a, b changed !', 'b.properties.x cannot !'],
        without: 'refused',
      },
      {
        on: '5.6 > 3.6',
        before: { a: { dynamic: 'strict' }, b: { dynamic: 'false' } },
        after: { dynamic: 'false' },
        changes: ['a, b changed !', 'b.dynamic dropped !'],
      },
      {
        on: '5.6 > 3.6',
        before: {
          a: { dynamic_templates: [{ t: { match: 'a*', mapping: { type: 'ip' } } }] },
          b: {
            dynamic_templates: [
              { t: { match: 'a*', mapping: { type: 'ip' } } },
              { u: { match: 'u', mapping: { type: 'ip' } } },
            ],
          },
        },
        after: {
          dynamic_templates: [
            { t: { match: 'a*', mapping: { type: 'ip' } } },
            { u: { match: 'u', mapping: { type: 'ip' } } },
          ],
        },
        changes: ['a, b changed !'],
      },
      {
        on: '5.6 > 3.6',
        before: { a: {}, b: {} },
        after: {},
        changes: ['a, b cannot !'],
        choices: { types: 'refuse' },
        without: 'refused',
      },
    ],
  },
  {
    kind: 'types',
    name: 'type-name',
    source: anyVersion,
    target: anyVersion,
    matches: (types) => Object.keys(types).length === 1 && !('_doc' in types),
    does: (types, notes) => {
      const [name] = Object.keys(types)
      notes.add('mappings', 'changed', { from: name!, to: '_doc' })
      return { _doc: types[name!]! }
    },
    loses: 'nothing',
    why: "the type's name is taken off: the target has no types",
    link: removal,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { tweet: { properties: { a: { type: 'long' } } } },
        after: { properties: { a: { type: 'long' } } },
        changes: ['mappings changed'],
      },
      {
        on: '6.8 > 1.3',
        before: { doc: { dynamic: 'false' } },
        after: { dynamic: 'false' },
        changes: ['mappings changed'],
      },
      {
        on: '7.10 > 3.6',
        before: { _doc: { dynamic: 'false' } },
        after: { dynamic: 'false' },
        changes: [],
      },
    ],
  },
]

function parentToJoin(types: MappingsByType, notes: Notes): MappingsByType {
  const children = Object.keys(types).filter((name) => '_parent' in types[name]!)
  const relations: { [parent: string]: string[] } = {}
  for (const child of children) {
    const parent = textOf(objectOf(types[child]!._parent).type)
    relations[parent] = [...(relations[parent] ?? []), child]
  }
  const isTaken = Object.values(types).some(({ properties }) => 'join' in objectOf(properties))
  const field = isTaken ? 'parent_join' : 'join'
  const join = {
    type: 'join',
    relations: Object.fromEntries(
      Object.entries(relations).map(([parent, [first, ...more]]) => [
        parent,
        more.length === 0 ? first! : [first!, ...more],
      ]),
    ),
  }
  const joined = children.map((child) => {
    const { _parent: from, properties, ...rest } = types[child]!
    notes.add(`mappings.${child}._parent`, 'changed', { from, to: { [field]: join } })
    // Parents have no routing, so it cannot be required any more.
    const routing = objectOf(rest._routing)
    if (Object.keys(routing).length > 0) {
      delete rest._routing
      const remark = { why: 'the parents are in the same mapping by now, and they have no routing' }
      notes.add(
        `mappings.${child}._routing`,
        'dropped',
        { from: routing },
        { ...remark, loses: 'nothing' },
      )
    }
    return [child, { ...rest, properties: { [field]: join, ...objectOf(properties) } }]
  })
  return { ...types, ...(Object.fromEntries(joined) as MappingsByType) }
}

/** All types in one mapping. Two definitions of one field that differ cannot be: none is overwritten. */
function unite(types: MappingsByType, notes: Notes): MappingsByType {
  const names = Object.keys(types)
  notes.add(`mappings.${names.join(', ')}`, 'changed', { to: '_doc' })
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
