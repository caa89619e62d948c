import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildChunk, type Chunk, type Passed } from '../../test/support/known-streams.ts'
import { MigrationError } from '../base/errors.ts'
import type { CaptureRecord } from './exchange.ts'
import { KnownStreams, readKnownExport } from './known-stream.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-known-'))
after(() => rm(folder, { recursive: true, force: true }))

const put =
  'PUT /i/_doc/1 HTTP/1.1\r\nHost: es\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}'
const created =
  'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'
const read = (data: string | Buffer, at = 1000): Passed => ({ kind: 'read', at, data })
const write = (data: string | Buffer, at = 1002): Passed => ({ kind: 'write', at, data })
const end = (at = 1001): Passed => ({ kind: 'requestEnd', at })

const exception: Passed = { kind: 'exception', at: 1 }
const closed: Passed = { kind: 'close', at: 1005 }

test('a request and its response become an exchange, with times and without credentials', () => {
  const secrets = 'Authorization: Basic c2VjcmV0\r\nCookie: sid=secret\r\nX-Opaque-Id: 7\r\n'
  const data = put
    .replace('Host: es\r\n', `Host: es\r\n${secrets}`)
    .replace('/1 ', '/1?token=secret ')
  const records = recordsOf({
    number: 1,
    passed: [
      read(data.slice(0, 20), 1000),
      read(data.slice(20), 1005),
      end(1006),
      write(created.slice(0, 5), 1010),
      write(created.slice(5), 1012),
    ],
  })
  assert.deepEqual(records, [
    {
      kind: 'request',
      exchange: { proxy: 'n1.c1', number: 0 },
      connection: 1,
      method: 'PUT',
      target: '/i/_doc/1?token=***',
      headers: ['X-Opaque-Id', '7', 'Content-Type', 'application/json'],
      body: Buffer.from('{"a":1}'),
      bodyBytes: 7,
      firstByteAt: 1_000_000,
      lastByteAt: 1_005_000,
      mayWrite: true,
    },
    {
      kind: 'response',
      exchange: { proxy: 'n1.c1', number: 0 },
      status: 201,
      headers: ['content-type', 'application/json'],
      body: Buffer.from('{}'),
      bodyBytes: 2,
      firstByteAt: 1_010_000,
      lastByteAt: 1_012_000,
    },
  ])
})

test('bodies are without their framing, encoded as they were, over several chunks and segments', () => {
  const bulk = gzipSync('{"index":{"_index":"i"}}\n{"a":1}\n')
  const chunked = Buffer.concat([
    Buffer.from(
      'POST /_bulk HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n',
    ),
    ...[bulk.subarray(0, 10), bulk.subarray(10)].map((part) =>
      Buffer.concat([
        Buffer.from(`${part.length.toString(16)};x=y\r\n`),
        part,
        Buffer.from('\r\n'),
      ]),
    ),
    Buffer.from('0\r\nTrailer: x\r\n\r\n'),
  ])
  const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
  const records = recordsOf(
    {
      number: 1,
      passed: [
        read(chunked.subarray(0, 50)),
        { kind: 'readSegment', at: 1000, data: chunked.subarray(50, 90) },
      ],
    },
    {
      number: 2,
      requestsBefore: 0,
      beginsInRequest: true,
      passed: [
        { kind: 'readSegment', at: 1000, data: chunked.subarray(90) },
        { kind: 'segmentEnd', at: 1000 },
        end(),
        { kind: 'writeSegment', at: 1002, data: answer.slice(0, 30) },
      ],
    },
    {
      number: 3,
      isLast: true,
      passed: [
        { kind: 'writeSegment', at: 1002, data: answer.slice(30) },
        { kind: 'segmentEnd', at: 1002 },
        { kind: 'close', at: 1003 },
      ],
    },
  )
  assert.deepEqual(
    records.map((record) => 'body' in record && record.body),
    [bulk, Buffer.from('hello')],
  )
})

test('keep-alive, pipelining, HEAD, 100-continue and a body up to the close are told apart', () => {
  const get = 'GET /i/_search HTTP/1.1\r\nHost: es\r\n\r\n'
  const head = 'HEAD /i HTTP/1.1\r\nHost: es\r\n\r\n'
  const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n'
  const records = recordsOf({
    number: 1,
    isLast: true,
    passed: [
      ...[read(put), end(), write('HTTP/1.1 100 Continue\r\n\r\n'), write(created)],
      ...[read(get + head), end(), write(`${ok}abc${ok}`)],
      ...[read(get), end(), write('HTTP/1.0 200 OK\r\n\r\nup to '), write('the end'), closed],
    ],
  })
  assert.deepEqual(summary(records), [
    'request 0 PUT',
    'response 0 201 {}',
    'request 1024 GET',
    'request 1025 HEAD',
    'response 1024 200 abc',
    'response 1025 200 ',
    'request 2048 GET',
    'response 2048 200 up to the end',
  ])
})

test('what was not answered has no status; what was not sent is nothing, save for a bulk', () => {
  const bulk = 'POST /_bulk HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{"index":'
  assert.deepEqual(
    summary(
      recordsOf({
        number: 1,
        isLast: true,
        passed: [read(put), end(), exception],
      }),
    ),
    ['request 0 PUT', 'response 0 0 '],
  )
  assert.deepEqual(
    summary(
      recordsOf({
        number: 1,
        isLast: true,
        passed: [read(put), end(), write(created.slice(0, 40))],
      }),
    ),
    ['request 0 PUT', 'response 0 0 '],
  )
  assert.deepEqual(
    recordsOf({
      number: 1,
      isLast: true,
      passed: [read(put.slice(0, 60)), { kind: 'close', at: 1 }],
    }),
    [],
  )
  assert.match(
    summary(
      recordsOf({ number: 1, isLast: true, passed: [read(bulk), { kind: 'close', at: 1 }] }),
    )[0]!,
    /^gap 1 .*broke off/,
  )
})

test('requests that the tool left out, broken ones and lost chunks are gaps', () => {
  const dropped = recordsOf({
    number: 1,
    passed: [
      read(put.slice(0, 30), 500),
      { kind: 'dropped', at: 600 },
      read(put),
      end(),
      write(created),
    ],
  })
  assert.deepEqual(summary(dropped), [
    'gap 1 the known tool was told to leave the request out',
    'request 0 PUT',
    'response 0 201 {}',
  ])
  const [gap] = dropped
  assert.ok(gap?.kind === 'gap' && gap.from === 500_000 && gap.until === 600_000)
  const broken = recordsOf({
    number: 1,
    passed: [read('nonsense\r\n\r\n'), end(), read(put), end(), write(created)],
  })
  assert.deepEqual(summary(broken), [
    'gap 1 a request of the known tool is malformed',
    'request 1024 PUT',
    'response 1024 201 {}',
  ])
  const lost = recordsOf(
    { number: 1, requestsBefore: 0, passed: [read(put), end()] },
    {
      number: 3,
      requestsBefore: 4,
      beginsInRequest: true,
      passed: [read('rest'), end(), write(created), read(put), end(), write(created)],
    },
  )
  assert.deepEqual(summary(lost), [
    'request 0 PUT',
    'response 0 0 ',
    'gap 1 chunks 2 to 2 of a connection of the known tool are missing',
    'request 5120 PUT',
    'response 5120 201 {}',
  ])
})

test('a chunk that comes twice counts once, and connections do not mix', () => {
  const first: Chunk = { number: 1, passed: [read(put), end()] }
  const other: Chunk = { number: 1, connection: 'c2', passed: [read(put), end(), write(created)] }
  const records = recordsOf(first, other, first, { number: 2, passed: [write(created)] })
  assert.deepEqual(
    records.map((record) => 'exchange' in record && record.exchange.proxy),
    ['n1.c1', 'n1.c2', 'n1.c2', 'n1.c1'],
  )
})

test('bodies that may hold secrets are not kept', () => {
  const body = '{"password":"secret"}'
  const user = `PUT /_security/user/x HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const [request] = recordsOf({ number: 1, passed: [read(user), end()] })
  assert.ok(
    request?.kind === 'request' && request.body.length === 0 && request.bodyBytes === body.length,
  )
})

test('reading may begin anywhere: exchanges have the same numbers and none is wrong', () => {
  const chunks = Array.from({ length: 6 }, (_, index) => ({
    number: index + 1,
    requestsBefore: Math.max(0, index - 1),
    beginsInRequest: index > 0,
    passed: [
      ...(index > 0 ? [read(put.slice(50)), end(), write(created)] : []),
      read(put.slice(0, 50)),
    ],
  }))
  const all = recordsOf(...chunks)
  assert.equal(all.length, 10)
  for (let from = 1; from < chunks.length; from++) {
    const streams = new KnownStreams('a-topic-0')
    const records = chunks
      .slice(from)
      .flatMap((chunk, index) => streams.accept(buildChunk(chunk), from + index))
    assert.deepEqual(records, all.slice(2 * from), `from chunk ${from}`)
  }
})

test('the place to read on from is no later than what is not whole', () => {
  const streams = new KnownStreams('a-topic-0')
  streams.accept(buildChunk({ number: 1, passed: [read(put.slice(0, 10))] }), 10)
  assert.equal(streams.nextOffset(10), 10)
  streams.accept(
    buildChunk({ number: 1, connection: 'c2', passed: [read(put), end(), write(created)] }),
    11,
  )
  assert.equal(streams.nextOffset(11), 10)
  streams.accept(
    buildChunk({
      number: 2,
      passed: [read(put.slice(10)), end(), write(created), read(put), end()],
    }),
    12,
  )
  assert.equal(streams.nextOffset(12), 12)
  streams.accept(buildChunk({ number: 3, passed: [write(created)] }), 13)
  assert.equal(streams.nextOffset(13), 14)
})

test('every truncation and flipped bit is a typed error or records', () => {
  const whole = buildChunk({
    number: 1,
    requestsBefore: 3,
    beginsInRequest: true,
    passed: [read(put), end(), write(created)],
  })
  const accept = (bytes: Buffer): void => {
    try {
      new KnownStreams('a-topic-0').accept(bytes, 0)
    } catch (error) {
      assert.ok(error instanceof MigrationError && error.code === 'MA_CORRUPT_DATA', String(error))
      assert.match(error.message, /a-topic-0/)
    }
  }
  for (let length = 0; length < whole.length; length++) accept(whole.subarray(0, length))
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    accept(flipped)
  }
})

test('an exported file is read, packed or plain, with keys or without', async () => {
  const lines = [1, 2, 3].map((number) =>
    buildChunk({ number, passed: [read(put), end(), write(created)] }).toString('base64'),
  )
  const forms = [
    gzipSync(lines.map((line) => `n1.c1|${line}\n`).join('')),
    Buffer.from(`${lines.join('\n')}\n`),
    Buffer.from(lines.join('\r\n')),
  ]
  for (const [index, bytes] of forms.entries()) {
    const file = path.join(folder, `export-${index}`)
    await writeFile(file, bytes)
    const records = await Array.fromAsync(readKnownExport(file))
    assert.equal(records.length, 6, `form ${index}`)
  }
})

test('a damaged export is named with its line', async () => {
  const good = buildChunk({ number: 1, passed: [read(put)] }).toString('base64')
  const cases: [string, Buffer, RegExp][] = [
    ['text', Buffer.from(`${good}\nwhat is this?\n`), /line 2.*Base64/],
    ['bytes', Buffer.from(`${good}\nAAAA\n`), /line 2/],
    ['torn', gzipSync(`k|${good}\n`.repeat(100)).subarray(0, 60), /cannot be read/],
  ]
  for (const [name, bytes, message] of cases) {
    const file = path.join(folder, name)
    await writeFile(file, bytes)
    await assert.rejects(Array.fromAsync(readKnownExport(file)), {
      code: 'MA_CAPTURE_LOG',
      message,
    })
  }
  await assert.rejects(Array.fromAsync(readKnownExport(path.join(folder, 'none'))), {
    code: 'MA_CAPTURE_LOG',
    message: /no such file/,
  })
})

function recordsOf(...chunks: Chunk[]): CaptureRecord[] {
  const streams = new KnownStreams('a-topic-0')
  return chunks.flatMap((chunk, index) => streams.accept(buildChunk(chunk), index))
}

function summary(records: readonly CaptureRecord[]): string[] {
  return records.map((record) => {
    if (record.kind === 'request') return `request ${record.exchange.number} ${record.method}`
    if (record.kind === 'response') {
      return `response ${record.exchange.number} ${record.status} ${Buffer.from(record.body).toString()}`
    }
    return record.kind === 'gap' ? `gap ${record.requests} ${record.cause}` : record.kind
  })
}
