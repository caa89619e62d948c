import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeCertificates } from '../engines/certificates.ts'
import { startFileServer } from '../../test/support/file-server.ts'
import { closedPort } from '../../test/support/fault-proxy.ts'
import { startHttpRelay, type RecordedAnswer } from '../../test/support/http-relay.ts'
import { MigrationError } from '../base/errors.ts'
import type { BlobStore } from './byte-source.ts'
import { loadOptional } from '../base/optional-package.ts'
import { openBlobStore } from './open.ts'

/** Answers as Google and Azure document them, which no emulator gives, and how one logs in there. */

const folder = mkdtempSync(join(tmpdir(), 'osmigrate-cloud-'))
after(() => rmSync(folder, { recursive: true }))
const relay = await startHttpRelay(await closedPort())
after(() => relay.close())
process.env['AZURE_STORAGE_KEY'] = Buffer.from('some key').toString('base64')
delete process.env['AZURE_STORAGE_SAS_TOKEN']

const openGcs = (): BlobStore => openBlobStore('gs://bucket/a b', { gcs: { endpoint: relay.url } })
const openAzure = (): BlobStore =>
  openBlobStore('azure://account/container/a b', { azure: { endpoint: `${relay.url}/account` } })

const withCode =
  (code: string, message = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof MigrationError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.doesNotMatch(error.message, /c29tZSBrZXk|hidden/)
    return true
  }

const google = (code: number, message: string): RecordedAnswer => ({
  status: code,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { code, message, errors: [{ message, domain: 'global' }] } }),
})

const azure = (status: number, code: string): RecordedAnswer => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-ms-error-code': code },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code} it is.</Message></Error>`,
})

const refusals: {
  what: string
  open: () => BlobStore
  answer: RecordedAnswer
  code: string
  message: RegExp
}[] = [
  {
    what: 'gs://: a blob that is not there',
    open: openGcs,
    answer: { status: 404, body: 'No such object: bucket/a b/one' },
    code: 'MA_BLOB_MISSING',
    message: /no blob one in gs:\/\/bucket\/a b/,
  },
  {
    what: 'gs://: no such bucket',
    open: openGcs,
    answer: google(404, 'The specified bucket does not exist.'),
    code: 'MA_BLOB_READ',
    message: /no such bucket/,
  },
  {
    what: 'gs://: credentials that are not accepted',
    open: openGcs,
    answer: google(401, 'Invalid Credentials'),
    code: 'MA_BLOB_READ',
    message: /GOOGLE_APPLICATION_CREDENTIALS/,
  },
  {
    what: 'gs://: a missing permission',
    open: openGcs,
    answer: google(403, 'me@x does not have storage.objects.get access'),
    code: 'MA_BLOB_READ',
    message: /me@x does not have.*Storage Object Viewer/,
  },
  {
    what: 'gs://: requester pays',
    open: openGcs,
    answer: google(400, 'Bucket is a requester pays bucket but no user project provided.'),
    code: 'MA_CONFIG',
    message: /snapshot\.gcs\.project/,
  },
  {
    what: 'gs://: an answer that nobody knows',
    open: openGcs,
    answer: google(418, 'short and stout'),
    code: 'MA_BLOB_READ',
    message: /answers 418.*short and stout/,
  },
  {
    what: 'gs://: another range than was asked for',
    open: openGcs,
    answer: { status: 206, headers: { 'content-range': 'bytes 4-7/8' }, body: 'four' },
    code: 'MA_BLOB_READ',
    message: /of one were asked for, and the server answers "bytes 4-7\/8"/,
  },
  {
    what: 'azure://: a blob that is not there',
    open: openAzure,
    answer: azure(404, 'BlobNotFound'),
    code: 'MA_BLOB_MISSING',
    message: /no blob one in azure:\/\/account\/container\/a b/,
  },
  {
    what: 'azure://: no such container',
    open: openAzure,
    answer: azure(404, 'ContainerNotFound'),
    code: 'MA_BLOB_READ',
    message: /no such container/,
  },
  {
    what: 'azure://: a wrong key',
    open: openAzure,
    answer: azure(403, 'AuthenticationFailed'),
    code: 'MA_BLOB_READ',
    message: /AZURE_STORAGE_KEY/,
  },
  {
    what: 'azure://: a missing role',
    open: openAzure,
    answer: azure(403, 'AuthorizationPermissionMismatch'),
    code: 'MA_BLOB_READ',
    message: /Storage Blob Data Reader/,
  },
  {
    what: 'azure://: an account without keys',
    open: openAzure,
    answer: azure(403, 'KeyBasedAuthenticationNotPermitted'),
    code: 'MA_BLOB_READ',
    message: /log in with an identity/,
  },
  {
    what: 'azure://: an archived blob',
    open: openAzure,
    answer: azure(409, 'BlobArchived'),
    code: 'MA_BLOB_READ',
    message: /rehydrate/,
  },
]

for (const { what, open, answer, code, message } of refusals) {
  test(`${what} is told in plain words, at once`, async () => {
    relay.answer = () => answer
    relay.requests.length = 0
    await assert.rejects(open().open('one'), withCode(code, message))
    assert.equal(relay.requests.length, 1)
  })
}

for (const [name, open, busy] of [
  ['gs://', openGcs, google(503, 'We encountered an internal error.')],
  ['azure://', openAzure, azure(503, 'ServerBusy')],
] as const) {
  test(`${name}: a service that is busy is asked again`, async () => {
    let refused = 0
    relay.requests.length = 0
    relay.answer = () =>
      refused++ < 2
        ? busy
        : {
            status: 206,
            headers: { 'content-range': 'bytes 0-3/4', 'content-length': '4', etag: '"e"' },
            body: 'four',
          }
    const source = await open().open('one')
    assert.equal(source.byteLength, 4)
    assert.equal(relay.requests.length, 3)
  })

  test(`${name}: where listing is refused list() says so`, async () => {
    relay.answer = () =>
      name === 'gs://' ? google(403, 'no') : azure(403, 'AuthorizationPermissionMismatch')
    assert.equal(await open().list(''), undefined)
  })
}

test('gs://: an answer that ends too early is asked for again', async () => {
  const bodies = ['four', 'eight by']
  relay.requests.length = 0
  relay.answer = () => ({
    status: 206,
    headers: { 'content-range': 'bytes 0-7/8', 'transfer-encoding': 'chunked' },
    body: bodies[relay.requests.length - 1] ?? 'too many',
  })
  const source = await openGcs().open('one')
  assert.equal(Buffer.from(await source.read(0, 8)).toString(), 'eight by')
  assert.equal(relay.requests.length, 2)
})

test('gs://: who pays, and the range, are said in each request', async () => {
  const seen: string[] = []
  relay.answer = ({ url = '', headers }) => {
    seen.push(`${url} ${headers.range ?? '-'}`)
    return google(404, 'no')
  }
  const store = openBlobStore('gs://bucket/a b', { gcs: { endpoint: relay.url, project: 'payer' } })
  await assert.rejects(store.open('one'))
  await assert.rejects(store.list(''))
  assert.deepEqual(seen, [
    '/storage/v1/b/bucket/o/a%20b%2Fone?alt=media&userProject=payer bytes=0-65535',
    '/storage/v1/b/bucket/o?delimiter=%2F&maxResults=1000&fields=items%28name%2Csize%29%2CnextPageToken&prefix=a+b%2F&userProject=payer -',
  ])
})

test('azure://: a SAS token takes the place of the key', async () => {
  const seen: string[] = []
  relay.answer = ({ url = '', headers }) => {
    seen.push(`${url} ${headers.authorization ?? '-'}`)
    return azure(403, 'AuthenticationFailed')
  }
  writeFileSync(join(folder, 'sas'), 'sv=2026-01-01&sig=hidden\n')
  const store = openBlobStore('azure://account/container', {
    azure: { endpoint: `${relay.url}/account`, sas: `file:${join(folder, 'sas')}` },
  })
  await assert.rejects(store.open('one'), withCode('MA_BLOB_READ', /AZURE_STORAGE_SAS_TOKEN/))
  assert.match(seen[0]!, /^\/account\/container\/one\?sv=2026-01-01&sig=hidden -$/)
})

test('a certificate of an own authority is taken with snapshot.tls.ca, and logins reach the service', async (t) => {
  const certificates = join(folder, 'certs')
  await makeCertificates(certificates)
  const [cert, key] = ['node.pem', 'node-key.pem'].map((file) =>
    readFileSync(join(certificates, file)),
  )
  const server = await startFileServer(folder, { tls: { cert: cert!, key: key! } })
  t.after(() => server.close())
  // A workload identity: a token of somebody else is exchanged for one of Google.
  relay.answer = () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      access_token: 'token',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
    }),
  })
  writeFileSync(join(folder, 'subject'), 'token of the workload')
  writeFileSync(
    join(folder, 'workload.json'),
    JSON.stringify({
      type: 'external_account',
      audience:
        '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${relay.url}/token`,
      credential_source: { file: join(folder, 'subject') },
    }),
  )
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(folder, 'workload.json')
  t.after(() => delete process.env['GOOGLE_APPLICATION_CREDENTIALS'])
  const gcs = { endpoint: server.url }
  const ca = `file:${join(certificates, 'ca.pem')}`
  relay.requests.length = 0
  await assert.rejects(
    openBlobStore('gs://bucket/x', { gcs, ca }).open('one'),
    withCode('MA_BLOB_MISSING'),
  )
  assert.deepEqual(relay.requests, ['POST /token'])
  const azureOptions = { azure: { endpoint: server.url } }
  await assert.rejects(
    openBlobStore('azure://account/container', { ...azureOptions, ca }).open('one'),
    withCode('MA_BLOB_READ', /answers 404/),
  )
  const untrusted = withCode('MA_BLOB_READ', /set snapshot\.tls\.ca/)
  await assert.rejects(openBlobStore('gs://bucket/x', { gcs }).open('one'), untrusted)
  await assert.rejects(
    openBlobStore('azure://account/container', azureOptions).open('one'),
    untrusted,
  )
})

test('credentials that are no key, or lead nowhere, are MA_SECRET', async () => {
  writeFileSync(join(folder, 'hidden'), 'hidden')
  writeFileSync(join(folder, 'user'), '{"type":"authorized_user"}')
  writeFileSync(join(folder, 'key'), '{"client_email":"me@x","private_key":"hidden"}')
  const open = (credentials: string) =>
    openBlobStore('gs://bucket/x', { gcs: { credentials } }).open('one')
  await assert.rejects(open(`file:${join(folder, 'hidden')}`), withCode('MA_SECRET', /JSON with/))
  await assert.rejects(open(`file:${join(folder, 'user')}`), withCode('MA_SECRET', /JSON with/))
  await assert.rejects(open(`file:${join(folder, 'key')}`), withCode('MA_SECRET', /no token/))
  await assert.rejects(open('env:NOT_SET_AT_ALL'), withCode('MA_SECRET', /NOT_SET_AT_ALL/))
})

test('locations that name no bucket or container, or hold credentials, are refused', () => {
  const bad = ['gs://', 'gs:///x', 'gs://key:hidden@bucket/x', 'gs://bucket/a/../b']
  bad.push('azure://account', 'azure://account/', 'azure://Account/container', 'azure://a/b/c')
  bad.push('azure://account:hidden@x/container', 'azure://account/container/../x')
  for (const location of bad) {
    assert.throws(
      () => openBlobStore(location),
      (error: Error) => error instanceof MigrationError && !error.message.includes('hidden'),
      location,
    )
  }
})

test('a package that is not installed is named with the command that installs it', async () => {
  // In a text, so that nobody looks for it before.
  const load = (): Promise<unknown> => import(`${'@osmigrate'}/not-there`)
  const optional = { name: '@osmigrate/not-there', install: 'a b', neededBy: 'a test' }
  await assert.rejects(
    loadOptional(load, optional),
    withCode('MA_CONFIG', /a test needs.*npm install a b .*npx -p osmigrate -p a -p b osmigrate/),
  )
  const broken = (): Promise<unknown> => Promise.reject(new Error('its own mistake'))
  await assert.rejects(loadOptional(broken, optional), /its own mistake/)
})
