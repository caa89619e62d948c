import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, migrate, newState, snapshotOf } from '../support/metadata.ts'

const awareness = 'cluster.routing.allocation.awareness'
const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3', {
  settings: {
    'node.attr.zone': 'a',
    [`${awareness}.attributes`]: 'zone',
    [`${awareness}.force.zone.values`]: 'a,b,c',
    [`${awareness}.balance`]: 'true',
  },
})
const { skip } = targetEngine
const source = await connect('source', sourceEngine)
const target = skip ? source : await connect('target', targetEngine)

test(
  'a target that balances copies over its zones gets as many as it takes',
  { skip },
  async () => {
    const stem = uniqueName('zones')
    const wanted = {
      [`${stem}-fixed`]: { number_of_replicas: 1 },
      [`${stem}-growing`]: { number_of_replicas: 1, auto_expand_replicas: '0-1' },
      [`${stem}-all`]: { number_of_replicas: 0, auto_expand_replicas: '0-all' },
    }
    for (const [name, settings] of Object.entries(wanted)) {
      await send(sourceEngine, 'PUT', `/${name}`, { settings })
    }
    const names = Object.keys(wanted)
    const snapshot = await snapshotOf(source, sourceEngine, names)
    const state = await newState()
    const { result } = await migrate({ snapshot, target, state })
    assert.deepEqual(
      result.objects.map(({ outcome, reason }) => reason ?? outcome),
      ['created', 'created', 'created'],
    )
    const { body } = await target.request<{
      [index: string]: { settings: { [name: string]: string } }
    }>('GET', `/${names.join(',')}/_settings`, { query: { flat_settings: true } })
    const of = (name: string, setting: string) =>
      body[`${stem}-${name}`]!.settings[`index.${setting}`]
    assert.equal(of('fixed', 'number_of_replicas'), '2')
    assert.equal(of('growing', 'auto_expand_replicas'), '0-2')
    assert.equal(of('all', 'auto_expand_replicas'), '0-all')
    // Without the rule it would have been refused.
    const refused = await target.request('PUT', `/${stem}-by-hand`, {
      body: { settings: { number_of_replicas: 0, auto_expand_replicas: '0-1' } },
      accept: 'any',
    })
    assert.match(JSON.stringify(refused.body), /max cap on auto expand/)
  },
)

test(
  'templates without a number of replicas get one that such a target takes, and others theirs rounded up',
  { skip },
  async () => {
    const stem = uniqueName('zoned')
    const [silent, said, part, plain, none] = ['silent', 'said', 'part', 'plain', 'none'].map(
      (name) => `${stem}-${name}`,
    ) as [string, string, string, string, string]
    const mappings = { properties: { k: { type: 'keyword' } } }
    const refresh = { 'index.refresh_interval': '9s' }
    const templates: (readonly [string, JsonObject])[] = [
      [`_template/${silent}`, { index_patterns: [`${silent}-*`], mappings }],
      [
        `_template/${said}`,
        { index_patterns: [`${said}-*`], settings: { ...refresh, number_of_replicas: 1 } },
      ],
      [`_component_template/${part}`, { template: { settings: { number_of_replicas: 0 } } }],
      [`_component_template/${none}`, { template: { settings: refresh } }],
      [
        `_index_template/${plain}`,
        {
          index_patterns: [`${plain}-*`],
          template: { settings: refresh, mappings },
        },
      ],
      [`_index_template/${part}`, { index_patterns: [`${part}-*`], composed_of: [part, none] }],
      [`_index_template/${none}`, { index_patterns: [`${none}-*`], composed_of: [none] }],
    ]
    for (const [path, body] of templates) await send(sourceEngine, 'PUT', `/${path}`, body)
    const snapshot = await snapshotOf(source, sourceEngine, [])
    const state = await newState()
    const options = { templates: true }
    const { result } = await migrate({ snapshot, target, state, options })
    const ours = result.objects.filter(({ name }) => name.startsWith(stem))
    assert.deepEqual(
      ours
        .map(({ kind, name, outcome, reason }) => [kind, name, reason ?? outcome])
        .filter(([, , what]) => what !== 'created'),
      [],
    )
    assert.equal(ours.length, templates.length)
    // Without this the target makes no index of which the request does not say it, whatever its template says.
    const balanced = { 'cluster.default_number_of_replicas': 2 }
    await send(targetEngine, 'PUT', '/_cluster/settings', { persistent: balanced })
    for (const name of [silent, said, part, plain, none]) {
      await send(targetEngine, 'PUT', `/${name}-1?wait_for_active_shards=0`)
    }
    const again = await migrate({ snapshot, target, state: await newState(), options })
    const changed = again.plan.indexTemplates.filter(({ name }) => name === plain)
    assert.deepEqual(
      changed.map(({ action, changes }) => [action, changes.map(({ path }) => path)]),
      [['exists-different', []]],
      'it takes templates as they are then',
    )
  },
)
