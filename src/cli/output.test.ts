import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatDuration, formatTable, printable } from './output.ts'

test('formatTable() aligns columns, numbers to the right and grouped', () => {
  const table = formatTable(
    ['index', 'documents', 'size'],
    [
      ['shop', 1234567, '4.9 MB'],
      ['logs', 12, undefined],
    ],
  )
  assert.equal(
    table,
    ['index  documents    size', 'shop   1,234,567  4.9 MB', 'logs          12       -'].join('\n'),
  )
})

test('formatBytes() counts in thousands', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [99_949, '99.9 KB'],
    [99_960, '100 KB'],
    [999_600, '1.0 MB'],
    [451_000_000, '451 MB'],
  ]
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text)
})

test('formatDuration() never says 60 s', () => {
  const cases: [number, string][] = [
    [12, '12 ms'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [3_599_400, '59 min 59 s'],
    [3_600_000, '1 h 0 min'],
  ]
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text)
})

test('printable() keeps control characters of names away from the terminal', () => {
  assert.equal(printable('a\x1b[31mb\nc\u009b'), 'a\\u001b[31mb\\u000ac\\u009b')
  assert.equal(printable('Größe 日本'), 'Größe 日本')
})
