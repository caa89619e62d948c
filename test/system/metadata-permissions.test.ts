import assert from 'node:assert/strict'
import test from 'node:test'
import { closeMigration } from '../../src/metadata/close.ts'
import { probePlan } from '../../src/metadata/probe.ts'
import { openEntries } from '../../src/state/ledger.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import {
  connect,
  connectWith,
  evaluate,
  migrate,
  newState,
  snapshotOf,
} from '../support/metadata.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3', { security: true })
const { skip } = targetEngine
const source = await connect('source', sourceEngine)

/** A user of the target with these cluster permissions and every right over indices. */
function connectAs(permissions: readonly string[]) {
  return connectWith('target', targetEngine, {
    cluster_permissions: [...permissions],
    index_permissions: [{ index_patterns: ['*'], allowed_actions: ['*'] }],
  })
}

const templates = [
  'indices:admin/index_template/*',
  'indices:admin/template/*',
  'cluster:admin/component_template/*',
]

test('where cluster settings may not be set, a template is the fence', { skip }, async () => {
  const target = await connectAs([...templates, 'cluster_composite_ops', 'cluster:monitor/main'])
  const index = uniqueName('fenced')
  await source.request('PUT', `/${index}/_doc/1`, { query: { refresh: true }, body: { n: 1 } })
  const snapshot = await snapshotOf(source, sourceEngine, [index])
  const state = await newState()
  const { result } = await migrate({ snapshot, target, state })
  assert.equal(result.fencedBy, 'template')
  assert.equal(result.objects[0]!.outcome, 'created')
  // A late delete to an alias that is gone makes an index that takes no document.
  const late = `osmigrate-${uniqueName('late')}-0`
  const action = JSON.stringify({ delete: { _id: 'a', version: 7, version_type: 'external_gte' } })
  const { body } = await target.request('POST', `/${late}/_bulk`, {
    query: { require_alias: true },
    body: Buffer.from(`${action}\n`),
  })
  assert.match(JSON.stringify(body), /blocked by: \[FORBIDDEN\/8\/index write/)
  await target.request('DELETE', `/${late}`)
  await closeMigration({ target, state, setWithheld: false })
  assert.deepEqual(await openEntries(state), [])
  const fence = await target.request('GET', '/_index_template/osmigrate-fence', { accept: [404] })
  assert.equal(fence.status, 404)
  await target.close()
})

test(
  'a permission that is missing is named, and nothing is left in the state',
  { skip },
  async () => {
    const target = await connectAs(['cluster_composite_ops', 'cluster:monitor/main'])
    const index = uniqueName('forbidden')
    await source.request('PUT', `/${index}/_doc/1`, { query: { refresh: true }, body: { n: 1 } })
    const snapshot = await snapshotOf(source, sourceEngine, [index])
    const state = await newState()
    await assert.rejects(migrate({ snapshot, target, state }), {
      code: 'MA_CLUSTER_AUTH',
      message: /indices:admin\/index_template\/simulate/,
    })
    assert.deepEqual(await openEntries(state), [])
    await target.close()
  },
)

test('who may not delete indices is told before a probe makes one', { skip }, async () => {
  const target = await connectWith('target', targetEngine, {
    cluster_permissions: [...templates, 'cluster_composite_ops', 'cluster:monitor/main'],
    index_permissions: [
      {
        index_patterns: ['*'],
        allowed_actions: ['indices:admin/create', 'indices:admin/get', 'indices:admin/aliases*'],
      },
    ],
  })
  const index = uniqueName('kept')
  await source.request('PUT', `/${index}/_doc/1`, { query: { refresh: true }, body: { n: 1 } })
  const snapshot = await snapshotOf(source, sourceEngine, [index])
  const state = await newState()
  const plan = await evaluate({ snapshot, target, state })
  assert.equal(plan.indices[0]!.action, 'create')
  await assert.rejects(probePlan(plan, { target, state }), {
    code: 'MA_CLUSTER_AUTH',
    message: /indices:admin\/delete/,
  })
  assert.deepEqual(await openEntries(state), [])
  await target.close()
})
