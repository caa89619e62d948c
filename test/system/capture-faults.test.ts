/** The log of a proxy full, gone and back again, with clients that are answered or refused meanwhile. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { ask, readCaptureLog, startCapture, until } from '../support/capture.ts'
import { writeCaptureConfig, type RunningProxy } from '../support/capture.ts'
import { cliFolder } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { canLimitFiles, limitFiles, smallDisk } from '../support/small-disk.ts'

const engine = await useEngine('elasticsearch', '7')
const headers = { 'content-type': 'application/json' }
const mb = 1 << 20
const large = JSON.stringify({ text: 'x'.repeat(mb) })

async function countAt(index: string): Promise<number> {
  await send(engine, 'POST', `/${index}/_refresh`)
  return (await send<{ count: number }>(engine, 'GET', `/${index}/_count`)).count
}

test('refuse: with a full log no write reaches the source, reads pass, and space makes it go on', async () => {
  const folder = cliFolder()
  const index = uniqueName('refused')
  const log = { bytesMax: 16 * mb }
  writeCaptureConfig(folder, engine.url, { onLogFailure: 'refuse', log })
  const proxy = await startCapture(folder)
  const write = (id: string, body: string) =>
    ask(proxy.url, { method: 'PUT', target: `/${index}/_doc/${id}`, body, headers })
  // Thin records are small: names fill the log where bodies no longer do.
  const long = 'y'.repeat(500)
  const filler = `${'{"index":{"_id":"ID"}}\n{}\n'.replace('ID', long)}`
  for (let i = 0; i < 13; i++) await write(`large-${i}`, large)
  await until('the log is full', async () => {
    const lines = Array.from({ length: 400 }, (_, n) => filler.replace(long, `${n}-${long}`)).join(
      '',
    )
    const type = { 'content-type': 'application/x-ndjson' }
    const target = `/${index}/_bulk?routing=${'r'.repeat(1000)}`
    return (
      (await ask(proxy.url, { method: 'POST', target, body: lines, headers: type })).status === 503
    )
  })
  const before = await countAt(index)
  const refused = await write('refused', '{}')
  assert.equal(refused.status, 503)
  assert.match(refused.body.toString(), /capture log is out.*did not reach the source/s)
  const found = await ask(proxy.url, { method: 'GET', target: `/${index}/_doc/large-0` })
  assert.equal(found.status, 200)
  assert.equal(await countAt(index), before)
  // What sync does with what it has read.
  const reader = openLocalLogReader(path.join(folder, '.osmigrate/live/log'))
  for (const { end } of await reader.streams()) await reader.release(end)
  await reader.close()
  await until('writes go on', async () => (await write('after', '{}')).status === 201)
  await proxy.stop()
  const records = await readCaptureLog(folder)
  const gaps = records.filter((one) => one.kind === 'gap')
  assert.ok(gaps.length >= 1)
  assert.match(gaps[0]!.cause, /full|bytesMax/)
  assert.ok(records.some((one) => one.kind === 'request' && one.target.endsWith('/after')))
})

test('a worker that is started again serves, whatever became of its log, and records when it can', async () => {
  const folder = cliFolder()
  const index = uniqueName('again')
  writeCaptureConfig(folder, engine.url)
  const dir = path.join(folder, '.osmigrate/live/log')
  const proxy = await startCapture(folder)
  const write = (id: string) =>
    ask(proxy.url, { method: 'PUT', target: `/${index}/_doc/${id}`, body: '{}', headers })
  assert.equal((await write('before')).status, 201)
  rmSync(dir, { recursive: true })
  writeFileSync(dir, 'no folder')
  proxy.killWorkers()
  // The first try may go to a connection that was the dead worker's.
  assert.equal((await write('during').catch(() => write('during'))).status, 201)
  await until('the log fails', async () => (await proxy.status()).log.state === 'failing')
  // Looked for a while after a worker has ended.
  await until('streams without an end are missed', () =>
    Promise.resolve(proxy.said().includes('streams of the capture log may have no end yet')),
  )
  rmSync(dir)
  await until('the log is back', async () => (await proxy.status()).log.state === 'ok')
  assert.equal((await write('after')).status, 201)
  await proxy.stop()
  const records = await readCaptureLog(folder)
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['started', 'gap', 'request', 'response', 'stopped'],
  )
})

/** Ways in which a log can write no more, and can again. */
interface Stop {
  readonly name: string
  readonly dir?: string
  stop(proxy: RunningProxy): void
  goOn(proxy: RunningProxy): void
}

const disk = smallDisk(40 * mb)

function fill(folder: string): void {
  try {
    for (;;) writeFileSync(path.join(folder, 'filler'), Buffer.alloc(mb), { flag: 'a' })
  } catch {
    // The disk is full.
  }
}

const empty = (folder: string): void => rmSync(path.join(folder, 'filler'))

const stops: readonly Stop[] = [
  ...(disk === undefined
    ? []
    : [{ name: 'a full disk', dir: disk, stop: () => fill(disk), goOn: () => empty(disk) }]),
  ...(canLimitFiles
    ? [
        {
          name: 'files that may not grow',
          stop: (proxy: RunningProxy) => limitFiles(proxy.workerPids(), false),
          goOn: (proxy: RunningProxy) => limitFiles(proxy.workerPids(), true),
        },
      ]
    : []),
]

for (const { name, dir, ...log } of stops) {
  test(`pass: with ${name} clients are answered, and gaps tell of it when it is over`, async () => {
    const folder = cliFolder()
    const index = uniqueName('disk')
    writeCaptureConfig(folder, engine.url, { log: { ...(dir && { dir }), bytesMax: '1gb' } })
    const proxy = await startCapture(folder)
    const write = (id: string, body: string) =>
      ask(proxy.url, { method: 'PUT', target: `/${index}/_doc/${id}`, body, headers })
    await write('before', '{}')
    log.stop(proxy)
    let answered = 0
    await until('the log fails', async () => {
      assert.equal((await write(`during-${answered++}`, large)).status, 201)
      return (await proxy.status()).log.state === 'failing'
    })
    assert.equal((await write('during-last', '{}')).status, 201)
    log.goOn(proxy)
    await until('the log is back', async () => (await proxy.status()).log.state === 'ok')
    assert.equal((await write('after', '{}')).status, 201)
    const { requestsInGaps } = (await proxy.status()).log
    await proxy.stop()
    const records = await readCaptureLog(folder, dir)
    const gaps = records.filter((one) => one.kind === 'gap')
    const gapped = gaps.reduce((sum, { requests }) => sum + requests, 0)
    assert.equal(gapped, requestsInGaps)
    assert.deepEqual(gaps[0]!.indices, [index])
    const recorded = records.flatMap((one) =>
      one.kind === 'request' ? [one.target.split('/').at(-1)!] : [],
    )
    assert.ok(
      recorded.includes('before') &&
        recorded.includes('after') &&
        !recorded.includes('during-last'),
    )
    // What was being written as the log failed may be in it all the same, and counts as a gap.
    const told = new Set(recorded).size + gapped
    assert.ok(told >= answered + 3, `${told} of ${answered + 3} writes are in the log or in a gap`)
  })
}

if (disk !== undefined) {
  const remount = (how: string): void => {
    execFileSync('mount', ['-o', `remount,${how}`, disk])
  }
  const ways = [
    { name: 'is full', stop: () => fill(disk), goOn: () => empty(disk) },
    { name: 'may only be read', stop: () => remount('ro'), goOn: () => remount('rw') },
  ]
  for (const { name, stop, goOn } of ways) {
    test(`a proxy whose disk ${name} as it starts serves, and records when it can`, async () => {
      const folder = cliFolder()
      const index = uniqueName('start')
      const dir = path.join(disk, index)
      writeCaptureConfig(folder, engine.url, { log: { dir, bytesMax: '1gb' } })
      stop()
      const proxy = await startCapture(folder).catch((error: unknown) => {
        goOn()
        throw error
      })
      const write = (id: string) =>
        ask(proxy.url, { method: 'PUT', target: `/${index}/_doc/${id}`, body: '{}', headers })
      try {
        assert.equal((await proxy.status()).log.state, 'failing')
        assert.match(proxy.said(), /until the capture log can be opened, writes pass unrecorded/)
        assert.equal((await write('before')).status, 201)
      } finally {
        goOn()
      }
      await until('the log is back', async () => (await proxy.status()).log.state === 'ok')
      assert.equal((await write('after')).status, 201)
      await proxy.stop()
      assert.deepEqual(
        (await readCaptureLog(folder, dir)).map(({ kind }) => kind),
        ['started', 'gap', 'request', 'response', 'stopped'],
      )
    })
  }
}

test('refuse: with a log that is away as the proxy starts no write reaches the source, and reads pass', async () => {
  const folder = cliFolder()
  const index = uniqueName('away')
  await send(engine, 'PUT', `/${index}/_doc/1?refresh=true`, { n: 1 })
  // Nobody listens there.
  const log = { kafka: { brokers: ['127.0.0.1:9'], topic: 'capture' } }
  writeCaptureConfig(folder, engine.url, { onLogFailure: 'refuse', log })
  const proxy = await startCapture(folder)
  const request = (method: string, body?: string) =>
    ask(proxy.url, { method, target: `/${index}/_doc/1`, headers, ...(body && { body }) })
  assert.equal((await proxy.status()).log.state, 'failing')
  const refused = await request('PUT', '{"n":2}')
  assert.equal(refused.status, 503)
  assert.match(refused.body.toString(), /capture log is out.*did not reach the source/s)
  assert.match((await request('GET')).body.toString(), /"_source":\{"n":1\}/)
  assert.match(proxy.said(), /until the capture log can be opened, writes are refused/)
  await proxy.stop()
})
