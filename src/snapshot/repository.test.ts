import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { loadBlobs, memoryStore, metadataBlob } from '../../test/support/memory-store.ts'
import type { Blobs } from '../../test/support/memory-store.ts'
import { FormatTooNew, MigrationError, Unsupported } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { openBlobStore } from '../blob/open.ts'
import { requireComplete } from './open-snapshot.ts'
import { openRepository } from './repository.ts'

const fixtures = join(import.meta.dirname, '../../test/fixtures')

/** Every repository under test/fixtures: <engine>-<version>/<set>/repository. */
const repositories = readdirSync(fixtures)
  .flatMap((engine) => (engine.includes('.md') ? [] : [engine]))
  .flatMap((engine) => readdirSync(join(fixtures, engine)).map((set) => join(engine, set)))
  .filter((path) => existsSync(join(fixtures, path, 'repository')))

const withCode = (code: string, message?: RegExp) => (error: unknown) =>
  error instanceof MigrationError && error.code === code && (message?.test(error.message) ?? true)

for (const path of repositories) {
  test(`${path}: every file of every shard is there with the checksum that the engine noted`, async () => {
    const repository = await openRepository(openBlobStore(join(fixtures, path, 'repository')))
    assert(repository.snapshots.length > 0)
    for (const listed of repository.snapshots) {
      const snapshot = await repository.openSnapshot(listed.name)
      requireComplete(snapshot, { allowPartial: true })
      const lacks = (index: string, shard: number): boolean =>
        snapshot.shardFailures.some((one) => one.index === index && one.shard === shard)
      // In a mixed repository each snapshot is named after the engine that made it.
      const [, version = ''] = /^by-([\d.]+)$/.exec(listed.name) ?? /-([\d.]+)\//.exec(path)!
      // Since 8.9 Elasticsearch notes no more than the version of the index format, which tells the release.
      const onlyMinor = /^elasticsearch-/.test(path) && /^(8\.(9|\d\d)|9)\./.test(version)
      const short = onlyMinor ? version.split('.').slice(0, 2).join('.') : version
      assert.equal(snapshot.engineVersion, short)
      if (listed.engineVersion !== undefined) assert.equal(listed.engineVersion, short)
      assert(snapshot.startTimeMs > 0 && snapshot.endTimeMs >= snapshot.startTimeMs)
      for (const index of snapshot.indices) {
        const { numberOfShards } = await snapshot.readIndexMetadata(index)
        for (let shard = 0; shard < numberOfShards; shard++) {
          if (lacks(index, shard)) continue
          const files = await snapshot.openShard(index, shard)
          const names = [...files.names()]
          assert(names.some((name) => name.startsWith('segments_')))
          for (const name of names) {
            const source = await files.open(name)
            const bytes = await source.read(0, source.byteLength)
            await source.close()
            const { checksum } = files.file(name)
            // Engines before 5.0 note none for a commit without segments.
            if (checksum === undefined && names.length === 1 && /^[12]\./.test(version)) continue
            assert.equal(crc32(bytes.subarray(0, -8)).toString(36), checksum)
          }
        }
      }
    }
  })
}

test('compressed and plain metadata, files whole and in parts, give the same', async () => {
  const [whole, parts] = await Promise.all(
    ['compressed', 'uncompressed'].map(async (set) => {
      const folder = join(fixtures, 'elasticsearch-7.10.2', set, 'repository')
      const repository = await openRepository(openBlobStore(folder))
      return repository.openSnapshot(set === 'compressed' ? 's2' : 's1')
    }),
  )
  const shard = await parts!.openShard('best', 0)
  assert([...shard.names()].some((name) => shard.file(name).blobs.length > 1))
  assert.deepEqual(await whole!.readIndexMetadata('best'), await parts!.readIndexMetadata('best'))
  assert.deepEqual(
    (await whole!.readGlobalMetadata()).indexTemplates,
    (await parts!.readGlobalMetadata()).indexTemplates,
  )
})

test('metadata of 7.10: settings flat, mappings by type, aliases, templates', async () => {
  const repository = await openRepository(
    openBlobStore(join(fixtures, 'elasticsearch-7.10.2/compressed/repository')),
  )
  const snapshot = await repository.openSnapshot('s1')
  const routed = await snapshot.readIndexMetadata('routed')
  assert.equal(routed.numberOfShards, 3)
  assert.equal(routed.numberOfRoutingShards, 768)
  assert.equal(routed.createdVersion, 7100299)
  assert.equal(routed.state, 'open')
  assert.equal(routed.settings['index.uuid'], routed.uuid)
  assert.deepEqual(Object.keys(routed.mappings), ['_doc'])
  assert.deepEqual(Object.keys(routed.aliases), ['ra'])
  const { legacyTemplates, indexTemplates, componentTemplates } =
    await snapshot.readGlobalMetadata()
  for (const templates of [legacyTemplates, indexTemplates, componentTemplates]) {
    assert(Object.keys(templates).length > 0)
  }
})

test('metadata of an index with a name of 255 bytes is that of its neighbours', async () => {
  const repository = await openRepository(
    openBlobStore(join(fixtures, 'elasticsearch-7.10.2/history/repository')),
  )
  const snapshot = await repository.openSnapshot('fifth')
  const long = await snapshot.readIndexMetadata('n'.repeat(255))
  assert.deepEqual(long.mappings, (await snapshot.readIndexMetadata('updated')).mappings)
})

test('a place that is no repository says what it found', async () => {
  const open = (names: string[]) =>
    openRepository(memoryStore(new Map(names.map((name) => [name, Buffer.from('x')]))))
  await assert.rejects(open([]), withCode('MA_REPOSITORY', /found: no files/))
  await assert.rejects(
    open(['a', 'index-abc', 'index.latest']),
    withCode('MA_REPOSITORY', /a, index/),
  )
  await assert.rejects(open(['index', 'snapshot-x']), withCode('MA_CORRUPT_DATA', /index at byte/))
})

test('the highest index-N counts, whatever index.latest says', async () => {
  const blobs = repository({ state: 1 })
  blobs.set('index-9', blobs.get('index-0')!)
  blobs.set('index-10', blobs.get('index-0')!)
  blobs.set('index-010', Buffer.from('no root'))
  blobs.set('index.latest', Buffer.from('0000000000000009', 'hex'))
  assert.equal((await openRepository(memoryStore(blobs))).generation, 10)
})

test('a newer root is FormatTooNew, an unknown field in it Unsupported', async () => {
  const open = (change: JsonObject) => openRepository(memoryStore(repository({ root: change })))
  await assert.rejects(open({ min_version: '7.13.0' }), FormatTooNew)
  await assert.rejects(open({ min_version: 8090099 }), FormatTooNew)
  await assert.rejects(open({ uuid: 'x' }), Unsupported)
})

test('an encrypted root is named as that, other bytes that are no JSON are not', async () => {
  const open = (root: Buffer, keys = 'none') =>
    openRepository(
      memoryStore(
        new Map([
          ['index-0', root],
          [`.encryption-metadata/${keys}/password`, Buffer.from('wrapped key')],
        ]),
      ),
    )
  const id = 'Aa0-_Aa0-_Aa0-_Aa0-_Aa'
  const packets = Buffer.concat([Buffer.from(id), Buffer.alloc(100, 0xe7)])
  await assert.rejects(open(packets, id), withCode('MA_UNSUPPORTED', /type `encrypted`/))
  await assert.rejects(open(packets), withCode('MA_CORRUPT_DATA'))
  for (const head of ['0180037801', '02047801', '02057801']) {
    const message = Buffer.from(head + 'e7'.repeat(100), 'hex')
    await assert.rejects(open(message), withCode('MA_UNSUPPORTED', /crypto_settings/))
  }
  await assert.rejects(open(Buffer.from('020679', 'hex')), withCode('MA_CORRUPT_DATA'))
  await assert.rejects(open(Buffer.alloc(0)), withCode('MA_CORRUPT_DATA'))
})

test('the newest root is found among thousands of blobs', async () => {
  const blobs = repository({ state: 1 })
  const root = blobs.get('index-0')!
  for (let i = 1; i < 2_500; i++)
    blobs.set(`snap-gone${i}.dat`, Buffer.alloc(1)).set(`index-${i}`, root)
  assert.equal((await openRepository(memoryStore(blobs))).generation, 2_499)
})

test('indices whose documents are not in the snapshot are refused with the reason', async () => {
  for (const [settings, reason] of [
    [{ 'index.store.type': 'snapshot' }, /searchable snapshot of Elasticsearch/],
    [{ 'index.store.type': 'remote_snapshot' }, /searchable snapshot of OpenSearch/],
    [{ 'index.source_only': 'true' }, /source-only repository/],
  ] as const) {
    const opened = await openRepository(memoryStore(repository({ state: 1, settings })))
    const snapshot = await opened.openSnapshot('snap')
    await assert.rejects(snapshot.readIndexMetadata('i'), withCode('MA_UNSUPPORTED', reason))
  }
  const plain = { 'index.store.type': 'mmapfs', 'index.source_only': 'false' }
  const opened = await openRepository(memoryStore(repository({ state: 1, settings: plain })))
  await (await opened.openSnapshot('snap')).readIndexMetadata('i')
})

test('a snapshot that does not exist is refused with the names there are', async () => {
  const opened = await openRepository(memoryStore(repository({ state: 1 })))
  await assert.rejects(opened.openSnapshot('nope'), withCode('MA_SNAPSHOT', /there is: snap/))
})

test('unfinished and incompatible snapshots are listed and refused', async () => {
  const unfinished = await openRepository(memoryStore(repository({ state: 0 })))
  assert.equal(unfinished.snapshots[0]!.state, 'IN_PROGRESS')
  await assert.rejects(unfinished.openSnapshot('snap'), withCode('MA_SNAPSHOT', /still being made/))
  const blobs = repository({ state: 1 })
  const list = { 'incompatible-snapshots': [{ name: 'ancient', uuid: 'ancient' }] }
  blobs.set('incompatible-snapshots', Buffer.from(JSON.stringify(list)))
  const upgraded = await openRepository(memoryStore(blobs))
  assert.deepEqual(
    upgraded.snapshots.map(({ name, state }) => [name, state]),
    [
      ['ancient', 'INCOMPATIBLE'],
      ['snap', 'SUCCESS'],
    ],
  )
  await assert.rejects(upgraded.openSnapshot('ancient'), withCode('MA_SNAPSHOT', /before 5.0/))
})

test('a PARTIAL snapshot opens, names its missing shards, and is refused unless allowed', async () => {
  const failures = [{ index: 'i', shard_id: 1, reason: 'disk full\n at …', status: 'INTERNAL' }]
  const blobs = repository({ state: 3, info: { state: 'PARTIAL', failures } })
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('snap')
  assert.equal(snapshot.state, 'PARTIAL')
  assert.throws(
    () => requireComplete(snapshot),
    withCode('MA_SNAPSHOT', /shard i\/1 is not in it: disk full$/m),
  )
  requireComplete(snapshot, { allowPartial: true })
  requireComplete(snapshot, { indices: ['other'] })
  assert.throws(() => requireComplete(snapshot, { indices: ['i'] }), withCode('MA_SNAPSHOT'))
  await assert.rejects(snapshot.openShard('i', 1), withCode('MA_SNAPSHOT', /disk full/))
  assert.equal((await snapshot.openShard('i', 0)).byteLength, 0)
  const failed = repository({ state: 2, info: { state: 'FAILED', failures } })
  const none = await (await openRepository(memoryStore(failed))).openSnapshot('snap')
  assert.throws(() => requireComplete(none, { allowPartial: true }), withCode('MA_SNAPSHOT'))
})

test('a snapshot without global state has empty global metadata', async () => {
  const blobs = repository({ state: 1, info: { include_global_state: false } })
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('snap')
  assert.deepEqual((await snapshot.readGlobalMetadata()).raw, {})
})

test('what the root says of a snapshot must be what the snapshot says', async () => {
  for (const info of [
    { name: 'other' },
    { uuid: 'other' },
    { state: 'PARTIAL' },
    { indices: ['i', 'j'] },
    { indices: [] },
  ]) {
    const opened = await openRepository(memoryStore(repository({ state: 1, info })))
    await assert.rejects(opened.openSnapshot('snap'), withCode('MA_CORRUPT_DATA', /root says/))
  }
  const old = await openRepository(
    memoryStore(repository({ state: 1, info: { version_id: 900399 } })),
  )
  await assert.rejects(old.openSnapshot('snap'), withCode('MA_UNSUPPORTED', /0\.90\.3/))
})

test('ids in the root that lead elsewhere are refused', async () => {
  for (const id of ['..', '.', 'a/b', '', 'a\\b', 'a\0']) {
    const root = { indices: { i: { id, snapshots: ['u'] } } }
    await assert.rejects(
      openRepository(memoryStore(repository({ root }))),
      withCode('MA_CORRUPT_DATA', /without slashes/),
    )
    const snapshots = [{ name: 'snap', uuid: id, state: 1 }]
    await assert.rejects(
      openRepository(memoryStore(repository({ root: { snapshots } }))),
      withCode('MA_CORRUPT_DATA'),
    )
  }
})

test('a snapshot without lookup in an upgraded repository follows the old rule', async () => {
  const root = {
    min_version: '7.9.0',
    snapshots: [{ name: 'snap', uuid: 'u', state: 1, index_metadata_lookup: {} }],
    index_metadata_identifiers: {},
  }
  const snapshot = await (
    await openRepository(memoryStore(repository({ root })))
  ).openSnapshot('snap')
  assert.equal((await snapshot.readIndexMetadata('i')).uuid, 'index-uuid')
})

test('a lookup that leads nowhere is CorruptData', async () => {
  for (const lookup of [{ iid: 'unknown' }, { other: 'known' }]) {
    const root = {
      min_version: '7.9.0',
      snapshots: [{ name: 'snap', uuid: 'u', state: 1, index_metadata_lookup: lookup }],
      index_metadata_identifiers: { known: 'u' },
    }
    await assert.rejects(
      openRepository(memoryStore(repository({ root }))),
      withCode('MA_CORRUPT_DATA', /index_metadata_lookup/),
    )
  }
})

test('index metadata: several types, compressed mappings, lists and closed indices', async () => {
  const compressed = Buffer.from('{"b":{"properties":{}}}').toString('base64')
  const blobs = repository({
    state: 1,
    index: {
      state: 'close',
      settings: {
        'index.number_of_shards': '5',
        'index.uuid': 'x',
        'index.version.created': '6082399',
        'index.routing_partition_size': '2',
        'index.analysis.filter.f.synonyms': ['a, b => c', 'd'],
        'index.null': null,
        'index.number': 3,
      },
      mappings: [{ a: { properties: {} } }, compressed],
    },
  })
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('snap')
  const metadata = await snapshot.readIndexMetadata('i')
  assert.deepEqual(metadata.mappings, { a: { properties: {} }, b: { properties: {} } })
  assert.equal(metadata.state, 'close')
  assert.equal(metadata.numberOfRoutingShards, 5)
  assert.equal(metadata.routingPartitionSize, 2)
  assert.deepEqual(metadata.settings['index.analysis.filter.f.synonyms'], ['a, b => c', 'd'])
  assert.equal(metadata.settings['index.number'], '3')
  assert.equal('index.null' in metadata.settings, false)
  await assert.rejects(snapshot.readIndexMetadata('j'), withCode('MA_SNAPSHOT'))
})

test('index metadata of another index, or of wrong kinds, is CorruptData', async () => {
  for (const index of [
    { settings: null },
    { state: 'ajar' },
    { routing_num_shards: -1 },
    { mappings: [3] },
    { mappings: [{ a: 3 }] },
    { aliases: { a: 3 } },
    { settings: { 'index.uuid': 'x' } },
    { settings: { 'index.uuid': {} } },
  ] as JsonObject[]) {
    const blobs = repository({ state: 1, index })
    const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('snap')
    await assert.rejects(snapshot.readIndexMetadata('i'), withCode('MA_CORRUPT_DATA'))
  }
  const blobs = repository({ state: 1 })
  blobs.set('indices/iid/meta-u.dat', metadataBlob('index-metadata', { other: {} }))
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('snap')
  await assert.rejects(snapshot.readIndexMetadata('i'), withCode('MA_CORRUPT_DATA', /index i/))
})

test('flipped bits in every byte of a root give a typed error or the same snapshot', async () => {
  const blobs = loadBlobs(join(fixtures, 'elasticsearch-7.10.2/reduced/repository'))
  const good = blobs.get('index-0')!
  const expected = await readEverything(blobs)
  for (let bit = 0; bit < good.length * 8; bit += 3) {
    const bytes = Buffer.from(good)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    blobs.set('index-0', bytes)
    try {
      assert.deepEqual(await readEverything(blobs), expected, `bit ${bit}`)
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error
    }
  }
  for (let length = 0; length < good.length; length++) {
    blobs.set('index-0', good.subarray(0, length))
    await assert.rejects(openRepository(memoryStore(blobs)), withCode('MA_CORRUPT_DATA'))
  }
})

async function readEverything(blobs: Blobs): Promise<unknown> {
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('s1')
  const indices = await Promise.all(
    snapshot.indices.map(async (index) => {
      const shard = await snapshot.openShard(index, 0)
      const files = [...shard.names()].map((name) => shard.file(name))
      return { metadata: await snapshot.readIndexMetadata(index), files }
    }),
  )
  return { ...snapshot, global: await snapshot.readGlobalMetadata(), indices, ...functions }
}

/** Functions differ from object to object. */
const functions = { readGlobalMetadata: 0, readDataStreams: 0, readIndexMetadata: 0, openShard: 0 }

/** A whole repository of one snapshot `snap` with one index `i` of one empty shard, in part replaced. */
function repository(change: {
  state?: number
  root?: JsonObject
  info?: JsonObject
  index?: JsonObject
  settings?: JsonObject
}): Blobs {
  const root: JsonObject = {
    snapshots: [{ name: 'snap', uuid: 'u', state: change.state ?? 1 }],
    indices: { i: { id: 'iid', snapshots: [{ name: 'snap', uuid: 'u' }] } },
    ...change.root,
  }
  const info: JsonObject = {
    name: 'snap',
    uuid: 'u',
    version_id: 6082399,
    indices: ['i'],
    state: 'SUCCESS',
    start_time: 1,
    end_time: 2,
    failures: [],
    ...change.info,
  }
  const index: JsonObject = {
    state: 'open',
    settings: {
      'index.uuid': 'index-uuid',
      'index.number_of_shards': '1',
      'index.version.created': '6082399',
      ...change.settings,
    },
    ...change.index,
  }
  const json = (value: Json): Buffer => Buffer.from(JSON.stringify(value))
  return new Map([
    ['index-0', json(root)],
    ['snap-u.dat', metadataBlob('snapshot', { snapshot: info })],
    ['meta-u.dat', metadataBlob('metadata', { 'meta-data': {} })],
    ['indices/iid/meta-u.dat', metadataBlob('index-metadata', { i: index })],
    ['indices/iid/0/snap-u.dat', metadataBlob('snapshot', { name: 'snap', files: [] })],
  ])
}
