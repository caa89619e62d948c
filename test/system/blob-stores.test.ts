import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { CorruptData, MigrationError } from '../../src/base/errors.ts'
import type { BlobStore } from '../../src/blob/byte-source.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { readAhead } from '../../src/blob/read-ahead.ts'
import { makeCertificates } from '../../src/engines/certificates.ts'
import { s3Credentials } from '../../src/engines/services.ts'
import { azureAccount, uploadToAzure, useAzurite, useFakeGcs } from '../support/cloud-emulators.ts'
import { useEngine } from '../support/engines.ts'
import { closedPort, startFaultProxy } from '../support/fault-proxy.ts'
import { startFileServer } from '../support/file-server.ts'
import { startHttpRelay, type HttpRelay, type RecordedAnswer } from '../support/http-relay.ts'
import { loadBlobs, memoryStore } from '../support/memory-store.ts'

/**
 * One contract for every place that blobs are kept in. S3 is s3proxy and Azure is Azurite, which check signatures; Google
 * Cloud Storage is fake-gcs-server, which knows no logins.
 */

const world = mkdtempSync(join(tmpdir(), 'osmigrate-stores-'))
after(() => rmSync(world, { recursive: true }))
/** More than a page of any service. */
const manyBlobs = 1_100
const big = randomBytes(9 * 1024 * 1024 + 17)
const folder = makeWorld()

function makeWorld(): string {
  const place = join(world, 'snap', 'team', 'a repository')
  mkdirSync(join(place, 'indices', 'x'), { recursive: true })
  mkdirSync(join(place, 'many'))
  writeFileSync(join(place, 'one'), '0123456789')
  writeFileSync(join(place, 'empty'), '')
  writeFileSync(join(place, 'big'), big)
  writeFileSync(join(place, 'indices', 'x', 'two'), 'abc')
  for (let i = 0; i < manyBlobs; i++) writeFileSync(join(place, 'many', `blob-${i}`), `${i}`)
  // As root the engine is another user.
  for (const path of [world, join(world, 'snap'), join(world, 'snap/team')]) chmodSync(path, 0o755)
  return place
}

process.env['AWS_ACCESS_KEY_ID'] = s3Credentials.accessKeyId
process.env['AWS_SECRET_ACCESS_KEY'] = s3Credentials.secretAccessKey
process.env['AWS_EC2_METADATA_DISABLED'] = 'true'
for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_SESSION_TOKEN']) {
  delete process.env[name]
}

process.env['AZURE_STORAGE_KEY'] = azureAccount.key
delete process.env['AZURE_STORAGE_SAS_TOKEN']

const s3 = await useEngine('s3', '4', { settings: { 'jclouds.filesystem.basedir': world } })
const [azure, gcs, web] = await Promise.all([
  useAzurite(),
  useFakeGcs(world),
  startFileServer(folder),
])
await uploadToAzure(azure.url, world)
after(() => web.close())
const location = 's3://snap/team/a repository'
const openS3 = (endpoint = s3.url, place = location): BlobStore =>
  openBlobStore(place, { s3: { endpoint } })
const azurePath = `/${azureAccount.name}`
const azureLocation = `azure:/${azurePath}/snap/team/a repository`
const openAzure = (endpoint = azure.url, place = azureLocation): BlobStore =>
  openBlobStore(place, { azure: { endpoint } })
const openGcs = (endpoint = gcs.url, place = 'gs://snap/team/a repository'): BlobStore =>
  openBlobStore(place, { gcs: { endpoint } })

/** Stores over the network; `open` reaches them by another way, such as one through a proxy. */
const farStores: {
  name: string
  port: number
  skip: string | false
  open: (url: string) => BlobStore
}[] = [
  { name: 's3://', port: s3.port, skip: false, open: openS3 },
  { name: 'gs://', port: gcs.port, skip: gcs.skip, open: openGcs },
  {
    name: 'azure://',
    port: azure.port,
    skip: false,
    open: (url) => openAzure(`${url}${azurePath}`),
  },
  { name: 'http://', port: web.port, skip: false, open: (url) => openBlobStore(url) },
]

const stores: { name: string; store: BlobStore; lists: boolean; skip: string | false }[] = [
  { name: 'a folder', store: openBlobStore(folder), lists: true, skip: false },
  ...farStores.map(({ name, port, skip, open }) => ({
    name,
    store: open(`http://127.0.0.1:${port}`),
    lists: name !== 'http://',
    skip,
  })),
  { name: 'memory', store: memoryStore(loadBlobs(folder)), lists: true, skip: false },
]

const withCode =
  (code: string, message = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof MigrationError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }

async function readText(store: BlobStore, blob: string): Promise<string> {
  const source = await store.open(blob)
  const text = Buffer.from(await source.read(0, source.byteLength)).toString()
  await source.close()
  return text
}

for (const { name, store, lists, skip } of stores) {
  test(
    `${name}: list() gives the blobs of a folder, of more than one page too`,
    { skip },
    async () => {
      if (!lists) {
        assert.equal(await store.list(''), undefined)
        return
      }
      assert.deepEqual(await store.list(''), [
        { name: 'big', byteLength: big.length },
        { name: 'empty', byteLength: 0 },
        { name: 'one', byteLength: 10 },
      ])
      assert.deepEqual(await store.list('indices/x'), [{ name: 'two', byteLength: 3 }])
      assert.deepEqual(await store.list('indices'), [])
      assert.deepEqual(await store.list('nothing/at/all'), [])
      const many = (await store.list('many'))!
      assert.equal(many.length, manyBlobs)
      assert.deepEqual(
        many.map((entry) => entry.name),
        Array.from({ length: manyBlobs }, (_, i) => `blob-${i}`).sort(),
      )
    },
  )

  test(`${name}: read() gives exactly the range, into given memory too`, { skip }, async () => {
    const source = await store.open('one')
    assert.equal(source.byteLength, 10)
    assert.equal(Buffer.from(await source.read(3, 4)).toString(), '3456')
    assert.equal((await source.read(10, 0)).length, 0)
    const into = new Uint8Array(6).fill(0x2e)
    assert.equal((await source.read(0, 2, into)).length, 2)
    assert.equal(Buffer.from(into).toString(), '01....')
    await source.close()
    assert.equal(await readText(store, 'indices/x/two'), 'abc')
    assert.equal(await readText(store, 'empty'), '')
  })

  test(
    `${name}: long reads, announced reads and many at once give the same bytes`,
    { skip },
    async () => {
      const source = await store.open('big')
      assert.equal(source.byteLength, big.length)
      assert.ok(big.equals(await source.read(0, big.length)))
      const piece = 700_001
      const starts = Array.from({ length: 13 }, (_, i) => i * piece)
      const rangeOf = (at: number): Buffer => big.subarray(at, at + piece)
      const parts = await Promise.all(starts.map((at) => source.read(at, rangeOf(at).length)))
      parts.forEach((part, i) => assert.ok(rangeOf(starts[i]!).equals(part)))
      const ahead = readAhead(source)
      ahead.expectReads!(0, big.length)
      for (const at of starts)
        assert.ok(rangeOf(at).equals(await ahead.read(at, rangeOf(at).length)))
      await source.close()
    },
  )

  test(`${name}: read() outside the blob is CorruptData, without asking`, { skip }, async () => {
    const source = await store.open('one')
    for (const [offset, length] of [
      [0, 11],
      [11, 0],
      [-1, 1],
      [0, 2 ** 52],
      [0.5, 1],
    ] as const) {
      await assert.rejects(source.read(offset, length), CorruptData)
    }
    await source.close()
  })

  test(`${name}: a blob that is missing is MA_BLOB_MISSING, naming it`, { skip }, async () => {
    await assert.rejects(store.open('nothing'), withCode('MA_BLOB_MISSING', /nothing/))
    await assert.rejects(store.open('indices/x/none'), withCode('MA_BLOB_MISSING', /none/))
  })

  if (name === 'memory') continue
  test(`${name}: names that lead out of the repository are refused`, { skip }, async () => {
    for (const path of ['../one', '/one', 'a/../../one', './one', 'a//one', '', 'one\0', '..']) {
      await assert.rejects(store.open(path), CorruptData)
    }
  })
}

// Most of their time is the waits between attempts.
void describe('broken networks', { concurrency: true }, () => {
  for (const { name, port, skip, open } of farStores) {
    void test(
      `${name}: answers that break off are asked for again, as often as the limit`,
      { skip },
      async () => {
        const proxy = await startFaultProxy(port)
        let cuts = 0
        const isBig = (line: string): boolean => /[/%]\w*big/.test(line)
        proxy.fault = (line) => (isBig(line) && cuts++ < 3 ? 'cut' : 'none')
        const store = open(proxy.url)
        const source = await store.open('big')
        assert.ok(big.equals(await source.read(0, big.length)))
        assert.ok(cuts > 3)
        proxy.fault = (line) => (isBig(line) ? 'cut' : 'none')
        await assert.rejects(
          source.read(200_000, 100_000),
          withCode('MA_BLOB_READ', /tried 5 times/),
        )
        await source.close()
        await proxy.close()
      },
    )

    void test(`${name}: a read that is given up leaves the others alone`, { skip }, async () => {
      const proxy = await startFaultProxy(port)
      const store = open(proxy.url)
      const [one, other] = await Promise.all([store.open('big'), store.open('big')])
      const reading = other.read(0, big.length)
      const givenUp = one.read(0, big.length)
      await Promise.all([
        one.close(),
        assert.rejects(givenUp, withCode('MA_BLOB_READ', /closed while it was read/)),
      ])
      assert.ok(big.equals(await reading))
      const asked = proxy.sent().match(/range: bytes=/gi)!.length
      // Two heads, and each piece of nine megabytes once for each reader: nothing was asked for again.
      assert.ok(asked <= 2 + 2 * 3, `${asked} ranges were asked for`)
      await other.close()
      await proxy.close()
    })

    void test(`${name}: a store that nobody serves is named`, { skip }, async () => {
      const url = `http://127.0.0.1:${await closedPort()}`
      await assert.rejects(
        open(url).open('one'),
        withCode('MA_BLOB_READ', /nothing listens there.*tried 5 times/),
      )
    })
  }
})

test('a web server that knows no ranges is named, and still gives short blobs', async (t) => {
  const server = await startFileServer(folder, { ranges: false })
  t.after(() => server.close())
  const store = openBlobStore(server.url)
  assert.equal(await readText(store, 'one'), '0123456789')
  await assert.rejects(store.open('big'), withCode('MA_BLOB_READ', /does not know range requests/))
})

test('a web server with a certificate of its own authority is read with snapshot.tls.ca', async (t) => {
  const certificates = join(world, 'certs')
  await makeCertificates(certificates)
  const [cert, key] = ['node.pem', 'node-key.pem'].map((file) => {
    return readFileSync(join(certificates, file))
  })
  const server = await startFileServer(folder, { tls: { cert: cert!, key: key! } })
  t.after(() => server.close())
  const ca = `file:${join(certificates, 'ca.pem')}`
  assert.equal(await readText(openBlobStore(server.url, { ca }), 'one'), '0123456789')
  await assert.rejects(
    openBlobStore(server.url).open('one'),
    withCode('MA_BLOB_READ', /set snapshot\.tls\.ca/),
  )
  // No S3 service, so what it answers is refused: but its certificate is taken.
  const options = { s3: { endpoint: server.url } }
  await assert.rejects(
    openBlobStore('s3://snap', { ...options, ca }).open('one'),
    withCode('MA_BLOB_READ', /answers 404/),
  )
  await assert.rejects(
    openBlobStore('s3://snap', options).open('one'),
    withCode('MA_BLOB_READ', /set snapshot\.tls\.ca/),
  )
})

test('a wrong key, no key and a bucket that is not there are told in plain words', async (t) => {
  const restore = { ...process.env }
  t.after(() => Object.assign(process.env, restore))
  await assert.rejects(
    openS3(s3.url, 's3://no-such-bucket/x').open('one'),
    withCode('MA_BLOB_READ', /there is no such bucket/),
  )
  process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong'
  const refused = withCode('MA_BLOB_READ', /secret does not belong to the access key/)
  await assert.rejects(openS3().open('one'), refused)
  await assert.rejects(openS3().list(''), refused)
  process.env['AWS_ACCESS_KEY_ID'] = 'unknown'
  await assert.rejects(
    openS3().open('one'),
    withCode('MA_BLOB_READ', /the access key is not known there/),
  )
  delete process.env['AWS_ACCESS_KEY_ID']
  process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(world, 'none')
  await assert.rejects(openS3().open('one'), withCode('MA_SECRET', /no credentials were found/))
})

test('the keys of a profile are used, and its absence is told', async (t) => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env
  t.after(() => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY })
    delete process.env['AWS_PROFILE']
  })
  const file = join(world, 'credentials')
  const { accessKeyId, secretAccessKey } = s3Credentials
  writeFileSync(
    file,
    `[team]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
  )
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name]
  process.env['AWS_CONFIG_FILE'] = join(world, 'no-config')
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = file
  process.env['AWS_PROFILE'] = 'team'
  assert.equal(await readText(openS3(), 'one'), '0123456789')
  process.env['AWS_PROFILE'] = 'other'
  await assert.rejects(openS3().open('one'), withCode('MA_SECRET', /no credentials were found/))
})

const xml = (code: string, message = code, more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`

/** Answers as Amazon documents them, which s3proxy does not give. */
const recorded: { answer: RecordedAnswer; message: RegExp }[] = [
  {
    answer: {
      status: 301,
      headers: { 'x-amz-bucket-region': 'eu-west-1' },
      body: xml('PermanentRedirect', 'The bucket you are attempting to access …'),
    },
    message: /region eu-west-1: set snapshot\.s3\.region/,
  },
  {
    answer: {
      status: 400,
      body: xml(
        'AuthorizationHeaderMalformed',
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'",
        '<Region>eu-central-1</Region>',
      ),
    },
    message: /region eu-central-1: set snapshot\.s3\.region/,
  },
  { answer: { status: 403, body: xml('AccessDenied') }, message: /s3:GetObject.*s3:ListBucket/ },
  { answer: { status: 400, body: xml('ExpiredToken') }, message: /credentials have expired/ },
  { answer: { status: 403, body: xml('RequestTimeTooSkewed') }, message: /clock of this machine/ },
  { answer: { status: 403, body: xml('InvalidObjectState') }, message: /archived/ },
  { answer: { status: 404, body: xml('NoSuchBucket') }, message: /no such bucket/ },
  { answer: { status: 418, body: xml('Teapot', 'short and stout') }, message: /418 Teapot/ },
]

async function relay(t: { after(done: () => Promise<void>): void }): Promise<HttpRelay> {
  const started = await startHttpRelay(s3.port)
  t.after(() => started.close())
  return started
}

test('what S3 refuses is told in plain words, with what to do', async (t) => {
  const between = await relay(t)
  for (const { answer, message } of recorded) {
    between.answer = () => answer
    await assert.rejects(openS3(between.url).open('one'), withCode('MA_BLOB_READ', message))
  }
})

test('an S3 service that is busy is asked again', async (t) => {
  const between = await relay(t)
  let busy = 2
  between.answer = () => (busy-- > 0 ? { status: 503, body: xml('SlowDown') } : undefined)
  assert.equal(await readText(openS3(between.url), 'one'), '0123456789')
  assert.equal(between.requests.length, 3)
})

test('where listing is refused, list() says so and blobs are still read', async (t) => {
  const between = await relay(t)
  between.answer = ({ url = '' }) =>
    url.includes('list-type=2') ? { status: 403, body: xml('AccessDenied') } : undefined
  const store = openS3(between.url)
  assert.equal(await store.list(''), undefined)
  assert.equal(await readText(store, 'one'), '0123456789')
})

test('what is listed is opened without a request, what is short is read with one', async (t) => {
  const between = await relay(t)
  const store = openS3(between.url)
  await readText(store, 'one')
  assert.equal(between.requests.length, 1)
  await store.list('')
  const source = await store.open('big')
  assert.equal(source.byteLength, big.length)
  assert.equal(between.requests.length, 2)
  await source.close()
})

test('S3: later ranges are signed by ourselves, and what is refused then is asked of the SDK', async (t) => {
  const odd = "odd é+c (1)!'*"
  mkdirSync(join(world, 'snap', odd))
  writeFileSync(join(world, 'snap', odd, 'a b+ü'), big)
  const between = await relay(t)
  const source = await openS3(between.url, `s3://snap/${odd}`).open('a b+ü', {
    byteLength: big.length,
  })
  const readAt = async (at: number): Promise<void> =>
    assert.ok(big.subarray(at, at + 50_000).equals(await source.read(at, 50_000)))
  const bySdk = (): boolean[] => between.requests.map((one) => one.includes('x-id=GetObject'))
  for (let at = 0; at < 3_000_000; at += 1_000_000) await readAt(at)
  assert.deepEqual(bySdk(), [true, false, false])
  between.answer = () => (between.requests.length === 4 ? { status: 403 } : undefined)
  for (let at = 3_000_000; at < 5_000_000; at += 1_000_000) await readAt(at)
  assert.deepEqual(bySdk().slice(3), [false, true, false])
  await source.close()
})

test('small reads side by side are one request, announced ones one a window', async (t) => {
  const between = await relay(t)
  const store = openS3(between.url)
  await store.list('')
  const source = await store.open('big')
  between.requests.length = 0
  for (let at = 1_000_000; at < 1_100_000; at += 10_000) {
    assert.ok(big.subarray(at, at + 16).equals(await source.read(at, 16)))
  }
  assert.equal(between.requests.length, 1)
  between.requests.length = 0
  const ahead = readAhead(source)
  ahead.expectReads!(0, big.length)
  for (let at = 0; at < big.length; at += 1 << 20) {
    const length = Math.min(1 << 20, big.length - at)
    assert.ok(big.subarray(at, at + length).equals(await ahead.read(at, length)))
  }
  // 9 MB and 17 bytes, in windows of 4 MB.
  assert.equal(between.requests.length, 3)
  await source.close()
})

test('a location that names no bucket, or holds credentials, is refused', () => {
  for (const bad of ['s3://', 's3:///x', 's3://key:secret@bucket/x', 's3://bucket/a/../b']) {
    assert.throws(() => openBlobStore(bad), MigrationError, bad)
  }
  for (const bad of ['https://user:secret@host/x', 'https://host/x?sig=secret', 'http://']) {
    assert.throws(
      () => openBlobStore(bad),
      (error: Error) => error instanceof MigrationError && !error.message.includes('secret'),
    )
  }
})
