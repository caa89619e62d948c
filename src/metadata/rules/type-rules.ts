import { parentToJoin } from './parent-join.ts'
import { anyVersion, elasticsearch, type TypesRule } from './rule.ts'
import { uniteAs } from './unite-types.ts'

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
    matches: (types) => Object.values(types).some((type) => '_parent' in type),
    does: parentToJoin,
    loses: 'nothing',
    why: '_parent became a join field, which each parent and child gets in its _source: has_child and has_parent find what they found. Who writes a child writes the field, and the routing that was the parent by itself',
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
        changes: ['answer._parent changed', 'answer._routing dropped', 'question, answer changed'],
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
        changes: ['a._parent changed', 'b._parent changed', 'p, a, b changed'],
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
      if (choices.types !== 'refuse') return uniteAs(choices, types, notes)
      const names = Object.keys(types).join(', ')
      const why = `the index has the mapping types ${names}, and metadata.types is refuse`
      notes.add(`mappings.${names}`, 'cannot', {}, { why, loses: 'dropped' })
      return types
    },
    loses: 'meaning',
    why: 'the types become one: which type a document had is not kept',
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
        before: { a: { _routing: { required: true } }, b: { _routing: { required: false } } },
        after: {},
        changes: ['a, b changed !', '_routing dropped !'],
      },
      {
        on: '5.6 > 3.6',
        choices: { types: 'split' },
        before: { a: { dynamic: 'strict' }, b: { dynamic: 'strict' } },
        after: { dynamic: 'strict' },
        changes: ['a, b changed'],
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
        before: { a: { properties: { x: { type: 'long' } } }, b: { dynamic: 'strict' } },
        after: {
          properties: { x: { type: 'long' }, doc_type: { type: 'keyword' } },
          dynamic: 'strict',
        },
        changes: ['a, b changed', 'properties.doc_type added'],
        choices: { types: 'keep' },
      },
      {
        on: '2.4 > 3.6',
        before: { a: { properties: { kind: { type: 'long' } } }, b: {} },
        after: { properties: { kind: { type: 'long' } } },
        changes: ['a, b changed', 'properties.kind cannot !'],
        choices: { types: 'keep', typeField: 'kind' },
        without: 'refused',
      },
      {
        on: '5.6 > 2.19',
        before: { user: {}, question: {}, answer: { _parent: { type: 'question' } } },
        after: { properties: { join: { type: 'join', relations: { question: 'answer' } } } },
        changes: ['answer._parent changed', 'user, question, answer changed !'],
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
