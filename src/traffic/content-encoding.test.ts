import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import { decodeBody } from './content-encoding.ts'

const text = Buffer.from('{"index":{}}\n{"n":1}\n'.repeat(50))

const encodings: readonly [string | undefined, Buffer][] = [
  [undefined, text],
  ['identity', text],
  ['gzip', zlib.gzipSync(text)],
  ['x-gzip', zlib.gzipSync(text)],
  ['GZIP', zlib.gzipSync(text)],
  ['deflate', zlib.deflateSync(text)],
  ['deflate', zlib.deflateSync(text, { level: 1, windowBits: 9 })],
  ['deflate', zlib.deflateRawSync(text)],
  ['zstd', zlib.zstdCompressSync(text)],
  ['br', zlib.brotliCompressSync(text)],
  ['gzip, deflate', zlib.deflateSync(zlib.gzipSync(text))],
  [
    'gzip',
    Buffer.concat([zlib.gzipSync(text.subarray(0, 100)), zlib.gzipSync(text.subarray(100))]),
  ],
]

test('decodeBody() takes off every encoding that clients and engines use', () => {
  for (const [encoding, body] of encodings) {
    assert.deepEqual(Buffer.from(decodeBody(body, encoding, 1 << 20)), text, encoding)
  }
  assert.equal(decodeBody(new Uint8Array(0), undefined, 0).length, 0)
})

test('decodeBody() refuses a body that becomes longer than its bound, before it is', () => {
  const bomb = Buffer.alloc(64 << 20)
  for (const body of [zlib.gzipSync(bomb), zlib.deflateSync(bomb), zlib.zstdCompressSync(bomb)]) {
    const encoding = body[0] === 0x1f ? 'gzip' : body[0] === 0x28 ? 'zstd' : 'deflate'
    assert.throws(() => decodeBody(body, encoding, 1 << 20), /longer than 1048576 bytes/)
  }
})

test('decodeBody() refuses broken bytes and unknown encodings by a typed error', () => {
  for (const encoding of ['gzip', 'deflate', 'zstd', 'br', 'lz4', '../x']) {
    assert.throws(() => decodeBody(text, encoding, 1 << 20), { code: 'MA_CAPTURE_LOG' })
  }
  const whole = zlib.gzipSync(text)
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => decodeBody(whole.subarray(0, length), 'gzip', 1 << 20), {
      code: 'MA_CAPTURE_LOG',
    })
  }
})
