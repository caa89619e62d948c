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
 * blobs of an index any that knows the shard will do, and that the folder is found where there is none: OpenSearch goes
 * on when a file system refuses the blob's name, as it does that of an index of more than about 220 bytes.
 */
export async function shardFolder(
  store: BlobStore,
  { id, shardPaths, shard }: { id: string; shardPaths: ShardPaths; shard: number },
): Promise<string> {
  if (shardPaths === 'fixed') return `indices/${id}/${shard}`
  const blobs = await store.list(pathsFolder)
  const computed = `${shardHash(id, shard)}/indices/${id}/${shard}`
  if (blobs === undefined) return computed
  for (const { name } of blobs) {
    if (!name.startsWith(`snapshot_path_${id}.`)) continue
    const file = `${pathsFolder}/${name}`
    const fields = new Fields(file, '', parseJson(await readWhole(store, file), file))
    const path = fields.texts('paths')[shard]
    if (path !== undefined) return folderOf(path, file, { id, shardPaths, shard })
  }
  const there = await store.list(computed)
  if (there !== undefined && there.length > 0) return computed
  throw new CorruptData({
    file: pathsFolder,
    offset: 0,
    expected: `a blob snapshot_path_${id}.… that says where shard ${shard} lies`,
    found: 'none',
  })
}

const urlSafe = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * The first 20 bits of FNV-1a (64 bits) of shard and index id: six as one character, fourteen as they are. OpenSearch
 * calls it FNV_1A_COMPOSITE_1, and knows no other for snapshots.
 */
function shardHash(id: string, shard: number): string {
  let hash = 0xcbf2_9ce4_8422_2325n
  for (const byte of Buffer.from(`${shard}${id}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n)
  }
  const bits = Number(hash >> 44n)
  return urlSafe.charAt(bits >> 14) + (bits & 0x3fff).toString(2).padStart(14, '0')
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
