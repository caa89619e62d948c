import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { MemoryLog } from '../../test/support/memory-log.ts'
import { Metrics } from './metrics.ts'
import type { ExchangeWatch, Refusal } from './observer.ts'
import { openRecorder } from './open-recorder.ts'
import type { Recorder, RecorderOptions } from './recorder.ts'

const mb = 1 << 20
let clock = 1_700_000_000_000_000

async function makeRecorder(options: Partial<RecorderOptions> = {}, log = new MemoryLog()) {
  const recorder = await openRecorder(log, {
    proxy: 'p.0',
    version: '1.2.3',
    onLogFailure: 'pass',
    logWaitMaxMs: 1000,
    bodyBytesMax: mb,
    memoryMax: 4 * mb,
    reads: 0,
    readBytesMax: 1000,
    redact: [],
    typed: true,
    metrics: new Metrics(),
    now: () => clock,
    ...options,
  })
  return { recorder, log }
}

interface Sent {
  method?: string
  target?: string
  headers?: string[]
  body?: string | Uint8Array
  connection?: number
  status?: number
  answer?: string | Uint8Array
  answerHeaders?: string[]
}

const json = ['content-type', 'application/json']

function begin(recorder: Recorder, sent: Sent = {}): ExchangeWatch | Refusal | undefined {
  return recorder.begin({
    connection: sent.connection ?? 1,
    method: sent.method ?? 'PUT',
    target: sent.target ?? '/shop/_doc/1',
    headers: sent.headers ?? json,
    firstByteAt: clock,
  })
}

/** Sends a request through the recorder; `released` is what the client's answer had to wait for. */
function send(recorder: Recorder, sent: Sent = {}) {
  const watch = begin(recorder, sent)
  assert.ok(watch !== undefined && 'requestEnd' in watch)
  const state: { released?: true; refusal?: Refusal } = {}
  watch.requestBytes(bytesOf(sent.body ?? '{"n":1}'))
  watch.requestEnd(clock, (refusal) => {
    state.released = true
    if (refusal) state.refusal = refusal
  })
  const answer = (): void => {
    const headers = sent.answerHeaders ?? json
    watch.responseHead({ status: sent.status ?? 201, headers, firstByteAt: clock })
    watch.responseBytes(bytesOf(sent.answer ?? oneCreated))
    watch.end(true, clock)
  }
  return { watch, state, answer }
}

const oneCreated = '{"_index":"shop","_id":"1","_seq_no":7,"_primary_term":2,"result":"created"}'

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

/** Until everything that was handed to the log is settled. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a write is on record, with the answer of the source, before the client has it', async () => {
  const { recorder, log } = await makeRecorder()
  log.isHanging = true
  const { state, answer } = send(recorder)
  await settled()
  assert.equal(state.released, undefined)
  log.goOn()
  assert.equal(state.released, true)
  answer()
  await settled()
  const [request] = log.of('request')
  const [response] = log.of('response')
  assert.deepEqual(request!.exchange, { proxy: 'p.0', number: 1 })
  assert.equal(Buffer.from(request!.body).toString(), '{"n":1}')
  assert.deepEqual(request!.headers, json)
  assert.equal(request!.mayWrite, true)
  assert.deepEqual(response!.exchange, request!.exchange)
  assert.equal(response!.status, 201)
  assert.equal(Buffer.from(response!.body).toString(), oneCreated)
})

test('reads are not watched, whatever their method, and are never held', async () => {
  const { recorder } = await makeRecorder()
  assert.equal(begin(recorder, { method: 'POST', target: '/shop/_search' }), undefined)
  assert.equal(begin(recorder, { method: 'GET', target: '/shop/_doc/1' }), undefined)
  assert.equal(begin(recorder, { method: 'POST', target: '/_refresh' }), undefined)
})

test('a body of many pieces is put together, and is cut and noted as a gap above its bound', async () => {
  const { recorder, log } = await makeRecorder({ bodyBytesMax: 50_000 })
  const piece = Buffer.alloc(9_999, 'a')
  const watchOf = (pieces: number): void => {
    const watch = begin(recorder) as ExchangeWatch
    for (let i = 0; i < pieces; i++) watch.requestBytes(piece)
    watch.requestEnd(clock, () => {})
    watch.responseHead({ status: 200, headers: [], firstByteAt: clock })
    watch.end(true, clock)
  }
  watchOf(5)
  watchOf(6)
  await settled()
  recorder.tick()
  await settled()
  const [whole, cut] = log.of('request')
  assert.equal(whole!.body.length, 49_995)
  assert.ok(whole!.body.every((byte) => byte === 0x61))
  assert.deepEqual([cut!.body.length, cut!.bodyBytes], [0, 59_994])
  const [gap] = log.of('gap')
  assert.equal(gap!.requests, 1)
  assert.deepEqual(gap!.indices, ['shop'])
  assert.match(gap!.cause, /bodyBytesMax/)
  assert.equal(log.of('response').length, 2)
})

test('bodies of all connections together stay below memoryMax, and are let go when they are written', async () => {
  const { recorder, log } = await makeRecorder({ memoryMax: 1000, bodyBytesMax: 1000 })
  log.isHanging = true
  const first = send(recorder, { body: Buffer.alloc(900) })
  const second = send(recorder, { body: Buffer.alloc(900) })
  first.watch.end(false, clock)
  second.watch.end(false, clock)
  log.goOn()
  await settled()
  const third = send(recorder, { body: Buffer.alloc(900) })
  third.watch.end(false, clock)
  await settled()
  recorder.tick()
  await settled()
  assert.deepEqual(
    log.of('request').map(({ body }) => body.length),
    [900, 0, 900],
  )
  assert.equal(log.of('gap')[0]!.requests, 1)
})

test('no header but those on the list is kept, and no secret of the query', async () => {
  const { recorder, log } = await makeRecorder()
  const headers = [
    ...json,
    'Authorization',
    'Basic c2VjcmV0',
    'cookie',
    'sid=1',
    'X-Opaque-Id',
    'a',
  ]
  headers.push('x-amz-security-token', 'secret', 'es-security-runas-user', 'x', 'X-Whatever', 'y')
  const target = '/shop/_doc/1?routing=r&X-Amz-Signature=abc&token=t'
  send(recorder, { headers, target }).answer()
  await settled()
  const [request] = log.of('request')
  assert.deepEqual(request!.headers, [...json, 'X-Opaque-Id', 'a'])
  assert.equal(request!.target, '/shop/_doc/1?routing=r&X-Amz-Signature=***&token=***')
})

test('of signals that may hold passwords only their head is kept', async () => {
  const { recorder, log } = await makeRecorder()
  const secret = '{"password":"hunter2"}'
  for (const target of ['/_security/user/x', '/_snapshot/r', '/_plugins/foo', '/_some/plugin']) {
    send(recorder, { target, body: secret, answer: secret }).answer()
  }
  const remote = '{"source":{"remote":{"password":"hunter2"}}}'
  send(recorder, { method: 'POST', target: '/_reindex', body: remote }).answer()
  await settled()
  recorder.tick()
  await settled()
  assert.equal(log.of('request').length, 5)
  assert.equal(log.of('gap').length, 0)
  assert.ok(
    !JSON.stringify(log.records).includes(JSON.stringify([...Buffer.from('hunter2')]).slice(1, -1)),
  )
  for (const { body } of [...log.of('request'), ...log.of('response').slice(0, 4)]) {
    assert.equal(body.length, 0)
  }
})

test('without an answer the record says so; of a bulk that broke off the part that came is kept', async () => {
  const { recorder, log } = await makeRecorder()
  const { watch } = send(recorder)
  watch.end(false, clock)
  const bulk = begin(recorder, { method: 'POST', target: '/_bulk' }) as ExchangeWatch
  bulk.requestBytes(Buffer.from('{"index":{"_index":"shop"}}\n{"n"'))
  bulk.end(false, clock)
  const single = begin(recorder) as ExchangeWatch
  single.requestBytes(Buffer.from('{"n"'))
  single.end(false, clock)
  await settled()
  assert.equal(log.of('request').length, 2)
  assert.deepEqual(
    log.of('response').map(({ status }) => status),
    [0, 0],
  )
})

test('pass: while the log fails clients are answered, and one gap tells of all of it when it is back', async () => {
  const { recorder, log } = await makeRecorder()
  log.failure = 'the disk is full (ENOSPC)'
  for (let i = 0; i < 5; i++) {
    clock += 1000
    const { state, answer } = send(recorder, { target: `/shop-${i}/_doc/1` })
    answer()
    await settled()
    assert.deepEqual(state, { released: true })
    recorder.tick()
  }
  assert.equal(recorder.health().state, 'out')
  log.failure = undefined
  clock += 1_000_000
  recorder.tick()
  await settled()
  send(recorder).answer()
  await settled()
  assert.deepEqual(
    log.records.map(({ kind }) => kind),
    ['started', 'gap', 'response', 'request', 'response'],
  )
  const [gap] = log.of('gap')
  assert.equal(gap!.requests, 5)
  assert.match(gap!.cause, /ENOSPC/)
  assert.deepEqual(gap!.indices, ['shop-0', 'shop-1', 'shop-2', 'shop-3', 'shop-4'])
  assert.equal(recorder.health().state, 'ok')
})

test('a request whose answer the log has not taken is ended behind the gap: no reader waits for it', async () => {
  const { recorder, log } = await makeRecorder()
  const [lost, late] = [send(recorder), send(recorder)]
  await settled()
  log.failure = 'no broker'
  lost.answer()
  await settled()
  assert.equal(recorder.health().state, 'out')
  late.answer()
  send(recorder).answer()
  await settled()
  log.failure = undefined
  clock += 1_000_000
  recorder.tick()
  await settled()
  const { number } = log.of('request')[0]!.exchange
  assert.deepEqual(
    log.of('response').map(({ exchange, status }) => [exchange.number, status]),
    [
      [number, 0],
      [number + 1, 0],
    ],
  )
  assert.deepEqual(
    log.records.map(({ kind }) => kind),
    ['started', 'request', 'request', 'gap', 'response', 'response'],
  )
})

test('refuse: the first failure is answered with 503, and from then on nothing reaches the source until the log is back', async () => {
  const { recorder, log } = await makeRecorder({ onLogFailure: 'refuse' })
  log.failure = 'ENOSPC'
  const { state } = send(recorder)
  await settled()
  assert.equal(state.refusal!.status, 503)
  assert.match(state.refusal!.body, /may have been carried out/)
  const refused = begin(recorder) as Refusal
  assert.equal(refused.status, 503)
  assert.match(refused.body, /did not reach the source/)
  assert.equal(begin(recorder, { method: 'GET' }), undefined)
  log.failure = undefined
  clock += 1_000_000
  recorder.tick()
  await settled()
  assert.equal(log.of('gap')[0]!.requests, 1)
  const again = send(recorder)
  again.answer()
  await settled()
  assert.deepEqual(again.state, { released: true })
})

test('pass: nobody waits for a slow log longer than logWaitMax, and what it takes late is no gap', async () => {
  const { recorder, log } = await makeRecorder()
  log.isHanging = true
  const { state, answer } = send(recorder)
  answer()
  clock += 999_000
  recorder.tick()
  assert.deepEqual(state, {})
  clock += 2_000
  recorder.tick()
  assert.deepEqual(state, { released: true })
  assert.equal(recorder.health().state, 'slow')
  const next = send(recorder)
  next.answer()
  assert.deepEqual(next.state, { released: true })
  log.goOn()
  await settled()
  assert.equal(recorder.health().state, 'ok')
  assert.equal(log.of('request').length, 2)
  assert.equal(log.of('gap').length, 0)
})

test('refuse: a log that is slow is as one that is out', async () => {
  const { recorder, log } = await makeRecorder({ onLogFailure: 'refuse' })
  log.isHanging = true
  const { state } = send(recorder)
  clock += 1_001_000
  recorder.tick()
  assert.equal(state.refusal!.status, 503)
  assert.equal((begin(recorder) as Refusal).status, 503)
  log.goOn()
  await settled()
  assert.ok('requestEnd' in (begin(recorder) as ExchangeWatch))
})

test('a gap that the log does not take is kept, and grows', async () => {
  const { recorder, log } = await makeRecorder()
  log.failure = 'gone'
  for (let i = 0; i < 3; i++) {
    send(recorder).answer()
    await settled()
    clock += 1_000_000
    recorder.tick()
    await settled()
  }
  log.failure = undefined
  clock += 1_000_000
  recorder.tick()
  await settled()
  assert.deepEqual(
    log.of('gap').map(({ requests }) => requests),
    [3],
  )
})

test('from 80 % of the log on records are thin: what was written, and no bodies', async () => {
  const { recorder, log } = await makeRecorder()
  log.bytes = 0.8 * log.bytesMax
  const body =
    '{"index":{"_id":"a","routing":"r"}}\n{"n":1}\n{"delete":{"_id":"b"}}\n{"create":{}}\n{}\n'
  const answer = JSON.stringify({
    errors: true,
    items: [
      { index: { _index: 'shop', _id: 'a', _seq_no: 4, _primary_term: 1, result: 'updated' } },
      { delete: { _index: 'shop', _id: 'b', _seq_no: 5, _primary_term: 1, result: 'not_found' } },
      { create: { _index: 'shop', _id: 'c', status: 409, error: { type: 'conflict' } } },
    ],
  })
  const gzip = ['content-encoding', 'gzip']
  const target = '/shop/_bulk'
  send(recorder, { method: 'POST', target, headers: gzip, body: gzipSync(body), answer }).answer()
  await settled()
  const [request] = log.of('request')
  assert.deepEqual([request!.body.length, request!.bodyBytes], [0, gzipSync(body).length])
  assert.deepEqual(log.of('thin')[0]!.items, [
    { index: 'shop', id: 'a', result: 'updated', seqNo: 4, primaryTerm: 1, routing: 'r' },
    { index: 'shop', id: 'b', result: 'not_found', seqNo: 5, primaryTerm: 1 },
    { index: 'shop', id: 'c', result: 'conflict' },
  ])
})

test('below 80 % of the log records hold their bodies', async () => {
  const { recorder, log } = await makeRecorder()
  log.bytes = 0.79 * log.bytesMax
  send(recorder).answer()
  await settled()
  assert.equal(log.of('request')[0]!.body.length, 7)
  assert.equal(log.of('response')[0]!.body.length, oneCreated.length)
})

test('a thin record that cannot be made is a gap', async () => {
  const { recorder, log } = await makeRecorder()
  log.bytes = log.bytesMax
  const filtered = { answer: '{"errors":false}', body: '{"index":{}}\n{}\n' }
  send(recorder, { method: 'POST', target: '/shop/_bulk', ...filtered }).answer()
  await settled()
  recorder.tick()
  await settled()
  assert.deepEqual(log.of('gap')[0]!.indices, ['shop'])
  assert.equal(log.of('thin').length, 0)
})

test('of reads the sample is kept, cut at readBytesMax, and nothing waits for it', async () => {
  const { recorder, log } = await makeRecorder({ reads: 1 })
  log.isHanging = true
  const search = { method: 'POST', target: '/shop/_search', status: 200 }
  const short = send(recorder, { ...search, answer: '{"hits":{}}' })
  assert.deepEqual(short.state, { released: true })
  short.answer()
  send(recorder, { ...search, answer: Buffer.alloc(1001) }).answer()
  log.goOn()
  await settled()
  assert.deepEqual(
    log.of('request').map(({ mayWrite }) => mayWrite),
    [false, false],
  )
  const [whole, cut] = log.of('response')
  assert.equal(Buffer.from(whole!.body).toString(), '{"hits":{}}')
  assert.deepEqual([cut!.body.length, cut!.bodyBytes], [0, 1001])
  for (const target of ['/_cat/indices', '/_cluster/health', '/']) {
    assert.equal(begin(recorder, { method: 'GET', target }), undefined)
  }
})

test('reads go first: none is kept when the log is thin or fails', async () => {
  const { recorder, log } = await makeRecorder({ reads: 1 })
  log.bytes = 0.9 * log.bytesMax
  assert.equal(begin(recorder, { method: 'GET' }), undefined)
  log.bytes = 0
  log.failure = 'gone'
  send(recorder)
  await settled()
  assert.equal(begin(recorder, { method: 'GET' }), undefined)
})

test('the sample is about as large as asked, and holds all of a scroll or none of it', async () => {
  const { recorder } = await makeRecorder({ reads: 0.1 })
  let kept = 0
  for (let i = 0; i < 10_000; i++) {
    clock += 137
    if (begin(recorder, { method: 'GET', connection: i % 50 }) !== undefined) kept++
  }
  assert.ok(kept > 850 && kept < 1150, String(kept))
  let scrolls = 0
  for (let connection = 0; connection < 1000; connection++) {
    const pages = ['/shop/_search?scroll=1m', '/_search/scroll', '/_search/scroll'].map(
      (target) => {
        clock += 1000
        return begin(recorder, { method: 'POST', target, connection }) !== undefined
      },
    )
    assert.equal(new Set(pages).size, 1)
    if (pages[0]) scrolls++
  }
  assert.ok(scrolls > 60 && scrolls < 140, String(scrolls))
})

test('numbers go on after a restart, and an end that was not clean is a gap', async () => {
  const log = new MemoryLog({ isClean: false, at: 5, number: 41 })
  const { recorder } = await makeRecorder({}, log)
  send(recorder).answer()
  await settled()
  await recorder.close()
  assert.deepEqual(
    log.records.map(({ kind }) => kind),
    ['gap', 'started', 'request', 'response', 'stopped'],
  )
  assert.equal(log.of('gap')[0]!.from, 5)
  assert.equal(log.of('request')[0]!.exchange.number, 42)
  assert.ok(log.isClosed)

  const clean = new MemoryLog({ isClean: true, at: 5, number: 7 })
  await makeRecorder({}, clean)
  assert.deepEqual(
    clean.records.map(({ kind }) => kind),
    ['started'],
  )
})

test('no mark of a clean end is written while a gap is open', async () => {
  const { recorder, log } = await makeRecorder()
  log.failure = 'gone'
  send(recorder)
  await settled()
  await recorder.close()
  assert.deepEqual(
    log.records.map(({ kind }) => kind),
    ['started'],
  )
  assert.ok(log.isClosed)
})

test('pass: a log that is away when the proxy begins is one gap until it is back', async () => {
  const log = new MemoryLog({ isClean: true, at: 5, number: 7 })
  log.failure = 'no broker'
  const begun = clock
  const { recorder } = await makeRecorder({}, log)
  assert.equal(recorder.health().state, 'out')
  const { state, answer } = send(recorder)
  answer()
  assert.deepEqual(state, { released: true })
  log.failure = undefined
  clock += 2_000_000
  recorder.tick()
  await settled()
  assert.equal(recorder.health().state, 'ok')
  send(recorder).answer()
  await settled()
  assert.deepEqual(
    log.records.map(({ kind }) => kind),
    ['gap', 'request', 'response'],
  )
  const [gap] = log.of('gap')
  assert.equal(gap!.from, begun)
  assert.match(gap!.cause, /no broker/)
  assert.ok(log.of('request')[0]!.exchange.number > 7)
})

test('refuse: a log that is away when the proxy begins lets reads through and no write', async () => {
  const log = new MemoryLog()
  log.failure = 'no broker'
  const { recorder } = await makeRecorder({ onLogFailure: 'refuse' }, log)
  const refused = begin(recorder)
  assert.ok(refused !== undefined && 'status' in refused)
  assert.equal(refused.status, 503)
  assert.equal(begin(recorder, { method: 'GET', target: '/shop/_doc/1' }), undefined)
  log.failure = undefined
  clock += 2_000_000
  recorder.tick()
  await settled()
  const watch = begin(recorder)
  assert.ok(watch !== undefined && 'requestEnd' in watch)
})
