import assert from 'node:assert/strict'
import test from 'node:test'
import { listNotCarried } from './not-carried.ts'

test('listNotCarried() names what users made and says nothing of what is only the cluster’s own', () => {
  const found = listNotCarried({
    legacyTemplates: {},
    componentTemplates: {},
    indexTemplates: {},
    raw: {
      version: 12,
      cluster_uuid: 'x',
      templates: { t: {} },
      settings: { 'cluster.max_shards_per_node': '5000' },
      ingest: { pipeline: [{ id: 'stamp', config: {} }] },
      stored_scripts: { s1: { lang: 'painless' } },
      index_lifecycle: {
        policies: { hot: {}, own: { policy: { _meta: { managed: true } } } },
        operation_mode: 'RUNNING',
      },
      data_stream: { data_stream: { logs: {} } },
      'index-graveyard': { tombstones: [] },
      something_new: { a: { x: 1 } },
      empty_new: { list: [] },
    },
  })
  assert.deepEqual(
    found.map(({ kind, name }) => [kind, name]),
    [
      ['cluster setting', 'cluster.max_shards_per_node'],
      ['lifecycle policy', 'hot'],
      ['metadata "something_new"', 'a'],
    ],
  )
})
