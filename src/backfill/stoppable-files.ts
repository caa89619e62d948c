import type { ByteSource } from '../blob/byte-source.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { stopped } from './stopped.ts'

/** The same files, whose next read after the signal throws MA_STOPPED: checking a large shard takes minutes. */
export function stoppableFiles(files: ShardFiles, signal: AbortSignal): ShardFiles {
  return {
    name: files.name,
    index: files.index,
    shard: files.shard,
    isFar: files.isFar,
    byteLength: files.byteLength,
    names: () => files.names(),
    has: (name) => files.has(name),
    file: (name) => files.file(name),
    open: async (name) => stoppableSource(await files.open(name), signal),
  }
}

function stoppableSource(source: ByteSource, signal: AbortSignal): ByteSource {
  return {
    name: source.name,
    byteLength: source.byteLength,
    ...(source.expectReads && {
      expectReads: (offset: number, end: number) => source.expectReads!(offset, end),
    }),
    read: (offset, length, into) =>
      signal.aborted ? Promise.reject(stopped()) : source.read(offset, length, into),
    close: () => source.close(),
  }
}
