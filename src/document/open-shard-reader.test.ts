import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { fixtureLine, isConverted } from '../../test/support/fixture-lines.ts'
import { countingStore } from '../blob/counting-store.ts'
import { openBlobStore } from '../blob/open.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { documentAt } from './document-block.ts'
import { openShardReader } from './open-shard-reader.ts'
import type { ShardReader, Verify } from './shard-reader.ts'

const root = new URL('../../test/fixtures/', import.meta.url)

for (const { engine, set } of await fixtureSets()) {
  const folder = new URL(`${engine}/${set}/`, root)
  const open = () => openRepository(openBlobStore(new URL('repository', folder).href))
  const answers = (await readdir(folder)).filter((file) => file.endsWith('.ndjson'))
  const names = answers.map((file) => file.replace(/\.ndjson$/, '')).sort()

  test(`${engine}, ${set}: the snapshots ${names.join(', ')}`, async () => {
    assert.deepEqual(
      (await open()).snapshots.map(({ name }) => name),
      names,
    )
  })

  for (const name of names) {
    for (const verify of ['touched', 'full'] as const) {
      test(`${engine}, ${set}, ${name}: every document as the engine said, ${verify}`, async () => {
        const text = await readFile(new URL(`${name}.ndjson`, folder), 'utf8')
        const expected = text.split('\n').filter((line) => line !== '')
        const lines = await linesOf(await (await open()).openSnapshot(name), {
          verify,
          expected,
          engine,
        })
        assert.deepEqual(lines.sort(), expected.sort())
      })
    }
  }
}

test('a range of documents gives what lies in it, whatever its ends', async () => {
  const { reader, segment } = await openLargest()
  const all = await documentsOf(reader, segment.name)
  for (const [fromDoc, toDoc] of [
    [0, 1],
    [1, segment.maxDoc - 1],
    [segment.maxDoc - 1, segment.maxDoc],
    [7, 7],
    [5, 29],
  ] as const) {
    const some = await documentsOf(reader, segment.name, { fromDoc, toDoc })
    assert.deepEqual(
      some,
      all.filter(({ doc }) => doc >= fromDoc && doc < toDoc),
    )
  }
  await reader.close()
})

test('blocks cover a segment from end to end without gaps', async () => {
  const { reader, segment } = await openLargest()
  let at = 0
  for await (const block of reader.readBlocks(segment.name)) {
    assert.equal(block.fromDoc, at)
    assert.ok(block.toDoc > at)
    at = block.toDoc
  }
  assert.equal(at, segment.maxDoc)
  await reader.close()
})

test('an unknown segment is refused by name', async () => {
  const { reader } = await openLargest()
  await assert.rejects(documentsOf(reader, '_nope'), /no segment _nope/)
  await reader.close()
})

test('the commit tells history, sequence numbers and fields', async () => {
  const { reader } = await openLargest()
  assert.match(reader.historyUuid ?? '', /^[\w-]{22}$/)
  assert.ok(reader.maxSeqNo! >= 0)
  assert.ok(reader.localCheckpoint! <= reader.maxSeqNo!)
  assert.ok(reader.hasField('_source'))
  assert.ok(!reader.hasField('no such field'))
  await reader.close()
})

async function fixtureSets(): Promise<{ engine: string; set: string }[]> {
  const found: { engine: string; set: string }[] = []
  for (const engine of await readdir(root, { withFileTypes: true })) {
    // Others hold no repository.
    if (!/^(elasticsearch|opensearch)-/.test(engine.name)) continue
    for (const set of await readdir(new URL(`${engine.name}/`, root))) {
      found.push({ engine: engine.name, set })
    }
  }
  return found
}

/** What is read of a snapshot, in the form in which the engine's answers are kept. */
async function linesOf(
  snapshot: Snapshot,
  { verify, expected, engine }: { verify: Verify; expected: readonly string[]; engine: string },
): Promise<string[]> {
  const converted = new Set(
    expected.filter(isConverted).map((line) => (JSON.parse(line) as { index: string }).index),
  )
  const lines: string[] = []
  // A repository may hold snapshots of more engines than the one it is named after.
  const madeBy = `${engine.split('-')[0]}-${snapshot.engineVersion}`
  for (const index of snapshot.indices) {
    const metadata = await snapshot.readIndexMetadata(index)
    // Only `_uid` of 5.x holds a type; later ones have the one type of their mapping, of which 7 no longer tells.
    const hasType = metadata.createdVersion < 7_000_000 && /^elasticsearch-[1-6]\./.test(madeBy)
    const onlyType = hasType ? Object.keys(metadata.mappings)[0] : undefined
    for (let shard = 0; shard < metadata.numberOfShards; shard++) {
      if (await isMissing(snapshot, index, shard)) continue
      const reader = await openShardReader(await snapshot.openShard(index, shard), { verify })
      for (const { name, liveCount } of reader.segments) {
        const documents = await documentsOf(reader, name)
        assert.ok(documents.length <= liveCount)
        for (const { document } of documents) {
          const { id, routing, type = onlyType, seqNo, version, source } = document
          const head = { index, id, routing, type, seqNo, version }
          const text = source && Buffer.from(source).toString('utf8')
          lines.push(fixtureLine(head, text, { converted: converted.has(index) }))
        }
      }
      await reader.close()
    }
  }
  return lines
}

/** True for a shard that a PARTIAL snapshot lacks, whose documents the engine could not give either. */
async function isMissing(snapshot: Snapshot, index: string, shard: number): Promise<boolean> {
  const { shardFailures } = snapshot
  if (!shardFailures.some((each) => each.index === index && each.shard === shard)) return false
  await assert.rejects(snapshot.openShard(index, shard))
  return true
}

async function documentsOf(
  reader: ShardReader,
  segment: string,
  range?: { fromDoc: number; toDoc: number },
): Promise<{ doc: number; document: ReturnType<typeof documentAt> }[]> {
  const documents = []
  for await (const block of reader.readBlocks(segment, range)) {
    for (let i = 0; i < block.count; i++) {
      documents.push({ doc: block.doc[i]!, document: documentAt(block, i) })
    }
  }
  return documents
}

/** The segment with the most documents of a fixture. */
async function openLargest(): Promise<{
  reader: ShardReader
  segment: ShardReader['segments'][number]
}> {
  const location = new URL('elasticsearch-7.10.2/compressed/repository', root).href
  const repository = await openRepository(countingStore(openBlobStore(location)))
  const snapshot = await repository.openSnapshot('s1')
  const reader = await openShardReader(await snapshot.openShard('best', 0), { verify: 'touched' })
  const [segment] = [...reader.segments].sort((a, b) => b.maxDoc - a.maxDoc)
  return { reader, segment: segment! }
}
