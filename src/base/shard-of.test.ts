import assert from 'node:assert/strict'
import test from 'node:test'
import { murmur3, shardOf, shardOfDocument } from './shard-of.ts'

test('hashes a routing value as the engines do', () => {
  const known: [string, number][] = [
    ['hell', 0x5a0cb7c3],
    ['hello', 0xd7c31989],
    ['hello w', 0x22ab2984],
    ['hello wo', 0xdf0ca123],
    ['hello wor', 0xe7744d61],
    ['The quick brown fox jumps over the lazy dog', 0xe07db09c],
    ['The quick brown fox jumps over the lazy cog', 0x4e63d2ad],
  ]
  for (const [text, hash] of known) assert.equal(murmur3(text), hash | 0, text)
})

test('a negative hash lies in a shard, too', () => {
  assert.equal(shardOf(-1, { numberOfShards: 3, numberOfRoutingShards: 12 }), 2)
  assert.equal(shardOf(-12, { numberOfShards: 3, numberOfRoutingShards: 12 }), 0)
})

test('in a partitioned index routing and id place a document, and the sum may pass 32 bits', () => {
  const placing = { numberOfShards: 4, numberOfRoutingShards: 1024, routingPartitionSize: 3 }
  for (let i = 0; i < 200; i++) {
    const [id, routing] = [`id-${i}`, `r-${i % 7}`]
    const shards = [0, 1, 2].map((offset) => shardOf((murmur3(routing) + offset) | 0, placing))
    assert.ok(shards.includes(shardOfDocument(id, routing, placing)))
  }
  assert.equal(shardOfDocument('a', null, { ...placing, numberOfShards: 1 }), 0)
})
