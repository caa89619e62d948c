/** A shard of 1 TB, whose bytes are made when they are read: any stretch of it takes no more memory than one of 1 GB. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { documentAt } from '../../src/document/document-block.ts'
import { openShardReader } from '../../src/document/open-shard-reader.ts'
import { stretchesOfShare } from '../../src/backfill/share.ts'
import { makeHugeShard, type HugeIndexForm } from '../support/huge-shard.ts'

const mb = 2 ** 20
const chunksOfTb = 2 ** 27
const rssMoreMax = 150 * mb

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap that something holds. */
function heldHeap(): number {
  collect()
  return process.memoryUsage().heapUsed
}

for (const form of ['v50', 'v85'] as const) {
  test(`1 TB with an index of chunks as in ${form}: work items anywhere, memory flat`, async () => {
    const small = await readItems(chunksOfTb / 1024, form)
    const before = process.memoryUsage.rss()
    const huge = await readItems(chunksOfTb, form)
    assert.ok(huge.storedBytes >= 2 ** 40)
    const more = process.memoryUsage.rss() - before
    assert.ok(more < rssMoreMax, `${more / mb} MB more than with 1 GB`)
    assert.ok(huge.longest <= 2 * mb, `${huge.longest} bytes at once`)
    assert.ok(huge.heapMore < 60 * mb, `${huge.heapMore / mb} MB of heap`)
    assert.ok(small.documents > 0 && huge.documents === small.documents)
  })
}

/** Reads items of 8 MB at the begin, in the middle and at the end of a shard, each document checked. */
async function readItems(chunks: number, form: HugeIndexForm) {
  const shard = await makeHugeShard(chunks, form)
  const heap = heldHeap()
  const reader = await openShardReader(shard.files, { verify: 'touched', checked: true })
  const [summary] = reader.segments
  assert.equal(summary?.maxDoc, shard.maxDoc)
  const docs = 8 * 1024
  let documents = 0
  const middle = stretchesOfShare(reader.segments, { number: 2, of: 3 })[0]!
  for (const fromDoc of [0, middle.fromDoc, middle.toDoc - docs, shard.maxDoc - docs]) {
    let next = fromDoc
    for await (const block of reader.readBlocks(shard.segment, {
      fromDoc,
      toDoc: fromDoc + docs,
    })) {
      for (let i = 0; i < block.count; i++, next++) {
        assert.equal(block.doc[i], next)
        if (i % 100 !== 0) continue
        const { id, source } = documentAt(block, i)
        assert.deepEqual({ id, source: Buffer.from(source!).toString() }, shard.document(next))
      }
    }
    assert.equal(next, fromDoc + docs)
    documents += docs
  }
  const heapMore = heldHeap() - heap
  await reader.close()
  const { storedBytes } = shard
  return { documents, storedBytes, longest: shard.reads.longest, heapMore }
}
