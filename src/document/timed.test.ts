import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBlobStore } from '../blob/open.ts'
import { openRepository } from '../snapshot/repository.ts'
import { openShardReader } from './open-shard-reader.ts'

/** Documents of a fixture with a stored `_timestamp` or `_ttl`, by index. */
async function timedIn(engine: string): Promise<Map<string, number>> {
  const folder = new URL(`../../test/fixtures/${engine}/compressed/repository`, import.meta.url)
  const repository = await openRepository(openBlobStore(folder.href))
  const snapshot = await repository.openSnapshot('s1')
  const timed = new Map<string, number>()
  for (const index of snapshot.indices) {
    const { numberOfShards } = await snapshot.readIndexMetadata(index)
    for (let shard = 0; shard < numberOfShards; shard++) {
      const reader = await openShardReader(await snapshot.openShard(index, shard), {
        verify: 'touched',
      })
      for (const { name } of reader.segments) {
        for await (const block of reader.readBlocks(name)) {
          const count = block.timed.subarray(0, block.count).reduce((sum, one) => sum + one, 0)
          timed.set(index, (timed.get(index) ?? 0) + count)
        }
      }
      await reader.close()
    }
  }
  return timed
}

for (const engine of ['elasticsearch-1.7.5', 'elasticsearch-2.4.6']) {
  test(`a _timestamp that ${engine} has stored is noticed`, async () => {
    const timed = [...(await timedIn(engine)).values()]
    assert.ok(timed.some((count) => count > 0))
    assert.ok(timed.some((count) => count === 0))
  })
}

test('later engines have no such fields', async () => {
  const timed = [...(await timedIn('elasticsearch-7.10.2')).values()]
  assert.ok(timed.length > 3 && timed.every((count) => count === 0))
})
