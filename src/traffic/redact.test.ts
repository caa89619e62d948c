import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { redactJson, redactRead } from './redact.ts'

const fields = ['user.email', 'secret']

const redactions: readonly [string, string | undefined][] = [
  ['{"user":{"email":"a@b","n":1}}', '{"user":{"email":"***","n":1}}'],
  ['{"user.email":"a@b"}', '{"user.email":"***"}'],
  [
    '{"hits":[{"_source":{"user":{"email":["a","b"]}}}]}',
    '{"hits":[{"_source":{"user":{"email":"***"}}}]}',
  ],
  ['{"fields":{"user.email":["a"]}}', '{"fields":{"user.email":"***"}}'],
  ['{"user":[{"email":1},{"email":2}]}', '{"user":[{"email":"***"},{"email":"***"}]}'],
  ['{"secret":{"a":{"secret":1},"b":2},"c":3}', '{"secret":"***","c":3}'],
  ['{"us\\u0065r":{"em\\u0061il":"x"}}', '{"us\\u0065r":{"em\\u0061il":"***"}}'],
  // What is not meant keeps its text: numbers beyond a double, order, blanks, equal keys.
  [
    '{ "n" : 12345678901234567890 , "n":1.10,"a":"\\u00e9" }',
    '{ "n" : 12345678901234567890 , "n":1.10,"a":"\\u00e9" }',
  ],
  ['{"email":"kept","my_secret":1}', '{"email":"kept","my_secret":1}'],
  ['', ''],
  ['[]', '[]'],
  ['{"secret":1', undefined],
  ['{"secret":1}x', undefined],
  ['{"a":}', undefined],
  ['{"a" 1}', undefined],
  ['[1 2]', undefined],
  ['{"a":"x', undefined],
  ['{"a":"\\', undefined],
  ['---\nsecret: 1\n', undefined],
  ['['.repeat(100_000), undefined],
]

test('redactJson() takes out the values of fields and leaves the rest of the text alone', () => {
  for (const [given, expected] of redactions) {
    assert.equal(redactJson(given, fields), expected, given.slice(0, 80))
  }
})

function read(given: {
  target?: string
  request?: string
  response?: Uint8Array
  encoding?: string
}) {
  return redactRead(fields, {
    target: given.target ?? '/i/_search',
    request: Buffer.from(given.request ?? '{}'),
    requestEncoding: undefined,
    response: given.response ?? Buffer.from('{"secret":1}'),
    responseEncoding: given.encoding,
    bytesMax: 10_000,
  })
}

test('an answer is unpacked to be redacted; one that cannot be is left out', () => {
  const kept = read({ response: gzipSync('{"secret":1}'), encoding: 'gzip' })
  assert.equal(Buffer.from(kept.response).toString(), '{"secret":"***"}')
  assert.equal(kept.isRewritten, true)
  assert.equal(read({ response: Buffer.from('junk'), encoding: 'gzip' }).response.length, 0)
  const bomb = gzipSync(Buffer.alloc(1 << 20, ' '))
  assert.equal(read({ response: bomb, encoding: 'gzip' }).response.length, 0)
})

test('a request that names a field is kept without bodies, and so is its answer', () => {
  const inBody = read({ request: '{"query":{"term":{"user.email":"a@b"}}}' })
  assert.deepEqual([inBody.request.length, inBody.response.length], [0, 0])
  const inQuery = read({ target: '/i/_search?q=secret%3Ahunter2' })
  assert.equal(inQuery.target, '/i/_search')
  assert.equal(inQuery.response.length, 0)
  assert.equal(read({ request: '{"query":{"term":{"us\\u0065r.email":"a"}}}' }).request.length, 0)
})

test('without fields nothing is looked at', () => {
  const response = Buffer.from('{"secret":1}')
  const bodies = { target: '/', request: Buffer.from('x'), response, bytesMax: 1 }
  const kept = redactRead([], { ...bodies, requestEncoding: 'no', responseEncoding: 'no' })
  assert.equal(kept.response, response)
})
