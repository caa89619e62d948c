import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadBlobs, memoryStore, type Blobs } from '../../test/support/memory-store.ts'
import { MigrationError } from '../base/errors.ts'
import type { BlobStore } from '../blob/byte-source.ts'
import { openRepository } from './repository.ts'

const fixture = new URL(
  '../../test/fixtures/elasticsearch-7.10.2/compressed/repository',
  import.meta.url,
)
const load = (): Blobs => loadBlobs(fileURLToPath(fixture))

/** As a web server: blobs by name, no listing. */
function unlisted(blobs: Blobs): BlobStore {
  return { ...memoryStore(blobs), list: async () => undefined }
}

/** As S3 without s3:ListBucket: what is not there is refused like what may not be read. */
function refusing(blobs: Blobs): BlobStore {
  const store = unlisted(blobs)
  return {
    ...store,
    open: async (path) => {
      if (blobs.has(path)) return store.open(path)
      const details = { error: 'AccessDenied' }
      throw new MigrationError('MA_BLOB_READ', `${path}: access denied`, { details })
    },
  }
}

function rootName(blobs: Blobs): string {
  return [...blobs.keys()].find((name) => /^index-\d+$/.test(name))!
}

function latest(generation: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(generation))
  return bytes
}

const withCode = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof MigrationError && error.code === code && message.test(error.message)

const places = [
  ['a web server', unlisted],
  ['S3 without s3:ListBucket', refusing],
] as const

for (const [place, open] of places) {
  test(`${place}: a repository is read as where there is a listing`, async () => {
    const blobs = load()
    const expected = await openRepository(memoryStore(blobs))
    const found = await openRepository(open(blobs))
    assert.deepEqual(found.snapshots, expected.snapshots)
    assert.equal(found.generation, expected.generation)
    const snapshot = await found.openSnapshot('s1')
    const shard = await snapshot.openShard('plain', 0)
    for (const name of shard.names()) {
      const source = await shard.open(name)
      assert.equal((await source.read(0, source.byteLength)).length, shard.file(name).byteLength)
    }
  })

  test(`${place}: an index.latest that lags behind is noticed`, async () => {
    const blobs = load()
    const generation = Number(rootName(blobs).slice('index-'.length))
    blobs.set('index.latest', latest(generation - 1))
    assert.equal((await openRepository(open(blobs))).generation, generation)
  })
}

for (const version of ['1.7.5', '2.4.6']) {
  for (const [place, open] of places) {
    test(`${place}: a repository that only Elasticsearch ${version} wrote to is read`, async () => {
      const old = fileURLToPath(
        new URL(
          `../../test/fixtures/elasticsearch-${version}/compressed/repository`,
          import.meta.url,
        ),
      )
      const blobs = loadBlobs(old)
      const expected = await openRepository(memoryStore(blobs))
      const found = await openRepository(open(blobs))
      assert.deepEqual(found.snapshots, expected.snapshots)
      const snapshot = await found.openSnapshot('s1')
      for (const index of snapshot.indices) {
        const { numberOfShards } = await snapshot.readIndexMetadata(index)
        for (let shard = 0; shard < numberOfShards; shard++) {
          assert.ok((await snapshot.openShard(index, shard)).byteLength > 0)
        }
      }
    })
  }
}

test('without index.latest or with a broken one the place is refused by name', async () => {
  const blobs = load()
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(7), Buffer.alloc(9), latest(-1)]) {
    blobs.set('index.latest', bytes)
    await assert.rejects(
      openRepository(unlisted(blobs)),
      withCode('MA_REPOSITORY', /number of the newest root/),
    )
  }
  blobs.delete('index.latest')
  await assert.rejects(
    openRepository(unlisted(blobs)),
    withCode('MA_REPOSITORY', /neither index\.latest.* nor index\./),
  )
  await assert.rejects(openRepository(refusing(blobs)), withCode('MA_BLOB_READ', /access denied/))
})

test('a blob that lacks or is too short is noticed when it is opened', async () => {
  const blobs = load()
  const snapshot = await (await openRepository(unlisted(blobs))).openSnapshot('s1')
  const shard = await snapshot.openShard('plain', 0)
  const file = [...shard.names()].find((name) => shard.file(name).blobs.length > 0)!
  const blob = shard.file(file).blobs[0]!
  const bytes = blobs.get(blob)!
  blobs.set(blob, bytes.subarray(1))
  const source = await shard.open(file)
  await assert.rejects(source.read(0, 1), { code: 'MA_CORRUPT_DATA' })
  blobs.delete(blob)
  const again = await shard.open(file)
  await assert.rejects(again.read(0, 1), { code: 'MA_BLOB_MISSING' })
})
