import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { readCommit } from '../lucene/commit.ts'
import type { CommitSegment } from '../lucene/commit.ts'
import {
  asShardFiles,
  loadShard,
  repairFooter,
  type FileBytes,
} from '../../test/support/memory-shard.ts'
import { openShardReader } from './open-shard-reader.ts'

/** Which documents live must agree with the counts of the commit: what a right checksum does not tell. */

const softDeleted = { set: 'elasticsearch-7.10.2/compressed', index: 'routed', shard: 1 }
const hardDeleted = { set: 'elasticsearch-6.8.23/compressed', index: 'old', shard: 0 }

for (const by of [1, -1]) {
  test(`soft-deleted documents: ${by} other than the commit counts is refused`, async () => {
    const files = await loadShard(softDeleted)
    const { segment } = await segmentWith(files, ({ softDelCount = 0 }) => softDelCount > 0)
    await readAll(files)
    changeCount(files, segment, { place: softDelCountAt, by })
    await assert.rejects(readAll(files), refused(/soft-deleted documents, as the commit says/))
  })

  test(`deleted documents: ${by} other than the commit counts is refused`, async () => {
    const files = await loadShard(hardDeleted)
    const { segment } = await segmentWith(
      files,
      ({ delGen, delCount }) => delGen > 0 && delCount > 1,
    )
    await readAll(files)
    changeCount(files, segment, { place: delCountAt, by })
    await assert.rejects(readAll(files), refused(/deleted documents, as the commit says/))
  })
}

test('a live document more in the .liv file than the commit counts is refused', async () => {
  const files = await loadShard(hardDeleted)
  const { segment } = await segmentWith(files, ({ delGen }) => delGen > 0)
  const name = [...files.keys()].find(
    (one) => one.startsWith(`${segment.name}_`) && one.endsWith('.liv'),
  )!
  const bytes = files.get(name)!
  // The bits end where the footer of 16 bytes begins; the first document's are in the last byte of a word.
  bytes[bytes.length - 16 - 1]! ^= 1
  repairFooter(bytes)
  await assert.rejects(readAll(files), refused(/deleted documents, as the commit says/))
})

const refused =
  (expected: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CorruptData, String(error))
    assert.match(error.message, expected)
    return true
  }

async function segmentWith(
  files: FileBytes,
  fits: (segment: CommitSegment) => boolean,
): Promise<{ segment: CommitSegment }> {
  const segment = (await readCommit(asShardFiles(files))).segments.find(fits)
  assert.ok(segment, 'the fixture has such a segment')
  return { segment }
}

/** Bytes behind the codec's name in segments_N: see the layout at readCommit(). */
const delCountAt = 8
const softDelCountAt = 28

function changeCount(
  files: FileBytes,
  { id, codec }: CommitSegment,
  { place, by }: { place: number; by: number },
): void {
  const name = [...files.keys()].find((one) => one.startsWith('segments_'))!
  const bytes = Buffer.from(files.get(name)!)
  assert.ok(id)
  const codecAt = bytes.indexOf(id) + id.length
  assert.equal(bytes.toString('latin1', codecAt + 1, codecAt + 1 + codec.length), codec)
  const at = codecAt + 1 + codec.length + place
  bytes.writeInt32BE(bytes.readInt32BE(at) + by, at)
  repairFooter(bytes)
  files.set(name, bytes)
}

async function readAll(files: FileBytes): Promise<void> {
  const reader = await openShardReader(asShardFiles(files), { verify: 'touched' })
  try {
    for (const { name } of reader.segments) {
      for await (const block of reader.readBlocks(name)) assert.ok(block.count >= 0)
    }
  } finally {
    await reader.close()
  }
}
