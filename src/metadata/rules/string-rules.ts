import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, type FieldPlace, type FieldRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'

/** `string` of Elasticsearch before 6, which became text and keyword. */
export const stringRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'multi-field',
    source: elasticsearch({ before: '3' }),
    target: anyVersion,
    matches: ({ type }) => type === 'multi_field',
    does: (field, _, place) => {
      const own = place.name.split('.').at(-1)!
      const { [own]: main, ...others } = isJsonObject(field.node.fields) ? field.node.fields : {}
      const chosen = isJsonObject(main) ? main : { type: 'object', enabled: false }
      field.set('type', chosen.type ?? 'string')
      for (const [key, value] of Object.entries(chosen)) if (key !== 'type') field.set(key, value)
      if (Object.keys(others).length > 0) field.set('fields', others)
      else field.drop('fields')
    },
    loses: 'nothing',
    why: 'multi_field became `fields` of the field that has its name',
    link: `${es}/1.7/_multi_fields.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: {
          type: 'multi_field',
          fields: { f: { type: 'string' }, raw: { type: 'string', index: 'not_analyzed' } },
        },
        after: { type: 'text', fields: { raw: { type: 'keyword' } } },
        changes: [
          'type changed',
          'fields changed',
          'type changed',
          'fields.raw.type changed',
          'fields.raw.index dropped',
        ],
      },
    ],
  },
  {
    kind: 'field',
    name: 'boolean-forms',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (field) => flags.some((flag) => flag in field && strictOf(field[flag]) !== undefined),
    does: (field) => {
      for (const flag of flags) {
        const strict = strictOf(field.get(flag))
        if (strict !== undefined) field.set(flag, strict)
      }
    },
    loses: 'nothing',
    why: 'yes, no, on, off, 0 and 1 are true and false since Elasticsearch 6',
    link: `${es}/6.8/breaking-changes-6.0.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'long', store: 'yes', doc_values: 'off' },
        after: { type: 'long', store: true, doc_values: false },
        changes: ['store changed', 'doc_values changed'],
      },
      {
        on: '1.7 > 1.3',
        before: { type: 'date', ignore_malformed: 1, format: 'date_time' },
        after: { type: 'date', ignore_malformed: true, format: 'date_time||epoch_millis' },
        changes: ['ignore_malformed changed', 'format changed'],
      },
      {
        on: '5.6 > 2.19',
        before: { type: 'keyword', store: false },
        after: { type: 'keyword', store: false },
        changes: [],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'field',
    name: 'string',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (field, _, place) => field.type === 'string' || isTemplateForStrings(field, place),
    does: (field, { choices }, place) => {
      const isKeyword = ['not_analyzed', 'no', 'false', false].includes(
        field.get('index') as string,
      )
      field.set('type', isKeyword ? 'keyword' : 'text')
      if (isKeyword) toKeyword(field)
      else toText(field, choices.stringKeyword && !place.isMultiField)
    },
    loses: 'nothing',
    why: 'string became text (analysed) and keyword (not) in Elasticsearch 5',
    link: `${es}/5.6/string.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'string' },
        after: { type: 'text' },
        changes: ['type changed'],
      },
      {
        on: '2.4 > 1.3',
        before: { type: 'string' },
        after: { type: 'text' },
        changes: ['type changed'],
      },
      {
        on: '2.4 > 2.19',
        before: { type: 'string', index: 'not_analyzed' },
        after: { type: 'keyword' },
        changes: ['type changed', 'index dropped'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string', index: 'analyzed', analyzer: 'english' },
        after: { type: 'text', analyzer: 'english' },
        changes: ['type changed', 'index dropped'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string', index: 'no' },
        after: { type: 'keyword', index: false },
        changes: ['type changed', 'index changed'],
      },
      {
        on: '1.7 > 3.6',
        before: { type: 'string', norms: { enabled: false, loading: 'eager' } },
        after: { type: 'text', norms: false },
        changes: ['type changed', 'norms changed'],
      },
      {
        on: '2.4 > 3.6',
        before: {
          type: 'string',
          index: 'not_analyzed',
          norms: { enabled: true },
          null_value: 'none',
        },
        after: { type: 'keyword', norms: true, null_value: 'none' },
        changes: ['type changed', 'norms changed', 'index dropped'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string', null_value: 'none' },
        after: { type: 'text' },
        changes: ['type changed', 'null_value dropped !'],
      },
      {
        on: '2.4 > 3.6',
        before: {
          type: 'string',
          fielddata: {
            format: 'paged_bytes',
            filter: { frequency: { min: 0.1, max: 0.5, min_segment_size: 500 } },
          },
        },
        after: {
          type: 'text',
          fielddata: true,
          fielddata_frequency_filter: { min: 0.1, max: 0.5, min_segment_size: 500 },
        },
        changes: ['type changed', 'fielddata changed', 'fielddata_frequency_filter added'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string', fielddata: { format: 'disabled' } },
        after: { type: 'text', fielddata: false },
        changes: ['type changed', 'fielddata changed'],
      },
      {
        on: '5.6 > 3.6',
        before: { type: 'string', fielddata: true, doc_values: false, ignore_above: 10 },
        after: { type: 'text', fielddata: true },
        changes: ['type changed', 'doc_values dropped', 'ignore_above dropped !'],
      },
      {
        on: '2.4 > 3.6',
        before: {
          type: 'string',
          index: 'not_analyzed',
          analyzer: 'simple',
          position_increment_gap: 5,
          term_vector: 'no',
          fielddata: { format: 'doc_values' },
        },
        after: { type: 'keyword' },
        changes: [
          'type changed',
          'index dropped',
          'analyzer dropped',
          'position_increment_gap dropped',
          'term_vector dropped',
          'fielddata dropped',
        ],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string', index: 'not_analyzed', ignore_above: 256 },
        after: { type: 'keyword', ignore_above: 256 },
        changes: ['type changed', 'index dropped'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string', fields: { raw: { type: 'string', index: 'not_analyzed' } } },
        after: { type: 'text', fields: { raw: { type: 'keyword' } } },
        changes: ['type changed', 'fields.raw.type changed', 'fields.raw.index dropped'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'nested', properties: { a: { properties: { b: { type: 'string' } } } } },
        after: { type: 'nested', properties: { a: { properties: { b: { type: 'text' } } } } },
        changes: ['properties.a.properties.b.type changed'],
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'string' },
        after: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 8191 } } },
        changes: ['type changed', 'fields added'],
        choices: { stringKeyword: true },
      },
      {
        on: '1.7 > 3.6',
        before: {
          type: 'string',
          omit_norms: true,
          index_analyzer: 'simple',
          position_offset_gap: 7,
          term_vector: 'yes',
        },
        after: {
          type: 'text',
          term_vector: 'yes',
          norms: false,
          analyzer: 'simple',
          position_increment_gap: 7,
        },
        changes: [
          'type changed',
          'omit_norms changed',
          'index_analyzer changed',
          'position_offset_gap changed',
        ],
      },
    ],
  },
  {
    kind: 'field',
    name: 'index-forms',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: ({ index }) => ['analyzed', 'not_analyzed', 'no', 'yes'].includes(index as string),
    does: (field) =>
      field.get('index') === 'no' ? field.set('index', false) : field.drop('index'),
    loses: 'nothing',
    why: 'index is true or false since Elasticsearch 5',
    link: `${es}/5.0/breaking_50_mapping_changes.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'long', index: 'no' },
        after: { type: 'long', index: false },
        changes: ['index changed'],
      },
      {
        on: '2.4 > 1.3',
        before: { type: 'boolean', index: 'not_analyzed' },
        after: { type: 'boolean' },
        changes: ['index dropped'],
      },
    ],
  },
]

const flags = [
  'store',
  'doc_values',
  'ignore_malformed',
  'coerce',
  'enabled',
  'include_in_parent',
  'include_in_root',
  'eager_global_ordinals',
  'preserve_separators',
  'preserve_position_increments',
]

/** true or false for a form of it that is neither; undefined for all else. */
function strictOf(value: Json | undefined): boolean | undefined {
  if (['yes', 'on', '1', 1].includes(value as string)) return true
  if (['no', 'off', '0', 0].includes(value as string)) return false
  return undefined
}

/** A dynamic template for strings that leaves the type to the engine, which chose `string`. */
function isTemplateForStrings({ type, index }: JsonObject, place: FieldPlace): boolean {
  return (
    place.inDynamicTemplate &&
    place.matchMappingType === 'string' &&
    (type === undefined || type === '{dynamic_type}') &&
    (index === 'not_analyzed' || index === 'no')
  )
}

function toKeyword(field: Edit): void {
  setNorms(field)
  if (field.get('index') === 'not_analyzed') field.drop('index')
  else field.set('index', false)
  field.dropAll(
    [
      'analyzer',
      'index_analyzer',
      'search_analyzer',
      'search_quote_analyzer',
      'position_increment_gap',
      'position_offset_gap',
      'term_vector',
      'fielddata',
      'precision_step',
    ],
    { why: 'said nothing of a string that is not analysed' },
  )
}

function toText(field: Edit, withKeyword: boolean): void {
  setNorms(field)
  field.drop('index')
  field.rename('index_analyzer', 'analyzer')
  field.rename('position_offset_gap', 'position_increment_gap')
  field.drop('doc_values', { why: 'text has no doc values' })
  field.drop('null_value', {
    why: 'text takes no null_value: documents without a value are not found by it any more',
    loses: 'dropped',
  })
  field.drop('ignore_above', {
    why: 'text takes no ignore_above: long values are analysed as all are',
    loses: 'meaning',
  })
  const fielddata = field.get('fielddata')
  if (isJsonObject(fielddata)) {
    field.set('fielddata', fielddata.format !== 'disabled')
    const frequency = isJsonObject(fielddata.filter) ? fielddata.filter.frequency : undefined
    if (isJsonObject(frequency)) field.set('fielddata_frequency_filter', frequency)
  }
  const { fields } = field.node
  const others = isJsonObject(fields) ? fields : {}
  if (withKeyword && !('keyword' in others)) {
    field.set(
      'fields',
      { ...others, keyword: { type: 'keyword', ignore_above: keywordCharsMax } },
      { why: 'asked for by metadata.stringKeyword' },
    )
  }
}

// A term of Lucene has at most 32766 bytes; UTF-8 takes up to four a character.
const keywordCharsMax = 8191

function setNorms(field: Edit): void {
  const norms = field.get('norms')
  if (isJsonObject(norms)) {
    if (norms.enabled === undefined) field.drop('norms')
    else field.set('norms', norms.enabled === true || norms.enabled === 'true')
  }
  const omit = field.get('omit_norms')
  if (omit !== undefined) field.rename('omit_norms', 'norms', !(omit === true || omit === 'true'))
}
