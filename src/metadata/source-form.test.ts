import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { openBlobStore } from '../blob/open.ts'
import { shardLook, type SourceSample } from '../document/source-sample.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { IndexMetadata, Snapshot } from '../snapshot/snapshot.ts'
import { planSource, sourceFormOf } from './source-form.ts'
import { snapshotDocuments } from './source-documents.ts'

const fields = { properties: { n: { type: 'long' } } }
const elasticsearch92 = 9_039_000
const openSearch3 = 0x0800_0000 + 3_000_099
const openSearch2 = 0x0800_0000 + 2_190_099

const formOf = (
  mappings: { [type: string]: JsonObject },
  settings: { [name: string]: string } = {},
  createdVersion = 7_100_299,
): string => sourceFormOf({ mappings, createdVersion }, settings)

test('sourceFormOf() names what the mapping or the mode of the index does to _source', () => {
  const cases: [JsonObject, { [name: string]: string }, string][] = [
    [fields, {}, 'full'],
    [{ _source: { enabled: true, includes: [] } }, {}, 'full'],
    [{ _source: { includes: ['a.*'] } }, {}, 'filtered'],
    [{ _source: { excludes: 'secret' } }, {}, 'filtered'],
    [{ _source: { enabled: false } }, {}, 'disabled'],
    [{ _source: { enabled: 'false' } }, {}, 'disabled'],
    [{ _source: { mode: 'synthetic' } }, {}, 'synthetic'],
    [{}, { 'index.mapping.source.mode': 'disabled' }, 'disabled'],
    [{}, { 'index.mapping.source.mode': 'synthetic' }, 'synthetic'],
    [{}, { 'index.mode': 'logsdb' }, 'synthetic'],
    [{}, { 'index.mode': 'time_series' }, 'synthetic'],
    [{}, { 'index.mode': 'logsdb', 'index.mapping.source.mode': 'stored' }, 'full'],
    [{}, { 'index.derived_source.enabled': 'true' }, 'synthetic'],
  ]
  for (const [mapping, settings, form] of cases) {
    assert.equal(formOf({ _doc: mapping }, settings), form, JSON.stringify([mapping, settings]))
  }
})

test('sourceFormOf() looks at every type, and at an index without a mapping', () => {
  const stored = { _doc: { _source: { mode: 'stored' } } }
  assert.equal(formOf(stored, { 'index.mode': 'logsdb' }), 'full')
  assert.equal(formOf({ a: fields, b: { _source: { enabled: false } } }), 'disabled')
  assert.equal(formOf({}, { 'index.mode': 'logsdb' }), 'synthetic')
  assert.equal(formOf({}), 'full')
})

test('sourceFormOf() knows engines that take vectors out of _source', () => {
  const mapping = (type: string): { [type: string]: JsonObject } => ({
    _doc: { properties: { inner: { properties: { v: { type } } } } },
  })
  const knn = { 'index.knn': 'true' }
  const off = { 'index.knn.derived_source.enabled': 'false' }
  const cases = [
    [formOf(mapping('dense_vector'), {}, elasticsearch92), 'filtered'],
    [formOf(mapping('dense_vector'), {}, 8_500_000), 'full'],
    [formOf(mapping('long'), {}, elasticsearch92), 'full'],
    [
      formOf(
        mapping('dense_vector'),
        { 'index.mapping.exclude_source_vectors': 'false' },
        elasticsearch92,
      ),
      'full',
    ],
    [formOf(mapping('knn_vector'), knn, openSearch3), 'filtered'],
    [formOf(mapping('knn_vector'), { ...knn, ...off }, openSearch3), 'full'],
    [formOf(mapping('knn_vector'), knn, openSearch2), 'full'],
  ]
  for (const [i, [found, expected]] of cases.entries()) assert.equal(found, expected, `case ${i}`)
})

const index = {
  name: 'logs',
  numberOfShards: 4,
  createdVersion: 7_100_299,
  mappings: { _doc: fields },
} as unknown as IndexMetadata

/** Shard 0 is not in the snapshot, shard 1 cannot be read; the others show these samples. */
function look(samples: readonly SourceSample[]) {
  const snapshot = {
    shardFailures: [{ index: 'logs', shard: 0, reason: 'node left' }],
    openShard: async (_index: string, shard: number) => {
      if (shard === 1) throw new MigrationError('MA_BLOB_MISSING', 'no blob')
      return shard
    },
  } as unknown as Snapshot
  const shardLook = {
    sample: async (files: unknown) => samples[Number(files) - 2]!,
    count: async () => 1000,
    equalIds: async () => assert.fail('nobody asks for ids'),
    open: async () => assert.fail('no shard is opened for its fields'),
  }
  return { documents: snapshotDocuments(snapshot, shardLook), allowPartialSource: false }
}

test('a mapping that says nothing is not believed where the stored fields show otherwise', async () => {
  const cases: [SourceSample[], string, number | null][] = [
    [['whole', 'none'], 'full', null],
    [['unknown', 'unknown'], 'full', null],
    [['unknown', 'none'], 'disabled', 2000],
    [['reduced', 'whole'], 'filtered', 2000],
  ]
  for (const [samples, form, documents] of cases) {
    const planned = await planSource(look(samples), index, {})
    assert.deepEqual([planned.form, planned.documents], [form, documents])
    assert.equal(planned.refused !== undefined, form !== 'full')
    assert.equal(planned.changes.length, form === 'full' ? 0 : 1)
  }
  const allowed = { ...look(['unknown', 'none']), allowPartialSource: true }
  assert.equal((await planSource(allowed, index, {})).refused, undefined)
  const { refused } = await planSource(look(['unknown', 'none']), index, {})
  assert.match(refused!, /logs.*2,000 documents.*--allow-partial-source/)
})

test('a search for equal ids says which shard it reads, and ends when it is stopped', async () => {
  const fixtures = new URL('../../test/fixtures/', import.meta.url)
  const folder = new URL('elasticsearch-2.4.6/reduced/repository', fixtures)
  const snapshot = await (await openRepository(openBlobStore(folder.href))).openSnapshot('s1')
  const index = await snapshot.readIndexMetadata(snapshot.indices[0]!)
  const said: string[] = []
  const onShard = (name: string, done: number, total: number): void => {
    said.push(`${name} ${done}/${total}`)
  }
  await snapshotDocuments(snapshot, shardLook, { onShard }).equalIds(index, null)
  const { name, numberOfShards: total } = index
  assert.equal(said.length, total + 1)
  assert.deepEqual([said[0], said.at(-1)], [`${name} 0/${total}`, `${name} ${total}/${total}`])
  const signal = AbortSignal.abort(new Error('stopped'))
  const stopped = snapshotDocuments(snapshot, shardLook, { signal }).equalIds(index, null)
  await assert.rejects(stopped, /stopped/)
})

test('indices that engines wrote without a whole _source are found, even where the mapping says nothing', async () => {
  const fixtures = new URL('../../test/fixtures/', import.meta.url)
  const found = new Map<string, string>()
  for (const engine of readdirSync(fixtures)) {
    const folder = new URL(`${engine}/reduced/repository`, fixtures)
    if (!existsSync(folder)) continue
    const snapshot = await (await openRepository(openBlobStore(folder.href))).openSnapshot('s1')
    const documents = snapshotDocuments(snapshot, shardLook)
    const input = { documents, allowPartialSource: false }
    for (const name of snapshot.indices) {
      const metadata = await snapshot.readIndexMetadata(name)
      const settings = metadata.settings as { [name: string]: string }
      const { form, documents, refused } = await planSource(input, metadata, settings)
      const what = `${engine} ${name}: ${form}`
      assert.notEqual(form, 'full', what)
      assert.ok(documents! > 0 && refused !== undefined, what)
      found.set(`${engine} ${name}`, form)
      // What leaves nothing beside a filtered _source is known by the mapping alone.
      if (form === 'filtered' && metadata.createdVersion < 7_000_000) continue
      const silent = await planSource(input, { ...metadata, mappings: {} }, {})
      assert.notEqual(silent.form, 'full', `${what}, by its stored fields`)
    }
  }
  const forms = [...found.values()]
  for (const form of ['filtered', 'disabled', 'synthetic']) assert.ok(forms.includes(form), form)
})
