import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodedIdBytesMax, decodeId } from './id.ts'

function decode(hex: string): string {
  const encoded = Buffer.from(hex, 'hex')
  const bytes = Buffer.alloc(encoded.length + decodedIdBytesMax(encoded.length))
  bytes.set(encoded)
  const end = decodeId(bytes, 0, encoded.length, encoded.length)
  assert.ok(end <= bytes.length)
  return bytes.toString('utf8', encoded.length, end)
}

test('ids stored as UTF-8 lose their mark', () => {
  assert.equal(decode('ff' + Buffer.from('żółć').toString('hex')), 'żółć')
  assert.equal(decode('ff'), '')
})

test('ids stored as digits keep leading zeros and odd counts', () => {
  assert.equal(decode('fe1f'), '1')
  assert.equal(decode('fe12'), '12')
  assert.equal(decode('fe007f'), '007')
  assert.equal(decode('fe1234567890123456789f'), '1234567890123456789')
})

test('ids stored as the bytes of base64url, of every length and with the escape', () => {
  for (let length = 1; length < 20; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37) % 251))
    assert.equal(decode(bytes.toString('hex')), bytes.toString('base64url'))
  }
  const high = Buffer.from('fdfeff', 'hex')
  assert.equal(decode('fd' + high.toString('hex')), high.toString('base64url'))
})
