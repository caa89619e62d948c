import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import { planShards } from './shards.ts'

const metadata: IndexMetadata = {
  name: 'i',
  uuid: 'u',
  createdVersion: 1_070_599,
  numberOfShards: 2,
  numberOfRoutingShards: 2,
  routingPartitionSize: 1,
  state: 'open',
  settings: {},
  mappings: {},
  aliases: {},
}

/** The plan of an index in which a document has, or has not, been routed. */
function plan(change: Partial<IndexMetadata>, routed: boolean) {
  return planShards({
    index: { ...metadata, ...change },
    mapping: {},
    wantedShards: undefined,
    documents: { findRouted: async () => (routed ? 'shard 0 holds routed documents' : undefined) },
  })
}

test('an index made before 2.0 is refused when documents are routed, and may hold none', async () => {
  const refused = await plan({}, true)
  assert.match(
    refused.refused ?? '',
    /^i was made before Elasticsearch 2\.0.*holds routed documents/,
  )
  const taken = await plan({}, false)
  assert.equal(taken.refused, undefined)
  assert.equal(taken.mayHoldRouted, false)
  assert.equal(taken.targetShards, 2)
})

test('one shard, or an index made since 2.0, may hold routed documents', async () => {
  for (const change of [{ numberOfShards: 1 }, { createdVersion: 2_000_099 }]) {
    const taken = await plan(change, true)
    assert.equal(taken.refused, undefined)
    assert.equal(taken.mayHoldRouted, true)
  }
})
