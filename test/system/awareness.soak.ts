import assert from 'node:assert/strict'
import test from 'node:test'
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
