import { CorruptData, Unsupported } from '../base/errors.ts'
import type { BlobEntry, BlobStore } from '../blob/byte-source.ts'
import { Fields } from './fields.ts'
import { parseJson, readWhole } from './metadata-blob.ts'
import type { ShardPaths } from './root.ts'

const pathsFolder = 'snapshot_shard_paths'
const pathBlob = 'snapshot_path_'

export interface ShardPlace {
  readonly id: string
  readonly shardPaths: ShardPaths
  readonly shard: number
}

/** The folder of a shard, in the store that it is to be asked of. */
export interface ShardFolder {
  readonly store: BlobStore
  readonly folder: string
}

/**
 * Tells where the files of a shard lie. OpenSearch 2.17 and later may put a hash before `indices`, so that an object store
 * spreads the load (3.x does unless told otherwise), and says for each index where:
 *
 *   snapshot_shard_paths/snapshot_path_<index id>.<index name>.<shards>.<path type>.<hash algorithm>
 *     = JSON { indexId, indexName, number_of_shards, shard_path_type, shard_path_hash_algorithm, paths: [<one a shard>] }
 *   path, from the root of the bucket (or the `location` of a folder):
 *     HASHED_PREFIX = hash / [base_path/] indices / <index id> / <shard> /
 *     HASHED_INFIX  = [base_path/] hash / indices / <index id> / <shard> /
 *
 * Specified in org.opensearch.snapshots.SnapshotShardPaths. The hash is of index id and shard alone, so that of several
 * blobs of an index any that knows the shard will do. An index whose name makes that of its blob too long for a file
 * system has none, and a place may tell no listing: then the hash is computed. The blobs are listed once, and each is
 * read once.
 */
export function shardFolders(store: BlobStore): (place: ShardPlace) => Promise<ShardFolder> {
  let listing: Promise<readonly BlobEntry[] | undefined> | undefined
  const known = new Map<string, Promise<Paths>>()
  const pathsOf = (name: string): Promise<Paths> => {
    const paths = known.get(name) ?? readPaths(store, `${pathsFolder}/${name}`)
    known.set(name, paths)
    return paths
  }
  return async (place) => {
    const { id, shardPaths, shard } = place
    if (shardPaths === 'fixed') return { store, folder: `indices/${id}/${shard}` }
    const blobs = (await (listing ??= store.list(pathsFolder))) ?? []
    for (const { name } of blobs) {
      if (!name.startsWith(`${pathBlob}${id}.`)) continue
      const { file, paths } = await pathsOf(name)
      const path = paths[shard]
      if (path !== undefined) return folderOf(store, parsePath(path, file, place), place)
    }
    const other = blobs.find(({ name }) => name.startsWith(pathBlob))
    const basePath = other === undefined ? '' : basePathOf(await pathsOf(other.name), shardPaths)
    const computed = { file: pathsFolder, hash: shardHash(place), basePath }
    return folderOf(store, computed, place)
  }
}

interface Paths {
  readonly file: string
  readonly paths: readonly string[]
}

async function readPaths(store: BlobStore, file: string): Promise<Paths> {
  const fields = new Fields(file, '', parseJson(await readWhole(store, file), file))
  return { file, paths: fields.texts('paths') }
}

interface HashedPath {
  /** The blob that says so. */
  readonly file: string
  readonly hash: string
  readonly basePath: string
}

function parsePath(path: string, file: string, { id, shardPaths, shard }: ShardPlace): HashedPath {
  const segments = path.split('/').filter((segment) => segment !== '')
  const plain = `indices/${id}/${shard}`
  const before = segments.slice(0, -3)
  const isPrefix = shardPaths === 'hashed-prefix'
  const hash = isPrefix ? before.shift() : before.pop()
  if (hash === undefined || segments.slice(-3).join('/') !== plain || !/^[\w-]+$/.test(hash)) {
    const expected = `a path with a hash that ends in ${plain}`
    throw new CorruptData({ file, offset: 0, expected, found: path.slice(0, 200) })
  }
  return { file, hash, basePath: before.join('/') }
}

/** All shards of a repository have the same. */
function basePathOf({ file, paths: [path = ''] }: Paths, shardPaths: ShardPaths): string {
  const id =
    path
      .split('/')
      .filter((segment) => segment !== '')
      .at(-2) ?? ''
  return parsePath(path, file, { id, shardPaths, shard: 0 }).basePath
}

function folderOf(
  store: BlobStore,
  { file, hash, basePath }: HashedPath,
  { id, shardPaths, shard }: ShardPlace,
): ShardFolder {
  const plain = `indices/${id}/${shard}`
  if (shardPaths === 'hashed-infix' || basePath === '') return { store, folder: `${hash}/${plain}` }
  const above = store.above?.(basePath)
  if (above !== undefined) return { store: above, folder: `${hash}/${basePath}/${plain}` }
  throw new Unsupported({
    file,
    offset: 0,
    expected: `a repository whose location ends with its base_path, ${basePath.slice(0, 200)}`,
    found: `${store.location}, above which the shards lie (shard_path_type HASHED_PREFIX)`,
  })
}

const fnvOffset = 0xcbf29ce484222325n
const fnvPrime = 0x100000001b3n
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * Hash algorithm 1, FNV_1A_COMPOSITE_1, the only one that OpenSearch uses here: of the FNV-1a of shard and index id (64
 * bits) the first 6 as a letter of Base64 and the next 14 as 0 and 1.
 */
export function shardHash({ id, shard }: Pick<ShardPlace, 'id' | 'shard'>): string {
  let hash = fnvOffset
  for (const byte of Buffer.from(`${shard}${id}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime)
  }
  const bits = hash.toString(2).padStart(64, '0')
  return base64[Number.parseInt(bits.slice(0, 6), 2)]! + bits.slice(6, 20)
}
