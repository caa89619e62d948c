/** An index for each setting, each field of the mapping's root, and each kind of alias. */
import type { JsonObject } from '../../src/base/json.ts'
import type { IndexKind, KindDocument } from './kinds.ts'

const one: readonly KindDocument[] = [{ source: { n: 1, text: 'Quick brown', k: 'a' } }]
const n: JsonObject = { properties: { n: { type: 'long' } } }

const settings: { readonly [name: string]: JsonObject } = {
  shards: { number_of_shards: 3 },
  'routing-shards': { number_of_shards: 3, number_of_routing_shards: 12 },
  'auto-expand': { auto_expand_replicas: '0-1' },
  refresh: { refresh_interval: '7s' },
  'refresh-never': { refresh_interval: -1 },
  codec: { codec: 'best_compression' },
  'codec-legacy': { codec: 'legacy_default' },
  'codec-zstd': { codec: 'zstd_no_dict' },
  limits: { max_result_window: 500, max_inner_result_window: 50, max_rescore_window: 40 },
  'limits-old': { max_adjacency_matrix_filters: 5 },
  'mapping-limits': { mapping: { total_fields: { limit: 50 }, depth: { limit: 5 } } },
  'mapping-coerce': { mapping: { coerce: false, ignore_malformed: true } },
  'mapping-beyond': { mapping: { total_fields: { ignore_dynamic_beyond_limit: true } } },
  'mapping-dynamic': { mapper: { dynamic: false } },
  'single-type': { mapping: { single_type: true } },
  'soft-deletes': { soft_deletes: { enabled: true, retention: { operations: 9 } } },
  'soft-deletes-off': { soft_deletes: { enabled: false } },
  'gc-deletes': { gc_deletes: '90s' },
  translog: {
    translog: { durability: 'async', sync_interval: '9s', flush_threshold_size: '99mb' },
  },
  'translog-retention': { translog: { retention: { size: '9mb', age: '1h' } } },
  'translog-old': { translog: { flush_threshold_ops: 900, flush_threshold_period: '9m' } },
  merge: { merge: { policy: { max_merged_segment: '1gb' }, scheduler: { max_thread_count: 1 } } },
  'merge-log': { merge: { policy: { type: 'log_byte_size' } } },
  slowlog: { search: { slowlog: { threshold: { query: { warn: '9s' } }, level: 'info' } } },
  'slowlog-indexing': { indexing: { slowlog: { threshold: { index: { warn: '9s' } } } } },
  'store-niofs': { store: { type: 'niofs' } },
  'store-default': { store: { type: 'default' } },
  'store-preload': { store: { preload: ['nvd'] } },
  priority: { priority: 7 },
  warmers: { warmer: { enabled: true } },
  'queries-cache': { queries: { cache: { enabled: false } } },
  'requests-cache': { requests: { cache: { enable: false } } },
  'query-cache-old': { cache: { query: { enable: true } } },
  'query-default-field': { query: { default_field: ['n', 'text'] } },
  'query-parse': {
    query_string: { lenient: true },
    query: { parse: { allow_unmapped_fields: true } },
  },
  allocation: { routing: { allocation: { exclude: { box: 'cold' } } } },
  'allocation-total': { routing: { allocation: { total_shards_per_node: 9 } } },
  'allocation-tier': { routing: { allocation: { include: { _tier_preference: 'data_content' } } } },
  'allocation-delayed': { unassigned: { node_left: { delayed_timeout: '5m' } } },
  'allocation-off': { routing: { rebalance: { enable: 'none' } } },
  'wait-for-shards': { write: { wait_for_active_shards: 1 } },
  hidden: { hidden: true },
  'blocks-metadata': { blocks: { metadata: false, read: false } },
  'check-on-startup': { shard: { check_on_startup: false } },
  'number-of-routing-partitions': {},
  'default-pipeline-none': { default_pipeline: '_none' },
  'final-pipeline-none': { final_pipeline: '_none' },
  lifecycle: { lifecycle: { name: 'kept-7-days', rollover_alias: 'rolled' } },
  'lifecycle-parse': { lifecycle: { parse_origination_date: false, indexing_complete: true } },
  'highlight-limit': { highlight: { max_analyzed_offset: 500 }, analyze: { max_token_count: 500 } },
  'ngram-difference': { max_ngram_diff: 5, max_shingle_diff: 5 },
  'load-fixed-bitset': { load_fixed_bitset_filters_eagerly: false },
  'search-idle': { search: { idle: { after: '9s' } } },
  'search-throttled': { 'search.throttled': false },
  similarity: {
    similarity: {
      ours: { type: 'BM25', b: 0.5 },
      dfr: { type: 'DFR', basic_model: 'g', after_effect: 'l', normalization: 'h2' },
    },
  },
  'similarity-classic': { similarity: { old: { type: 'classic' } } },
  'similarity-default': { similarity: { default: { type: 'boolean' } } },
  'similarity-old': { similarity: { old: { type: 'default' } } },
  'sort-empty': {},
  'compound-format': { compound_format: true },
  'concurrent-search': { 'search.concurrent_segment_search.mode': 'none' },
  derived: { 'query.derived_field.enabled': true },
  'star-tree': { composite_index: { star_tree: { enabled: true } } },
  'source-mode': { mapping: { source: { mode: 'synthetic' } } },
  logsdb: { mode: 'logsdb' },
  'time-series': {
    mode: 'time_series',
    routing_path: ['k'],
    time_series: { start_time: '2024-01-01T00:00:00Z', end_time: '2024-02-01T00:00:00Z' },
  },
  knn: { knn: true },
  'dense-hot': { 'dense_vector.hnsw_filter_heuristic': 'acorn' },
  frozen: { frozen: true },
  'version-map': { 'replication.type': 'DOCUMENT' },
  'override-created': { 'override.x': 1 },
}

const analysed = (analysis: JsonObject): JsonObject => ({ analysis })
const analysis: { readonly [name: string]: JsonObject } = {
  custom: {
    analyzer: { ours: { tokenizer: 'standard', filter: ['lowercase', 'ours'] } },
    filter: { ours: { type: 'stop', stopwords: ['a', 'the'] } },
  },
  'char-filter': {
    analyzer: { ours: { tokenizer: 'keyword', char_filter: ['ours', 'html_strip'] } },
    char_filter: { ours: { type: 'mapping', mappings: ['ph => f'] } },
  },
  normalizer: { normalizer: { ours: { type: 'custom', filter: ['lowercase'] } } },
  synonyms: {
    analyzer: { ours: { tokenizer: 'whitespace', filter: ['ours'] } },
    filter: { ours: { type: 'synonym', synonyms: ['quick, fast', 'a => b'] } },
  },
  'synonyms-graph': {
    analyzer: { ours: { tokenizer: 'whitespace', filter: ['ours'] } },
    filter: { ours: { type: 'synonym_graph', synonyms: ['quick, fast as light'] } },
  },
  'synonyms-file': {
    analyzer: { ours: { tokenizer: 'whitespace', filter: ['ours'] } },
    filter: { ours: { type: 'synonym', synonyms_path: 'ours/synonyms.txt' } },
  },
  'stopwords-file': {
    analyzer: { ours: { type: 'standard', stopwords_path: 'ours/stopwords.txt' } },
  },
  hunspell: {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours'] } },
    filter: { ours: { type: 'hunspell', locale: 'en_US' } },
  },
  'filter-standard': {
    analyzer: { ours: { tokenizer: 'standard', filter: ['standard', 'lowercase'] } },
  },
  'filter-standard-html': { analyzer: { ours: { type: 'standard_html_strip' } } },
  ngrams: {
    analyzer: { ours: { tokenizer: 'ours', filter: ['lowercase'] } },
    tokenizer: { ours: { type: 'nGram', min_gram: 2, max_gram: 4 } },
  },
  'edge-ngrams': {
    analyzer: { ours: { tokenizer: 'ours' } },
    tokenizer: { ours: { type: 'edgeNGram', min_gram: 1, max_gram: 9, token_chars: ['letter'] } },
  },
  'ngram-filter': {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours', 'theirs'] } },
    filter: {
      ours: { type: 'nGram', min_gram: 1, max_gram: 2 },
      theirs: { type: 'edgeNGram', side: 'back' },
    },
  },
  shingles: {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours'] } },
    filter: { ours: { type: 'shingle', min_shingle_size: 2, max_shingle_size: 6 } },
  },
  delimited: {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours'] } },
    filter: { ours: { type: 'delimited_payload_filter', delimiter: '|' } },
  },
  'word-delimiter': {
    analyzer: { ours: { tokenizer: 'whitespace', filter: ['word_delimiter', 'ours'] } },
    filter: { ours: { type: 'word_delimiter', preserve_original: true } },
  },
  pattern: { analyzer: { ours: { type: 'pattern', pattern: '[^a-z]+', lowercase: true } } },
  snowball: { analyzer: { ours: { type: 'snowball', language: 'English' } } },
  languages: {
    analyzer: { de: { type: 'german', stem_exclusion: ['haus'] }, br: { type: 'brazilian' } },
  },
  default: { analyzer: { default: { type: 'whitespace' }, default_search: { type: 'simple' } } },
  'default-index': { analyzer: { default_index: { type: 'whitespace' } } },
  alias: { analyzer: { ours: { type: 'standard', alias: ['other'] } } },
  'path-hierarchy': {
    analyzer: { ours: { tokenizer: 'ours' } },
    tokenizer: { ours: { type: 'PathHierarchy' } },
  },
  conditional: {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours'] } },
    filter: { ours: { type: 'condition', filter: ['lowercase'], script: { source: 'true' } } },
  },
  'keep-types': {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours', 'unique', 'trim'] } },
    filter: { ours: { type: 'keep_types', types: ['<NUM>', '<ALPHANUM>'] } },
  },
  'common-grams': {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours'] } },
    filter: { ours: { type: 'common_grams', common_words: ['a'], query_mode: true } },
  },
  fingerprint: { analyzer: { ours: { type: 'fingerprint', stopwords: '_english_' } } },
  stemmer: {
    analyzer: { ours: { tokenizer: 'standard', filter: ['ours', 'asciifolding', 'porter_stem'] } },
    filter: { ours: { type: 'stemmer', name: 'possessive_english' } },
  },
}
/** Those whose analyzer `ours` the field uses. */
const unused = new Set(['normalizer', 'languages', 'default', 'default-index'])

const roots: { readonly [name: string]: JsonObject } = {
  'all-off': { _all: { enabled: false } },
  'all-on': { _all: { enabled: true, store: true } },
  'all-analyzer': { _all: { analyzer: 'simple' } },
  timestamp: { _timestamp: { enabled: true, store: true, format: 'YYYY-MM-dd' } },
  'timestamp-path': { _timestamp: { enabled: true, path: 'at' } },
  ttl: { _ttl: { enabled: true, default: '90d' } },
  size: { _size: { enabled: true, store: true } },
  'index-on': { _index: { enabled: true } },
  'id-path': { _id: { path: 'k' } },
  'id-index': { _id: { index: 'not_analyzed', store: true } },
  'type-index': { _type: { index: 'no', store: true } },
  'boost-field': { _boost: { name: 'weight', null_value: 1 } },
  'analyzer-field': { _analyzer: { path: 'k' } },
  'analyzers-of-type': { analyzer: 'simple', search_analyzer: 'simple' },
  'index-analyzer': { index_analyzer: 'simple' },
  'field-names-off': { _field_names: { enabled: false } },
  'source-compress': { _source: { compress: true, compress_threshold: '1kb' } },
  meta: { _meta: { owner: 'us', version: 7, deep: { list: [1, 'b'] } } },
  strict: { dynamic: 'strict' },
  'dynamic-false': { dynamic: false },
  'dynamic-text': { dynamic: 'true' },
  'dynamic-runtime': { dynamic: 'runtime' },
  'dynamic-templates': {
    dynamic_templates: [
      { texts: { match_mapping_type: 'string', mapping: { type: 'keyword' } } },
      { longs: { match: 'n_*', unmatch: '*_x', mapping: { type: 'integer' } } },
    ],
  },
  'dynamic-templates-old': {
    dynamic_templates: [
      {
        texts: {
          match: '*',
          match_mapping_type: 'string',
          mapping: { type: 'string', index: 'not_analyzed', omit_norms: true },
        },
      },
      { any: { path_match: 'a.*', mapping: { type: '{dynamic_type}', doc_values: false } } },
    ],
  },
  'date-detection': { date_detection: true, dynamic_date_formats: ['YYYY/MM/dd', 'yyyy-MM'] },
  'date-formats-joda': { dynamic_date_formats: ['dateOptionalTime', 'yyyy/MM/dd HH:mm:ss Z'] },
  'numeric-detection': { numeric_detection: true, date_detection: false },
  'include-in-all': { include_in_all: false },
  transform: { transform: { script: 'ctx._source.k = 1', lang: 'groovy' } },
  'runtime-field': { runtime: { r: { type: 'long', script: { source: 'emit(1)' } } } },
  'runtime-unscripted': { runtime: { r: { type: 'keyword' } } },
  derived: { derived: { r: { type: 'long', script: { source: 'emit(1)' } } } },
  'data-stream-timestamp': { _data_stream_timestamp: { enabled: false } },
  'subobjects-off': { subobjects: false },
  'index-mapper': { index_analyzer: 'standard', _parent: { type: 'none' } },
  'field-alias': {
    properties: { n: { type: 'long' }, also: { type: 'alias', path: 'n' } },
  },
}

const sources: { readonly [name: string]: JsonObject } = {
  'source-off': { enabled: false },
  'source-includes': { includes: ['n'] },
  'source-excludes': { excludes: ['k*'] },
  'source-synthetic': { mode: 'synthetic' },
}

const aliases: { readonly [name: string]: JsonObject } = {
  plain: {},
  filter: { filter: { term: { n: 1 } } },
  'filter-old': { filter: { and: [{ term: { n: 1 } }, { missing: { field: 'z' } }] } },
  'filter-type': { filter: { type: { value: 'doc' } } },
  'filter-range': { filter: { range: { n: { from: 0, include_upper: true } } } },
  routing: { routing: 'r' },
  'routing-both': { index_routing: 'a', search_routing: 'a,b' },
  write: { is_write_index: true },
  hidden: { is_hidden: true },
}

const sorted: readonly (readonly [string, JsonObject])[] = [
  ['sort', { sort: { field: 'n', order: 'desc' } }],
  [
    'sort-several',
    { sort: { field: ['n', 'k'], order: ['asc', 'desc'], missing: ['_last', '_first'] } },
  ],
  ['sort-mode', { sort: { field: ['n'], mode: ['max'] } }],
]

const kindOf = (name: string, kind: Omit<IndexKind, 'name'>): IndexKind => ({
  name,
  documents: one,
  ...kind,
})
const from = (
  prefix: string,
  table: { readonly [name: string]: JsonObject },
  build: (value: JsonObject, name: string) => Omit<IndexKind, 'name'>,
): IndexKind[] =>
  Object.entries(table).map(([name, value]) => kindOf(`${prefix}-${name}`, build(value, name)))

/** Modes that ask for the time of each document; in `time_series` ids are made by the engine. */
function timed(value: JsonObject): Omit<IndexKind, 'name'> {
  const isSeries = value.mode === 'time_series'
  const properties = {
    '@timestamp': { type: 'date' },
    n: { type: 'long' },
    k: { type: 'keyword', ...(isSeries && { time_series_dimension: true }) },
  }
  const source = { '@timestamp': '2024-01-02T00:00:00Z', n: 1, k: 'a' }
  return { settings: value, mapping: { properties }, documents: isSeries ? [] : [{ source }] }
}

const text = (type: string): JsonObject => ({ type, analyzer: 'ours' })
const analysedFields = (type: string) => (value: JsonObject, name: string) => ({
  settings: analysed(value),
  properties: {
    n: { type: 'long' },
    text: unused.has(name) ? { type } : text(type),
    ...(name === 'normalizer' && { k: { type: 'keyword', normalizer: 'ours' } }),
  },
})

const answers = (): readonly KindDocument[] =>
  [1, 2, 3].flatMap((i): KindDocument[] => [
    { type: 'question', id: `q${i}`, source: { title: `Question ${i}`, n: i } },
    { type: 'answer', id: `a${i}`, parent: `q${i}`, source: { body: `Answer ${i}` } },
  ])
const typed: readonly IndexKind[] = ['string', 'text'].flatMap((type): IndexKind[] => [
  {
    name: `types-parent-${type}`,
    types: {
      question: { properties: { title: { type }, n: { type: 'long' } } },
      answer: { _parent: { type: 'question' }, properties: { body: { type } } },
    },
    documents: answers(),
  },
  {
    name: `types-equal-${type}`,
    types: { one: { properties: { a: { type } } }, two: { properties: { a: { type } } } },
    documents: [
      { type: 'one', id: '1', source: { a: 'x' } },
      { type: 'two', id: '2', source: { a: 'x' } },
    ],
    query: { match: { a: 'x' } },
  },
  {
    name: `types-same-id-${type}`,
    types: { one: { properties: { a: { type } } }, two: { properties: { b: { type } } } },
    documents: [
      { type: 'one', id: '1', source: { a: 'x' } },
      { type: 'two', id: '1', source: { b: 'y' } },
    ],
  },
  {
    name: `types-differ-${type}`,
    types: { one: { properties: { a: { type } } }, two: { properties: { a: { type: 'long' } } } },
    documents: [{ type: 'one', id: '1', source: { a: 'x' } }],
  },
])

export const kindsOfIndices: readonly IndexKind[] = [
  ...from('setting', settings, (value) =>
    'mode' in value ? timed(value) : { settings: value, mapping: n },
  ),
  ...from('analysis', analysis, analysedFields('text')),
  ...from('analysis-old', analysis, analysedFields('string')),
  ...from('root', roots, (value) => ({
    mapping: { ...n, ...value },
    ...(value.dynamic === 'strict' && { documents: [{ source: { n: 1 } }] }),
  })),
  ...from('root', sources, (value) => ({ mapping: { ...n, _source: value } })),
  ...from('alias', aliases, (value, name) => ({
    mapping: n,
    aliases: { [`the-alias-${name}`]: value },
  })),
  ...sorted.map(([name, value]) =>
    kindOf(name, {
      settings: value,
      mapping: { properties: { n: { type: 'long' }, k: { type: 'keyword' } } },
    }),
  ),
  kindOf('sort-nested', {
    settings: { sort: { field: 'n' } },
    mapping: { properties: { n: { type: 'long' }, o: { type: 'nested' } } },
  }),
  kindOf('routing-partition', {
    settings: { number_of_shards: 3, routing_partition_size: 2 },
    mapping: { ...n, _routing: { required: true } },
    documents: [1, 2, 3].map((i) => ({ routing: `r${i}`, source: { n: i } })),
  }),
  kindOf('routing-required', {
    settings: { number_of_shards: 3 },
    mapping: { ...n, _routing: { required: true } },
    documents: [1, 2, 3].map((i) => ({ routing: `r${i}`, source: { n: i } })),
  }),
  kindOf('routing-path', {
    settings: { number_of_shards: 3 },
    mapping: { properties: { n: { type: 'long' } }, _routing: { required: true, path: 'k' } },
  }),
  kindOf('routing-free', {
    settings: { number_of_shards: 3 },
    mapping: n,
    documents: [1, 2, 3].map((i) => ({ routing: `r${i}`, source: { n: i } })),
  }),
  kindOf('join-children', {
    mapping: { properties: { j: { type: 'join', relations: { q: ['a', 'b'], a: 'c' } } } },
    documents: [
      { id: 'q', source: { j: 'q' } },
      { id: 'a', routing: 'q', source: { j: { name: 'a', parent: 'q' } } },
    ],
    query: { has_child: { type: 'a', query: { match_all: {} } } },
  }),
  kindOf('ngrams-wide', {
    settings: {
      max_ngram_diff: 5,
      max_shingle_diff: 5,
      analysis: {
        analyzer: { ours: { tokenizer: 'ours', filter: ['ours'] } },
        tokenizer: { ours: { type: 'ngram', min_gram: 2, max_gram: 6 } },
        filter: { ours: { type: 'shingle', min_shingle_size: 2, max_shingle_size: 6 } },
      },
    },
    properties: { n: { type: 'long' }, text: text('text') },
  }),
  kindOf('pipeline-default', { settings: { default_pipeline: 'pipeline-set' }, mapping: n }),
  kindOf('pipeline-final', { settings: { final_pipeline: 'pipeline-set' }, mapping: n }),
  kindOf('pipeline-search', {
    settings: { 'search.default_pipeline': 'filtered' },
    mapping: n,
    // Elasticsearch before 5 takes settings that it does not know.
    flavour: 'opensearch',
  }),
  ...['write', 'read_only', 'read_only_allow_delete'].map((block) =>
    kindOf(`block-${block.replaceAll('_', '-')}`, {
      mapping: n,
      afterwards: [
        [
          'PUT',
          `/block-${block.replaceAll('_', '-')}/_settings`,
          { [`index.blocks.${block}`]: true },
        ],
      ],
    }),
  ),
  kindOf('closed', { mapping: n, afterwards: [['POST', '/closed/_close']] }),
  kindOf('warmer', {
    mapping: n,
    afterwards: [['PUT', '/warmer/_warmer/w', { query: { match_all: {} } }]],
  }),
  kindOf('percolator-type', {
    types: { '.percolator': { properties: { k: { type: 'string' } } }, doc: n },
    documents: [{ type: '.percolator', source: { query: { term: { n: 1 } } } }],
  }),
  kindOf('percolator-queries', {
    mapping: { properties: { n: { type: 'long' }, q: { type: 'percolator' } } },
    documents: [{ source: { q: { term: { n: 1 } } } }],
    query: { percolate: { field: 'q', document: { n: 1 } } },
  }),
  kindOf('dynamic-documents', {
    documents: [
      { source: { text: 'abc', n: 1, f: 1.5, b: true, at: '2016-05-06', o: { x: [1] } } },
    ],
    query: { term: { n: 1 } },
  }),
  kindOf('empty', { documents: [] }),
  kindOf('deep', { mapping: { properties: { a: nestedObjects(12) } } }),
  kindOf('dotted', { properties: { 'a.b.c': { type: 'long' } } }),
  ...typed,
]

function nestedObjects(depth: number): JsonObject {
  return depth === 0 ? { type: 'long' } : { properties: { a: nestedObjects(depth - 1) } }
}
