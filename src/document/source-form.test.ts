import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { convertSource, isJsonSource } from './source-form.ts'

const json = (source: Buffer): string => convertSource(source, 'a file').toString('utf8')

test('JSON is left alone, and so is what is not known', () => {
  for (const text of ['{}', '{"a":1}', '  {"a":1}', '', 'x', '[1]']) {
    const bytes = Buffer.from(text)
    assert.ok(isJsonSource(bytes, 0, bytes.length), text)
  }
})

test('YAML becomes JSON, numbers with all their digits', () => {
  const source = Buffer.from(
    '---\na: 12345678901234567890\nb: 1.10\nc: "x\\ny"\nd: [true, null, ~]\ne:\n  f: 1e400\n',
  )
  assert.ok(!isJsonSource(source, 0, source.length))
  const expected =
    '{"a":12345678901234567890,"b":1.10,"c":"x\\ny","d":[true,null,null],"e":{"f":1e400}}'
  assert.equal(json(source), expected)
  assert.throws(() => json(Buffer.from('---\na: [1\n')), CorruptData)
})

test('SMILE and CBOR become JSON', () => {
  const smile = Buffer.from('3a290a01fa8061c2fb', 'hex')
  assert.ok(!isJsonSource(smile, 0, smile.length))
  assert.equal(json(smile), '{"a":1}')
  const cbor = Buffer.from('bf6161 1bffffffffffffffff ff'.replaceAll(' ', ''), 'hex')
  assert.ok(!isJsonSource(cbor, 0, cbor.length))
  assert.equal(json(cbor), '{"a":18446744073709551615}')
  const shortest = Buffer.from('bfff', 'hex')
  assert.ok(!isJsonSource(shortest, 0, shortest.length))
  assert.equal(json(shortest), '{}')
})

test('what Elasticsearch 1.x compressed by itself becomes JSON on one line', () => {
  const plain = Buffer.from('{\n"a":"aaaaaaaaaaaaaaaa"}')
  const chunk = Buffer.from([0x5a, 0x56, 0, 0, plain.length, ...plain])
  assert.ok(!isJsonSource(chunk, 0, chunk.length))
  assert.equal(json(chunk), '{ "a":"aaaaaaaaaaaaaaaa"}')
  assert.throws(() => json(chunk.subarray(0, -1)), CorruptData)
})

test('YAML that is not UTF-8 is CorruptData, and no letter of it is changed', () => {
  assert.equal(json(Buffer.from('---\na: \u00fc\n')), '{"a":"\u00fc"}')
  assert.throws(() => json(Buffer.from('---\na: \u00fc\n', 'latin1')), CorruptData)
})
