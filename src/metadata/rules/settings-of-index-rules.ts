import type { Json } from '../../base/json.ts'
import { textOf } from '../json-objects.ts'
import { anyVersion, elasticsearch, openSearch, type SettingRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'
const indexSettings = `${os}/install-and-configure/configuring-opensearch/index-settings/`

/** What is the own of an index, of its files and copies. */
export const settingsOfIndexRules: readonly SettingRule[] = [
  {
    kind: 'setting',
    name: 'identity',
    source: anyVersion,
    target: anyVersion,
    names: ['index.uuid', 'index.history.uuid', 'index.creation_date*', 'index.provided_name'],
    does: 'drop',
    loses: 'nothing',
    why: 'the engine gives each index its own',
    link: indexSettings,
    cases: [
      {
        on: '7.10 > 2.19',
        before: { 'index.uuid': 'a' },
        after: {},
        changes: ['index.uuid dropped'],
      },
      {
        on: '8.19 > 3.6',
        before: { 'index.history.uuid': 'a', 'index.provided_name': 'b' },
        after: {},
        changes: ['index.history.uuid dropped', 'index.provided_name dropped'],
      },
      {
        on: '7.10 > 1.3',
        before: { 'index.creation_date': '1', 'index.creation_date_string': 'x' },
        after: {},
        changes: ['index.creation_date dropped', 'index.creation_date_string dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'created-version',
    source: anyVersion,
    target: anyVersion,
    names: ['index.version.*'],
    does: 'drop',
    loses: 'nothing',
    why: 'says which engine made the index; the target notes its own version',
    link: indexSettings,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.version.created': '7100299' },
        after: {},
        changes: ['index.version.created dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'resize',
    source: anyVersion,
    target: anyVersion,
    names: [
      'index.resize.*',
      'index.shrink.*',
      'index.routing.allocation.initial_recovery.*',
      'index.downsample.*',
    ],
    does: 'drop',
    loses: 'nothing',
    why: 'left over from a shrink, split, clone or downsampling on the source',
    link: `${os}/api-reference/index-apis/shrink-index/`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: {
          'index.resize.source.name': 'x',
          'index.routing.allocation.initial_recovery._id': 'n',
        },
        after: {},
        changes: [
          'index.resize.source.name dropped',
          'index.routing.allocation.initial_recovery._id dropped',
        ],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'soft-deletes',
    source: anyVersion,
    target: anyVersion,
    names: ['index.soft_deletes.*', 'index.translog.retention.*'],
    does: 'drop',
    loses: 'nothing',
    why: 'OpenSearch always keeps soft deletes and decides itself how long',
    link: `${es}/7.17/index-modules-history-retention.html`,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { 'index.soft_deletes.enabled': 'false' },
        after: {},
        changes: ['index.soft_deletes.enabled dropped'],
      },
      {
        on: '6.8 > 1.3',
        before: { 'index.translog.retention.size': '1gb' },
        after: {},
        changes: ['index.translog.retention.size dropped'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'setting',
    name: 'store',
    source: anyVersion,
    target: anyVersion,
    names: [
      'index.store.type',
      'index.store.snapshot.*',
      'index.store.stats_refresh_interval',
      'index.store.fs.*',
      'index.store.throttle.*',
      'index.store.compress.*',
      'index.store.hybrid.*',
    ],
    does: 'drop',
    loses: 'nothing',
    why: 'how files lie on disk is for the target to say',
    link: `${es}/7.17/index-modules-store.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { 'index.store.type': 'mmapfs' },
        after: {},
        changes: ['index.store.type dropped'],
        without: 'accepted',
      },
      {
        on: '1.7 > 2.19',
        before: { 'index.store.throttle.type': 'none' },
        after: {},
        changes: ['index.store.throttle.type dropped'],
      },
      {
        on: 'os2.19 > 3.6',
        before: { 'index.store.hybrid.mmap.extensions': ['nvd'] },
        after: {},
        changes: ['index.store.hybrid.mmap.extensions dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'closed-or-frozen',
    source: anyVersion,
    target: anyVersion,
    names: ['index.frozen', 'index.search.throttled', 'index.verified_before_close'],
    does: 'drop',
    loses: 'nothing',
    why: 'state of a closed or frozen index; the target index is open to be written to',
    link: `${es}/7.17/frozen-indices.html`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.frozen': 'true' },
        after: {},
        changes: ['index.frozen dropped'],
      },
      {
        on: '7.10 > 1.3',
        before: { 'index.verified_before_close': 'true' },
        after: {},
        changes: ['index.verified_before_close dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'place-of-shards',
    source: anyVersion,
    target: anyVersion,
    names: [
      'index.allocation.existing_shards_allocator',
      'index.data_path',
      'index.shadow_replicas',
      'index.shared_filesystem*',
      'index.gateway.*',
      'index.recovery.*',
    ],
    does: 'drop',
    loses: 'nothing',
    why: "says where the source's shards lie and how it brings them back",
    link: `${es}/5.0/breaking_50_settings_changes.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { 'index.recovery.initial_shards': 'quorum' },
        after: {},
        changes: ['index.recovery.initial_shards dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'check-on-startup',
    source: elasticsearch(),
    target: anyVersion,
    names: ['index.check_on_startup', 'index.shard.check_on_startup'],
    does: 'drop',
    loses: 'nothing',
    why: "was for the source's own files",
    link: `${es}/7.17/index-modules.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { 'index.check_on_startup': 'fix' },
        after: {},
        changes: ['index.check_on_startup dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'types-switch',
    source: anyVersion,
    target: anyVersion,
    names: [
      'index.mapping.single_type',
      'index.mapper.dynamic',
      'index.mapping.allow_type_wrapper',
      'index.mapping._parent.*',
      'index.legacy.routing.*',
    ],
    does: 'drop',
    loses: 'nothing',
    why: 'mapping types are gone; what it switched is always so on the target',
    link: `${es}/7.17/removal-of-types.html`,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { 'index.mapping.single_type': 'true' },
        after: {},
        changes: ['index.mapping.single_type dropped'],
      },
      {
        on: '5.6 > 2.19',
        before: { 'index.mapper.dynamic': 'true' },
        after: {},
        changes: ['index.mapper.dynamic dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'codec',
    source: elasticsearch(),
    target: anyVersion,
    names: ['index.codec'],
    matches: (value) => !['default', 'best_compression', 'lucene_default'].includes(textOf(value)),
    does: (settings, name) =>
      settings.set(
        name,
        textOf(settings.get(name)).includes('best') ? 'best_compression' : 'default',
      ),
    loses: 'nothing',
    why: 'a codec of that name is not there; how documents are compressed changes nothing in them',
    link: `${os}/im-plugin/index-codecs/`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { 'index.codec': 'legacy_best_compression' },
        after: { 'index.codec': 'best_compression' },
        changes: ['index.codec changed'],
      },
      {
        on: '8.19 > 1.3',
        before: { 'index.codec': 'legacy_default' },
        after: { 'index.codec': 'default' },
        changes: ['index.codec changed'],
      },
      {
        on: '1.7 > 2.19',
        before: { 'index.codec': 'bloom_default' },
        after: { 'index.codec': 'default' },
        changes: ['index.codec changed'],
      },
      {
        on: '7.10 > 3.6',
        before: { 'index.codec': 'best_compression' },
        after: { 'index.codec': 'best_compression' },
        changes: [],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'setting',
    name: 'codec-before-2.9',
    source: openSearch(),
    target: { before: '2.9' },
    names: ['index.codec', 'index.codec.*'],
    matches: (value) => !['default', 'best_compression'].includes(textOf(value)),
    does: 'drop',
    loses: 'nothing',
    why: 'the codec came with OpenSearch 2.9; how documents are compressed changes nothing in them',
    link: `${os}/im-plugin/index-codecs/`,
    cases: [
      {
        on: 'os2.19 > 1.3',
        before: { 'index.codec': 'zstd' },
        after: {},
        changes: ['index.codec dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'segment-replication',
    source: openSearch({ from: '2' }),
    target: anyVersion,
    names: [
      'index.remote_store.*',
      'index.replication.type',
      'index.number_of_search_replicas',
      'index.number_of_search_only_replicas',
    ],
    does: 'drop',
    loses: 'nothing',
    why: 'how copies are kept is for the target to say',
    link: `${os}/tuning-your-cluster/availability-and-recovery/segment-replication/index/`,
    cases: [
      {
        on: 'os2.19 > 3.6',
        before: { 'index.replication.type': 'SEGMENT' },
        after: {},
        changes: ['index.replication.type dropped'],
        without: 'accepted',
      },
      {
        on: 'os2.19 > 1.3',
        before: { 'index.replication.type': 'DOCUMENT' },
        after: {},
        changes: ['index.replication.type dropped'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'awareness',
    source: anyVersion,
    target: anyVersion,
    names: ['index.number_of_replicas', 'index.auto_expand_replicas'],
    matches: (value, { awarenessCopies }) =>
      mostReplicas.test(textOf(value)) && balancedReplicas(value, awarenessCopies) !== value,
    does: (settings, name, { awarenessCopies }) =>
      settings.set(name, balancedReplicas(settings.get(name) ?? null, awarenessCopies)),
    loses: 'nothing',
    why: "the target balances copies over its awareness attribute's values, and takes only multiples of their number",
    link: `${os}/tuning-your-cluster/cluster-manager/`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.number_of_replicas': '1' },
        after: { 'index.number_of_replicas': '2' },
        changes: ['index.number_of_replicas changed'],
        awarenessCopies: 3,
        without: 'accepted',
      },
      {
        on: '7.10 > 2.19',
        before: { 'index.number_of_replicas': '2' },
        after: { 'index.number_of_replicas': '2' },
        changes: [],
        awarenessCopies: 3,
        without: 'accepted',
      },
      {
        on: '7.10 > 2.19',
        before: { 'index.number_of_replicas': '0' },
        after: { 'index.number_of_replicas': '1' },
        changes: ['index.number_of_replicas changed'],
        awarenessCopies: 2,
        without: 'accepted',
      },
      {
        on: '7.10 > 3.6',
        before: { 'index.auto_expand_replicas': '0-1' },
        after: { 'index.auto_expand_replicas': '0-2' },
        changes: ['index.auto_expand_replicas changed'],
        awarenessCopies: 3,
        without: 'accepted',
      },
      {
        on: '7.10 > 3.6',
        before: { 'index.auto_expand_replicas': '0-all' },
        after: { 'index.auto_expand_replicas': '0-all' },
        changes: [],
        awarenessCopies: 3,
        without: 'accepted',
      },
    ],
  },
]

/** The last number of `2`, and of `0-2`; none in `0-all`, which is never refused, and in `false`. */
const mostReplicas = /\d+$/

function balancedReplicas(value: Json, awarenessCopies: number): string {
  return textOf(value).replace(mostReplicas, (most) => {
    const copies = Math.ceil((Number(most) + 1) / awarenessCopies) * awarenessCopies
    return String(copies - 1)
  })
}
