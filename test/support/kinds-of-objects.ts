/** Templates, pipelines, scripts and what else a cluster keeps beside its indices. */
import type { JsonObject } from '../../src/base/json.ts'
import { majorOf } from '../../src/engines/engine-row.ts'
import type { EngineFacts } from './engines.ts'
import { isTyped, type ObjectKind } from './kinds.ts'

const put = (name: string, path: string, body: JsonObject): ObjectKind => ({
  name,
  requests: () => [['PUT', path, body]],
})

function legacyTemplate(name: string, { mapping, ...rest }: JsonObject): ObjectKind {
  return {
    name,
    requests: (engine) => {
      const old = engine.kind === 'elasticsearch' && majorOf(engine.version) < 6
      const patterns = old ? { template: `${name}-*` } : { index_patterns: [`${name}-*`] }
      const mappings = mapping as JsonObject | undefined
      return [
        [
          'PUT',
          `/_template/${name}`,
          {
            ...patterns,
            ...rest,
            ...(mappings && { mappings: isTyped(engine) ? { doc: mappings } : mappings }),
          },
        ],
      ]
    },
  }
}

const exact = ({ kind, version }: EngineFacts): JsonObject =>
  kind === 'elasticsearch' && majorOf(version) < 5
    ? { type: 'string', index: 'not_analyzed' }
    : { type: 'keyword' }

const processors: { readonly [name: string]: JsonObject } = {
  set: { set: { field: 'stamped', value: true } },
  append: { append: { field: 'tags', value: ['a'] } },
  convert: { convert: { field: 'n', type: 'integer', ignore_missing: true } },
  date: { date: { field: 'at', formats: ['ISO8601', 'YYYY-MM-dd'], ignore_failure: true } },
  'date-index-name': { date_index_name: { field: 'at', date_rounding: 'M' } },
  dissect: { dissect: { field: 'message', pattern: '%{a} %{b}' } },
  'dot-expander': { dot_expander: { field: 'a.b' } },
  fail: { fail: { message: 'no', if: "ctx.n == 'x'" } },
  foreach: { foreach: { field: 'list', processor: { uppercase: { field: '_ingest._value' } } } },
  grok: { grok: { field: 'message', patterns: ['%{WORD:a}'] } },
  gsub: { gsub: { field: 'k', pattern: 'a', replacement: 'b' } },
  json: { json: { field: 'text' } },
  kv: { kv: { field: 'text', field_split: ' ', value_split: '=' } },
  remove: { remove: { field: 'secret', ignore_missing: true } },
  rename: { rename: { field: 'a', target_field: 'b', ignore_missing: true } },
  script: { script: { source: 'ctx.n = 1' } },
  'script-old': { script: { inline: 'ctx.n = 1', lang: 'painless' } },
  'script-stored': { script: { id: 'counted' } },
  'script-file': { script: { file: 'x', lang: 'painless' } },
  sort: { sort: { field: 'list' } },
  split: { split: { field: 'text', separator: ',' } },
  'user-agent': { user_agent: { field: 'agent' } },
  geoip: { geoip: { field: 'ip' } },
  attachment: { attachment: { field: 'data' } },
  enrich: { enrich: { policy_name: 'p', field: 'a', target_field: 'b' } },
  csv: { csv: { field: 'text', target_fields: ['a'] } },
  bytes: { bytes: { field: 'size' } },
  pipeline: { pipeline: { name: 'pipeline-set' } },
  drop: { drop: { if: 'ctx.n == 99' } },
  'community-id': { community_id: {} },
  fingerprint: { fingerprint: { fields: ['a'] } },
  'network-direction': { network_direction: { internal_networks: ['private'] } },
  reroute: { reroute: { dataset: 'x' } },
  redact: { redact: { field: 'a', patterns: ['%{IP:x}'] } },
  terminate: { terminate: { if: 'ctx.n == 98' } },
  'security-user': { set_security_user: { field: 'user' } },
  inference: { inference: { model_id: 'm' } },
  'uri-parts': { uri_parts: { field: 'u' } },
}

const searchPipelines: { readonly [name: string]: JsonObject } = {
  filtered: { request_processors: [{ filter_query: { query: { match_all: {} } } }] },
  renamed: { response_processors: [{ rename_field: { field: 'a', target_field: 'b' } }] },
  empty: { request_processors: [], response_processors: [] },
  oversampled: {
    request_processors: [{ oversample: { sample_factor: 2 } }],
    response_processors: [{ truncate_hits: {} }],
  },
  'normalised-scores': {
    phase_results_processors: [{ 'normalization-processor': {} }],
  },
}

const left: readonly ObjectKind[] = [
  put('cluster-setting', '/_cluster/settings', {
    persistent: { 'indices.recovery.max_bytes_per_sec': '99mb' },
  }),
  put('lifecycle-policy', '/_ilm/policy/kept-7-days', {
    policy: { phases: { delete: { min_age: '7d', actions: { delete: {} } } } },
  }),
  put('state-policy', '/_plugins/_ism/policies/kept', {
    policy: { default_state: 'a', states: [{ name: 'a', actions: [], transitions: [] }] },
  }),
  put('snapshot-policy', '/_slm/policy/nightly', {
    schedule: '0 30 1 * * ?',
    name: '<n-{now/d}>',
    repository: 'r',
  }),
  put('watch', '/_watcher/watch/w', {
    trigger: { schedule: { interval: '9h' } },
    input: { none: {} },
  }),
  put('enrich-policy', '/_enrich/policy/p', {
    match: { indices: ['field-keyword'], match_field: 'f', enrich_fields: ['g'] },
  }),
  put('transform', '/_transform/t', {
    source: { index: ['field-keyword'] },
    dest: { index: 'transformed' },
    latest: { unique_key: ['f'], sort: 'f' },
  }),
  put('rollup-job', '/_rollup/job/r', {}),
  put('synonym-set', '/_synonyms/s', { synonyms_set: [{ synonyms: 'a, b' }] }),
  put('role', '/_security/role/r', { cluster: ['monitor'] }),
  put('view', '/views/v', { name: 'v', targets: [{ indexPattern: 'field-*' }] }),
  put('query-group', '/_wlm/query_group', {
    name: 'g',
    resiliency_mode: 'soft',
    resource_limits: {},
  }),
]

const scripts: readonly ObjectKind[] = [
  {
    name: 'script-painless',
    requests: ({ kind, version }) => {
      const old = kind === 'elasticsearch' && majorOf(version) < 6
      const script = { lang: 'painless', source: 'ctx.counted = 1' }
      return [['PUT', '/_scripts/counted', old ? { script: { ...script } } : { script }]]
    },
  },
  put('script-painless-old', '/_scripts/painless/counted-old', { script: 'ctx.counted = 1' }),
  put('script-groovy', '/_scripts/groovy/sum', { script: 'a + b' }),
  put('script-expression', '/_scripts/twice', { script: { lang: 'expression', source: 'n * 2' } }),
  put('script-mustache', '/_scripts/found', {
    script: { lang: 'mustache', source: { query: { match: { k: '{{k}}' } } } },
  }),
  put('search-template-old', '/_search/template/found-old', {
    template: { query: { match: { k: '{{k}}' } } },
  }),
]

const templates: readonly ObjectKind[] = [
  legacyTemplate('template-old', { order: 3, mapping: { dynamic: 'strict' } }),
  legacyTemplate('template-version', { version: 7, settings: { number_of_shards: 2 } }),
  legacyTemplate('template-all', { mapping: { _all: { enabled: false } } }),
  legacyTemplate('template-strings', {
    mapping: { properties: { s: { type: 'string', index: 'not_analyzed' } } },
  }),
  legacyTemplate('template-texts', { mapping: { properties: { s: { type: 'text' } } } }),
  legacyTemplate('template-alias', {
    aliases: { 'of-template': { filter: { term: { k: 1 } }, routing: 'r' } },
  }),
  legacyTemplate('template-pipeline', { settings: { 'index.default_pipeline': 'pipeline-set' } }),
  legacyTemplate('template-codec', { settings: { 'index.codec': 'best_compression' } }),
  legacyTemplate('template-sort', {
    settings: { 'index.sort.field': 'n' },
    mapping: { properties: { n: { type: 'long' } } },
  }),
  {
    name: 'template-default-type',
    requests: (engine) => [
      [
        'PUT',
        '/_template/template-default-type',
        {
          template: 'template-default-type-*',
          mappings: { _default_: { properties: { k: exact(engine) } } },
        },
      ],
    ],
  },
  put('component', '/_component_template/component', {
    version: 3,
    _meta: { by: 'us' },
    template: {
      settings: { number_of_shards: 2 },
      mappings: { properties: { k: { type: 'keyword' } } },
    },
  }),
  put('component-aliases', '/_component_template/component-aliases', {
    template: { aliases: { 'of-component': { is_hidden: true } } },
  }),
  put('component-deprecated', '/_component_template/component-deprecated', {
    deprecated: true,
    template: {},
  }),
  put('composable', '/_index_template/composable', {
    index_patterns: ['composable-*'],
    priority: 5,
    version: 2,
    _meta: { by: 'us' },
    composed_of: ['component', 'component-aliases'],
    template: { settings: { 'index.refresh_interval': '9s' }, mappings: { dynamic: false } },
  }),
  put('composable-create', '/_index_template/composable-create', {
    index_patterns: ['composable-create-*'],
    allow_auto_create: true,
    template: {},
  }),
  put('composable-missing', '/_index_template/composable-missing', {
    index_patterns: ['composable-missing-*'],
    composed_of: ['not-there'],
    ignore_missing_component_templates: ['not-there'],
  }),
  put('composable-flattened', '/_index_template/composable-flattened', {
    index_patterns: ['composable-flattened-*'],
    template: { mappings: { properties: { f: { type: 'flattened' } } } },
  }),
  put('composable-lifecycle', '/_index_template/composable-lifecycle', {
    index_patterns: ['composable-lifecycle-*'],
    data_stream: {},
    template: { lifecycle: { data_retention: '7d' } },
  }),
]

const streams: readonly ObjectKind[] = [
  {
    name: 'data-stream',
    requests: () => [
      [
        'PUT',
        '/_index_template/stream-template',
        {
          index_patterns: ['stream'],
          data_stream: {},
          template: { settings: { number_of_replicas: 0 } },
        },
      ],
      ['PUT', '/_data_stream/stream'],
      ['PUT', '/stream/_create/1?refresh=true', { '@timestamp': '2024-01-01T00:00:00Z', n: 1 }],
      ['POST', '/stream/_rollover'],
      ['PUT', '/stream/_create/2?refresh=true', { '@timestamp': '2024-01-02T00:00:00Z', n: 2 }],
    ],
  },
  {
    name: 'data-stream-alias',
    requests: () => [
      [
        'POST',
        '/_aliases',
        { actions: [{ add: { index: 'stream', alias: 'of-stream', is_write_index: true } }] },
      ],
    ],
  },
]

export const kindsOfObjects: readonly ObjectKind[] = [
  ...scripts,
  ...Object.entries(processors).map(([name, processor]) =>
    put(`pipeline-${name}`, `/_ingest/pipeline/pipeline-${name}`, {
      description: `has ${name}`,
      processors: [processor],
    }),
  ),
  put('pipeline-failure', '/_ingest/pipeline/pipeline-failure', {
    version: 7,
    processors: [
      { set: { field: 'a', value: 1, on_failure: [{ set: { field: 'b', value: 1 } }] } },
    ],
    on_failure: [{ set: { field: 'error', value: '{{ _ingest.on_failure_message }}' } }],
  }),
  put('pipeline-meta', '/_ingest/pipeline/pipeline-meta', { processors: [], _meta: { by: 'us' } }),
  ...Object.entries(searchPipelines).map(([name, body]) =>
    put(`search-pipeline-${name}`, `/_search/pipeline/${name}`, body),
  ),
  ...templates,
  ...streams,
  ...left,
]
