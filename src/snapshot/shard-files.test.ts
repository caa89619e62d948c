import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadBlobs, memoryStore, metadataBlob } from '../../test/support/memory-store.ts'
import type { Blobs } from '../../test/support/memory-store.ts'
import { CorruptData, MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { openRepository } from './repository.ts'
import { openShardFiles } from './shard-files.ts'
import type { ShardFiles } from './snapshot.ts'

const uncompressed = join(
  import.meta.dirname,
  '../../test/fixtures/elasticsearch-7.10.2/uncompressed/repository',
)
const folder = 'indices/iid/0'
const location = { index: 'i', shard: 0, folder, snapshotUuid: 'u' }

function blobsOf(files: JsonObject[], data: { [name: string]: string } = {}): Blobs {
  return new Map<string, Uint8Array>([
    [`${folder}/snap-u.dat`, metadataBlob('snapshot', { name: 'snap', files })],
    ...Object.entries(data).map(([name, text]): [string, Buffer] => [
      `${folder}/${name}`,
      Buffer.from(text),
    ]),
  ])
}

const open = (files: JsonObject[], data?: { [name: string]: string }): Promise<ShardFiles> =>
  openShardFiles(memoryStore(blobsOf(files, data)), location)

const withCode = (code: string, message?: RegExp) => (error: unknown) =>
  error instanceof MigrationError && error.code === code && (message?.test(error.message) ?? true)

async function text(files: ShardFiles, name: string): Promise<string> {
  const source = await files.open(name)
  const bytes = await source.read(0, source.byteLength)
  await source.close()
  return Buffer.from(bytes).toString()
}

test('files lie in one blob, in parts, or in the list itself', async () => {
  const files = await open(
    [
      { name: '__a', physical_name: '_0.cfs', length: 5, checksum: 'x1', written_by: '8.7.0' },
      { name: '__b', physical_name: '_0.fdt', length: 7, part_size: 3 },
      { name: '__c', physical_name: '_0.fdx', length: 3, part_size: 3 },
      { name: 'v__d', physical_name: '_0.si', length: 2, part_size: 1, meta_hash: 'aGk=' },
      { name: '__e', physical_name: '_0.liv', length: 0, part_size: 0 },
      { name: '__f', physical_name: '_0.cfe', length: 1, part_size: '9223372036854775807' },
    ],
    {
      __a: 'whole',
      '__b.part0': 'abc',
      '__b.part1': 'def',
      '__b.part2': 'g',
      __c: 'xyz',
      __e: '',
      __f: 'f',
    },
  )
  assert.deepEqual([...files.names()], ['_0.cfs', '_0.fdt', '_0.fdx', '_0.si', '_0.liv', '_0.cfe'])
  assert.equal(await text(files, '_0.cfs'), 'whole')
  assert.equal(await text(files, '_0.fdt'), 'abcdefg')
  assert.equal(await text(files, '_0.fdx'), 'xyz')
  assert.equal(await text(files, '_0.si'), 'hi')
  assert.equal(await text(files, '_0.liv'), '')
  assert.equal(files.byteLength, 18)
  assert.deepEqual(
    { ...files.file('_0.cfs'), partBytes: 0 },
    {
      name: '_0.cfs',
      byteLength: 5,
      checksum: 'x1',
      writtenBy: '8.7.0',
      blobs: [`${folder}/__a`],
      partBytes: 0,
    },
  )
  assert.deepEqual(files.file('_0.si').blobs, [])
  assert.equal(files.file('_0.fdt').blobs.length, 3)
  await assert.rejects(files.open('_9.cfs'), withCode('MA_BLOB_MISSING', /_9\.cfs/))
})

test('a missing blob or part is named with its file, index and shard', async () => {
  const one = [{ name: '__a', physical_name: '_0.cfs', length: 5, part_size: 3 }]
  await assert.rejects(
    open(one, { '__a.part0': 'abc' }),
    withCode('MA_BLOB_MISSING', /__a\.part1 .*_0\.cfs of index i, shard 0/),
  )
  await assert.rejects(open(one, {}), withCode('MA_BLOB_MISSING', /part0/))
})

test('a blob or part of another length is CorruptData', async () => {
  const whole = [{ name: '__a', physical_name: '_0.cfs', length: 5 }]
  await assert.rejects(open(whole, { __a: 'abcd' }), CorruptData)
  await assert.rejects(open(whole, { __a: 'abcdef' }), CorruptData)
  const parts = [{ name: '__a', physical_name: '_0.cfs', length: 5, part_size: 3 }]
  for (const [first, last] of [
    ['ab', 'cde'],
    ['abc', 'd'],
    ['abc', 'def'],
  ] as const) {
    await assert.rejects(open(parts, { '__a.part0': first, '__a.part1': last }), CorruptData)
  }
})

test('a wild number of parts stops at the first missing one', async () => {
  const file = { name: '__a', physical_name: '_0.cfs', length: 2 ** 53 - 1, part_size: 1 }
  await assert.rejects(open([file]), withCode('MA_BLOB_MISSING'))
})

test('virtual files whose content is not as long as announced are CorruptData', async () => {
  for (const meta_hash of ['aGk=', '', undefined]) {
    const file: JsonObject = { name: 'v__a', physical_name: '_0.si', length: 3 }
    if (meta_hash !== undefined) file['meta_hash'] = meta_hash
    await assert.rejects(open([file]), CorruptData)
  }
})

test('hostile or broken file lists are CorruptData', async () => {
  const good = { name: '__a', physical_name: '_0.cfs', length: 1 }
  for (const change of [
    { physical_name: '../x' },
    { physical_name: '..' },
    { physical_name: '' },
    { physical_name: 'a b' },
    { physical_name: 'a\0' },
    { name: '../../x' },
    { name: '' },
    { length: -1 },
    { length: 1.5 },
    { length: '1' },
    { part_size: -1 },
    { part_size: 'x' },
    { checksum: 3 },
  ] as JsonObject[]) {
    await assert.rejects(open([{ ...good, ...change }], { __a: 'x' }), CorruptData)
  }
  await assert.rejects(open([good, good], { __a: 'x' }), /each file once/)
  await assert.rejects(open([3 as unknown as JsonObject]), CorruptData)
})

test('every blob of a real shard, removed or cut, is a typed error that names it', async () => {
  const blobs = loadBlobs(uncompressed)
  const opened = await openRepository(memoryStore(blobs))
  const snapshot = await opened.openSnapshot('s1')
  const shard = await snapshot.openShard('best', 0)
  const names = [...shard.names()].flatMap((name) => shard.file(name).blobs)
  assert(names.length > 10)
  for (const name of names) {
    const bytes = blobs.get(name)!
    blobs.delete(name)
    await assert.rejects(
      snapshot.openShard('best', 0),
      withCode('MA_BLOB_MISSING', new RegExp(name)),
    )
    blobs.set(name, bytes.subarray(0, -1))
    await assert.rejects(
      snapshot.openShard('best', 0),
      withCode('MA_CORRUPT_DATA', new RegExp(name)),
    )
    blobs.set(name, bytes)
  }
  await snapshot.openShard('best', 0)
})

test('every truncation and every flipped bit of a file list is a typed error', async () => {
  const blobs = loadBlobs(uncompressed)
  const snapshot = await (await openRepository(memoryStore(blobs))).openSnapshot('s1')
  const path = [...blobs.keys()].find((name) => /^indices\/[^/]+\/0\/snap-/.test(name))!
  const good = blobs.get(path)!
  const indexOf = new Map<string, string>()
  for (const index of snapshot.indices) {
    const shard = await snapshot.openShard(index, 0)
    const [first] = [...shard.names()].flatMap((name) => shard.file(name).blobs)
    indexOf.set(first!.split('/')[1]!, index)
  }
  const index = indexOf.get(path.split('/')[1]!)!
  for (let length = 0; length < good.length; length += 7) {
    blobs.set(path, good.subarray(0, length))
    await assert.rejects(snapshot.openShard(index, 0), MigrationError)
  }
  for (let bit = 0; bit < good.length * 8; bit += 3) {
    const bytes = Buffer.from(good)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    blobs.set(path, bytes)
    await assert.rejects(snapshot.openShard(index, 0), MigrationError)
  }
})
