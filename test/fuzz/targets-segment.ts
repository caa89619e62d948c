/** Parts of a segment's files that are decoded often, without the shard around them: chunks of stored fields, numbers. */
import assert from 'node:assert/strict'
import { memorySource } from '../../src/blob/sources.ts'
import { Cursor } from '../../src/bytes/cursor.ts'
import { lz4SlackBytes } from '../../src/bytes/lz4.ts'
import { Memory } from '../../src/bytes/memory.ts'
import { ChunkDecoder } from '../../src/lucene/chunk.ts'
import type { ChunkShape } from '../../src/lucene/chunk.ts'
import { readCommit } from '../../src/lucene/commit.ts'
import { LiveDocs } from '../../src/lucene/live-docs.ts'
import { NumericColumn } from '../../src/lucene/numeric-column.ts'
import type { DocsWithField, NumericEntry, PackedValues } from '../../src/lucene/numeric-entry.ts'
import { openSegment } from '../../src/lucene/segment.ts'
import { readTsdbBlock } from '../../src/lucene/tsdb-block.ts'
import { asShardFiles } from '../support/memory-shard.ts'
import { randomSource } from '../support/random-json.ts'
import { mutate, pick, pickOf, randomBytes } from './mutations.ts'
import type { Random } from './mutations.ts'
import { fuzzShards } from './shards.ts'
import type { FuzzShard } from './shards.ts'
import type { Sample, Target } from './target.ts'

const file = 'hostile'
/** Chunks of each kind, and how long one may be. */
const chunksOfKind = 4
const chunkBytesMax = 40_000

const chunk: Target = {
  name: 'chunk',
  workPerByte: 1500,
  bytesPerByte: 4000,
  async samples() {
    const samples: Sample[] = []
    const taken = new Map<string, number>()
    for (const shard of await fuzzShards()) {
      for (const { shape, bytes, firstDoc, docCount } of await chunksOf(shard)) {
        const kind = `${shape.compression}, ${shape.counts}, ${shape.flags}`
        const count = taken.get(kind) ?? 0
        if (count >= chunksOfKind) continue
        taken.set(kind, count + 1)
        const donors = samples.map((sample) => sample.bytes)
        samples.push({
          name: `${shard.name}, ${kind}, documents from ${firstDoc}`,
          bytes,
          ...(shape.compression.startsWith('zstd') && { bytesPerByte: 2 ** 15 * 3 }),
          vary: (random) => mutate(random, bytes, { donors }),
          decode: (hostile) => decodeChunk(hostile, { shape, firstDoc, docCount }),
        })
      }
    }
    return samples
  },
}

interface FixtureChunk {
  readonly shape: ChunkShape
  readonly firstDoc: number
  readonly docCount: number
  readonly bytes: Uint8Array
}

async function chunksOf({ files }: FuzzShard): Promise<FixtureChunk[]> {
  const directory = asShardFiles(files)
  const chunks: FixtureChunk[] = []
  for (const commit of (await readCommit(directory)).segments) {
    const segment = await openSegment(directory, commit, { verify: 'touched' })
    const stored = await segment.openStoredFields()
    const { firstDoc, offset, count } = await stored.chunks.window(0)
    for (let i = 0; i < Math.min(2, count); i++) {
      const length = offset[i + 1]! - offset[i]!
      if (length > chunkBytesMax) continue
      const bytes = Uint8Array.from(await stored.source.read(offset[i]!, length))
      const docCount = firstDoc[i + 1]! - firstDoc[i]!
      chunks.push({ shape: stored, firstDoc: firstDoc[i]!, docCount, bytes })
    }
    await stored.source.close()
    await segment.close()
  }
  return chunks
}

/** The documents of a chunk; each of them decoded by itself is the same. */
function decodeChunk(bytes: Uint8Array, about: Omit<FixtureChunk, 'bytes'>): string[] {
  const { docCount, firstDoc } = about
  const all = decodeRange(bytes, about, { fromDoc: firstDoc, toDoc: firstDoc + docCount })
  for (const one of [0, docCount >> 1, docCount - 1]) {
    const range = { fromDoc: firstDoc + one, toDoc: firstDoc + one + 1 }
    const [document] = decodeRange(bytes, about, range)
    assert.equal(document, all[one], 'another document where it is the only one asked for')
  }
  return all
}

function decodeRange(
  bytes: Uint8Array,
  { shape, firstDoc, docCount }: Omit<FixtureChunk, 'bytes'>,
  { fromDoc, toDoc }: { fromDoc: number; toDoc: number },
): string[] {
  const memory = new Memory(bytes.length * 2 + lz4SlackBytes * 2)
  memory.bytes.fill(0xa5)
  memory.bytes.set(bytes)
  const chunk = new ChunkDecoder(memory)
  const dest = bytes.length + lz4SlackBytes
  const input = { file, fileOffset: 0, start: 0, end: bytes.length, firstDoc, docCount }
  const live = new LiveDocs(firstDoc + docCount)
  const end = chunk.decode(input, shape, dest, { live, fromDoc, toDoc })
  assert.ok(memory.bytes.subarray(0, bytes.length).equals(bytes), 'the input changed')
  assert.equal(chunk.start[0], dest)
  assert.equal(chunk.start[docCount], end)
  const documents: string[] = []
  for (let doc = fromDoc; doc < toDoc; doc++) {
    const start = chunk.start[doc - firstDoc]!
    const next = chunk.start[doc - firstDoc + 1]!
    assert.ok(start <= next && next <= end, 'documents that do not follow one another')
    documents.push(memory.bytes.toString('latin1', start, next))
  }
  return documents
}

/** Stretches of documents that a column is asked for. */
const maxDoc = 65536 + 300

const numbers: Target = {
  name: 'numbers',
  samples: () =>
    Promise.resolve(
      Array.from({ length: 40 }, (_, i) => {
        const random = randomSource(i)
        const bytes = randomBytes(random, 400)
        const entry = randomEntry(random, bytes.length)
        return {
          name: `${entry.docs.kind} ${entry.values.kind} ${i}`,
          bytes,
          wild: true,
          vary: (random: Random) => mutate(random, bytes),
          decode: (hostile: Uint8Array) => readColumn(hostile, entry, i % 2 === 0),
        }
      }),
    ),
}

async function readColumn(
  bytes: Uint8Array,
  entry: NumericEntry,
  littleEndian: boolean,
): Promise<unknown> {
  const column = new NumericColumn(memorySource(file, bytes), entry, maxDoc, { littleEndian })
  const found: number[] = []
  let count = 0
  let last = -1
  await column.eachDoc({ fromDoc: 0, toDoc: maxDoc }, (doc) => {
    assert.ok(doc > last && doc < maxDoc, 'documents out of order')
    last = doc
    count++
  })
  assert.ok(count <= maxDoc)
  for (const stretch of [1, 0]) {
    await column.load(stretch)
    found.push(...column.values.subarray(0, 200))
  }
  for (const value of found) assert.ok(Number.isInteger(value), `${value}`)
  return found
}

function randomEntry(random: Random, length: number): NumericEntry {
  const wild = (below: number): number =>
    random() < 0.9 ? pick(random, below) : pickOf(random, [-1, 2 ** 31, 2 ** 53 - 1, below])
  const at = { offset: wild(length / 2), byteLength: wild(length) }
  const docs = pickOf<() => DocsWithField>(random, [
    () => ({ kind: 'all' }),
    () => ({ kind: 'bits', offset: wild(length) }),
    () => ({ kind: 'blocks', ...at, rankBytes: pickOf(random, [0, 4, 1024]) }),
  ])()
  const bitsPerValue = pickOf(random, [1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 3, 255])
  const big = (): bigint => pickOf(random, [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 1000n])
  const blocks = [0, 1].map(() => ({
    min: wild(length),
    average: pickOf(random, [0, 1.5, NaN, Infinity, -3e38]),
    offset: wild(20),
    bits: pickOf(random, [0, 1, 8, 64]),
  }))
  const values = pickOf<() => PackedValues>(random, [
    () => ({ kind: 'constant', value: big() }),
    () => ({ kind: 'linear', ...at, bitsPerValue, min: big(), gcd: big() }),
    () => ({ kind: 'table', ...at, bitsPerValue, table: [1n, big()] }),
    () => ({ kind: 'varying', ...at, shift: pick(random, 25), gcd: big() }),
    () => ({
      kind: 'tsdb',
      shift: pickOf(random, [7, 9]),
      ...at,
      index: { offset: wild(length), byteLength: wild(40), blocks, count: 2, blockShift: 0 },
    }),
  ])()
  return { docs, valueCount: maxDoc, values }
}

const tsdb: Target = {
  name: 'tsdb-block',
  samples: () =>
    Promise.resolve(
      Array.from({ length: 24 }, (_, i) => {
        const random = randomSource(i)
        const bits =
          i < 24 ? pickOf(random, [0, 1, 3, 7, 8, 9, 15, 16, 17, 24, 32, 40, 48, 56, 64]) : 0
        const token = (bits << 3) | pick(random, 8)
        const head = token < 0x80 ? [token] : [(token & 0x7f) | 0x80, token >> 7]
        const tail = [2, 3, 4, 0, 0, 0]
        const bytes = Buffer.concat([
          Buffer.from(head),
          randomBytes(random, bits * 16),
          Buffer.from(tail),
        ])
        return {
          name: `${bits} bits, ${i}`,
          bytes,
          vary: (random: Random) => mutate(random, bytes),
          decode(hostile: Uint8Array) {
            const values = new Float64Array(256).fill(-7)
            readTsdbBlock(new Cursor(file, hostile, { littleEndian: true }), values, 64, 192)
            for (const [at, value] of values.entries()) {
              if (at < 64 || at >= 192) assert.equal(value, -7, 'a value beside the block')
              else assert.ok(Number.isInteger(value), `${value}`)
            }
            return values
          },
        }
      }),
    ),
}

export const segmentTargets: readonly Target[] = [chunk, numbers, tsdb]
