import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { numberedRequest } from '../../test/support/capture-records.ts'
import type { CapturedResponse, ThinResponse } from '../traffic/exchange.ts'
import type { LoggedExchange } from '../traffic/exchanges.ts'
import { bodyOf } from './capture-log-body.ts'
import { indicesOf, parseFilter, parseWindow } from './capture-log-filter.ts'

function exchange(line: string, response?: CapturedResponse | ThinResponse): LoggedExchange {
  const [method = '', target = ''] = line.split(' ')
  return { kind: 'exchange', request: { ...numberedRequest(1), method, target }, response }
}

function answer(status: number, text = '', encoding?: string): CapturedResponse {
  const body = encoding === 'gzip' ? gzipSync(text) : Buffer.from(text)
  return {
    ...{ kind: 'response', exchange: { proxy: 'p1', number: 1 }, status, body },
    headers: encoding === undefined ? [] : ['Content-Encoding', encoding],
    ...{ bodyBytes: body.length, firstByteAt: 1, lastByteAt: 2 },
  }
}

test('a status, a hundred of them, a range, or none at all', () => {
  const accepts = (status: string, one: LoggedExchange): boolean =>
    parseFilter({ status }).accepts(one)
  const created = exchange('PUT /a/_doc/1', answer(201))
  assert.deepEqual(
    ['201', '2xx', '200-299', '200', '4xx', '300-499', 'none'].map((text) =>
      accepts(text, created),
    ),
    [true, true, true, false, false, false, false],
  )
  assert.ok(accepts('none', exchange('PUT /a/_doc/1')))
  assert.ok(accepts('none', exchange('PUT /a/_doc/1', answer(0))))
  assert.throws(() => parseFilter({ status: '6xx' }), { code: 'MA_CONFIG' })
})

test('times: a date, or so long ago', () => {
  const since = Date.parse('2026-05-01T08:00:00Z') * 1000
  assert.deepEqual(parseWindow({ since: '2026-05-01T08:00:00Z' }), { since, until: 0 })
  const ago = parseWindow({ since: '2h' }).since
  assert.ok(Math.abs(Date.now() * 1000 - 7200e6 - ago) < 5e6)
  for (const text of ['soon', '0', '15', '2h ago']) {
    assert.throws(() => parseWindow({ until: text }), { code: 'MA_CONFIG' }, text)
  }
})

test('indices: of the path, else of the items of the answer', () => {
  assert.deepEqual(indicesOf(exchange('PUT /a,b*/_mapping', answer(200))), ['a', 'b*'])
  const items = '{"items":[{"index":{"_index":"x"}},{"index":{ "_index" : "y\\"z"}}]}'
  assert.deepEqual(indicesOf(exchange('POST /_bulk', answer(200, items, 'gzip'))), ['x', 'y"z'])
  const thin: ThinResponse = {
    ...{ kind: 'thin', exchange: { proxy: 'p1', number: 1 }, status: 200, lastByteAt: 3 },
    items: [{ index: 't', id: '1', result: 'created' }],
  }
  assert.deepEqual(indicesOf(exchange('POST /_bulk', thin)), ['t'])
  assert.deepEqual(indicesOf(exchange('POST /_bulk', answer(200, 'no JSON', 'br'))), [])
})

test('a body that cannot be shown says why', () => {
  assert.equal(bodyOf(answer(200, '{"ü":1}', 'gzip')), '{"ü":1}')
  assert.deepEqual(bodyOf({ ...answer(200, 'abc'), bodyBytes: 10 }), {
    ...{ bytes: 10, why: 'only the first 3 bytes recorded' },
  })
  const binary = { ...answer(200), body: Buffer.from([0xff, 0xfe]), bodyBytes: 2 }
  assert.deepEqual(bodyOf(binary), { bytes: 2, why: 'not text' })
  assert.match(JSON.stringify(bodyOf(answer(200, 'abc', 'zstd'))), /cannot be unpacked/)
})
