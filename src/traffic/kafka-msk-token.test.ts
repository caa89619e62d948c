import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signedToken } from './kafka-msk-token.ts'

/** Signatures that aws-msk-iam-sasl-signer-js 1.0.3 makes of the same credentials at the same time. */
const cases = [
  {
    identity: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    },
    signature: '99d70bb7b4703e82c2a9c297885bd7e185215ffa6b335da84806dbca24af3aec',
  },
  {
    identity: {
      accessKeyId: 'ASIAEXAMPLE',
      secretAccessKey: 'secret',
      sessionToken: 'Fwo/GZX+IvYXdzE==',
    },
    signature: '330e8d7031dd1ed08ccea3bb70b994d423c9907fd09e854389f57b08396e01de',
  },
]

test('a token for Amazon MSK is signed as the signer of Amazon does it', () => {
  for (const { identity, signature } of cases) {
    const at = new Date('2026-03-01T12:34:56.000Z')
    const token = signedToken(identity, { region: 'eu-west-1', at })
    assert.match(token, /^[A-Za-z0-9_-]+$/)
    const url = new URL(Buffer.from(token, 'base64url').toString())
    assert.equal(url.host, 'kafka.eu-west-1.amazonaws.com')
    assert.equal(url.searchParams.get('X-Amz-Signature'), signature)
    assert.equal(url.searchParams.get('Action'), 'kafka-cluster:Connect')
    assert.equal(url.searchParams.get('X-Amz-Security-Token'), identity.sessionToken ?? null)
    assert.ok(!url.href.includes(identity.secretAccessKey))
  }
})
