import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { openBlobStore } from '../blob/open.ts'
import { memorySource } from '../blob/sources.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { ShardFiles } from '../snapshot/snapshot.ts'
import { documentAt } from './document-block.ts'
import { openShardReader } from './open-shard-reader.ts'
import type { Verify } from './shard-reader.ts'

/**
 * Every byte of a small shard's files flipped, and every file cut at every length: a typed error or the very same
 * documents; with `touched` a flip in doc values may change a number and nothing else. A hang would be a timeout.
 */
const root = new URL('../../test/fixtures/', import.meta.url)

const shards = [
  // Compound file of Lucene 8.7, routing, soft deletes in a generation of doc values of their own.
  { set: 'elasticsearch-7.10.2/compressed', index: 'routed', shard: 1 },
  // Lucene 6.6 and 7.7 side by side, live docs.
  { set: 'elasticsearch-6.8.23/compressed', index: 'old', shard: 0 },
  // Lucene 7.7, no compound file.
  { set: 'elasticsearch-6.8.23/compressed', index: 'routed', shard: 1 },
  // Lucene 7.2, live docs.
  { set: 'elasticsearch-6.2.4/compressed', index: 'routed', shard: 1 },
  // Lucene 6.6 as 5.6 itself writes it: types and parents.
  { set: 'elasticsearch-5.6.16/compressed', index: 'children', shard: 0 },
]

for (const { set, index, shard } of shards) {
  for (const verify of ['touched', 'full'] as const) {
    const options = { timeout: 60_000 }
    test(`${set}, ${index}/${shard}: flipped bytes, ${verify}`, options, async () => {
      const files = await loadShard(set, index, shard)
      const good = await readAll(asShardFiles(files), verify)
      for (const [name, bytes] of files) {
        for (let i = 0; i < bytes.length; i++) {
          const mask = 1 << (i & 7)
          bytes[i]! ^= mask
          await sameOrRefused(files, { verify, good, what: `${name} byte ${i} ^ ${mask}` })
          bytes[i]! ^= mask
        }
      }
    })

    test(`${set}, ${index}/${shard}: cut files, ${verify}`, options, async () => {
      const files = await loadShard(set, index, shard)
      const good = await readAll(asShardFiles(files), verify)
      for (const [name, bytes] of files) {
        for (let length = 0; length < bytes.length; length++) {
          files.set(name, bytes.subarray(0, length))
          await sameOrRefused(files, { verify, good, what: `${name} cut to ${length} bytes` })
        }
        files.set(name, bytes)
      }
    })
  }
}

interface Documents {
  /** All but the numbers. */
  readonly texts: string
  readonly numbers: string
}

async function sameOrRefused(
  files: Map<string, Uint8Array>,
  { verify, good, what }: { verify: Verify; good: Documents; what: string },
): Promise<void> {
  let found: Documents
  try {
    found = await readAll(asShardFiles(files), verify)
  } catch (error) {
    if (error instanceof MigrationError) return
    throw new Error(`${what}: not a typed error`, { cause: error })
  }
  assert.equal(found.texts, good.texts, `${what}: other documents`)
  const numbersMayDiffer = verify === 'touched' && !what.includes('cut')
  if (!numbersMayDiffer) assert.equal(found.numbers, good.numbers, `${what}: other numbers`)
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

async function loadShard(
  set: string,
  index: string,
  shard: number,
): Promise<Map<string, Uint8Array>> {
  const repository = await openRepository(openBlobStore(new URL(`${set}/repository`, root).href))
  const shardFiles = await (await repository.openSnapshot('s1')).openShard(index, shard)
  const files = new Map<string, Uint8Array>()
  for (const name of shardFiles.names()) {
    const source = await shardFiles.open(name)
    files.set(name, Uint8Array.from(await source.read(0, source.byteLength)))
    await source.close()
  }
  return files
}

function asShardFiles(files: Map<string, Uint8Array>): ShardFiles {
  return {
    name: 'shard',
    index: 'index',
    shard: 0,
    byteLength: 0,
    names: () => files.keys(),
    has: (name) => files.has(name),
    open(name) {
      const bytes = files.get(name)
      if (bytes === undefined) return Promise.reject(new MigrationError('MA_BLOB_MISSING', name))
      return Promise.resolve(memorySource(name, bytes))
    },
    file: (name) => ({ name, byteLength: files.get(name)?.length ?? 0, blobs: [] }),
  }
}
