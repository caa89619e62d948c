import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadBlobs, memoryStore } from '../../test/support/memory-store.ts'
import { CorruptData, Unsupported } from '../base/errors.ts'
import { countingStore } from '../blob/counting-store.ts'
import { shardFolders, shardHash } from './shard-folder.ts'
import { versionOf } from './snapshot-info.ts'

const id = 'u-1'

function storeWith(paths: readonly string[]) {
  const name = `snapshot_shard_paths/snapshot_path_${id}.logs.2.1.1`
  return memoryStore(new Map([[name, Buffer.from(JSON.stringify({ paths }))]]))
}

test('shards lie below their index unless the root says otherwise', async () => {
  const store = storeWith([])
  const found = await shardFolders(store)({ id, shardPaths: 'fixed', shard: 3 })
  assert.deepEqual(found, { store, folder: 'indices/u-1/3' })
})

test('a hash before the folders is taken from the blob that names it, which is read once', async () => {
  const store = countingStore(storeWith(['A01/indices/u-1/0/', 'B10/indices/u-1/1/']))
  const folders = shardFolders(store)
  const folder = (shard: number) => folders({ id, shardPaths: 'hashed-prefix', shard })
  assert.equal((await folder(1)).folder, 'B10/indices/u-1/1')
  assert.equal((await folder(0)).folder, 'A01/indices/u-1/0')
  assert.equal(store.reads, 1)
})

test('the hash is computed as OpenSearch does it', async () => {
  const folder = join(import.meta.dirname, '../../test/fixtures/opensearch-3.6.0/compressed')
  const blobs = loadBlobs(join(folder, 'repository'))
  let shards = 0
  for (const [name, bytes] of blobs) {
    if (!name.startsWith('snapshot_shard_paths/')) continue
    const found = JSON.parse(Buffer.from(bytes).toString()) as { indexId: string; paths: string[] }
    for (const [shard, path] of found.paths.entries()) {
      assert.equal(shardHash({ id: found.indexId, shard }), path.split('/')[0])
      shards++
    }
  }
  assert.ok(shards > 10)
})

test('without a blob that names it the hash is computed, below the base_path of others', async () => {
  const place = { id: 'u-2', shard: 0 }
  const hash = shardHash(place)
  const prefixed = storeWith(['A01/backups/indices/u-1/0/'])
  const bucket = storeWith([])
  const below = { ...prefixed, above: (path: string) => (path === 'backups' ? bucket : undefined) }
  assert.deepEqual(await shardFolders(below)({ ...place, shardPaths: 'hashed-prefix' }), {
    store: bucket,
    folder: `${hash}/backups/indices/u-2/0`,
  })
  const unlisted = { ...storeWith([]), list: async () => undefined }
  for (const shardPaths of ['hashed-prefix', 'hashed-infix'] as const) {
    const found = await shardFolders(unlisted)({ ...place, shardPaths })
    assert.equal(found.folder, `${hash}/indices/u-2/0`)
  }
})

test('a hash behind base_path lies below the repository', async () => {
  const infix = storeWith(['backups/es/A01/indices/u-1/0/'])
  const found = await shardFolders(infix)({ id, shard: 0, shardPaths: 'hashed-infix' })
  assert.deepEqual(found, { store: infix, folder: 'A01/indices/u-1/0' })
})

test('a hash before base_path lies above the repository, whose location must end so', async () => {
  const where = { id, shard: 0, shardPaths: 'hashed-prefix' as const }
  const prefix = storeWith(['A01/backups/es/indices/u-1/0/'])
  await assert.rejects(shardFolders(prefix)(where), Unsupported)
  const bucket = storeWith([])
  const above = (path: string) => (path === 'backups/es' ? bucket : undefined)
  const found = await shardFolders({ ...prefix, above })(where)
  assert.deepEqual(found, { store: bucket, folder: 'A01/backups/es/indices/u-1/0' })
  const other = { ...prefix, above: () => undefined }
  await assert.rejects(shardFolders(other)(where), Unsupported)
})

test('paths that lead elsewhere are refused', async () => {
  const above = () => assert.fail('not even asked')
  for (const path of ['../indices/u-1/0/', 'A/indices/u-2/0/', 'A/indices/u-1/1/', 'u-1/0']) {
    for (const shardPaths of ['hashed-infix', 'hashed-prefix'] as const) {
      const found = shardFolders({ ...storeWith([path]), above })({ id, shardPaths, shard: 0 })
      await assert.rejects(found, CorruptData, path)
    }
  }
})

test('versionOf() tells engines and versions apart', () => {
  assert.deepEqual(versionOf(7100299), { engine: 'elasticsearch', version: '7.10.2', major: 7 })
  assert.deepEqual(versionOf(136327827), { engine: 'opensearch', version: '2.11.0', major: 2 })
  assert.deepEqual(versionOf(8537000), { engine: 'elasticsearch', version: '8.19', major: 8 })
  assert.deepEqual(versionOf(9039001), { engine: 'elasticsearch', version: '9.2', major: 9 })
})
