import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { CorruptData } from '../base/errors.ts'
import { inflate } from './inflate.ts'

const text = Buffer.from('one two three one two three four '.repeat(100))
const dictionary = Buffer.from('one two three four')

test('a stream comes back, with and without a dictionary, and the empty one', () => {
  for (const options of [{}, { dictionary }]) {
    const input = deflateRawSync(text, options)
    const stream = { input, outputBytes: text.length, ...options }
    assert.deepEqual(inflate('deflate', stream, { file: 'f', offset: 0 }), text)
  }
  const input = deflateRawSync(Buffer.alloc(0))
  assert.equal(inflate('deflate', { input, outputBytes: 0 }, { file: 'f', offset: 0 }).length, 0)
})

test('another length, a cut and other bytes are CorruptData that names the place', () => {
  const input = deflateRawSync(text)
  for (const stream of [
    { input, outputBytes: text.length - 1 },
    { input, outputBytes: text.length + 1 },
    { input: input.subarray(0, -3), outputBytes: text.length },
    { input: Buffer.alloc(10, 0xff), outputBytes: text.length },
  ]) {
    assert.throws(
      () => inflate('deflate', stream, { file: 'a file', offset: 77 }),
      (error: CorruptData) =>
        error instanceof CorruptData && /a file at byte 77/.test(error.message),
    )
  }
})
