import { isJsonObject, type JsonObject } from '../../base/json.ts'
import { objectOf, textOf } from '../json-objects.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, isFrom, openSearch, type FieldRule } from './rule.ts'
import { subobjects } from './root-rules.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest/field-types/supported-field-types'

/** Field types that the target has not, has from some version on, or has otherwise. */
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
  {
    kind: 'field',
    name: 'object-dynamic-runtime',
    source: elasticsearch({ from: '7.11' }),
    target: anyVersion,
    matches: ({ dynamic }) => dynamic === 'runtime',
    does: (field) => field.set('dynamic', 'false'),
    loses: 'meaning',
    why: 'OpenSearch makes no runtime fields of new fields: they are kept in the documents and not searched',
    link: `${es}/8.19/dynamic.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'object', dynamic: 'runtime' },
        after: { type: 'object', dynamic: 'false' },
        changes: ['dynamic changed !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'subobjects',
    source: elasticsearch({ from: '8.3' }),
    target: anyVersion,
    matches: (field) => 'subobjects' in field,
    does: (field, { target }) => subobjects(field, isFrom(target, '3.6')),
    loses: 'meaning',
    why: 'the target makes objects of dots in names: a document may not hold a.b beside a value of a',
    link: `${es}/8.19/subobjects.html`,
    cases: [
      {
        on: '8.19 > 2.19',
        before: { type: 'object', subobjects: false, properties: { 'a.b': { type: 'long' } } },
        after: { type: 'object', properties: { 'a.b': { type: 'long' } } },
        changes: ['subobjects dropped !'],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'object', subobjects: false },
        after: { type: 'object', disable_objects: true },
        changes: ['subobjects changed'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'synthetic-source-fields',
    source: elasticsearch({ from: '8.4' }),
    target: anyVersion,
    matches: (field) => ['synthetic_source_keep', 'on_script_error'].some((key) => key in field),
    does: (field) => field.dropAll(['synthetic_source_keep', 'on_script_error']),
    loses: 'nothing',
    why: 'says how the source makes documents of doc values; the target keeps each document as it gets it',
    link: `${es}/8.19/mapping-source-field.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'keyword', synthetic_source_keep: 'all' },
        after: { type: 'keyword' },
        changes: ['synthetic_source_keep dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'time-series-fields',
    source: elasticsearch({ from: '7.16' }),
    target: anyVersion,
    matches: (field) => timeSeries.some((key) => key in field),
    does: (field) => field.dropAll(timeSeries),
    loses: 'meaning',
    why: 'OpenSearch has no time series indices: the values are searched as any',
    link: `${es}/8.19/tsds.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'keyword', time_series_dimension: true },
        after: { type: 'keyword' },
        changes: ['time_series_dimension dropped !'],
      },
      {
        on: '8.19 > 1.3',
        before: { type: 'double', time_series_metric: 'gauge' },
        after: { type: 'double' },
        changes: ['time_series_metric dropped !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'scripts-of-fields',
    source: elasticsearch({ from: '7.14' }),
    target: anyVersion,
    matches: ({ type, script }) => script !== undefined && type !== undefined,
    does: (field) => field.drop('script'),
    loses: 'dropped',
    why: 'OpenSearch indexes no values made by a script, and the documents do not hold them: the field stays empty',
    link: `${es}/8.19/keyword.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'keyword', script: { source: "emit('a')" } },
        after: { type: 'keyword' },
        changes: ['script dropped !'],
      },
    ],
  },
]

const timeSeries = ['time_series_dimension', 'time_series_metric']

const pluginTypes: { readonly [type: string]: string } = {
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

function isType(type: string): (field: JsonObject) => boolean {
  return (field) => field.type === type
}

/** Parameters of fields that older engines took. */
export const oldParameterRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'include-in-all',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: (field) => 'include_in_all' in field,
    does: (field) => field.drop('include_in_all'),
    loses: 'nothing',
    why: 'the field _all is gone since 7',
    link: `${es}/6.8/mapping-all-field.html`,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { type: 'keyword', include_in_all: false },
        after: { type: 'keyword' },
        changes: ['include_in_all dropped'],
      },
      {
        on: '2.4 > 1.3',
        before: { include_in_all: true, properties: { a: { type: 'long', include_in_all: true } } },
        after: { properties: { a: { type: 'long' } } },
        changes: ['include_in_all dropped', 'properties.a.include_in_all dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'numbers-of-2',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (field) => uselessNow.some((key) => key in field) || isFielddataOfNumbers(field),
    does: (field) => {
      field.dropAll(uselessNow)
      if (isFielddataOfNumbers(field.node)) field.drop('fielddata')
    },
    loses: 'nothing',
    why: 'how an old engine laid the field out; it changes no answer',
    link: `${es}/5.0/breaking_50_mapping_changes.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'long', precision_step: 8, fielddata: { format: 'doc_values' } },
        after: { type: 'long' },
        changes: ['precision_step dropped', 'fielddata dropped'],
      },
      {
        on: '1.7 > 1.3',
        before: { type: 'binary', compress: true, compress_threshold: '1kb' },
        after: { type: 'binary' },
        changes: ['compress dropped', 'compress_threshold dropped'],
      },
      {
        on: '1.7 > 2.19',
        before: { type: 'string', postings_format: 'pulsing', doc_values_format: 'disk' },
        after: { type: 'text' },
        changes: ['type changed', 'postings_format dropped', 'doc_values_format dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'index-name',
    source: elasticsearch({ before: '3' }),
    target: anyVersion,
    matches: (field) =>
      'index_name' in field ||
      (field.type !== 'alias' &&
        typeof field.path === 'string' &&
        ['full', 'just_name'].includes(field.path)),
    does: (field) => {
      field.drop('path', { loses: field.get('path') === 'full' ? 'nothing' : 'meaning' })
      field.drop('index_name')
    },
    loses: 'meaning',
    why: 'a field is found by its whole name only since Elasticsearch 2: queries by the other name find nothing',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { type: 'long', index_name: 'other' },
        after: { type: 'long' },
        changes: ['index_name dropped !'],
      },
      {
        on: '1.7 > 3.6',
        before: { type: 'object', path: 'full', properties: {} },
        after: { type: 'object', properties: {} },
        changes: ['path dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'geo-point-of-2',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (field) =>
      field.type === 'geo_point' && Object.keys(field).some((key) => geoPointOld.includes(key)),
    does: (field) => {
      if (field.get('validate') === false || field.get('validate') === 'false')
        field.set('ignore_malformed', true, { loses: 'nothing' })
      for (const key of geoPointOld) {
        const hadFields = ['lat_lon', 'geohash', 'geohash_prefix'].includes(key)
        const on = field.get(key) === true || field.get(key) === 'true'
        field.drop(key, { loses: hadFields && on ? 'meaning' : 'nothing' })
      }
    },
    loses: 'meaning',
    why: 'gone since Elasticsearch 5: a point has no fields .lat, .lon and .geohash of its own any more',
    link: `${es}/5.0/breaking_50_mapping_changes.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'geo_point', lat_lon: true, geohash_precision: 5 },
        after: { type: 'geo_point' },
        changes: ['lat_lon dropped !', 'geohash_precision dropped'],
      },
      {
        on: '1.7 > 1.3',
        before: { type: 'geo_point', validate: false, normalize: true },
        after: { type: 'geo_point', ignore_malformed: true },
        changes: ['ignore_malformed added', 'validate dropped', 'normalize dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'geo-shape-tree',
    source: elasticsearch({ before: '8' }),
    target: anyVersion,
    matches: (field) => field.type === 'geo_shape' && geoShapeTree.some((key) => key in field),
    does: (field) => field.dropAll(geoShapeTree),
    loses: 'nothing',
    why: 'shapes are indexed as they are since Elasticsearch 6.6, and not as cells of a grid',
    link: `${es}/7.17/geo-shape.html`,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { type: 'geo_shape', tree: 'quadtree', precision: '1m', orientation: 'cw' },
        after: { type: 'geo_shape', orientation: 'cw' },
        changes: ['tree dropped', 'precision dropped'],
        without: 'accepted',
      },
      {
        on: '7.10 > 2.19',
        before: { type: 'geo_shape', strategy: 'recursive', points_only: false },
        after: { type: 'geo_shape' },
        changes: ['strategy dropped', 'points_only dropped'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'field',
    name: 'completion-of-2',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (field) =>
      field.type === 'completion' &&
      ['payloads', 'index_analyzer', 'context', 'path'].some((key) => key in field),
    does: (field) => {
      field.rename('index_analyzer', 'analyzer', field.get('index_analyzer'), { loses: 'nothing' })
      field.drop('payloads', { loses: field.get('payloads') === true ? 'meaning' : 'nothing' })
      field.drop('path')
      const context = field.get('context')
      if (isJsonObject(context)) field.rename('context', 'contexts', contextsOf(context))
    },
    loses: 'meaning',
    why: 'suggestions are documents since Elasticsearch 5: payloads and outputs are refused in them, contexts are a list',
    link: `${es}/5.0/breaking_50_suggester.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'completion', payloads: false, index_analyzer: 'simple' },
        after: { type: 'completion', analyzer: 'simple' },
        changes: ['index_analyzer changed', 'payloads dropped'],
      },
      {
        on: '2.4 > 1.3',
        before: { type: 'completion', context: { color: { type: 'category', default: ['red'] } } },
        after: { type: 'completion', contexts: [{ name: 'color', type: 'category' }] },
        changes: ['context changed !'],
      },
    ],
  },
]

const uselessNow = [
  'precision_step',
  'compress',
  'compress_threshold',
  'postings_format',
  'doc_values_format',
  'omit_term_freq_and_positions',
]
const geoShapeTree = [
  'tree',
  'precision',
  'tree_levels',
  'strategy',
  'distance_error_pct',
  'points_only',
]
const geoPointOld = [
  'lat_lon',
  'geohash',
  'geohash_prefix',
  'geohash_precision',
  'validate',
  'validate_lat',
  'validate_lon',
  'normalize',
  'normalize_lat',
  'normalize_lon',
  'coerce',
  'precision_step',
  'fielddata',
]

function isFielddataOfNumbers(field: JsonObject): boolean {
  return (
    'fielddata' in field && !['string', 'text', 'keyword', 'geo_point'].includes(textOf(field.type))
  )
}

function contextsOf(context: JsonObject): JsonObject[] {
  return Object.entries(context).map(([name, one]) => {
    const { type, path, precision } = objectOf(one)
    return {
      name,
      type: type ?? 'category',
      ...(path !== undefined && { path }),
      ...(precision !== undefined && type === 'geo' && { precision: [precision].flat()[0]! }),
    }
  })
}

/** From OpenSearch to an older one. */
export const downgradeRules: readonly FieldRule[] = [
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
