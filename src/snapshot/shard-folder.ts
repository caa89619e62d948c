import { CorruptData, Unsupported } from '../base/errors.ts'
import type { BlobStore } from '../blob/byte-source.ts'
import { Fields } from './fields.ts'
import { parseJson, readWhole } from './metadata-blob.ts'
import type { ShardPaths } from './root.ts'

const pathsFolder = 'snapshot_shard_paths'

/**
 * Where the files of a shard lie, from the repository's location. OpenSearch 2.17 and later may put a hash before
 * `indices`, so that an object store spreads the load (3.x does unless told otherwise), and says for each index where:
 *
 *   snapshot_shard_paths/snapshot_path_<index id>.<index name>.<shards>.<path type>.<hash algorithm>
 *     = JSON { indexId, indexName, number_of_shards, shard_path_type, shard_path_hash_algorithm, paths: [<one a shard>] }
 *   path = [base_path/] hash / [base_path/] indices / <index id> / <shard> /
 *
 * Specified in org.opensearch.snapshots.SnapshotShardPaths. The hash is of index id and shard alone, so that of several
 * blobs of an index any that knows the shard will do.
 */
export async function shardFolder(
  store: BlobStore,
  { id, shardPaths, shard }: { id: string; shardPaths: ShardPaths; shard: number },
): Promise<string> {
  if (shardPaths === 'fixed') return `indices/${id}/${shard}`
  const blobs = await store.list(pathsFolder)
  if (blobs === undefined) {
    throw new Unsupported({
      file: pathsFolder,
      offset: 0,
      expected: 'a listing, which tells where the shards lie',
      found: 'a repository at a place that tells none',
    })
  }
  for (const { name } of blobs) {
    if (!name.startsWith(`snapshot_path_${id}.`)) continue
    const file = `${pathsFolder}/${name}`
    const fields = new Fields(file, '', parseJson(await readWhole(store, file), file))
    const path = fields.texts('paths')[shard]
    if (path !== undefined) return folderOf(path, file, { id, shardPaths, shard })
  }
  throw new CorruptData({
    file: pathsFolder,
    offset: 0,
    expected: `a blob snapshot_path_${id}.… that says where shard ${shard} lies`,
    found: 'none',
  })
}

function folderOf(
  path: string,
  file: string,
  { id, shardPaths, shard }: { id: string; shardPaths: ShardPaths; shard: number },
): string {
  const segments = path.split('/').filter((segment) => segment !== '')
  const [hash, ...rest] = segments.slice(-4)
  const plain = ['indices', id, `${shard}`]
  if (hash === undefined || rest.join('/') !== plain.join('/') || !/^[\w-]+$/.test(hash)) {
    const expected = `a path that ends in ${plain.join('/')}`
    throw new CorruptData({ file, offset: 0, expected, found: path.slice(0, 200) })
  }
  if (shardPaths === 'hashed-prefix' && segments.length > 4) {
    throw new Unsupported({
      file,
      offset: 0,
      expected: 'shards below the location of the repository',
      found: `${path.slice(0, 200)}, outside of its base_path (shard_path_type HASHED_PREFIX)`,
    })
  }
  return [hash, ...plain].join('/')
}
