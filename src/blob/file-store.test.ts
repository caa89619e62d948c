import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { CorruptData, MigrationError } from '../base/errors.ts'
import { openBlobStore } from './open.ts'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'osmigrate-blob-'))
  mkdirSync(join(folder, 'sub dir'))
  writeFileSync(join(folder, 'one'), '0123456789')
  writeFileSync(join(folder, 'empty'), '')
  writeFileSync(join(folder, 'sub dir', 'two'), 'abc')
})
after(() => rmSync(folder, { recursive: true }))

const withCode = (code: string, message?: RegExp) => (error: unknown) =>
  error instanceof MigrationError && error.code === code && (message?.test(error.message) ?? true)

test('a store is opened by absolute path, relative path and file URL', async () => {
  const url = `${pathToFileURL(folder).href}/sub%20dir`
  for (const location of [folder, relative(process.cwd(), folder), pathToFileURL(folder).href]) {
    assert.deepEqual(await openBlobStore(location).list(''), [
      { name: 'empty', byteLength: 0 },
      { name: 'one', byteLength: 10 },
    ])
  }
  assert.deepEqual(await openBlobStore(url).list(''), [{ name: 'two', byteLength: 3 }])
})

test('a location that is no folder or of another scheme is refused by name', () => {
  assert.throws(
    () => openBlobStore(join(folder, 'nothing')),
    withCode('MA_REPOSITORY', /no folder/),
  )
  assert.throws(() => openBlobStore(join(folder, 'one')), withCode('MA_REPOSITORY', /is a file/))
  assert.throws(() => openBlobStore('ftp://host/path'), withCode('MA_CONFIG', /ftp:\/\//))
  assert.throws(
    () => openBlobStore('s3://bucket/a/../b'),
    withCode('MA_CONFIG', /PREFIX .* base_path/),
  )
  assert.throws(() => openBlobStore('file://host/path'), withCode('MA_CONFIG', /three slashes/))
  assert.throws(() => openBlobStore(''), withCode('MA_CONFIG'))
})

test('list() gives the files of a folder; a missing folder is empty', async () => {
  const store = openBlobStore(folder)
  assert.deepEqual(await store.list('sub dir'), [{ name: 'two', byteLength: 3 }])
  assert.deepEqual(await store.list('nothing/at/all'), [])
  assert.deepEqual(await store.list('one'), [])
})

test('read() gives exactly the range, into given memory too', async () => {
  const source = await openBlobStore(folder).open('one')
  assert.equal(source.byteLength, 10)
  assert.equal(String(await source.read(3, 4)), '3456')
  assert.equal((await source.read(10, 0)).length, 0)
  const into = new Uint8Array(6).fill(0x2e)
  const view = await source.read(0, 2, into)
  assert.equal(view.length, 2)
  assert.equal(view.buffer, into.buffer)
  assert.equal(Buffer.from(into).toString(), '01....')
  await source.close()
})

test('read() outside the blob is CorruptData, without allocating', async () => {
  const source = await openBlobStore(folder).open('one')
  for (const [offset, length] of [
    [0, 11],
    [11, 0],
    [-1, 1],
    [0, -1],
    [0, 2 ** 52],
    [0.5, 1],
    [NaN, 1],
  ] as const) {
    await assert.rejects(source.read(offset, length), CorruptData)
  }
  await source.close()
})

test('a blob that is missing, or a folder, is MA_BLOB_MISSING', async () => {
  const store = openBlobStore(folder)
  await assert.rejects(store.open('nothing'), withCode('MA_BLOB_MISSING', /nothing/))
  await assert.rejects(store.open('sub dir'), withCode('MA_BLOB_MISSING'))
  await assert.rejects(store.open('one/two'), withCode('MA_BLOB_MISSING'))
})

test('names that lead out of the folder are refused', async () => {
  const store = openBlobStore(join(folder, 'sub dir'))
  for (const name of [
    '../one',
    '/etc/passwd',
    'a/../../one',
    './two',
    'a//two',
    '',
    'two\0',
    '..',
  ]) {
    await assert.rejects(store.open(name), CorruptData)
    if (name !== '') await assert.rejects(store.list(name), CorruptData)
  }
})

test('a pipe is not opened: reading it would wait for ever', async () => {
  execFileSync('mkfifo', [join(folder, 'sub dir', 'pipe')])
  const store = openBlobStore(folder)
  await assert.rejects(store.open('sub dir/pipe'), withCode('MA_BLOB_MISSING'))
  assert.deepEqual(await store.list('sub dir'), [{ name: 'two', byteLength: 3 }])
})

test('a blob that becomes shorter while it is read is CorruptData', async () => {
  writeFileSync(join(folder, 'sub dir', 'shrinking'), '0123456789')
  const source = await openBlobStore(folder).open('sub dir/shrinking')
  await source.read(0, 10)
  truncateSync(join(folder, 'sub dir', 'shrinking'), 4)
  await assert.rejects(source.read(0, 10), /became shorter/)
  assert.equal(String(await source.read(0, 4)), '0123')
  await source.close()
})

test('more blobs than may be open at once are read, again and again and at once', async () => {
  const many = mkdtempSync(join(folder, 'many-'))
  for (let i = 0; i < 150; i++) writeFileSync(join(many, `b${i}`), `blob ${i}`)
  const store = openBlobStore(many)
  const sources = await Promise.all(Array.from({ length: 150 }, (_, i) => store.open(`b${i}`)))
  for (let round = 0; round < 2; round++) {
    const texts = await Promise.all(sources.map(async (s) => String(await s.read(0, s.byteLength))))
    assert.deepEqual(
      texts,
      Array.from({ length: 150 }, (_, i) => `blob ${i}`),
    )
  }
  await Promise.all(sources.map((source) => source.close()))
})

test('what may not be read says for which user and what to do', { skip: noUser() }, async () => {
  const locked = join(folder, 'locked')
  mkdirSync(join(locked, 'dir'), { recursive: true })
  writeFileSync(join(locked, 'file'), 'x')
  chmodSync(locked, 0o755)
  chmodSync(folder, 0o755)
  chmodSync(join(locked, 'file'), 0)
  chmodSync(join(locked, 'dir'), 0)
  await asNobody(async () => {
    const store = openBlobStore(locked)
    const source = await store.open('file')
    await assert.rejects(
      source.read(0, 1),
      withCode('MA_BLOB_READ', /may not be read by user .*uid/),
    )
    await assert.rejects(store.list('dir'), withCode('MA_BLOB_READ', /list/))
    await assert.rejects(store.open('dir/x'), withCode('MA_BLOB_READ'))
  })
  chmodSync(join(locked, 'dir'), 0o700)
})

function noUser(): string | false {
  return process.geteuid === undefined ? 'no users on this platform' : false
}

/** Root may read everything, so as root the test becomes another user for a moment. */
async function asNobody(run: () => Promise<void>): Promise<void> {
  if (process.geteuid!() !== 0) return run()
  process.seteuid!(65534)
  try {
    await run()
  } finally {
    process.seteuid!(0)
  }
}
