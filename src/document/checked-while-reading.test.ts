import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import type { ByteSource } from '../blob/byte-source.ts'
import { readCommit, type CommitSegment } from '../lucene/commit.ts'
import { openCompound } from '../lucene/compound.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { asShardFiles, loadShard } from '../../test/support/memory-shard.ts'
import type { FileBytes, FixtureShard } from '../../test/support/memory-shard.ts'
import { documentAt } from './document-block.ts'
import { openShardReader } from './open-shard-reader.ts'
import type { BlockRange } from './segment-blocks.ts'
import type { ShardReader } from './shard-reader.ts'
import type { ChecksumPart } from './stored-checksum.ts'

/** Shards as if they lay far away and were long: their stored fields are read once, and checked while they are. */
const shards: readonly FixtureShard[] = [
  { set: 'elasticsearch-1.7.5/compressed', index: 'big', shard: 0 },
  { set: 'elasticsearch-2.4.6/compressed', index: 'big', shard: 0 },
  { set: 'elasticsearch-6.8.23/compressed', index: 'routed', shard: 1 },
  { set: 'elasticsearch-7.10.2/compressed', index: 'big', shard: 0 },
  { set: 'elasticsearch-7.10.2/compressed', index: 'bigbest', shard: 0 },
  { set: 'elasticsearch-7.10.2/compressed', index: 'nested', shard: 0 },
  { set: 'elasticsearch-8.19.0/compressed', index: 'best', shard: 0 },
  { set: 'opensearch-3.6.0/compressed', index: 'loose', shard: 0 },
]
const overheadMax = 1.05
/** Header and footer of a file, which tell its format. */
const frameBytes = 144

for (const shard of shards) {
  const name = `${shard.set}, ${shard.index}`

  test(`${name}: the same documents, each byte of stored fields read once`, async () => {
    const files = await loadShard(shard)
    const near = await openShardReader(asShardFiles(files), { verify: 'touched' })
    const { farFiles, bytesRead } = recording(files)
    const far = await openFar(farFiles)
    assert.equal(near.checksWhileReading, false)
    assert.equal(far.checksWhileReading, true)
    for (const segment of far.segments) {
      assert.deepEqual(await read(far, segment.name), await read(near, segment.name))
    }
    const stored = far.segments
      .filter(({ liveCount }) => liveCount > 0)
      .reduce((sum, { storedBytes }) => sum + storedBytes, 0)
    const most = stored * overheadMax + far.segments.length * frameBytes
    assert.ok(bytesRead('fdt') <= most, `${bytesRead('fdt')} of ${stored}`)
  })

  test(`${name}: a flipped byte of stored fields is told when the segment is read`, async () => {
    const files = await loadShard(shard)
    for (const { bytes, at, segment } of await storedRanges(files)) {
      bytes[at]! ^= 4
      const reader = await openFar(asFar(asShardFiles(files)))
      await assert.rejects(read(reader, segment), CorruptData)
      bytes[at]! ^= 4
      await reader.close()
    }
  })

  test(`${name}: stretches cut anywhere, some again, join to the checksum`, async (t) => {
    const random = randomFrom((seed) => t.diagnostic(`seed ${seed}`))
    const reader = await openFar(asFar(asShardFiles(await loadShard(shard))))
    for (const { name: segment, maxDoc, liveCount } of reader.segments) {
      if (liveCount === 0) continue
      const cuts = [0, maxDoc, ...Array.from({ length: 3 }, () => random(maxDoc + 1))]
      cuts.sort((a, b) => a - b)
      const parts: ChecksumPart[] = []
      for (let i = 1; i < cuts.length; i++) {
        const [fromDoc, toDoc] = [cuts[i - 1]!, cuts[i]!]
        const stop = fromDoc + random(toDoc - fromDoc + 1)
        const first = await checksumOf(reader, segment, { fromDoc, toDoc }, stop)
        const crc = await checksumOf(reader, segment, { fromDoc: stop, toDoc, crc: first }, toDoc)
        if (random(4) > 0) parts.push({ fromDoc, toDoc, crc })
      }
      await reader.checkParts(segment, parts)
      await reader.checkParts(segment, [])
      const [part] = parts.filter(({ fromDoc, toDoc }) => fromDoc < toDoc)
      if (part === undefined) continue
      const wrong = parts.map((one) => (one === part ? { ...one, crc: one.crc! ^ 1 } : one))
      await assert.rejects(reader.checkParts(segment, wrong), CorruptData)
    }
    await reader.close()
  })
}

test('checked whole, a damaged shard gives no document, however far it is', async () => {
  for (const { verify, given } of [
    { verify: 'touched', given: true },
    { verify: 'full', given: false },
  ] as const) {
    const files = await loadShard({
      set: 'elasticsearch-7.10.2/compressed',
      index: 'big',
      shard: 0,
    })
    const damage = (await storedRanges(files)).at(-1)!
    damage.bytes[damage.at]! ^= 4
    const reader = await openShardReader(asFar(asShardFiles(files)), { verify, heldBytesMax: 0 })
    let documents = 0
    await assert.rejects(async () => {
      for await (const block of reader.readBlocks(damage.segment)) documents += block.count
    }, CorruptData)
    assert.equal(documents > 0, given, verify)
    await reader.close()
  }
})

test('while blocks are read, what was announced last are the stored fields', async () => {
  // Segment _5 has its soft deletes in the same compound file as its stored fields.
  const set = 'elasticsearch-7.10.2/uncompressed'
  const near = asShardFiles(await loadShard({ set, index: 'best', shard: 0 }))
  const announced: number[] = []
  const reader = await openFar({
    ...asFar(near),
    async open(name): Promise<ByteSource> {
      const expectReads = (offset: number, end: number): void => void announced.push(end - offset)
      return { ...(await near.open(name)), expectReads }
    },
  })
  for await (const block of reader.readBlocks('_5')) {
    assert.ok(block.count >= 0)
    assert.deepEqual(announced, [105, 165])
  }
  await reader.close()
})

function openFar(files: ShardFiles): Promise<ShardReader> {
  return openShardReader(files, { verify: 'touched', heldBytesMax: 0 })
}

function asFar(files: ShardFiles): ShardFiles {
  return { ...files, isFar: true }
}

/** Files far away, and how many bytes were read of those with an extension, within compound files too. */
function recording(files: FileBytes): {
  farFiles: ShardFiles
  bytesRead: (extension: string) => number
} {
  const near = asShardFiles(files)
  const reads: { name: string; length: number }[] = []
  const farFiles: ShardFiles = {
    ...asFar(near),
    async open(name): Promise<ByteSource> {
      const source = await near.open(name)
      return {
        ...source,
        read(offset, length, into) {
          reads.push({ name, length })
          return source.read(offset, length, into)
        },
      }
    },
  }
  return {
    farFiles,
    bytesRead: (extension) =>
      reads
        .filter(({ name }) => name.endsWith(`.${extension}`))
        .reduce((sum, { length }) => sum + length, 0),
  }
}

async function read(reader: ShardReader, segment: string): Promise<unknown[]> {
  const documents = []
  for await (const block of reader.readBlocks(segment)) {
    for (let i = 0; i < block.count; i++) documents.push(documentAt(block, i))
  }
  return documents
}

/** Reads a range and gives its checksum up to `doc`, taken while the block that holds it is there. */
async function checksumOf(
  reader: ShardReader,
  segment: string,
  range: BlockRange,
  doc: number,
): Promise<number> {
  let crc = range.crc ?? 0
  for await (const block of reader.readBlocks(segment, range)) {
    if (doc >= block.fromDoc && doc <= block.toDoc) crc = block.checksum!.at(doc)
  }
  return crc
}

/** Places inside the stored fields of each segment in which something lives, in a compound file or beside it. */
async function storedRanges(
  files: FileBytes,
): Promise<{ bytes: Uint8Array; at: number; segment: string }[]> {
  const directory = asShardFiles(files)
  const reader = await openShardReader(directory, { verify: 'touched' })
  const live = new Set(reader.segments.filter((one) => one.liveCount > 0).map(({ name }) => name))
  await reader.close()
  const found = []
  for (const commit of (await readCommit(directory)).segments) {
    if (!live.has(commit.name)) continue
    const compound = files.get(`${commit.name}.cfs`)
    const stored = compound
      ? await storedMember(directory, commit)
      : files.get(`${commit.name}.fdt`)!
    const bytes = compound ?? stored
    const start = Buffer.from(bytes).indexOf(stored)
    for (const share of [0.1, 0.5, 0.9]) {
      const at = start + 100 + Math.floor((stored.length - 130) * share)
      found.push({ bytes, at, segment: commit.name })
    }
  }
  assert.ok(found.length > 0)
  return found
}

async function storedMember(directory: ShardFiles, commit: CommitSegment): Promise<Uint8Array> {
  const compound = await openCompound(directory, commit)
  const source = await compound.open([...compound.names()].find((name) => name.endsWith('.fdt'))!)
  const bytes = await source.read(0, source.byteLength)
  await source.close()
  await compound.close()
  return bytes
}

function randomFrom(tell: (seed: number) => void): (below: number) => number {
  let seed = (Date.now() % 2147483646) + 1
  tell(seed)
  return (below) => (seed = (seed * 48271) % 2147483647) % below
}
