import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { openBlobStore } from '../blob/open.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { countDocuments, sampleSource, type SourceSample } from './source-sample.ts'

const fixtures = new URL('../../test/fixtures/', import.meta.url)
const engines = readdirSync(fixtures).filter((name) => /^(elasticsearch|opensearch)-/.test(name))

/** Snapshots s1 of all engines in a set of fixtures. */
function* snapshotsOf(set: string): Iterable<[string, Promise<Snapshot>]> {
  for (const engine of engines) {
    const repository = new URL(`${engine}/${set}/repository`, fixtures)
    if (!existsSync(repository)) continue
    const opened = openRepository(openBlobStore(repository.href))
    yield [`${engine}/${set}`, opened.then((one) => one.openSnapshot('s1'))]
  }
}

/** What shards with documents tell, by index. */
async function samplesOf(snapshot: Snapshot): Promise<Map<string, SourceSample>> {
  const samples = new Map<string, SourceSample>()
  for (const index of snapshot.indices) {
    const { numberOfShards } = await snapshot.readIndexMetadata(index)
    for (let shard = 0; shard < numberOfShards; shard++) {
      const sample = await sampleSource(await snapshot.openShard(index, shard))
      if (sample !== 'unknown') samples.set(index, sample)
    }
  }
  return samples
}

test('indices that do not keep _source as it was sent show it in their first document', async () => {
  let count = 0
  for (const [name, opening] of snapshotsOf('reduced')) {
    for (const [index, sample] of await samplesOf(await opening)) {
      const expected = index === 'filtered' ? ['reduced', 'whole'] : ['none']
      assert.ok(expected.includes(sample), `${name} ${index}: ${sample}`)
      count++
    }
  }
  assert.ok(count >= 2)
})

test('a filtered _source shows as long as the engine keeps what it recovers from', async () => {
  for (const [name, opening] of snapshotsOf('reduced')) {
    if (!name.startsWith('elasticsearch-7')) continue
    assert.equal((await samplesOf(await opening)).get('filtered'), 'reduced', name)
  }
})

test('indices that keep _source are not taken for others, whatever engine wrote them', async () => {
  let count = 0
  for (const [name, opening] of snapshotsOf('compressed')) {
    for (const [index, sample] of await samplesOf(await opening)) {
      assert.equal(sample, 'whole', `${name} ${index}`)
      count++
    }
  }
  assert.ok(count > 50, `${count}`)
})

test('documents are counted without reading them', async () => {
  for (const [name, opening] of snapshotsOf('reduced')) {
    const snapshot = await opening
    for (const index of snapshot.indices) {
      const count = await countDocuments(await snapshot.openShard(index, 0))
      assert.ok(count > 0, `${name} ${index}`)
    }
  }
})
