import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromCluster, fromSnapshot, type PlannedFrom } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import type { MetadataPlan, PlannedIndex } from '../../src/metadata/plan.ts'
import { cliFolder, doneOrNamed, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, snapshotOf } from '../support/metadata.ts'

const version = { flavour: 'opensearch', text: '3.1.0', major: 3, minor: 1, patch: 0 } as const

/** Planned without a target. */
function planned(
  from: PlannedFrom,
  include: readonly string[],
  shards: { [index: string]: number },
): Promise<MetadataPlan> {
  return evaluateMetadata({
    ...from,
    target: { version },
    select: { include },
    options: metadataOptions.parse({ templates: false, shards }),
    allowPartialSource: false,
  })
}

for (const [release, type] of [
  ['6', 'doc'],
  ['7', '_doc'],
] as const) {
  const engine = await useEngine('elasticsearch', release)
  const cluster = await connect('source', engine)

  test(`Elasticsearch ${release}: the plan of a live cluster is that of its snapshot, and needs no target`, async () => {
    const [whole, routed, none, closed] = ['whole', 'routed', 'none', 'closed'].map(uniqueName) as [
      string,
      string,
      string,
      string,
    ]
    const make = (name: string, mapping: JsonObject): Promise<unknown> =>
      send(engine, 'PUT', `/${name}`, {
        settings: { number_of_shards: 2, number_of_replicas: 0 },
        mappings: type === 'doc' ? { doc: mapping } : mapping,
      })
    await make(whole, { properties: { n: { type: 'long' } } })
    await make(routed, type === 'doc' ? { _field_names: { enabled: false } } : {})
    await make(none, { _source: { enabled: false } })
    await make(closed, {})
    for (const [name, routing] of [[whole], [none], [routed, '&routing=a']]) {
      await send(engine, 'PUT', `/${name}/${type}/1?refresh=true${routing ?? ''}`, { n: 1 })
    }
    const names = [whole, routed, none]
    const shards = { [whole]: 1, [routed]: 1 }
    const snapshot = await snapshotOf(cluster, engine, names)
    const live = await planned(await fromCluster(cluster), names, shards)
    const ofSnapshot = await planned(fromSnapshot('here', snapshot, shardLook), names, shards)
    const plain = (plan: MetadataPlan): unknown[] =>
      plan.indices.map(({ routedBy: _text, reason, ...one }) => ({
        ...one,
        reason: reason?.slice(0, 80),
      }))
    assert.deepEqual(plain(live), plain(ofSnapshot))
    assert.deepEqual(
      live.indices.map(({ name, action }) => [name, action]),
      [...names].sort().map((name) => [name, name === whole ? 'create' : 'refused']),
    )
    const byName = new Map<string, PlannedIndex>(live.indices.map((one) => [one.name, one]))
    assert.match(byName.get(routed)!.reason!, /1 documents are routed/)
    assert.equal(byName.get(none)!.sourceDocuments, 1)
    assert.equal(byName.get(whole)!.mayHoldRouted, false)
    // Nobody tells of a closed index where its documents lie, up to 6; the rest is planned.
    await send(engine, 'POST', `/${closed}/_close`)
    const all = await planned(await fromCluster(cluster), [...names, closed], {})
    assert.deepEqual(
      all.notCarried.filter(({ kind }) => kind === 'index').map(({ name }) => name),
      type === 'doc' ? [closed] : [],
    )
    assert.equal(all.indices.length, type === 'doc' ? 3 : 4)
    await send(engine, 'DELETE', `/${[...names, closed].join(',')}`)
  })

  if (type === 'doc') continue
  test('metadata evaluate --source-url … --target-version plans a live cluster for no target', async () => {
    const index = uniqueName('alone')
    await send(engine, 'PUT', `/${index}`, { mappings: { properties: { n: { type: 'long' } } } })
    const words = ['--source-url', engine.url, '--index', index, '--no-templates']
    const plan = await osmigrateJson<MetadataPlan>(
      cliFolder(),
      doneOrNamed,
      ...['metadata', 'evaluate', ...words, '--target-version', '3.1'],
    )
    assert.deepEqual(plan.target, { version: '3.1' })
    assert.deepEqual(
      plan.indices.map(({ name, action }) => [name, action]),
      [[index, 'create']],
    )
    await send(engine, 'DELETE', `/${index}`)
  })
}
