import assert from 'node:assert/strict'
import test from 'node:test'
import { liveMetadata } from '../../src/metadata/live-metadata.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, snapshotOf } from '../support/metadata.ts'

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
      assert.deepEqual(await live.readIndexMetadata(name), await snapshot.readIndexMetadata(name))
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
