import { textOf } from '../json-objects.ts'
import { anyVersion, elasticsearch, type FieldRule } from './rule.ts'
import { pluginTypes } from './special-type-rules.ts'

/** What no rule before has made a type of OpenSearch. */
export const unknownTypeRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'unknown-type',
    source: elasticsearch(),
    target: anyVersion,
    matches: ({ type }, _, { inDynamicTemplate }) =>
      typeof type === 'string' &&
      !knownTypes.has(type) &&
      !(type in pluginTypes) &&
      !dealtWith.has(type) &&
      !(inDynamicTemplate && type.includes('{')),
    does: (field) =>
      field.cannot(
        'type',
        `OpenSearch has no field type ${textOf(field.get('type'))}: reindex on the source with another one, or leave the index out`,
      ),
    loses: 'dropped',
    why: 'OpenSearch has no such field type',
    link: 'https://docs.opensearch.org/latest/field-types/supported-field-types/index/',
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'from_a_plugin' },
        after: { type: 'from_a_plugin' },
        changes: ['type cannot !'],
      },
      {
        on: '7.10 > 1.3',
        before: { type: 'keyword', fields: { x: { type: 'sound' } } },
        after: { type: 'keyword', fields: { x: { type: 'sound' } } },
        changes: ['fields.x.type cannot !'],
      },
      {
        on: '7.10 > 2.19',
        before: { type: 'scaled_float', scaling_factor: 10 },
        after: { type: 'scaled_float', scaling_factor: 10 },
        changes: [],
      },
    ],
  },
]

/** Said to be impossible by a rule of their own, with what to do. */
const dealtWith = new Set(['flattened', 'dense_vector', 'attachment', 'rank_vectors'])

/** Of OpenSearch 1.0 on, or made by the rules where the target has them. */
const knownTypes = new Set([
  'alias',
  'binary',
  'boolean',
  'byte',
  'completion',
  'constant_keyword',
  'date',
  'date_nanos',
  'date_range',
  'double',
  'double_range',
  'flat_object',
  'float',
  'float_range',
  'geo_point',
  'geo_shape',
  'half_float',
  'integer',
  'integer_range',
  'ip',
  'ip_range',
  'join',
  'keyword',
  'knn_vector',
  'long',
  'long_range',
  'match_only_text',
  'nested',
  'object',
  'percolator',
  'rank_feature',
  'rank_features',
  'scaled_float',
  'search_as_you_type',
  'short',
  'text',
  'token_count',
  'unsigned_long',
  'wildcard',
  'xy_point',
  'xy_shape',
])
