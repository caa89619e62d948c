import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ByteSource } from '../blob/byte-source.ts'
import { openBlobStore } from '../blob/open.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { openShardReader } from './open-shard-reader.ts'

/** What is read of a shard, by range: only stored fields, small files, and the doc values that documents need. */
const repositoryUrl = new URL(
  '../../test/fixtures/elasticsearch-7.10.2/compressed/repository',
  import.meta.url,
)
const overheadMax = 1.05

for (const index of ['big', 'bigbest']) {
  test(`${index}: hardly more is read than stored fields and small files, and once`, async () => {
    const files = recording(await openShard(index))
    const storedBytes = await readAll(files)
    const small = [...files.bytesRead]
      .filter(([name]) => /\.(si|cfe)$|^segments_/.test(name))
      .reduce((sum, [, bytes]) => sum + bytes, 0)
    const total = [...files.bytesRead.values()].reduce((sum, bytes) => sum + bytes, 0)
    assert.ok(storedBytes > 0)
    assert.ok(
      total <= (storedBytes + small) * overheadMax,
      `${total} bytes read for ${storedBytes} of stored fields and ${small} of small files`,
    )
    assert.ok(total < files.byteLength, 'not all of the shard')
  })
}

test('a segment in which nothing lives is not read beyond its small files', async () => {
  const files = recording(await openShard('nested'))
  await readAll(files)
  const compound = files.bytesRead.get('_1.cfs')!
  assert.ok(compound < 2500, `${compound} bytes: header, footer and field infos only`)
})

for (const index of ['loose', 'best']) {
  test(`${index}: far away, segments to come are prepared while one is read, and nothing is read twice`, async () => {
    const near = recording(await openShard(index))
    await readAll(near)
    const files = { ...recording(await openShard(index)), isFar: true }
    const reader = await openShardReader(files, { verify: 'touched', heldBytesMax: 0 })
    assert.ok(reader.checksWhileReading)
    const [first, second] = reader.segments.map(({ name }) => name)
    const before = bytesOf(files, second!)
    for await (const block of reader.readBlocks(first!)) assert.ok(block.count > 0)
    const prepared = bytesOf(files, second!)
    assert.ok(prepared > before, `${prepared} bytes of ${second}`)
    for (const { name, liveCount } of reader.segments.slice(1)) {
      if (liveCount === 0) continue
      for await (const block of reader.readBlocks(name)) assert.ok(block.count > 0)
    }
    await reader.close()
    const [all, once] = [sum(files), sum(near)]
    assert.ok(
      all <= once * overheadMax,
      `${all} bytes read far away, ${once} where a shard is held in memory`,
    )
  })
}

function bytesOf({ bytesRead }: Recording, segment: string): number {
  return sum({ bytesRead: new Map([...bytesRead].filter(([name]) => name.startsWith(segment))) })
}

function sum({ bytesRead }: Pick<Recording, 'bytesRead'>): number {
  return [...bytesRead.values()].reduce((total, bytes) => total + bytes, 0)
}

interface Recording extends ShardFiles {
  readonly bytesRead: Map<string, number>
}

function recording(files: ShardFiles): Recording {
  const bytesRead = new Map<string, number>()
  return {
    name: files.name,
    index: files.index,
    shard: files.shard,
    isFar: files.isFar,
    byteLength: files.byteLength,
    bytesRead,
    names: () => files.names(),
    has: (name) => files.has(name),
    file: (name) => files.file(name),
    async open(name): Promise<ByteSource> {
      const source = await files.open(name)
      return {
        name: source.name,
        byteLength: source.byteLength,
        read(offset, length, into) {
          bytesRead.set(name, (bytesRead.get(name) ?? 0) + length)
          return source.read(offset, length, into)
        },
        close: () => source.close(),
      }
    },
  }
}

async function openShard(index: string): Promise<ShardFiles> {
  const repository = await openRepository(openBlobStore(repositoryUrl.href))
  return (await repository.openSnapshot('s1')).openShard(index, 0)
}

/** Reads all documents; returns the bytes of stored fields of the segments in which something lives. */
async function readAll(files: ShardFiles): Promise<number> {
  const reader = await openShardReader(files, { verify: 'touched' })
  let storedBytes = 0
  for (const segment of reader.segments) {
    if (segment.liveCount > 0) storedBytes += segment.storedBytes
    for await (const block of reader.readBlocks(segment.name)) assert.ok(block.count >= 0)
  }
  await reader.close()
  return storedBytes
}
