import { isJsonObject, type JsonObject } from '../../base/json.ts'
import { objectOf, textOf } from '../json-objects.ts'
import { anyVersion, elasticsearch, isFrom, type FieldRule } from './rule.ts'
import { subobjects } from './root-rules.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'

/** Parameters of fields of newer engines. */
export const fieldParameterRules: readonly FieldRule[] = [
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

const timeSeries = ['time_series_dimension', 'time_series_metric']

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
