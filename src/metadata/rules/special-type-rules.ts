import { textOf } from '../json-objects.ts'
import { anyVersion, elasticsearch, isFrom, type FieldRule } from './rule.ts'
import { isType } from './field-type-rules.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest/field-types/supported-field-types'

/** Field types for which the target has something else, a plugin, or nothing. */
export const specialTypeRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'sparse-vector',
    source: elasticsearch({ from: '7' }),
    target: anyVersion,
    matches: isType('sparse_vector'),
    does: (field) => {
      field.set('type', 'rank_features')
      field.dropAll(
        Object.keys(field.node).filter((key) => !['type', 'meta'].includes(key)),
        { loses: 'nothing' },
      )
    },
    loses: 'meaning',
    why: 'rank_features holds the same weights by name, above 0; sparse_vector queries become neural_sparse or rank_feature',
    link: `${os}/rank/`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'sparse_vector' },
        after: { type: 'rank_features' },
        changes: ['type changed !'],
      },
      {
        on: '9.2 > 1.3',
        before: { type: 'sparse_vector', store: true, index_options: { prune: true } },
        after: { type: 'rank_features' },
        changes: ['type changed !', 'store dropped', 'index_options dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'rank-features-impact',
    source: elasticsearch({ from: '7' }),
    target: { before: '2' },
    matches: (field) => field.type === 'rank_features' && 'positive_score_impact' in field,
    does: (field) =>
      field.drop('positive_score_impact', {
        loses: field.get('positive_score_impact') === false ? 'meaning' : 'nothing',
      }),
    loses: 'meaning',
    why: 'rank_features takes positive_score_impact from OpenSearch 2 on',
    link: `${os}/rank/`,
    cases: [
      {
        on: '8.19 > 1.3',
        before: { type: 'rank_features', positive_score_impact: false },
        after: { type: 'rank_features' },
        changes: ['positive_score_impact dropped !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'semantic-text',
    source: elasticsearch({ from: '8.15' }),
    target: anyVersion,
    matches: isType('semantic_text'),
    does: (field, { source, settings }) => {
      const legacy = settings['index.mapping.semantic_text.use_legacy_format']
      field.dropAll(
        Object.keys(field.node).filter((key) => !['type', 'fields', 'meta'].includes(key)),
      )
      if (legacy === 'true' || (legacy === undefined && !isFrom(source, '8.18'))) {
        field.drop('fields')
        field.set('type', 'object', {
          why: 'documents hold the text with its vectors here: kept, not searched',
        })
        field.set('enabled', false)
      } else field.set('type', 'text')
    },
    loses: 'dropped',
    why: 'OpenSearch makes vectors of text by an ingest pipeline: set one up, with a field for them',
    link: 'https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/semantic-text',
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'semantic_text', inference_id: 'e5' },
        after: { type: 'text' },
        changes: ['inference_id dropped !', 'type changed !'],
      },
      {
        on: '8.15 > 2.19',
        before: { type: 'semantic_text', inference_id: 'e5' },
        after: { type: 'object', enabled: false },
        changes: ['inference_id dropped !', 'type changed !', 'enabled added !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'histogram',
    source: elasticsearch({ from: '7.6' }),
    target: anyVersion,
    matches: ({ type }) => ['histogram', 'exponential_histogram', 'tdigest'].includes(textOf(type)),
    does: (field) => {
      field.dropAll(Object.keys(field.node).filter((key) => key !== 'type'))
      field.set('type', 'object')
      field.set('enabled', false)
    },
    loses: 'dropped',
    why: 'OpenSearch has no histograms as values: they are kept in the documents, and cannot be aggregated',
    link: `${es}/8.19/histogram.html`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { type: 'histogram' },
        after: { type: 'object', enabled: false },
        changes: ['type changed !', 'enabled added !'],
      },
      {
        on: '8.19 > 1.3',
        before: { type: 'histogram', ignore_malformed: true },
        after: { type: 'object', enabled: false },
        changes: ['ignore_malformed dropped !', 'type changed !', 'enabled added !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'aggregate-metric-double',
    source: elasticsearch({ from: '7.11' }),
    target: anyVersion,
    matches: isType('aggregate_metric_double'),
    does: (field) => {
      const metrics = [field.get('metrics') ?? []].flat().map(textOf)
      field.dropAll(Object.keys(field.node).filter((key) => key !== 'type'))
      field.set('type', 'object')
      field.set(
        'properties',
        Object.fromEntries(
          metrics.map((metric) => [metric, { type: metric === 'value_count' ? 'long' : 'double' }]),
        ),
      )
    },
    loses: 'meaning',
    why: 'OpenSearch has no such type: each metric is a field of its own below it, e.g. `.max`',
    link: `${es}/8.19/aggregate-metric-double.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          type: 'aggregate_metric_double',
          metrics: ['min', 'value_count'],
          default_metric: 'min',
        },
        after: {
          type: 'object',
          properties: { min: { type: 'double' }, value_count: { type: 'long' } },
        },
        changes: [
          'metrics dropped !',
          'default_metric dropped !',
          'type changed !',
          'properties added !',
        ],
      },
    ],
  },
  {
    kind: 'field',
    name: 'counted-keyword',
    source: elasticsearch({ from: '8.13' }),
    target: anyVersion,
    matches: isType('counted_keyword'),
    does: (field) => field.set('type', 'keyword'),
    loses: 'meaning',
    why: 'a keyword counts documents and not how often each holds a value',
    link: 'https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/counted-keyword',
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'counted_keyword', index: false },
        after: { type: 'keyword', index: false },
        changes: ['type changed !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'passthrough',
    source: elasticsearch({ from: '8.13' }),
    target: anyVersion,
    matches: isType('passthrough'),
    does: (field) => {
      field.set('type', 'object')
      field.dropAll(['priority', 'time_series_dimension'])
    },
    loses: 'meaning',
    why: 'an object: its fields are found by their whole names only',
    link: `${es}/8.19/passthrough.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'passthrough', priority: 10, properties: { a: { type: 'keyword' } } },
        after: { type: 'object', properties: { a: { type: 'keyword' } } },
        changes: ['type changed !', 'priority dropped !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'log-patterns',
    source: elasticsearch({ from: '9' }),
    target: anyVersion,
    matches: isType('pattern_text'),
    does: (field) => field.set('type', 'text'),
    loses: 'meaning',
    why: 'text finds the same, and takes more space',
    link: 'https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/pattern-text',
    cases: [
      {
        on: '9.2 > 3.6',
        before: { type: 'pattern_text' },
        after: { type: 'text' },
        changes: ['type changed !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'cartesian-shapes',
    source: elasticsearch({ from: '7.4' }),
    target: { from: '2.4' },
    matches: ({ type }) => type === 'point' || type === 'shape',
    does: (field) => {
      field.set('type', `xy_${textOf(field.get('type'))}`)
      field.drop('coerce')
    },
    loses: 'nothing',
    why: 'its name in OpenSearch',
    link: `${os}/xy/`,
    untried: 'the plugin geospatial cannot be had for the engines of the tests',
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'point', ignore_malformed: true },
        after: { type: 'xy_point', ignore_malformed: true },
        changes: ['type changed'],
      },
      {
        on: '7.10 > 2.19',
        before: { type: 'shape' },
        after: { type: 'xy_shape' },
        changes: ['type changed'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'types-of-plugins',
    source: anyVersion,
    target: anyVersion,
    matches: ({ type }) => textOf(type) in pluginTypes,
    does: (field) =>
      field.remark('type', {
        why: `the target needs the plugin ${pluginTypes[textOf(field.get('type'))]!}`,
      }),
    loses: 'nothing',
    why: 'the target needs a plugin',
    link: 'https://docs.opensearch.org/latest/install-and-configure/plugins/',
    cases: [
      {
        on: '7.10 > 3.6',
        before: { type: 'murmur3' },
        after: { type: 'murmur3' },
        changes: ['type noted'],
        untried: 'the plugin cannot be had for the engines of the tests',
      },
    ],
  },
  {
    kind: 'field',
    name: 'types-without-successor',
    source: anyVersion,
    target: anyVersion,
    matches: ({ type }) => textOf(type) in noSuccessor,
    does: (field) => field.cannot('type', noSuccessor[textOf(field.get('type'))]!),
    loses: 'dropped',
    why: 'the target has nothing in its place',
    link: 'https://docs.opensearch.org/latest/field-types/supported-field-types/index/',
    cases: [
      {
        on: '5.6 > 3.6',
        before: { type: 'attachment' },
        after: { type: 'attachment' },
        changes: ['type cannot !'],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'rank_vectors', dims: 3 },
        after: { type: 'rank_vectors', dims: 3 },
        changes: ['type cannot !'],
      },
    ],
  },
]

/** Field types that a plugin of OpenSearch has, by the plugin's name. */
export const pluginTypes: { readonly [type: string]: string } = {
  murmur3: 'mapper-murmur3',
  annotated_text: 'mapper-annotated-text',
  icu_collation_keyword: 'analysis-icu',
}

const noSuccessor: { readonly [type: string]: string } = {
  attachment:
    'the plugin that read attachments while mapping is gone since Elasticsearch 6: extract the text by a pipeline (ingest-attachment) on the source, or leave the index out',
  rank_vectors:
    'OpenSearch holds one vector a field: leave the field out of the mapping, or the index',
}
