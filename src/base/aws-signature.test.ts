import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizationOf, emptyHash, sha256 } from './aws-signature.ts'

/** The credentials, scope and time of the test suite that AWS has published for Signature Version 4. */
const identity = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const scope = { region: 'us-east-1', service: 'service', at: new Date('2015-08-30T12:36:00Z') }
const host = 'example.amazonaws.com'
const time = '20150830T123600Z'

test('headers, methods and bodies are signed as the suite of AWS has it', () => {
  const form = 'Param1=value1'
  const cases = [
    {
      name: 'post-vanilla',
      headers: { host, 'x-amz-date': time },
      bodyHash: emptyHash,
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    },
    {
      name: 'post-header-value-case',
      headers: { host, 'my-header1': 'VALUE1', 'x-amz-date': time },
      bodyHash: emptyHash,
      signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
    },
    {
      name: 'post-x-www-form-urlencoded',
      headers: {
        'content-length': '13',
        'content-type': 'application/x-www-form-urlencoded',
        host,
        'x-amz-content-sha256': sha256(form),
        'x-amz-date': time,
      },
      bodyHash: sha256(form),
      signature: 'd3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b',
    },
  ]
  for (const { name, headers, bodyHash, signature } of cases) {
    const request = { method: 'POST', path: '/', query: '', headers, bodyHash }
    const names = Object.keys(headers).join(';')
    assert.equal(
      authorizationOf(identity, request, scope),
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
      name,
    )
  }
})

test('a key is made anew for another day, region or secret', () => {
  const request = { method: 'GET', path: '/', query: '', headers: { host }, bodyHash: emptyHash }
  const signatures = [
    authorizationOf(identity, request, scope),
    authorizationOf(identity, request, { ...scope, at: new Date('2015-08-31T12:36:00Z') }),
    authorizationOf(identity, request, { ...scope, region: 'eu-west-1' }),
    authorizationOf({ ...identity, secretAccessKey: 'other' }, request, scope),
  ].map((text) => text.split('Signature=')[1])
  assert.equal(new Set(signatures).size, 4)
  assert.equal(authorizationOf(identity, request, scope).split('Signature=')[1], signatures[0])
})
