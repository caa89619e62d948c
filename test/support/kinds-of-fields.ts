/** An index for each field type and each parameter of one. */
import type { Json, JsonObject } from '../../src/base/json.ts'
import type { IndexKind } from './kinds.ts'

/** `[name, field, value, query]`; the field is `f`. Without a query all documents are looked for. */
type Field = readonly [name: string, field: JsonObject, value: Json, query?: JsonObject]

const term = (value: Json, field = 'f'): JsonObject => ({ term: { [field]: value } })
const match = (value: Json, field = 'f'): JsonObject => ({ match: { [field]: value } })
const range = (gte: Json, lte: Json): JsonObject => ({ range: { f: { gte, lte } } })

const square = [
  [
    [0, 0],
    [0, 10],
    [10, 10],
    [10, 0],
    [0, 0],
  ],
]

const strings: Field[] = [
  ['string', { type: 'string' }, 'Quick brown', match('quick')],
  ['string-exact', { type: 'string', index: 'not_analyzed', ignore_above: 9 }, 'A b', term('A b')],
  ['string-unindexed', { type: 'string', index: 'no', store: true }, 'A b'],
  [
    'string-null',
    { type: 'string', index: 'not_analyzed', null_value: 'NULL' },
    null,
    term('NULL'),
  ],
  ['string-norms', { type: 'string', norms: { enabled: false } }, 'Quick', match('quick')],
  ['string-omit', { type: 'string', omit_norms: true, index_options: 'docs' }, 'Q', match('q')],
  [
    'string-doc-values',
    { type: 'string', index: 'not_analyzed', doc_values: true },
    'a',
    term('a'),
  ],
  ['string-fielddata', { type: 'string', fielddata: { format: 'disabled' } }, 'a', match('a')],
  [
    'string-loading',
    { type: 'string', fielddata: { loading: 'eager', filter: { frequency: { min: 0.1 } } } },
    'a',
    match('a'),
  ],
  [
    'string-analyzers',
    { type: 'string', index_analyzer: 'simple', search_analyzer: 'stop' },
    'a b',
  ],
  ['string-vectors', { type: 'string', term_vector: 'with_positions_offsets' }, 'a', match('a')],
  ['string-gap', { type: 'string', position_offset_gap: 7 }, ['a', 'b'], match('a')],
  ['string-increment', { type: 'string', position_increment_gap: 7 }, ['a', 'b'], match('a')],
  ['string-similarity', { type: 'string', similarity: 'BM25' }, 'a', match('a')],
  ['string-default-similarity', { type: 'string', similarity: 'default' }, 'a', match('a')],
  ['string-boost', { type: 'string', boost: 2, include_in_all: false }, 'a', match('a')],
  [
    'string-fields',
    { type: 'string', fields: { raw: { type: 'string', index: 'not_analyzed' } } },
    'A b',
    term('A b', 'f.raw'),
  ],
  [
    'string-multi',
    { type: 'multi_field', fields: { f: { type: 'string' }, raw: { type: 'string' } } },
    'a b',
    match('a'),
  ],
  ['text', { type: 'text' }, 'Quick brown', match('quick')],
  ['text-norms', { type: 'text', norms: false, index_options: 'docs' }, 'Quick', match('quick')],
  [
    'text-fielddata',
    { type: 'text', fielddata: true, eager_global_ordinals: true },
    'a',
    match('a'),
  ],
  [
    'text-frequency',
    { type: 'text', fielddata: true, fielddata_frequency_filter: { min: 0.1, max: 1 } },
    'a',
    match('a'),
  ],
  ['text-prefixes', { type: 'text', index_prefixes: { min_chars: 1 }, index_phrases: true }, 'abc'],
  ['text-vectors', { type: 'text', term_vector: 'with_positions_offsets' }, 'a', match('a')],
  ['text-classic', { type: 'text', similarity: 'classic' }, 'a', match('a')],
  [
    'text-quotes',
    { type: 'text', search_quote_analyzer: 'standard', store: true },
    'a',
    match('a'),
  ],
  ['keyword', { type: 'keyword', ignore_above: 9 }, 'A b', term('A b')],
  ['keyword-null', { type: 'keyword', null_value: 'NULL', norms: true }, null, term('NULL')],
  [
    'keyword-queries',
    { type: 'keyword', split_queries_on_whitespace: true, eager_global_ordinals: true },
    'a',
    match('a'),
  ],
  ['keyword-unindexed', { type: 'keyword', index: false, doc_values: false }, 'a'],
  ['keyword-boost', { type: 'keyword', boost: 3 }, 'a', term('a')],
  ['keyword-meta', { type: 'keyword', meta: { unit: 'ms' } }, 'a', term('a')],
  ['keyword-dimension', { type: 'keyword', time_series_dimension: true }, 'a', term('a')],
  ['keyword-script', { type: 'keyword', script: { source: "emit('a')" } }, null],
  ['text-all', { type: 'text', include_in_all: false }, 'a', match('a')],
  ['copy-to', { type: 'keyword', copy_to: ['g', 'h'] }, 'a', match('a', 'g')],
  ['wildcard', { type: 'wildcard' }, 'abc', { wildcard: { f: 'a*' } }],
  ['constant-keyword', { type: 'constant_keyword', value: 'a' }, 'a', term('a')],
  ['constant-keyword-open', { type: 'constant_keyword' }, 'a', term('a')],
  ['match-only-text', { type: 'match_only_text' }, 'Quick brown', match('quick')],
  ['pattern-text', { type: 'pattern_text' }, 'Quick brown', match('quick')],
  ['counted-keyword', { type: 'counted_keyword' }, ['a', 'a'], term('a')],
  ['icu-collation', { type: 'icu_collation_keyword' }, 'a'],
  ['annotated-text', { type: 'annotated_text' }, 'a [b](c)'],
  ['search-as-you-type', { type: 'search_as_you_type', max_shingle_size: 3 }, 'a b', match('a')],
  ['token-count', { type: 'token_count', analyzer: 'standard' }, 'a b c', term(3)],
  ['murmur3', { type: 'murmur3' }, 'a'],
  ['version', { type: 'version' }, '1.2.3', term('1.2.3')],
  ['semantic-text', { type: 'semantic_text', inference_id: 'none' }, 'a'],
]

const numbers: Field[] = [
  ...['byte', 'short', 'integer', 'long', 'unsigned_long'].map((type): Field => [
    type.replace('_', '-'),
    { type },
    7,
    term(7),
  ]),
  ...['float', 'double', 'half_float'].map((type): Field => [
    type.replace('_', '-'),
    { type },
    1.5,
    range(1, 2),
  ]),
  ['scaled-float', { type: 'scaled_float', scaling_factor: 100 }, 1.25, term(1.25)],
  ['number-step', { type: 'integer', precision_step: 4, null_value: 3 }, null, term(3)],
  ['number-coerce', { type: 'long', coerce: false, ignore_malformed: true }, 'no'],
  ['number-unindexed', { type: 'long', index: 'no' }, 7],
  ['number-off', { type: 'long', index: false, store: true }, 7],
  ['number-metric', { type: 'long', time_series_metric: 'gauge' }, 7, term(7)],
  ['boolean', { type: 'boolean', null_value: true }, false, term(false)],
  ['date', { type: 'date' }, '2016-05-06', range('2016-05-01', '2016-06-01')],
  [
    'date-format',
    { type: 'date', format: 'YYYY-MM-dd HH:mm:ss||epoch_millis' },
    '2016-05-06 07:08:09',
    range('2016-05-06 00:00:00', '2016-05-06 23:00:00'),
  ],
  ['date-strict', { type: 'date', format: 'strict_date_optional_time' }, '2016-05-06T07:08:09Z'],
  ['date-basic', { type: 'date', format: 'dateOptionalTime' }, '2016-05-06T07:08:09Z'],
  ['date-locale', { type: 'date', format: 'dd MMM uuuu', locale: 'en_US' }, '06 May 2016'],
  ['date-seconds', { type: 'date', format: 'epoch_second' }, 1462518000],
  ['date-nanos', { type: 'date_nanos' }, '2016-05-06T07:08:09.123456789Z'],
  ['ip', { type: 'ip' }, '10.0.0.1', term('10.0.0.1')],
  ['ip-six', { type: 'ip', ignore_malformed: true }, '2001:db8::1'],
  ['integer-range', { type: 'integer_range' }, { gte: 1, lte: 5 }, term(3)],
  ['date-range', { type: 'date_range', format: 'yyyy-MM-dd' }, { gte: '2016-05-06' }],
  ['ip-range', { type: 'ip_range' }, '10.0.0.0/8', term('10.1.2.3')],
  ['float-range', { type: 'float_range' }, { gt: 1.5, lt: 2 }],
  ['rank-feature', { type: 'rank_feature' }, 3, { rank_feature: { field: 'f' } }],
  ['rank-feature-negative', { type: 'rank_feature', positive_score_impact: false }, 3],
  ['rank-features', { type: 'rank_features' }, { a: 1 }, { rank_feature: { field: 'f.a' } }],
  ['feature', { type: 'feature' }, 3],
  ['feature-vector', { type: 'feature_vector' }, { a: 1 }],
  ['histogram', { type: 'histogram' }, { values: [1, 2], counts: [3, 4] }],
  [
    'aggregate-metric',
    { type: 'aggregate_metric_double', metrics: ['min', 'max'], default_metric: 'max' },
    { min: 1, max: 2 },
  ],
]

const shapes: Field[] = [
  ['geo-point', { type: 'geo_point' }, { lat: 1, lon: 2 }, nearby()],
  [
    'geo-point-old',
    {
      type: 'geo_point',
      lat_lon: true,
      geohash: true,
      geohash_prefix: true,
      geohash_precision: 6,
      validate: false,
      normalize: true,
    },
    '1,2',
    nearby(),
  ],
  ['geo-point-lenient', { type: 'geo_point', ignore_malformed: true, ignore_z_value: true }, 'x'],
  ['geo-point-null', { type: 'geo_point', null_value: '1,2' }, null],
  ['geo-shape', { type: 'geo_shape' }, { type: 'polygon', coordinates: square }],
  [
    'geo-shape-old',
    { type: 'geo_shape', tree: 'quadtree', tree_levels: 6, distance_error_pct: 0.1 },
    { type: 'polygon', coordinates: square },
  ],
  [
    'geo-shape-points',
    {
      type: 'geo_shape',
      tree: 'geohash',
      precision: '1km',
      strategy: 'recursive',
      points_only: true,
    },
    { type: 'point', coordinates: [1, 2] },
  ],
  ['geo-shape-orientation', { type: 'geo_shape', orientation: 'cw', coerce: true }, 'POINT (1 2)'],
  ['shape', { type: 'shape' }, 'POINT (1 2)'],
  ['point', { type: 'point' }, { x: 1, y: 2 }],
  ['xy-point', { type: 'xy_point' }, { x: 1, y: 2 }],
  ['binary', { type: 'binary', store: true }, 'AAEC'],
  ['completion', { type: 'completion' }, { input: ['abc'] }],
  [
    'completion-old',
    { type: 'completion', index_analyzer: 'simple', search_analyzer: 'simple', payloads: true },
    { input: ['abc'], output: 'Abc', payload: { n: 1 } },
  ],
  [
    'completion-contexts',
    { type: 'completion', contexts: [{ name: 'c', type: 'category' }], max_input_length: 20 },
    { input: ['abc'], contexts: { c: ['a'] } },
  ],
  [
    'completion-context-old',
    { type: 'completion', context: { c: { type: 'category', default: ['a'] } } },
    { input: ['abc'] },
  ],
  [
    'nested',
    { type: 'nested', include_in_parent: true, properties: { n: { type: 'integer' } } },
    [{ n: 1 }, { n: 2 }],
    { nested: { path: 'f', query: term(2, 'f.n') } },
  ],
  ['object', { type: 'object', dynamic: 'strict', properties: { n: { type: 'long' } } }, { n: 1 }],
  ['object-off', { type: 'object', enabled: false }, { any: 'thing' }],
  ['object-runtime', { type: 'object', dynamic: 'runtime' }, { any: 'thing' }],
  ['object-flat', { type: 'object', subobjects: false }, { 'a.b': 1 }],
  ['object-path', { type: 'object', path: 'just_name', properties: {} }, { a: 1 }],
  ['passthrough', { type: 'passthrough', priority: 1 }, { a: 1 }],
  ['flattened', { type: 'flattened', depth_limit: 5 }, { a: 'b' }, term('b', 'f.a')],
  ['flat-object', { type: 'flat_object' }, { a: 'b' }, term('b', 'f.a')],
  ['percolator', { type: 'percolator' }, { match_all: {} }],
  ['join', { type: 'join', relations: { question: ['answer'] } }, 'question', term('question')],
  ['dense-vector', { type: 'dense_vector', dims: 3 }, [1, 2, 3]],
  ['dense-vector-off', { type: 'dense_vector', dims: 3, index: false }, [1, 2, 3]],
  [
    'dense-vector-l2',
    { type: 'dense_vector', dims: 3, index: true, similarity: 'l2_norm' },
    [1, 2, 3],
  ],
  [
    'dense-vector-dot',
    { type: 'dense_vector', dims: 2, index: true, similarity: 'dot_product' },
    [1, 0],
  ],
  [
    'dense-vector-product',
    { type: 'dense_vector', dims: 2, index: true, similarity: 'max_inner_product' },
    [1, 5],
  ],
  [
    'dense-vector-bytes',
    { type: 'dense_vector', dims: 3, element_type: 'byte', index: true, similarity: 'cosine' },
    [1, 2, 3],
  ],
  ['dense-vector-bits', { type: 'dense_vector', dims: 8, element_type: 'bit' }, [5]],
  ...['hnsw', 'int8_hnsw', 'int4_hnsw', 'bbq_hnsw', 'flat', 'int8_flat'].map((type): Field => [
    `dense-vector-${type.replace('_', '-')}`,
    {
      type: 'dense_vector',
      dims: 64,
      index: true,
      similarity: 'cosine',
      index_options: { type },
    },
    Array.from({ length: 64 }, (_, i) => i + 1),
  ]),
  ['sparse-vector', { type: 'sparse_vector' }, { a: 1.5 }],
  ['rank-vectors', { type: 'rank_vectors' }, [[1, 2]]],
  ['attachment', { type: 'attachment' }, 'AAEC'],
]

function nearby(): JsonObject {
  return { geo_distance: { distance: '10km', f: { lat: 1, lon: 2 } } }
}

/** One index a field, with one document. */
export const kindsOfFields: readonly IndexKind[] = [...strings, ...numbers, ...shapes].map(
  ([name, field, value, query]) => ({
    name: `field-${name}`,
    properties: { f: field },
    documents: [{ source: { f: value } }],
    ...(query && { query }),
  }),
)
