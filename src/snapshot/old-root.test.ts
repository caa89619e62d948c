import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadBlobs, memoryStore } from '../../test/support/memory-store.ts'
import { MigrationError } from '../base/errors.ts'
import { openRepository } from './repository.ts'

const fixtures = join(import.meta.dirname, '../../test/fixtures')
const load = (version: string, set = 'uncompressed') =>
  loadBlobs(join(fixtures, `elasticsearch-${version}`, set, 'repository'))

const withCode = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof MigrationError && error.code === code && message.test(error.message)

test('2.x leaves the snapshots of 1.x as they are: one repository holds both', async () => {
  const blobs = load('2.4.6')
  const bare = Buffer.from(load('1.7.5').get('snapshot-s1')!)
    .toString('utf8')
    .replace('"s1"', '"old"')
  blobs.set('snapshot-old', Buffer.from(bare))
  blobs.set('index', Buffer.from('{"snapshots":["s1","old"]}'))
  const { snapshots, generation } = await openRepository(memoryStore(blobs))
  assert.equal(generation, undefined)
  assert.deepEqual(snapshots, [
    { name: 'old', uuid: 'old', state: 'SUCCESS', engineVersion: '1.7.5', indices: ['nested'] },
    { name: 's1', uuid: 's1', state: 'SUCCESS', engineVersion: '2.4.6', indices: ['nested'] },
  ])
})

test('what an engine since 5.0 wrote counts, not the old root beside it', async () => {
  const blobs = load('5.6.16')
  blobs.set('index', Buffer.from('{"snapshots":["gone"]}'))
  const { snapshots } = await openRepository(memoryStore(blobs))
  assert.deepEqual(
    snapshots.map(({ name }) => name),
    ['s1'],
  )
})

test('names that lead elsewhere are refused', async () => {
  for (const name of ['../s1', '']) {
    const blobs = load('2.4.6').set('index', Buffer.from(JSON.stringify({ snapshots: [name] })))
    await assert.rejects(openRepository(memoryStore(blobs)), withCode('MA_CORRUPT_DATA', /index/))
  }
})

for (const version of ['1.7.5', '2.4.6']) {
  test(`${version}: snapshots that are damaged or not there are listed so, and the others are read`, async () => {
    const blobs = load(version)
    const prefix = version === '1.7.5' ? 'snapshot-' : 'snap-'
    const path = [...blobs.keys()].find((name) => name.startsWith(`${prefix}s1`))!
    const cut = path.replace('s1', 'cut')
    blobs.set(cut, blobs.get(path)!.subarray(0, 40))
    blobs.set('index', Buffer.from('{"snapshots":["cut","gone","s1"]}'))
    const repository = await openRepository(memoryStore(blobs))
    assert.deepEqual(
      repository.snapshots.map(({ name, state }) => [name, state]),
      [
        ['cut', 'DAMAGED'],
        ['gone', 'DAMAGED'],
        ['s1', 'SUCCESS'],
      ],
    )
    assert.match(repository.snapshots[0]!.damage!, new RegExp(cut))
    await assert.rejects(repository.openSnapshot('cut'), withCode('MA_CORRUPT_DATA', /cut/))
    await assert.rejects(repository.openSnapshot('gone'), withCode('MA_BLOB_MISSING', /gone/))
    assert.equal((await repository.openSnapshot('s1')).state, 'SUCCESS')
  })
}

test('a place that cannot be reached is no damage of a snapshot', async () => {
  const blobs = load('2.4.6')
  const store = memoryStore(blobs)
  const away = new MigrationError('MA_BLOB_READ', 'nothing listens there', { retryable: true })
  const open: typeof store.open = async (path) => {
    if (path.startsWith('snap-')) throw away
    return store.open(path)
  }
  await assert.rejects(openRepository({ ...store, open }), (error) => error === away)
})

test('every byte of the bare metadata of 1.x cut or flipped: a typed error or a snapshot', async () => {
  const whole = load('1.7.5', 'compressed')
  for (const path of ['index', 'snapshot-s1', 'metadata-s1', 'indices/nested/snapshot-s1']) {
    const bytes = whole.get(path)!
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Buffer.from(bytes)
      flipped[i]! ^= 1 << (i & 7)
      for (const broken of [flipped, bytes.subarray(0, i)]) {
        try {
          const repository = await openRepository(memoryStore(new Map(whole).set(path, broken)))
          const snapshot = await repository.openSnapshot('s1')
          await snapshot.readGlobalMetadata()
          await snapshot.readIndexMetadata('nested')
        } catch (error) {
          assert.ok(error instanceof MigrationError, `${path} byte ${i}: ${String(error)}`)
        }
      }
    }
  }
})

test('metadata of 1.x that tells of too few shards is refused', async () => {
  const blobs = load('1.7.5')
  const path = 'indices/nested/snapshot-s1'
  blobs.set('indices/nested/1/snapshot-s1', blobs.get('indices/nested/0/snapshot-s1')!)
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('s1')
  await assert.rejects(
    snapshot.readIndexMetadata('nested'),
    withCode('MA_CORRUPT_DATA', new RegExp(`${path}.*shard 1 is there too`)),
  )
})
