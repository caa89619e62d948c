/** The files of one shard of a fixture in memory, to be damaged at will. */
import { crc32 } from 'node:zlib'
import { MigrationError } from '../../src/base/errors.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { memorySource } from '../../src/blob/sources.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { ShardFiles } from '../../src/snapshot/snapshot.ts'

/** Lucene's name → bytes. */
export type FileBytes = Map<string, Uint8Array>

export interface FixtureShard {
  /** Folder below test/fixtures, e.g. `elasticsearch-7.10.2/compressed`. */
  readonly set: string
  readonly index: string
  readonly shard: number
}

const fixtures = new URL('../fixtures/', import.meta.url)

/** The files of a shard in the fixture's snapshot s1. */
export async function loadShard({ set, index, shard }: FixtureShard): Promise<FileBytes> {
  const repository = await openRepository(
    openBlobStore(new URL(`${set}/repository`, fixtures).href),
  )
  const shardFiles = await (await repository.openSnapshot('s1')).openShard(index, shard)
  const files: FileBytes = new Map()
  for (const name of shardFiles.names()) {
    const source = await shardFiles.open(name)
    files.set(name, Uint8Array.from(await source.read(0, source.byteLength)))
    await source.close()
  }
  return files
}

/** `listed`: what the snapshot's file list says of each length, where that is not what the files have. */
export function asShardFiles(files: FileBytes, listed?: ReadonlyMap<string, number>): ShardFiles {
  return {
    name: 'shard',
    index: 'index',
    shard: 0,
    isFar: false,
    byteLength: 0,
    names: () => files.keys(),
    has: (name) => files.has(name),
    open(name) {
      const bytes = files.get(name)
      if (bytes === undefined) return Promise.reject(new MigrationError('MA_BLOB_MISSING', name))
      return Promise.resolve(memorySource(name, bytes))
    },
    file: (name) => ({
      name,
      byteLength: listed?.get(name) ?? files.get(name)?.length ?? 0,
      blobs: [],
    }),
  }
}

/** The length of each file, as a file list would have it. */
export function lengthsOf(files: FileBytes): Map<string, number> {
  return new Map([...files].map(([name, bytes]) => [name, bytes.length]))
}

/** Gives a changed Lucene file a right checksum again, so that what is checked behind it is reached. */
export function repairFooter(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setBigUint64(bytes.length - 8, BigInt(crc32(bytes.subarray(0, -8))))
}
