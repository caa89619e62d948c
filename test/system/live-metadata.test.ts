import assert from 'node:assert/strict'
import test from 'node:test'
import { connectCluster } from '../../src/cluster/connect.ts'
import { liveMetadata } from '../../src/metadata/live-metadata.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startHttpRelay } from '../support/http-relay.ts'
import { connect, snapshotOf } from '../support/metadata.ts'

test('of an index of before 7 one request finds out that it has as many routing shards as shards', async () => {
  const engine = await useEngine('elasticsearch', '6')
  const [usual, other] = ['usual', 'other'].map(uniqueName) as [string, string]
  await send(engine, 'PUT', `/${usual}`, { settings: { number_of_shards: 2 } })
  await send(engine, 'PUT', `/${other}`, {
    settings: { number_of_shards: 2, number_of_routing_shards: 2 * 3 },
  })
  const relay = await startHttpRelay(engine.port)
  const cluster = await connectCluster('source', { url: [relay.url] })
  try {
    const live = await liveMetadata(cluster)
    const asked = async (index: string): Promise<[number, number]> => {
      const before = relay.requests.length
      const { numberOfRoutingShards } = await live.readIndexMetadata(index)
      const probes = relay.requests.slice(before).filter((one) => one.includes('_search_shards'))
      return [numberOfRoutingShards, probes.length]
    }
    assert.deepEqual(await asked(usual), [2, 1])
    const [found, requests] = await asked(other)
    assert.equal(found, 6)
    assert.ok(requests < 24, `${requests} requests`)
  } finally {
    await cluster.close()
    await relay.close()
  }
})

const filter = { term: { shop: 1 } }

for (const [version, typed] of [
  ['6', true],
  ['7', false],
] as const) {
  const engine = await useEngine('elasticsearch', version)
  const cluster = await connect('source', engine)
  const properties = { shop: { type: 'integer' }, text: { type: 'text', analyzer: 'own' } }

  test(`a live Elasticsearch ${version} gives the metadata that a snapshot of it gives`, async () => {
    const [full, parted, empty, template] = ['full', 'parted', 'empty', 'template'].map(uniqueName)
    await send(engine, 'PUT', `/${full}`, {
      settings: {
        number_of_shards: 3,
        number_of_routing_shards: 12,
        refresh_interval: '7s',
        analysis: { analyzer: { own: { tokenizer: 'standard', filter: ['lowercase', 'stop'] } } },
      },
      mappings: typed ? { doc: { properties } } : { properties },
      aliases: { [`${full}-alias`]: { filter, routing: 'a' }, [`${full}-plain`]: {} },
    })
    await send(engine, 'PUT', `/${parted}`, {
      settings: {
        number_of_shards: 6,
        number_of_routing_shards: 12,
        routing_partition_size: 2,
      },
      mappings: typed
        ? { doc: { _routing: { required: true } } }
        : { _routing: { required: true } },
    })
    await send(engine, 'PUT', `/${empty}`, { settings: { number_of_shards: 5 } })
    await send(engine, 'PUT', `/_template/${template}`, {
      index_patterns: [`${template}-*`],
      settings: { number_of_replicas: 0 },
      mappings: typed ? { doc: { dynamic: 'strict' } } : { dynamic: 'strict' },
      aliases: { [`${template}-alias`]: { filter } },
    })
    await send(engine, 'PUT', `/_ingest/pipeline/${template}`, {
      processors: [{ set: { field: 'a', value: 1 } }],
    })
    const snapshot = await snapshotOf(cluster, engine, [full!, parted!, empty!])
    const live = await liveMetadata(cluster)
    assert.ok([full, parted, empty].every((name) => live.indices.includes(name!)))
    for (const name of [full!, parted!, empty!]) {
      // How often primaries have changed is told by the snapshot alone.
      const { primaryTerms, ...metadata } = await snapshot.readIndexMetadata(name)
      assert.equal(primaryTerms?.length, metadata.numberOfShards)
      assert.deepEqual(await live.readIndexMetadata(name), metadata)
    }
    const { legacyTemplates, raw } = await live.readGlobalMetadata()
    assert.deepEqual(legacyTemplates[template!]!.aliases, { [`${template}-alias`]: { filter } })
    assert.ok('doc' in Object(legacyTemplates[template!]!.mappings) === typed)
    assert.match(JSON.stringify(raw.ingest), new RegExp(template!))
    await send(engine, 'DELETE', `/_template/${template}`)
    await send(engine, 'DELETE', `/_ingest/pipeline/${template}`)
  })

  test(`an index that a live Elasticsearch ${version} does not have is named`, async () => {
    const live = await liveMetadata(cluster)
    await assert.rejects(live.readIndexMetadata(uniqueName('gone')), /gone/)
  })
}
