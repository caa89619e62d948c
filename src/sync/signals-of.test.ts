import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  changesContext,
  loggedExchange,
  outcomeText,
  type ExchangeParts,
} from '../../test/support/logged-exchanges.ts'
import { changesOf } from './changes-of.ts'

const context = changesContext([])

/** Request line, then the signals of it when it was answered with 200. */
const cases: readonly [line: string, signals: readonly string[]][] = [
  ['PUT /i', ['metadata i']],
  ['DELETE /i,j*', ['metadata i,j*', 'documents i,j*']],
  ['PUT /i/_mapping', ['metadata i']],
  ['PUT /_settings', ['metadata any']],
  ['POST /i/_close', ['metadata i']],
  ['PUT /i/_alias/a', ['metadata i']],
  ['POST /_aliases', ['metadata any']],
  ['PUT /i/_shrink/j', ['metadata i,j', 'documents i,j']],
  ['POST /i/_split/j', ['metadata i,j', 'documents i,j']],
  ['POST /i/_clone/j', ['metadata i,j', 'documents i,j']],
  ['POST /a/_rollover', ['metadata any', 'documents any']],
  ['PUT /_data_stream/s', ['metadata any', 'documents any']],
  ['POST /_snapshot/r/s/_restore', ['metadata any', 'documents any']],
  ['PUT /_index_template/t', ['metadata any']],
  ['PUT /_ingest/pipeline/p', ['metadata any']],
  ['PUT /_cluster/settings', ['metadata any']],
  ['PUT /_security/user/u', []],
  ['POST /_monitoring/bulk', []],
  ['POST /i/_update_by_query', ['documents i']],
  ['POST /i,j/_delete_by_query', ['documents i,j']],
  ['POST /_reindex', ['metadata any', 'documents any']],
  ['POST /_plugins/_sql', []],
  ['GET /_sql/_plugin?sql=d%65lete+from+i', ['documents any']],
  ['GET /_sql/_plugin?sql=select%201', []],
  ['POST /_some/plugin', ['metadata any', 'documents any']],
  ['POST /i/_some_day', ['metadata i', 'documents i']],
  ['POST /i/_refresh', ['metadata i', 'documents i']],
]

function signals(parts: ExchangeParts): string[] {
  return outcomeText(changesOf(loggedExchange(parts), context)).map((line) =>
    line.replace('signal ', ''),
  )
}

for (const [line, expected] of cases) {
  test(`${line} is a signal of ${expected.join(' and ') || 'nothing'}`, () => {
    assert.deepEqual(signals({ line, status: 200, answer: '{}' }), expected)
    assert.deepEqual(signals({ line }), expected)
    assert.deepEqual(signals({ line, status: 500 }), expected)
  })
}

test('what was refused is no signal', () => {
  for (const line of ['PUT /i', 'DELETE /i', 'PUT /_index_template/t', 'POST /_some/plugin']) {
    assert.deepEqual(signals({ line, status: 403 }), [], line)
  }
})

test('by query a part may be changed, whatever the status but that of a login', () => {
  for (const status of [400, 403, 409, 429, 500]) {
    assert.deepEqual(signals({ line: 'POST /i/_delete_by_query', status }), ['documents i'])
  }
  assert.deepEqual(signals({ line: 'POST /i/_delete_by_query', status: 401 }), [])
})

test('a reindex names the index that it writes to', () => {
  const body = '{"source":{"index":"i"},"dest":{"index":"j"}}'
  assert.deepEqual(signals({ line: 'POST /_reindex', body, status: 200 }), [
    'metadata j',
    'documents j',
  ])
})

test('SQL is a signal where it may delete', () => {
  const line = 'POST /_plugins/_sql'
  for (const query of ['DELETE FROM i', 'delete from i', 'D\\u0045LETE']) {
    const body = `{"query":"${query}"}`
    assert.deepEqual(signals({ line, body, status: 200 }), ['documents any'], query)
  }
  assert.deepEqual(signals({ line, body: '{"query":"SELECT 1"}', status: 200 }), [])
})

test('reads that were sampled are nothing', () => {
  const exchange = loggedExchange({ line: 'POST /i/_search', status: 200 })
  const request = { ...exchange.request!, mayWrite: false }
  assert.deepEqual(changesOf({ ...exchange, request }, context), { changes: [], signals: [] })
})
