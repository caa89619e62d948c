import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketFormOf, type SentRequest } from './s3-range.ts'
import { signedGetHeaders } from './s3-signature.ts'

const scope = '20260102/eu-north-1/s3/aws4_request'

function sent(path: string, authorization: string): SentRequest {
  return { protocol: 'https:', hostname: 'host', path, headers: { authorization } }
}

const signedBy = (start: string): string => `${start}, SignedHeaders=host, Signature=00`
const usual = signedBy(`AWS4-HMAC-SHA256 Credential=KEY/${scope}`)

test('the form of a bucket is that of the request that the SDK has sent', () => {
  const key = "a b/c+d/é'(1)!*"
  const path = 'a%20b/c%2Bd/%C3%A9%27%281%29%21%2A'
  const region = 'eu-north-1'
  assert.deepEqual(bucketFormOf(sent(`/${path}`, usual), key), {
    ...{ origin: 'https://host', base: '/', region },
  })
  assert.deepEqual(bucketFormOf({ ...sent(`/bucket/${path}`, usual), port: 9000 }, key), {
    ...{ origin: 'https://host:9000', base: '/bucket/', region },
  })
})

test('what is signed in another way, or encoded in another way, stays with the SDK', () => {
  const others = [
    signedBy('AWS4-HMAC-SHA256 Credential=KEY/20260102/eu-north-1/s3express/aws4_request'),
    signedBy('AWS4-ECDSA-P256-SHA256 Credential=KEY/20260102/s3/aws4_request'),
    '',
  ]
  for (const other of others) assert.equal(bucketFormOf(sent('/key', other), 'key'), undefined)
  assert.equal(bucketFormOf(sent('/a+b', usual), 'a b'), undefined)
})

test('the token of a role is signed with the rest', () => {
  const get = { host: 'host', path: '/key', region: 'eu-north-1', at: new Date('2026-01-02') }
  const identity = { accessKeyId: 'KEY', secretAccessKey: 'SECRET' }
  const { authorization: without } = signedGetHeaders(identity, get)
  const { authorization, ...headers } = signedGetHeaders(
    { ...identity, sessionToken: 'TOKEN' },
    get,
  )
  assert.equal(headers['x-amz-security-token'], 'TOKEN')
  assert.match(
    authorization!,
    /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/,
  )
  assert.ok(authorization!.startsWith(`AWS4-HMAC-SHA256 Credential=KEY/${scope}, `))
  assert.notEqual(without?.split('Signature=')[1], authorization!.split('Signature=')[1])
})
