import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionError, neverSent } from './connection-errors.ts'
import type { TlsMaterial } from './transport.ts'

const url = new URL('https://search.example:9200/x')
const noTls: TlsMaterial = { ca: undefined, cert: undefined, key: undefined, insecure: false }
const pem = 'PEM'

type Case = [code: string, message: string, tls: Partial<TlsMaterial>, expected: RegExp]

const tlsCases: Case[] = [
  ['SELF_SIGNED_CERT_IN_CHAIN', '', {}, /set target\.tls\.ca/],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    '',
    { ca: pem },
    /not signed by the authority in target\.tls/,
  ],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Host: a. is not in the cert', {}, /other names \(Host: a/],
  ['CERT_HAS_EXPIRED', '', {}, /has expired/],
  ['CERT_NOT_YET_VALID', '', {}, /clock/],
  ['EPROTO', 'error:0A00010B:SSL routines::wrong version number', {}, /write http:\/\//],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', {}, /asks for a client certificate/],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', '', { cert: pem, key: pem }, /refuses the client cert/],
  [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    '',
    { cert: pem, key: pem },
    /does not accept the client cert/,
  ],
  ['ERR_SSL_NO_PROTOCOLS_AVAILABLE', 'no protocols', {}, /TLS failed: no protocols/],
  ['CERT_REVOKED', '', {}, /cannot be trusted \(CERT_REVOKED\)/],
]

test('connectionError() says in plain words what is wrong with TLS, which does not pass by itself', () => {
  for (const [code, message, tls, expected] of tlsCases) {
    const cause = Object.assign(new Error(message), { code })
    const facts = { side: 'target', url, sent: false, tls: { ...noTls, ...tls } }
    const error = connectionError(cause, facts)
    assert.match(error.message, expected)
    assert.match(error.message, /^target https:\/\/search\.example:9200: /)
    assert.equal(error.retryable, false, code)
  }
})

test('connectionError() says what the network did, and whether the request may have arrived', () => {
  const cases: [string, RegExp][] = [
    ['ECONNREFUSED', /nothing listens there/],
    ['ENOTFOUND', /search\.example is not known/],
    ['EAI_AGAIN', /DNS does not answer/],
    ['EHOSTUNREACH', /no way to search\.example/],
    ['ETIMEDOUT', /firewall/],
    ['ECONNRESET', /was cut/],
    ['HPE_INVALID_CONSTANT', /odd \(HPE_INVALID_CONSTANT\)/],
  ]
  for (const [code, expected] of cases) {
    for (const sent of [false, true]) {
      const cause = Object.assign(new Error('odd'), { code })
      const error = connectionError(cause, { side: 'target', url, sent, tls: noTls })
      assert.match(error.message, expected)
      assert.equal(error.retryable, true)
      assert.equal(neverSent(error), !sent)
    }
  }
})
