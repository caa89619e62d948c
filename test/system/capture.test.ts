/** The proxy with its recorder and its local log, as a whole: what clients write is on record, whatever happens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { mergeRequests } from '../support/captured.ts'
import {
  ask,
  readCaptureLog,
  startCapture,
  writeCaptureConfig,
  Writers,
  type HttpAnswer,
} from '../support/capture.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const es7 = await useEngine('elasticsearch', '7')
const es6 = await useEngine('elasticsearch', '6')
const json = { 'content-type': 'application/json' }

for (const engine of [es6, es7]) {
  test(`what is written to ${engine.kind} ${engine.version} is on record as it was sent and answered`, async () => {
    const folder = cliFolder()
    writeCaptureConfig(folder, engine.url, { reads: 1, readBytesMax: '8mb' })
    const proxy = await startCapture(folder)
    const index = uniqueName('captured')
    const bulk =
      '{"index":{"_type":"_doc","_id":"a"}}\n{"n":1}\n{"index":{"_type":"_doc"}}\n{"n":2}\n'
    const large = JSON.stringify({ text: 'x'.repeat(3_000_000) })
    const asked = [
      {
        method: 'PUT',
        target: `/${index}`,
        body: '{"settings":{"number_of_shards":1}}',
        headers: json,
      },
      { method: 'PUT', target: `/${index}/_doc/1?routing=r`, body: '{"n":1}', headers: json },
      { method: 'POST', target: `/${index}/_doc`, body: '{"n":2}', headers: json },
      { method: 'PUT', target: `/${index}/_doc/large`, body: large, headers: json },
      {
        method: 'POST',
        target: `/${index}/_bulk?refresh=true`,
        body: gzipSync(bulk),
        headers: {
          'content-type': 'application/x-ndjson',
          'content-encoding': 'gzip',
          'accept-encoding': 'gzip',
        },
      },
      {
        method: 'POST',
        target: `/${index}/_search`,
        body: '{"query":{"match_all":{}}}',
        headers: json,
      },
      {
        method: 'POST',
        target: `/${index}/_update_by_query?conflicts=proceed`,
        body: '{}',
        headers: json,
      },
      { method: 'PUT', target: `/${index}/_doc/1?op_type=create`, body: '{"n":9}', headers: json },
      {
        method: 'DELETE',
        target: `/${index}/_doc/a`,
        headers: { authorization: 'Basic c2VjcmV0' },
      },
      { method: 'GET', target: `/${index}/_doc/1?routing=r` },
      { method: 'DELETE', target: `/${index}` },
      { method: 'GET', target: '/_cluster/health' },
    ]
    const answers: HttpAnswer[] = []
    for (const one of asked) answers.push(await ask(proxy.url, one))
    await proxy.stop()
    const records = await readCaptureLog(folder)
    const exchanges = mergeRequests(records)
    assert.deepEqual(
      exchanges.map(({ request }) => `${request.method} ${request.target}`),
      asked.slice(0, -1).map(({ method, target }) => `${method} ${target}`),
    )
    exchanges.forEach(({ request, response }, i) => {
      const sent = Buffer.from(asked[i]!.body ?? '')
      const isRead = /_search|GET/.test(`${request.method} ${request.target}`)
      assert.equal(request.mayWrite, !isRead)
      assert.ok(sent.equals(request.body), request.target)
      assert.equal(request.bodyBytes, sent.length)
      assert.equal(response!.status, answers[i]!.status)
      assert.ok(answers[i]!.body.equals(response!.body), request.target)
      assert.ok(
        request.firstByteAt <= request.lastByteAt && request.lastByteAt <= response!.lastByteAt,
      )
      assert.ok(!JSON.stringify(request.headers).includes('c2VjcmV0'))
    })
    const written = exchanges.find(({ request }) => request.target.includes('_bulk'))!
    assert.equal(gunzipSync(written.request.body).toString(), bulk)
    const kinds = records.map(({ kind }) => kind)
    assert.deepEqual([kinds[0], kinds.at(-1)], ['started', 'stopped'])
    assert.ok(!kinds.includes('gap'))
  })
}

test('after kill -9 at random moments every write that was acknowledged is in the log', async () => {
  const folder = cliFolder()
  writeCaptureConfig(folder, es7.url, { workers: 2 })
  const index = uniqueName('killed')
  await send(es7, 'PUT', `/${index}`, { settings: { number_of_replicas: 0 } })
  const acknowledged: string[] = []
  for (let life = 0; life < 3; life++) {
    const proxy = await startCapture(folder)
    const writers = new Writers(proxy.url, { index, prefix: `life${life}`, atOnce: 8 })
    await writers.until(200 + 100 * life)
    await proxy.kill()
    await writers.stop()
    acknowledged.push(...writers.acknowledged)
  }
  await (await startCapture(folder)).stop()
  const records = await readCaptureLog(folder)
  const recorded = new Set<string>()
  for (const one of records) {
    if (one.kind === 'request') recorded.add(one.target.split('/').at(-1)!)
  }
  assert.deepEqual(
    acknowledged.filter((id) => !recorded.has(id)),
    [],
  )
  assert.ok(acknowledged.length >= 900)
  // Each end without a mark is a gap, for what was carried out and not acknowledged; then all is at an end.
  assert.equal(records.filter(({ kind }) => kind === 'gap').length, 6)
  const numbers = records.flatMap((one) =>
    one.kind === 'request' ? [`${one.exchange.proxy} ${one.exchange.number}`] : [],
  )
  assert.equal(new Set(numbers).size, numbers.length)
})

test('a proxy is replaced under load without an error of a client, and nothing is missing', async () => {
  const folder = cliFolder()
  writeCaptureConfig(folder, es7.url)
  const index = uniqueName('replaced')
  const first = await startCapture(folder)
  const writers = new Writers(first.url, { index, prefix: 'w', atOnce: 4 })
  await writers.until(50)
  const { before, now } = await osmigrateJson<{ before: { pid: number }; now: { pid: number } }>(
    folder,
    0,
    'capture',
    'start',
    '--replace',
  )
  assert.notEqual(before.pid, now.pid)
  const seen = writers.acknowledged.size
  await writers.until(seen + 100)
  await writers.stop()
  assert.equal(writers.failures, 0)
  await osmigrate(folder, 0, 'capture', 'stop')
  const records = await readCaptureLog(folder)
  const targets = new Set(records.flatMap((one) => (one.kind === 'request' ? [one.target] : [])))
  for (const id of writers.acknowledged) assert.ok(targets.has(`/${index}/_doc/${id}`), id)
  assert.equal(records.filter(({ kind }) => kind === 'stopped').length, 2)
  assert.ok(!records.some(({ kind }) => kind === 'gap'))
})

const mb = 1 << 20
const body = JSON.stringify({ text: 'x'.repeat(mb) })

test('pass: with a full log clients are answered, records turn thin before, and a gap tells the rest', async () => {
  const folder = cliFolder()
  writeCaptureConfig(folder, es7.url, { log: { bytesMax: 16 * mb } })
  const index = uniqueName('full')
  const proxy = await startCapture(folder)
  for (let i = 0; i < 30; i++) {
    const target = `/${index}/_doc/${i}`
    assert.equal((await ask(proxy.url, { method: 'PUT', target, body, headers: json })).status, 201)
  }
  assert.equal((await proxy.status()).log.state, 'thin')
  await proxy.stop()
  const records = await readCaptureLog(folder)
  const whole = records.filter((one) => one.kind === 'request' && one.body.length > mb)
  const thin = records.flatMap((one) => (one.kind === 'thin' ? one.items : []))
  assert.ok(whole.length >= 10 && whole.length < 16, String(whole.length))
  assert.equal(whole.length + thin.length, 30)
  assert.deepEqual(
    thin.map(({ id }) => Number(id)),
    Array.from({ length: thin.length }, (_, i) => whole.length + i),
  )
  assert.ok(thin.every((one) => one.index === index && one.result === 'created' && one.seqNo! >= 0))
})

test('capture check finds writes that pass the proxy by, and none where all go through', async () => {
  const folder = cliFolder()
  writeCaptureConfig(folder, es7.url, { listen: '127.0.0.1:0' })
  const index = uniqueName('checked')
  const proxy = await startCapture(folder)
  const listen = proxy.url.replace('http://', '')
  const quiet = ['--for', '1s', '--listen', listen, '--index', index]
  const unproven = await osmigrateJson<{ findings: { what: string; isOpen?: true }[] }>(
    folder,
    4,
    'capture',
    'check',
    ...quiet,
  )
  assert.deepEqual(
    unproven.findings.filter(({ isOpen }) => isOpen).map(({ what }) => what),
    ['writes'],
  )
  const check = (): Promise<{ findings: { what: string; isWell: boolean }[]; isWell: boolean }> =>
    osmigrateJson(
      folder,
      3,
      'capture',
      'check',
      '--for',
      '1s',
      '--listen',
      listen,
      '--index',
      index,
    )
  const writers = new Writers(proxy.url, { index, prefix: 'through', atOnce: 1 })
  const past = new Writers(es7.url, { index, prefix: 'past', atOnce: 1 })
  await writers.until(1)
  await past.until(1)
  const found = await check()
  await past.stop()
  assert.deepEqual(
    found.findings.filter(({ isWell }) => !isWell).map(({ what }) => what),
    ['writes'],
  )
  const args = ['--for', '1s', '--listen', listen, '--index', index]
  await osmigrateJson(folder, 0, 'capture', 'check', ...args)
  await writers.stop()
  await proxy.stop()
})
