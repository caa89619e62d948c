import { anyVersion, elasticsearch, type SettingRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'

/** What would be in the way of the documents, or names things of the source. */
export const settingsAtSwitchRules: readonly SettingRule[] = [
  {
    kind: 'setting',
    name: 'tier-preference',
    source: elasticsearch({ from: '7.10' }),
    target: anyVersion,
    names: ['index.routing.allocation.include._tier_preference'],
    does: 'drop',
    loses: 'nothing',
    why: 'OpenSearch has no data tiers',
    link: `${es}/8.19/data-tiers.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { 'index.routing.allocation.include._tier_preference': 'data_hot' },
        after: {},
        changes: ['index.routing.allocation.include._tier_preference dropped'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'setting',
    name: 'allocation-filter',
    source: anyVersion,
    target: anyVersion,
    names: [
      'index.routing.allocation.include.*',
      'index.routing.allocation.exclude.*',
      'index.routing.allocation.require.*',
    ],
    does: 'drop',
    loses: 'dropped',
    why: 'names nodes, racks or tiers of the source: on the target it could leave the index without a place',
    link: `${es}/7.17/shard-allocation-filtering.html`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.routing.allocation.require.box': 'warm' },
        after: {},
        changes: ['index.routing.allocation.require.box dropped !'],
        without: 'accepted',
      },
      {
        on: '6.8 > 1.3',
        before: { 'index.routing.allocation.exclude._ip': '10.0.0.1' },
        after: {},
        changes: ['index.routing.allocation.exclude._ip dropped !'],
        without: 'accepted',
      },
      {
        on: '7.10 > 2.19',
        before: { 'index.routing.allocation.total_shards_per_node': '2' },
        after: { 'index.routing.allocation.total_shards_per_node': '2' },
        changes: [],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'setting',
    name: 'disable-allocation',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    names: ['index.routing.allocation.disable_*'],
    does: 'drop',
    loses: 'meaning',
    why: 'replaced by index.routing.allocation.enable in Elasticsearch 1; the target index is allocated as any',
    link: `${es}/2.4/breaking_20_setting_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { 'index.routing.allocation.disable_allocation': 'false' },
        after: {},
        changes: ['index.routing.allocation.disable_allocation dropped !'],
      },
    ],
  },
  {
    kind: 'setting',
    name: 'pipelines',
    source: anyVersion,
    target: anyVersion,
    names: ['index.default_pipeline', 'index.final_pipeline'],
    does: 'withhold',
    loses: 'nothing',
    why: 'the documents have been through the pipeline on the source already; set on the target at the switch',
    link: `${os}/ingest-pipelines/`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.default_pipeline': 'p', 'index.final_pipeline': 'q' },
        after: {},
        changes: ['index.default_pipeline withheld', 'index.final_pipeline withheld'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'setting',
    name: 'blocks',
    source: anyVersion,
    target: anyVersion,
    names: ['index.blocks.*'],
    does: 'withhold',
    loses: 'nothing',
    why: 'a block would refuse the documents; set on the target at the switch',
    link: `${es}/7.17/index-modules-blocks.html`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.blocks.write': 'true' },
        after: {},
        changes: ['index.blocks.write withheld'],
        without: 'accepted',
      },
      {
        on: '5.6 > 1.3',
        before: { 'index.blocks.read': 'true' },
        after: {},
        changes: ['index.blocks.read withheld'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'setting',
    name: 'lifecycle',
    source: anyVersion,
    target: anyVersion,
    names: [
      'index.lifecycle.*',
      'index.plugins.index_state_management.*',
      'index.opendistro.index_state_management.*',
      'opendistro.index_state_management.*',
      'index.slm.*',
    ],
    does: 'withhold',
    loses: 'dropped',
    why: 'a lifecycle policy must not roll over or delete the index while it is filled; policies are not carried over',
    link: `${os}/im-plugin/ism/index/`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.lifecycle.name': 'hot', 'index.lifecycle.rollover_alias': 'a' },
        after: {},
        changes: ['index.lifecycle.name withheld !', 'index.lifecycle.rollover_alias withheld !'],
      },
      {
        on: 'os1.3 > 2.19',
        before: { 'index.plugins.index_state_management.policy_id': 'x' },
        after: {},
        changes: ['index.plugins.index_state_management.policy_id withheld !'],
      },
    ],
  },
]
