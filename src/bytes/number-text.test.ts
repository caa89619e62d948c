import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doubleText, floatText } from './number-text.ts'

test('numbers of 64 bits are written as the engines do', () => {
  for (const [value, expected] of [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-1.5, '-1.5'],
    [0.001, '0.001'],
    [0.00099, '9.9E-4'],
    [9999999, '9999999.0'],
    [1e7, '1.0E7'],
    [-1.25e300, '-1.25E300'],
    [5e-324, '4.9E-324'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
    [NaN, '"NaN"'],
    [-Infinity, '"-Infinity"'],
  ] as const) {
    assert.equal(doubleText(value), expected)
    if (Number.isFinite(value)) assert.ok(Object.is(Number(expected), value))
  }
})

test('numbers of 32 bits have no more digits than tell them apart', () => {
  for (const [value, expected] of [
    [1.1, '1.1'],
    [0.1, '0.1'],
    [16777216, '1.6777216E7'],
    [3.4028234663852886e38, '3.4028235E38'],
    [1.401298464324817e-45, '1.4E-45'],
    [123456.789, '123456.79'],
  ] as const) {
    assert.equal(floatText(Math.fround(value)), expected)
    assert.equal(Math.fround(Number(expected)), Math.fround(value))
  }
})
