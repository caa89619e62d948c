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

test('names that lead elsewhere, and snapshots that are not there, are refused', async () => {
  for (const [name, code] of [
    ['../s1', 'MA_CORRUPT_DATA'],
    ['', 'MA_CORRUPT_DATA'],
    ['gone', 'MA_BLOB_MISSING'],
  ] as const) {
    const blobs = load('2.4.6').set('index', Buffer.from(JSON.stringify({ snapshots: [name] })))
    await assert.rejects(openRepository(memoryStore(blobs)), withCode(code, /index|gone/))
  }
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
