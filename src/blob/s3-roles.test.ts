import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { openBlobStore } from './open.ts'
import { startHttpRelay } from '../../test/support/http-relay.ts'
import { closedPort } from '../../test/support/fault-proxy.ts'

/** Keys that AWS lends for a role: the services that lend them answer as recorded, and so does S3. */

const folder = mkdtempSync(join(tmpdir(), 'osmigrate-roles-'))
after(() => rmSync(folder, { recursive: true }))
const aws = await startHttpRelay(await closedPort())
after(() => aws.close())

const lent = { id: 'ASIALENTKEY', secret: 'lent secret', token: 'lent token' }
const expiry = '2999-01-01T00:00:00Z'

function stsAnswer(action: string): string {
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
    <AccessKeyId>${lent.id}</AccessKeyId><SecretAccessKey>${lent.secret}</SecretAccessKey>
    <SessionToken>${lent.token}</SessionToken><Expiration>${expiry}</Expiration>
  </Credentials></${action}Result></${action}Response>`
}

const seen: { lender: string; s3: string[] } = { lender: '', s3: [] }
aws.answer = ({ url = '', headers, method }) => {
  if (url.startsWith('/bucket/')) {
    seen.s3.push(`${headers.authorization} ${String(headers['x-amz-security-token'])}`)
    const range = { 'content-range': 'bytes 0-3/4', 'content-length': '4' }
    return { status: 206, headers: range, body: 'four' }
  }
  seen.lender = `${method} ${url}`
  if (url === '/container') {
    const keys = { AccessKeyId: lent.id, SecretAccessKey: lent.secret, Token: lent.token }
    const body = JSON.stringify({ ...keys, Expiration: expiry })
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  }
  const action = isWebIdentity ? 'AssumeRoleWithWebIdentity' : 'AssumeRole'
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: stsAnswer(action) }
}
let isWebIdentity = false

const role = 'arn:aws:iam::123456789012:role/reader'
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true'
  process.env['AWS_REGION'] = 'eu-west-1'
  process.env['AWS_ENDPOINT_URL_STS'] = aws.url
  process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'none')
  seen.s3.length = 0
  isWebIdentity = false
})

async function readWithLentKey(): Promise<void> {
  const store = openBlobStore('s3://bucket/x', { s3: { endpoint: aws.url } })
  assert.equal((await store.open('one')).byteLength, 4)
  assert.equal(seen.s3.length, 1)
  assert.match(seen.s3[0]!, /Credential=ASIALENTKEY\/.* lent token$/)
}

test('a web identity, as on EKS, is exchanged for the keys of its role', async () => {
  isWebIdentity = true
  writeFileSync(join(folder, 'token'), 'token of the workload')
  process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = join(folder, 'token')
  process.env['AWS_ROLE_ARN'] = role
  await readWithLentKey()
  assert.equal(seen.lender, 'POST /')
})

test('the role of a profile is assumed with the keys of another', async () => {
  mkdirSync(join(folder, 'aws'), { recursive: true })
  const config = join(folder, 'aws', 'config')
  writeFileSync(
    config,
    `[profile base]\naws_access_key_id = own\naws_secret_access_key = own secret\n` +
      `[profile reader]\nrole_arn = ${role}\nsource_profile = base\nregion = eu-west-1\n`,
  )
  process.env['AWS_CONFIG_FILE'] = config
  process.env['AWS_PROFILE'] = 'reader'
  await readWithLentKey()
  assert.equal(seen.lender, 'POST /')
})

test('the role of a container is had from its agent', async () => {
  process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${aws.url}/container`
  await readWithLentKey()
  assert.equal(seen.lender, 'GET /container')
})
