/** The log of a proxy full, gone and back again, with clients that are answered or refused meanwhile. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { ask, readCaptureLog, startCapture, until, writeCaptureConfig } from '../support/capture.ts'
import { cliFolder } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

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

/** A file system of its own that can be filled; undefined where it may not be made. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-disk-'))
  let isMounted = false
  after(() => {
    if (isMounted) execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'none', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  isMounted = true
  return folder
}

const disk = smallDisk()
const noDisk = disk === undefined && 'a file system can only be made by root'

test(
  'pass: on a full disk clients are answered, and one gap tells of it when there is room again',
  { skip: noDisk },
  async () => {
    const folder = cliFolder()
    const index = uniqueName('disk')
    writeCaptureConfig(folder, engine.url, { log: { dir: disk, bytesMax: '1gb' } })
    const proxy = await startCapture(folder)
    const write = (id: string, body: string) =>
      ask(proxy.url, { method: 'PUT', target: `/${index}/_doc/${id}`, body, headers })
    await write('before', '{}')
    const filler = path.join(disk!, 'somebody-elses')
    try {
      for (let size = 1; ; size++) writeFileSync(filler, Buffer.alloc(mb), { flag: 'a' })
    } catch {
      // The disk is full.
    }
    let answered = 0
    await until('the log fails', async () => {
      assert.equal((await write(`during-${answered++}`, large)).status, 201)
      return (await proxy.status()).log.state === 'failing'
    })
    assert.equal((await write('during-last', '{}')).status, 201)
    rmSync(filler)
    await until('the log is back', async () => (await proxy.status()).log.state === 'ok')
    assert.equal((await write('after', '{}')).status, 201)
    const { requestsInGaps } = (await proxy.status()).log
    await proxy.stop()
    const records = await readCaptureLog(folder, disk)
    const gaps = records.filter((one) => one.kind === 'gap')
    assert.equal(
      gaps.reduce((sum, { requests }) => sum + requests, 0),
      requestsInGaps,
    )
    assert.deepEqual(gaps[0]!.indices, [index])
    const recorded = records.flatMap((one) =>
      one.kind === 'request' ? [one.target.split('/').at(-1)!] : [],
    )
    const gapped = gaps.reduce((sum, { requests }) => sum + requests, 0)
    assert.ok(
      recorded.includes('before') &&
        recorded.includes('after') &&
        !recorded.includes('during-last'),
    )
    assert.equal(new Set(recorded).size + gapped, answered + 3)
  },
)
