import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLocalLog, type LocalLog } from '../../src/traffic/local-log.ts'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { append } from '../support/capture-log-contract.ts'
import { killWriters } from '../support/capture-log-kills.ts'
import { bodyBytesOf, numberedRequest } from '../support/capture-records.ts'
import { osmigrate, startOsmigrate } from '../support/cli.ts'
import { randomSource } from '../support/random-json.ts'

function tempRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'capture-log-soak-'))
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

test('the local log is killed a hundred times', async (t) => {
  const seed = Date.now() % 1e6
  const random = randomSource(seed)
  const { records, cuts } = await killWriters(tempRoot(t), { kills: 100, random })
  t.diagnostic(`seed ${seed}: ${records} records, ${cuts} torn tails`)
})

const clients = 8
const perClient = 1e9
const minutes = 3
const bytesMax = 4 << 20

/** Appends one record after the other; what the log refuses comes again. */
async function write(log: LocalLog, client: number, until: number): Promise<number> {
  let count = 0
  while (performance.now() < until) {
    const number = client * perClient + count
    const isTaken = await append(log, numberedRequest(number, bodyBytesOf(number))).then(
      () => true,
      () => false,
    )
    if (isTaken) count++
    else await sleep(5)
  }
  return count
}

test('a small log that is written, followed and released for minutes is never larger than it may be, and nor is memory', async (t) => {
  const root = tempRoot(t)
  const log = await openLocalLog({ folder: join(root, 'p1'), stream: 'p1', bytesMax })
  const until = performance.now() + minutes * 60_000
  const written = Promise.all(Array.from({ length: clients }, (_, i) => write(log, i, until)))
  const expected = Array.from({ length: clients }, () => 0)
  const random = randomSource(1)
  const stop = new AbortController()
  let [bytesPeak, rssEarly, rssPeak, isFull] = [0, 0, 0, 0]
  const reader = openLocalLogReader(root)
  const reading = (async () => {
    let count = 0
    const from = { stream: 'p1', offset: 0 }
    for await (const { record, next } of reader.read(from, { follow: true, signal: stop.signal })) {
      assert.ok(record.kind === 'request')
      const { number } = record.exchange
      const client = Math.floor(number / perClient)
      assert.equal(number % perClient, expected[client]!++)
      if (++count % 500 !== 0) continue
      const { bytes } = log.usage()
      bytesPeak = Math.max(bytesPeak, bytes)
      if (bytes > bytesMax * 0.99) isFull++
      rssPeak = Math.max(rssPeak, process.memoryUsage().rss)
      if (count === 20_000) rssEarly = rssPeak
      // Now and then so late that the log is full.
      if (random() < 0.005) await sleep(3000)
      await reader.release(next)
    }
  })()
  const counts = await written
  while (expected.some((count, i) => count < counts[i]!)) await sleep(50)
  stop.abort()
  await assert.rejects(reading, { name: 'AbortError' })
  await log.close()
  assert.deepEqual(expected, counts)
  assert.ok(bytesPeak <= bytesMax, `${bytesPeak} bytes`)
  assert.ok(rssEarly > 0 && rssPeak < rssEarly * 1.5 + 50e6, `${rssPeak}, early ${rssEarly}`)
  const sum = counts.reduce((a, b) => a + b, 0)
  t.diagnostic(
    `${sum} records, RSS ${rssPeak >> 20} MB, log at most ${bytesPeak >> 20} MB, ${isFull} times full`,
  )
})

test('exports and imports that are killed go on, and keep every byte', async (t) => {
  const folder = tempRoot(t)
  const log = await openLocalLog({
    folder: join(folder, 'log/p1'),
    stream: 'p1',
    bytesMax: 1 << 30,
  })
  for (let i = 0; i < 3000; i += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, j) => append(log, numberedRequest(i + j, 50_000))),
    )
  }
  await log.close()
  const random = randomSource(Date.now() % 1e6)
  const untilDone = async (...args: string[]): Promise<number> => {
    for (let kills = 0; ; kills++) {
      const { child, ended } = startOsmigrate(folder, 'capture', 'log', ...args)
      const timer = setTimeout(() => child.kill('SIGKILL'), 500 + random() * 1000 * (1 + kills))
      const { code, signal, stderr } = await ended
      clearTimeout(timer)
      if (signal === 'SIGKILL') continue
      assert.equal(code, 0, stderr)
      return kills
    }
  }
  await osmigrate(folder, 0, 'capture', 'log', 'export', 'whole.gz', '--from', 'log')
  const exportKills = await untilDone('export', 'x.gz', '--from', 'log')
  const importKills = await untilDone('import', 'x.gz', '--to', 'log2')
  await osmigrate(folder, 0, 'capture', 'log', 'export', 'y.gz', '--from', 'log2')
  const whole = readFileSync(join(folder, 'whole.gz'))
  assert.ok(readFileSync(join(folder, 'x.gz')).equals(whole))
  assert.ok(readFileSync(join(folder, 'y.gz')).equals(whole))
  t.diagnostic(`${exportKills} kills of the export, ${importKills} of the import`)
})
