import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerError, engineErrorOf, missingPermission } from './answer-errors.ts'

// Answers as recorded from the engine and version named beside each.
const recorded = {
  // OpenSearch 3.6.0
  unknownParameter:
    '{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"request [/a1/_bulk] contains unrecognized parameter: [blah]"}],"type":"illegal_argument_exception","reason":"request [/a1/_bulk] contains unrecognized parameter: [blah]"},"status":400}',
  // Elasticsearch 1.7.5
  oldMissing: '{"error":"IndexMissingException[[x] missing]","status":404}',
  // OpenSearch security 3.4.0
  noPermissions:
    'no permissions for [indices:data/write/bulk[s], indices:data/write/index] and User [name=bulker, backend_roles=[], requestedTenant=null]',
}

test('engineErrorOf() reads type and reason', () => {
  assert.deepEqual(engineErrorOf(400, Buffer.from(recorded.unknownParameter)), {
    status: 400,
    type: 'illegal_argument_exception',
    reason: 'request [/a1/_bulk] contains unrecognized parameter: [blah]',
  })
  assert.deepEqual(engineErrorOf(404, Buffer.from(recorded.oldMissing)), {
    status: 404,
    type: 'http_404',
    reason: 'IndexMissingException[[x] missing]',
  })
})

test('engineErrorOf() makes something of text, HTML, gateways and nothing', () => {
  const of = (text: string): string => engineErrorOf(502, Buffer.from(text)).reason
  assert.equal(of('Unauthorized'), 'Unauthorized')
  assert.equal(of('<html>\n <h1>502</h1>'), '<html> <h1>502</h1>')
  assert.equal(of('{"Message":"not signed"}'), 'not signed')
  assert.equal(of('[1'), '[1')
  assert.equal(of(''), '')
  assert.equal(of('x'.repeat(100_000)).length, 2_001)
})

test('engineErrorOf() adds the inner causes that say more', () => {
  const error = {
    type: 't',
    reason: 'failed',
    caused_by: { reason: 'one', caused_by: { reason: 'two' } },
  }
  assert.equal(
    engineErrorOf(400, Buffer.from(JSON.stringify({ error }))).reason,
    'failed: one: two',
  )
})

test('missingPermission() reads it from each engine’s words', () => {
  assert.equal(
    missingPermission(recorded.noPermissions),
    'indices:data/write/bulk[s], indices:data/write/index',
  )
  assert.equal(
    missingPermission(
      'action [indices:admin/create] is unauthorized for user [u] with roles [r], this action is granted by …',
    ),
    'indices:admin/create',
  )
  assert.equal(
    missingPermission('User: anonymous is not authorized to perform: es:ESHttpGet'),
    'es:ESHttpGet',
  )
  assert.equal(missingPermission('forbidden'), undefined)
})

test('answerError() tells a missing permission from a block that somebody set', () => {
  const facts = { side: 'target', url: 'http://t', request: 'PUT /x', identity: 'the user u' }
  const of = (type: string, reason: string) => answerError({ status: 403, type, reason }, facts)
  const permission = of('security_exception', recorded.noPermissions)
  assert.equal(permission.code, 'MA_CLUSTER_AUTH')
  assert.match(permission.message, /the user u lacks the permission indices:data\/write\/bulk\[s\]/)
  const block = of(
    'cluster_block_exception',
    'index [x] blocked by: [FORBIDDEN/8/index write (api)];',
  )
  assert.equal(block.code, 'MA_CLUSTER_RESPONSE')
})
