import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Unsupported } from '../base/errors.ts'
import { readCommit } from '../lucene/commit.ts'
import { openCompound } from '../lucene/compound.ts'
import { asShardFiles, loadShard, repairFooter } from '../../test/support/memory-shard.ts'
import type { FileBytes, FixtureShard } from '../../test/support/memory-shard.ts'
import { documentAt } from './document-block.ts'
import { openShardReader } from './open-shard-reader.ts'

const loose: FixtureShard = { set: 'opensearch-3.6.0/compressed', index: 'loose', shard: 0 }
/** Files that documents are read from; all others concern the search. */
const needed = /\.(si|fnm|liv|fd[tmx]|dv[dm])$|^segments_/

test('unknown formats of postings, points, norms and the like, and an unknown codec, do not matter', async () => {
  const files = await loadShard(loose)
  const good = await idsOf(files)
  assert.ok(good.length > 0)
  let renamed = 0
  await eachFile(files, (name, bytes) => {
    // The codec of the segment, the formats of postings in the field infos, and the headers of all other files.
    if (/^segments_|\.fnm$/.test(name)) renamed += rename(bytes, 'Lucene10', 'Unknown1')
    else if (!needed.test(name)) renamed += renameHeader(bytes)
  })
  assert.ok(renamed > 40, `${renamed} names`)
  assert.deepEqual(await idsOf(files), good)
})

test('of postings, points, norms and the like not one byte matters', async () => {
  const files = await loadShard(loose)
  const good = await idsOf(files)
  await eachFile(files, (name, bytes) => {
    if (!needed.test(name)) bytes.fill(0)
  })
  assert.deepEqual(await idsOf(files), good)
})

test('an unknown format of stored fields is refused by name, with segment and advice', async () => {
  const files = await loadShard(loose)
  await eachFile(files, (name, bytes) => {
    if (name.endsWith('.fdt')) rename(bytes, 'Lucene90StoredFields', 'QatStoredFieldsLz4__')
  })
  const told = /_\w+\.fdt .*QatStoredFieldsLz4.* holds the documents of segment _\w+.*reindex/
  await assert.rejects(idsOf(files), refused(told))
})

test('an unknown format of doc values is refused by name, with segment, field and advice', async () => {
  const files = await loadShard(loose)
  await eachFile(files, (name, bytes) => {
    if (name.endsWith('.dvm')) rename(bytes, 'Lucene90DocValues', 'Unknown9DocValues')
  })
  const told =
    /\.dvm .*Unknown9DocValuesMetadata holds the field _(seq_no|version|_soft_deletes) of segment _\w+.*reindex/
  await assert.rejects(idsOf(files), refused(told))
})

function refused(told: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Unsupported && told.test(error.message)
}

async function idsOf(files: FileBytes): Promise<string[]> {
  const reader = await openShardReader(asShardFiles(files), { verify: 'touched' })
  const ids: string[] = []
  for (const { name } of reader.segments) {
    for await (const block of reader.readBlocks(name)) {
      for (let i = 0; i < block.count; i++) ids.push(documentAt(block, i).id ?? '')
    }
  }
  await reader.close()
  return ids
}

/** Visits the bytes of each file, and of each member in the place of a compound file, as they lie there. */
async function eachFile(
  files: FileBytes,
  visit: (name: string, bytes: Uint8Array) => void,
): Promise<void> {
  const shard = asShardFiles(files)
  const { segments } = await readCommit(shard)
  for (const [name, bytes] of files) if (!/\.cf[se]$/.test(name)) visit(name, bytes)
  for (const segment of segments) {
    if (!files.has(`${segment.name}.cfs`)) continue
    const compound = await openCompound(shard, segment)
    for (const name of compound.names()) {
      const member = await compound.open(name)
      visit(name, await member.read(0, member.byteLength))
    }
    await compound.close()
  }
}

/** Replaces every `from` by `to`, which is as long, and gives how many there were. */
function rename(bytes: Uint8Array, from: string, to: string): number {
  assert.equal(to.length, from.length)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let count = 0
  for (let at = buffer.indexOf(from); at >= 0; at = buffer.indexOf(from, at + 1)) {
    buffer.write(to, at, 'latin1')
    count++
  }
  repairFooter(bytes)
  return count
}

/** Changes the first letter of the codec in a header: magic, length, name. */
function renameHeader(bytes: Uint8Array): number {
  bytes[5] = 'X'.charCodeAt(0)
  repairFooter(bytes)
  return 1
}
