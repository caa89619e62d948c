import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyHash, sha256, signatureOf } from '../base/aws-signature.ts'
import { canonicalPath, canonicalQuery, isExpiredIdentity, requestSigner } from './sigv4.ts'

/** Of the test suite that AWS has published for Signature Version 4. */
const identity = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const at = new Date('2015-08-30T12:36:00Z')
const unreserved = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

test('paths and queries are signed as the suite of AWS has it', () => {
  const cases = [
    ['/', '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['/\u1234', '', '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85'],
    ['/example space/', '', '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741'],
    ['//example//', '', '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84'],
    ['/./', '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [`/${unreserved}`, '', '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f'],
    [
      '/',
      '?Param-3=Value3&Param=Value2&%E1%88%B4=Value1',
      '371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac',
    ],
    ['/', '?\u1234=bar', '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04'],
    [
      '/',
      `?${unreserved}=${unreserved}`,
      '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    ],
  ] as const
  for (const [path, search, signature] of cases) {
    const request = {
      ...{ method: 'GET', path: canonicalPath(path), query: canonicalQuery(search) },
      headers: { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
      bodyHash: emptyHash,
    }
    const scope = { region: 'us-east-1', service: 'service', at }
    assert.equal(signatureOf(identity, request, scope), signature, path + search)
  }
})

test('what is sent is what was signed: the query recoded, the body hashed as it goes, the token beside it', async () => {
  const find = async () => ({ ...identity, sessionToken: 'TOKEN' })
  const sign = requestSigner({ region: 'eu-west-1' }, find, () => at)
  const body = Buffer.from('{"index":{}}\n{}\n')
  const url = new URL("http://host:9200/a%2Fb,c*/_search?q=a+b%2Bc&pretty&filter_path=x,-y&z='")
  const { url: sent, headers } = await sign({ method: 'POST', url, body })
  assert.equal(sent.search, '?q=a%20b%2Bc&pretty&filter_path=x%2C-y&z=%27')
  assert.equal(sent.pathname, url.pathname)
  assert.equal(headers['host'], 'host:9200')
  assert.equal(headers['x-amz-content-sha256'], sha256(body))
  assert.equal(headers['x-amz-security-token'], 'TOKEN')
  assert.match(
    headers['authorization']!,
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/eu-west-1\/es\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
  )
})

test('what is no percent-encoding is signed as it stands', () => {
  assert.equal(canonicalPath('/a%zz'), '/a%25zz')
  assert.equal(canonicalQuery('?a=%zz&b'), 'a=%25zz&b=')
})

test('an answer to credentials that have expired is known', () => {
  const answer = (status: number, message: string) =>
    isExpiredIdentity({ status, body: Buffer.from(JSON.stringify({ message })) })
  assert.ok(answer(403, 'The security token included in the request is expired'))
  assert.ok(answer(403, 'The security token included in the request is invalid.'))
  assert.ok(!answer(403, 'User: x is not authorized to perform: es:ESHttpGet'))
  assert.ok(!answer(200, 'The security token included in the request is expired'))
})
