import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStore } from '../../test/support/memory-store.ts'
import { CorruptData, Unsupported } from '../base/errors.ts'
import { shardFolder } from './shard-folder.ts'
import { versionOf } from './snapshot-info.ts'

const id = 'u-1'

function storeWith(paths: readonly string[]) {
  const name = `snapshot_shard_paths/snapshot_path_${id}.logs.2.1.1`
  return memoryStore(new Map([[name, Buffer.from(JSON.stringify({ paths }))]]))
}

test('shards lie below their index unless the root says otherwise', async () => {
  const folder = await shardFolder(storeWith([]), { id, shardPaths: 'fixed', shard: 3 })
  assert.equal(folder, 'indices/u-1/3')
})

test('a hash before the folders is taken from the blob that names it', async () => {
  const store = storeWith(['A01/indices/u-1/0/', 'B10/indices/u-1/1/'])
  const folder = (shard: number) => shardFolder(store, { id, shardPaths: 'hashed-prefix', shard })
  assert.equal(await folder(1), 'B10/indices/u-1/1')
  await assert.rejects(folder(2), CorruptData)
})

test('a hash that no blob names is computed, where there is such a folder or nothing can be listed', async () => {
  // As OpenSearch 3.6 has put them.
  for (const [index, shard, hash] of [
    ['3FUGPV3FQKa9cr2HrmyzZw', 0, 'Y01101101100110'],
    ['3FUGPV3FQKa9cr2HrmyzZw', 1, 'o11110110111101'],
    ['wDQ4_RrpTa25dYwscDGOTg', 0, 'E10011101111101'],
  ] as const) {
    const folder = `${hash}/indices/${index}/${shard}`
    const where = { id: index, shardPaths: 'hashed-prefix', shard } as const
    const store = memoryStore(new Map([[`${folder}/snap-s.dat`, Buffer.from('x')]]))
    assert.equal(await shardFolder(store, where), folder)
    const silent = { ...storeWith([]), list: () => Promise.resolve(undefined) }
    assert.equal(await shardFolder(silent, where), folder)
    await assert.rejects(shardFolder(storeWith([]), where), CorruptData)
  }
})

test('a hash behind base_path lies below the repository, one before it does not', async () => {
  const where = { id, shard: 0 }
  const infix = storeWith(['backups/es/A01/indices/u-1/0/'])
  const folder = await shardFolder(infix, { ...where, shardPaths: 'hashed-infix' })
  assert.equal(folder, 'A01/indices/u-1/0')
  const prefix = storeWith(['A01/backups/es/indices/u-1/0/'])
  await assert.rejects(shardFolder(prefix, { ...where, shardPaths: 'hashed-prefix' }), (error) => {
    return error instanceof Unsupported || error instanceof CorruptData
  })
})

test('paths that lead elsewhere are refused', async () => {
  for (const path of ['../indices/u-1/0/', 'A/indices/u-2/0/', 'A/indices/u-1/1/', 'u-1/0']) {
    const found = shardFolder(storeWith([path]), { id, shardPaths: 'hashed-infix', shard: 0 })
    await assert.rejects(found, CorruptData, path)
  }
})

test('versionOf() tells engines and versions apart', () => {
  assert.deepEqual(versionOf(7100299), { engine: 'elasticsearch', version: '7.10.2', major: 7 })
  assert.deepEqual(versionOf(136327827), { engine: 'opensearch', version: '2.11.0', major: 2 })
  assert.deepEqual(versionOf(8537000), { engine: 'elasticsearch', version: '8.x', major: 8 })
  assert.deepEqual(versionOf(9039001), { engine: 'elasticsearch', version: '9.x', major: 9 })
})
