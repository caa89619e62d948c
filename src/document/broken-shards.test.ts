import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { readCommit } from '../lucene/commit.ts'
import { openCompound } from '../lucene/compound.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { asShardFiles, lengthsOf, loadShard } from '../../test/support/memory-shard.ts'
import type { FileBytes, FixtureShard } from '../../test/support/memory-shard.ts'
import { documentAt } from './document-block.ts'
import { openShardReader } from './open-shard-reader.ts'
import type { Verify } from './shard-reader.ts'

/**
 * Every byte of a small shard's files flipped, and every file cut at every length: a typed error or the very same
 * documents; with `touched` a flip in doc values may change a number and nothing else. A hang would be a timeout. Of
 * larger shards every `step`-th place.
 */
const shards: readonly (FixtureShard & { step?: number })[] = [
  // Compound file of Lucene 8.7, routing, soft deletes in a generation of doc values of their own.
  { set: 'elasticsearch-7.10.2/compressed', index: 'routed', shard: 1 },
  // Lucene 6.6 and 7.7 side by side, live docs.
  { set: 'elasticsearch-6.8.23/compressed', index: 'old', shard: 0 },
  // Lucene 7.7, no compound file.
  { set: 'elasticsearch-6.8.23/compressed', index: 'routed', shard: 1 },
  // Lucene 4.10, live docs, types and parents.
  { set: 'elasticsearch-1.7.5/compressed', index: 'routed', shard: 1 },
  { set: 'elasticsearch-1.7.5/compressed', index: 'children', shard: 0 },
  // Lucene 5.5, live docs.
  { set: 'elasticsearch-2.4.6/compressed', index: 'routed', shard: 1 },
  // Lucene 7.2, live docs.
  { set: 'elasticsearch-6.2.4/compressed', index: 'routed', shard: 1 },
  // Lucene 6.6 as 5.6 itself writes it: types and parents.
  { set: 'elasticsearch-5.6.16/compressed', index: 'children', shard: 0 },
  // Lucene 8.11, compound.
  { set: 'elasticsearch-7.17.28/compressed', index: 'routed', shard: 1, step: 3 },
  // Lucene 9.12, compound.
  { set: 'opensearch-2.19.4/compressed', index: 'routed', shard: 1, step: 3 },
  // Lucene 9.12, Zstandard, live docs, no soft deletes left.
  { set: 'elasticsearch-8.19.0/compressed', index: 'best', shard: 0, step: 47 },
  // Lucene 10.3, doc values of Elasticsearch's own.
  { set: 'elasticsearch-9.2.0/compressed', index: 'time_series', shard: 0, step: 11 },
  // Lucene 10.4, nothing compound, hashed folders.
  { set: 'opensearch-3.6.0/compressed', index: 'loose', shard: 0, step: 47 },
]

for (const one of shards) {
  const { set, index, shard, step = 1 } = one
  for (const verify of ['touched', 'full'] as const) {
    const options = { timeout: 60_000 }
    test(`${set}, ${index}/${shard}: flipped bytes, ${verify}`, options, async () => {
      const files = await loadShard(one)
      const good = await readAll(asShardFiles(files), verify)
      const isDocValue = await docValuesIn(files)
      for (const [name, bytes] of files) {
        for (let i = 0; i < bytes.length; i += step) {
          const mask = 1 << (i & 7)
          bytes[i]! ^= mask
          const what = `${name} byte ${i} ^ ${mask}`
          const found = await readOrRefused(asShardFiles(files), verify, what)
          bytes[i]! ^= mask
          if (found === undefined) continue
          assert.equal(found.texts, good.texts, `${what}: other documents`)
          if (verify === 'touched' && isDocValue(name, i)) continue
          assert.equal(found.numbers, good.numbers, `${what}: other numbers`)
        }
      }
    })

    test(`${set}, ${index}/${shard}: cut files, ${verify}`, options, async () => {
      const files = await loadShard(one)
      const listed = lengthsOf(files)
      const good = await readAll(asShardFiles(files), verify)
      for (const [name, bytes] of files) {
        for (let length = 0; length < bytes.length; length += step) {
          files.set(name, bytes.subarray(0, length))
          const what = `${name} cut to ${length} bytes`
          const found = await readOrRefused(asShardFiles(files, listed), verify, what)
          if (found === undefined) continue
          assert.equal(verify, 'touched', `${what}: the list of files says otherwise`)
          assert.deepEqual(found, good, what)
        }
        files.set(name, bytes)
      }
    })
  }
}

/** Tells whether a byte of a file is in doc values, of which only the ranges needed are read: files .dvd, and members. */
async function docValuesIn(files: FileBytes): Promise<(name: string, at: number) => boolean> {
  const ranges: { name: string; from: number; to: number }[] = []
  for (const [name, bytes] of files) {
    if (name.endsWith('.dvd')) ranges.push({ name, from: 0, to: bytes.length })
  }
  const directory = asShardFiles(files)
  for (const segment of (await readCommit(directory)).segments) {
    const name = `${segment.name}.cfs`
    if (!files.has(name)) continue
    const compound = await openCompound(directory, segment)
    for (const member of compound.names()) {
      if (!member.endsWith('.dvd')) continue
      const source = await compound.open(member)
      const from = Buffer.from(files.get(name)!).indexOf(await source.read(0, source.byteLength))
      assert.ok(from > 0)
      ranges.push({ name, from, to: from + source.byteLength })
      await source.close()
    }
    await compound.close()
  }
  return (name, at) => ranges.some((one) => one.name === name && at >= one.from && at < one.to)
}

interface Documents {
  /** All but the numbers. */
  readonly texts: string
  readonly numbers: string
}

/** What was read; undefined when it was refused by a typed error. */
async function readOrRefused(
  files: ShardFiles,
  verify: Verify,
  what: string,
): Promise<Documents | undefined> {
  try {
    return await readAll(files, verify)
  } catch (error) {
    if (error instanceof MigrationError) return undefined
    throw new Error(`${what}: not a typed error`, { cause: error })
  }
}

async function readAll(files: ShardFiles, verify: Verify): Promise<Documents> {
  const reader = await openShardReader(files, { verify })
  try {
    const texts: string[] = []
    const numbers: string[] = []
    for (const { name } of reader.segments) {
      for await (const block of reader.readBlocks(name)) {
        for (let i = 0; i < block.count; i++) {
          const { seqNo, version, source, ...rest } = documentAt(block, i)
          texts.push(
            JSON.stringify(rest),
            source === undefined ? '' : Buffer.from(source).toString(),
          )
          numbers.push(`${seqNo} ${version}`)
        }
      }
    }
    return { texts: texts.join('\n'), numbers: numbers.join('\n') }
  } finally {
    await reader.close()
  }
}
