import assert from 'node:assert/strict'
import test from 'node:test'
import { listNotCarried } from './not-carried.ts'
import { systemObjectsLeft } from './system-indices.ts'

test('listNotCarried() names what users made and says nothing of what is only the cluster’s own', () => {
  const found = listNotCarried({
    legacyTemplates: {},
    componentTemplates: {},
    indexTemplates: {},
    raw: {
      version: 12,
      uuid: 'x',
      cluster_uuid: 'x',
      templates: { t: {} },
      settings: { 'cluster.max_shards_per_node': '5000' },
      ingest: { pipeline: [{ id: 'stamp', config: {} }] },
      stored_scripts: { s1: { lang: 'painless' } },
      index_lifecycle: {
        policies: {
          hot: {},
          own: { policy: { _meta: { managed: true } } },
          'slm-history-ilm-policy': {},
        },
        operation_mode: 'RUNNING',
      },
      data_stream: { data_stream: { logs: {} } },
      'index-graveyard': { tombstones: [] },
      persistent_tasks: {
        last_allocation_id: 2,
        tasks: [
          { id: 'by-day', task: { 'xpack/rollup/job': { params: {} } } },
          { id: 'geoip', task: { 'geoip-downloader': {} } },
        ],
      },
      ml: {
        jobs: [{ job_id: 'spikes', description: 'x' }],
        datafeeds: [{ datafeed_id: 'feed', job_id: 'spikes' }],
        upgrade_mode: false,
      },
      transform: { reset_mode: false },
      watcher: { manually_stopped: true },
      ccr_auto_follow: { patterns: { leaders: {} }, followed_leader_indices: {}, headers: {} },
      something_new: { a: { x: 1 } },
      empty_new: { list: [] },
    },
  })
  assert.deepEqual(
    found.map(({ kind, name }) => [kind, name]),
    [
      ['cluster setting', 'cluster.max_shards_per_node'],
      ['lifecycle policy', 'hot'],
      ['job', 'by-day (xpack/rollup/job)'],
      ['machine learning job', 'spikes'],
      ['machine learning job', 'feed'],
      ['metadata "watcher"', 'manually_stopped'],
      ['auto-follow pattern', 'leaders'],
      ['metadata "something_new"', 'a'],
    ],
  )
})

test('systemObjectsLeft() names what users made by the index of the engine that holds it', () => {
  const left = ['.kibana_7.17.1_001', '.opendistro-ism-config', '.tasks', 'hidden-one'].map(
    (index) => ({
      index,
      reason: 'system' as const,
    }),
  )
  assert.deepEqual(
    systemObjectsLeft(left).map(({ kind, name }) => [kind, name]),
    [
      ['saved objects of dashboards', '.kibana_7.17.1_001'],
      ['index state policies', '.opendistro-ism-config'],
    ],
  )
})
