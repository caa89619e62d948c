import { type JsonObject } from '../../base/json.ts'
import { textOf } from '../json-objects.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, openSearch, type FieldRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest/field-types/supported-field-types'

/** Field types that the target has by another name, or from some version on. */
export const fieldTypeRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'flattened',
    source: elasticsearch({ from: '7.3' }),
    target: { from: '2.7' },
    matches: isType('flattened'),
    does: (field) => {
      field.set('type', 'flat_object', { loses: 'nothing' })
      field.drop('index', {
        loses: field.get('index') === false ? 'meaning' : 'nothing',
        why: 'flat_object is always indexed',
      })
      field.drop('doc_values', { loses: 'nothing', why: 'flat_object always has doc values' })
      field.drop('meta', { loses: 'nothing', why: 'flat_object takes no notes' })
      field.dropAll(Object.keys(field.node).filter((key) => key !== 'type'))
    },
    loses: 'meaning',
    why: 'flattened is flat_object, which takes no parameters',
    link: `${os}/flat-object/`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { type: 'flattened' },
        after: { type: 'flat_object' },
        changes: ['type changed'],
      },
      {
        on: '8.19 > 2.19',
        before: { type: 'flattened', depth_limit: 5, ignore_above: 100, null_value: 'n' },
        after: { type: 'flat_object' },
        changes: [
          'type changed',
          'depth_limit dropped !',
          'ignore_above dropped !',
          'null_value dropped !',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: {
          type: 'flattened',
          index: false,
          doc_values: false,
          split_queries_on_whitespace: true,
          similarity: 'BM25',
          eager_global_ordinals: true,
          time_series_dimensions: ['a'],
        },
        after: { type: 'flat_object' },
        changes: [
          'type changed',
          'index dropped !',
          'doc_values dropped',
          'split_queries_on_whitespace dropped !',
          'similarity dropped !',
          'eager_global_ordinals dropped !',
          'time_series_dimensions dropped !',
        ],
      },
    ],
  },
  {
    kind: 'field',
    name: 'flattened-before-2.7',
    source: elasticsearch({ from: '7.3' }),
    target: { before: '2.7' },
    matches: isType('flattened'),
    does: (field, { choices }) => {
      if (choices.flattened === 'refuse') {
        return field.cannot(
          'type',
          'the target has flat_object from 2.7 on: choose metadata.flattened object or unsearchable, or a newer target',
        )
      }
      field.dropAll(Object.keys(field.node).filter((key) => key !== 'type'))
      field.set('type', 'object')
      if (choices.flattened === 'unsearchable') field.set('enabled', false)
    },
    loses: 'meaning',
    why: 'the target has flat_object from 2.7 on only; asked for by metadata.flattened',
    link: `${os}/flat-object/`,
    cases: [
      {
        on: '7.10 > 1.3',
        before: { type: 'flattened' },
        after: { type: 'flattened' },
        changes: ['type cannot !'],
      },
      {
        on: '7.10 > 1.3',
        before: { type: 'flattened', depth_limit: 3 },
        after: { type: 'object' },
        changes: ['depth_limit dropped !', 'type changed !'],
        choices: { flattened: 'object' },
      },
      {
        on: '7.10 > 1.3',
        before: { type: 'flattened' },
        after: { type: 'object', enabled: false },
        changes: ['type changed !', 'enabled added !'],
        choices: { flattened: 'unsearchable' },
      },
    ],
  },
  {
    kind: 'field',
    name: 'wildcard-before-2.15',
    source: anyVersion,
    target: { before: '2.15' },
    matches: isType('wildcard'),
    does: (field) => {
      field.set('type', 'keyword')
      if (!field.has('ignore_above')) {
        field.set('ignore_above', 8191, { why: 'a keyword cannot be longer than 32766 bytes' })
      }
    },
    loses: 'meaning',
    why: 'the target has the type from 2.15 on: a keyword answers wildcards more slowly, and long values not at all',
    link: `${os}/wildcard/`,
    cases: [
      {
        on: '7.10 > 1.3',
        before: { type: 'wildcard' },
        after: { type: 'keyword', ignore_above: 8191 },
        changes: ['type changed !', 'ignore_above added !'],
      },
      {
        on: '8.19 > 2.19',
        before: { type: 'wildcard', ignore_above: 10 },
        after: { type: 'wildcard', ignore_above: 10 },
        changes: [],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'field',
    name: 'version',
    source: elasticsearch({ from: '7.10' }),
    target: anyVersion,
    matches: isType('version'),
    does: (field) => field.set('type', 'keyword'),
    loses: 'meaning',
    why: 'a keyword keeps all values, in the order of letters; the version type of OpenSearch refuses documents with 1.2 or 1.2.3.4',
    link: `${es}/8.19/version.html`,
    cases: [
      {
        on: '8.19 > 2.19',
        before: { type: 'version' },
        after: { type: 'keyword' },
        changes: ['type changed !'],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'version', meta: { a: 'b' } },
        after: { type: 'keyword', meta: { a: 'b' } },
        changes: ['type changed !'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'field',
    name: 'unsigned-long-before-2.8',
    source: anyVersion,
    target: { before: '2.8' },
    matches: isType('unsigned_long'),
    does: (field) => {
      field.set('type', 'keyword')
      field.dropAll(['coerce', 'ignore_malformed'])
      if (typeof field.get('null_value') === 'number')
        field.set('null_value', textOf(field.get('null_value')))
    },
    loses: 'meaning',
    why: 'the target has the type from 2.8 on: a keyword keeps every value whole, and knows no ranges of numbers',
    link: `${os}/unsigned-long/`,
    cases: [
      {
        on: '8.19 > 1.3',
        before: { type: 'unsigned_long', null_value: 5 },
        after: { type: 'keyword', null_value: '5' },
        changes: ['type changed !', 'null_value changed !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'constant-keyword',
    source: anyVersion,
    target: { from: '2.14' },
    matches: (field) =>
      field.type === 'constant_keyword' && (!('value' in field) || 'meta' in field),
    does: (field) => {
      field.drop('meta', { loses: 'nothing', why: 'constant_keyword takes no notes here' })
      if (!field.has('value')) field.set('type', 'keyword')
    },
    loses: 'meaning',
    why: 'its value is not known by now, and OpenSearch wants it from the beginning',
    link: `${os}/constant-keyword/`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'constant_keyword' },
        after: { type: 'keyword' },
        changes: ['type changed !'],
      },
      {
        on: '8.19 > 2.19',
        before: { type: 'constant_keyword', value: 'a', meta: { x: 'y' } },
        after: { type: 'constant_keyword', value: 'a' },
        changes: ['meta dropped'],
      },
      {
        on: '7.10 > 3.6',
        before: { type: 'constant_keyword', value: 'a' },
        after: { type: 'constant_keyword', value: 'a' },
        changes: [],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'field',
    name: 'constant-keyword-before-2.14',
    source: anyVersion,
    target: { before: '2.14' },
    matches: isType('constant_keyword'),
    does: (field) => {
      field.set('type', 'keyword')
      field.drop('value')
    },
    loses: 'meaning',
    why: 'the target has the type from 2.14 on: documents that leave the field out have no value in it',
    link: `${os}/constant-keyword/`,
    cases: [
      {
        on: '7.10 > 1.3',
        before: { type: 'constant_keyword', value: 'a' },
        after: { type: 'keyword' },
        changes: ['type changed !', 'value dropped !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'match-only-text-before-2.12',
    source: anyVersion,
    target: { before: '2.12' },
    matches: isType('match_only_text'),
    does: (field) => {
      field.set('type', 'text')
      field.set('norms', false)
    },
    loses: 'meaning',
    why: 'the target has the type from 2.12 on: text finds the same, scores by frequency, and takes more space',
    link: `${os}/match-only-text/`,
    cases: [
      {
        on: '8.19 > 1.3',
        before: { type: 'match_only_text', fields: { k: { type: 'keyword' } } },
        after: { type: 'text', fields: { k: { type: 'keyword' } }, norms: false },
        changes: ['type changed !', 'norms added !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'flat-object-before-2.7',
    source: openSearch({ from: '2.7' }),
    target: { before: '2.7' },
    matches: isType('flat_object'),
    does: (field: Edit) =>
      field.cannot(
        'type',
        'the target has flat_object from 2.7 on: choose a newer target, or leave the index out',
      ),
    loses: 'dropped',
    why: 'the target has flat_object from 2.7 on',
    link: `${os}/flat-object/`,
    cases: [
      {
        on: 'os2.19 > 1.3',
        before: { type: 'flat_object' },
        after: { type: 'flat_object' },
        changes: ['type cannot !'],
      },
    ],
  },
]

export function isType(type: string): (field: JsonObject) => boolean {
  return (field) => field.type === type
}
