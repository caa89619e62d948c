import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { cborToJson, isCbor } from './cbor.ts'

const json = (hex: string): string => cborToJson(Buffer.from(hex, 'hex'), 'a file')

test('the examples of RFC 8949 become JSON', () => {
  for (const [hex, expected] of [
    ['00', '0'],
    ['1bffffffffffffffff', '18446744073709551615'],
    ['3bffffffffffffffff', '-18446744073709551616'],
    ['c249010000000000000000', '18446744073709551616'],
    // Jackson's reading, not the RFC's.
    ['c349010000000000000000', '-18446744073709551616'],
    ['c48221196ab3', '27315E-2'],
    ['f93c00', '1.0'],
    ['f90001', '5.9604645E-8'],
    ['fa47c35000', '100000.0'],
    ['fb3ff199999999999a', '1.1'],
    ['f97e00', '"NaN"'],
    ['f98000', '-0.0'],
    ['f4', 'false'],
    ['f6', 'null'],
    ['4401020304', '"AQIDBA=="'],
    ['6449455446', '"IETF"'],
    ['62c3bc', '"ü"'],
    ['83010203', '[1,2,3]'],
    ['a201020304', '{"1":2,"3":4}'],
    ['a26161016162820203', '{"a":1,"b":[2,3]}'],
    ['5f42010243030405ff', '"AQIDBAU="'],
    ['7f657374726561646d696e67ff', '"streaming"'],
    ['9f018202039f0405ffff', '[1,[2,3],[4,5]]'],
    ['bf61610161629f0203ffff', '{"a":1,"b":[2,3]}'],
    ['d9d9f7a16161f5', '{"a":true}'],
  ] as const) {
    assert.equal(json(hex), expected, hex)
  }
})

test('maps and the self-describing tag are known as CBOR, JSON is not', () => {
  assert.ok(isCbor(Buffer.from('bf', 'hex')))
  assert.ok(isCbor(Buffer.from('a0', 'hex')))
  assert.ok(isCbor(Buffer.from('d9d9f7a0', 'hex')))
  assert.ok(!isCbor(Buffer.from('{}')))
})

test('every truncation and deep nesting are typed errors', () => {
  const good = Buffer.from('bf61610161629f0203ff6163fb3ff199999999999aff', 'hex')
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => cborToJson(good.subarray(0, length), 'f'), MigrationError)
  }
  assert.throws(() => json('81'.repeat(5000) + '00'), /nesting/)
  assert.throws(() => json('9bffffffffffffffff'), MigrationError)
  assert.throws(() => json('f0'), /simple value/)
})
