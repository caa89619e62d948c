import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanUpsertSource } from './upsert-source.ts'

function scan(text: string): { isKept: boolean; time: string | undefined } {
  const bytes = Buffer.from(`xx${text}yy`)
  const field = Buffer.from('@timestamp')
  const { isKept, timeStart, timeEnd } = scanUpsertSource(bytes, 2, bytes.length - 2, field)
  return { isKept, time: timeStart < 0 ? undefined : bytes.toString('utf8', timeStart, timeEnd) }
}

const kept = [
  '0',
  '5',
  '-17',
  '123456789012345678901234567890',
  '0.0',
  '-0.0',
  '1.0',
  '1.5',
  '0.25',
  '0.001',
  '0.00123',
  '9999999.5',
  '-52.520008',
  '"1.10"',
  '"\\ud83d\\ude00"',
  '"\\u00e9 \\\\ud83d"',
  'true',
  'null',
  '[1, 2.5, {"a": "x,:{}"}]',
]
const changed = [
  '-0',
  '1.10',
  '1e3',
  '1E400',
  '2.5e-3',
  '0.0001',
  '10000000.5',
  '0.12345678901234567',
  '1700000000.123',
  '12345678.0',
  '"\\ud83d"',
  '"\\ude00"',
  '"\\ud83d\\ud83d"',
  '"\\ud83d\\u0041"',
  '"a\\ud83db"',
  '[1, {"a": [1.10]}]',
]

test('numbers and texts that an update would change are found', () => {
  for (const value of kept) assert.equal(scan(`{"a":${value}}`).isKept, true, value)
  for (const value of changed) assert.equal(scan(`{"a":${value},"b":1}`).isKept, false, value)
})

test('the time is found on the top level alone', () => {
  assert.equal(scan('{"@timestamp":1}').time, '1')
  assert.equal(scan('{"a":{"@timestamp":2},"@timestamp" : "x,}\\"" ,"b":3}').time, ' "x,}\\"" ')
  assert.equal(scan('{"a":"@timestamp","b":[{"@timestamp":2}],"@timestamp2":3}').time, undefined)
  assert.equal(scan('{"@timestamp":[1,{"@timestamp":2}],"a":{}}').time, '[1,{"@timestamp":2}]')
})

test('what is cut off ends the scan', () => {
  for (const text of [
    '',
    '{',
    '{"',
    '{"a',
    '{"a":1',
    '{"a":"\\',
    '}',
    '{"@timestamp":',
    '{"@timestamp"',
  ]) {
    assert.doesNotThrow(() => scan(text))
  }
})
