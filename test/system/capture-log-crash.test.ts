import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openLocalLog } from '../../src/traffic/local-log.ts'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { numberedRequest } from '../support/capture-records.ts'
import { randomSource } from '../support/random-json.ts'

const child = fileURLToPath(new URL('../support/capture-log-child.ts', import.meta.url))
const kills = Number(process.env.OSMIGRATE_CAPTURE_KILLS ?? 12)

/** Runs a writer until it has made `atLeast` records durable and then a while longer, and kills it; the last durable number. */
async function writeAndKill(
  folder: string,
  options: { first: number; atLeast: number; longerMs: number; segmentBytesMax: number },
): Promise<number> {
  const { first, atLeast, longerMs, segmentBytesMax } = options
  const writer = spawn(process.execPath, [child, folder, `${first}`, `${segmentBytesMax}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  let timer: NodeJS.Timeout | undefined
  writer.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  writer.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    if (Number(lastLine(output)) >= first + atLeast) {
      timer ??= setTimeout(() => writer.kill('SIGKILL'), longerMs)
    }
  })
  const [, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    writer.on('close', (code, by) => resolve([code, by]))
  })
  assert.equal(signal, 'SIGKILL', errors)
  assert.equal(errors, '')
  const numbers = output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number)
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => first + i),
    'durable in the order of append()',
  )
  return numbers.at(-1)!
}

const lastLine = (text: string): string => text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)!

/** The number of the last record; all before it must be there, in order, as they were appended. */
async function checkLog(root: string): Promise<number> {
  const reader = openLocalLogReader(root)
  const { oldest } = (await reader.streams())[0]!
  let expected = 0
  for await (const { record } of reader.read(oldest, { follow: false })) {
    const bodyBytes = expected % 50 === 0 ? 30_000 : (expected * 37) % 900
    assert.deepEqual(record, numberedRequest(expected, bodyBytes))
    expected++
  }
  return expected - 1
}

test('kill -9 at random moments: what was durable is in the log, in order, and nothing is twice', async (t) => {
  const seed = Date.now() % 1e6
  t.diagnostic(`seed ${seed}`)
  const random = randomSource(seed)
  const root = mkdtempSync(join(tmpdir(), 'capture-log-crash-'))
  const folder = join(root, 'p1')
  t.after(() => rmSync(root, { recursive: true }))
  let last = -1
  let cuts = 0
  for (let i = 0; i < kills; i++) {
    const durable = await writeAndKill(folder, {
      first: last + 1,
      atLeast: Math.floor(random() * 500),
      longerMs: random() * 60,
      segmentBytesMax: random() < 0.5 ? 100_000 : 3_000_000,
    })
    const unopened = await checkLog(root)
    assert.ok(unopened >= durable, `${unopened} of ${durable} without an opening`)
    const log = await openLocalLog({ folder, stream: 'p1', bytesMax: 1 << 30 })
    if (log.recovered.cut !== undefined) cuts++
    assert.deepEqual(log.recovered.damaged, [])
    await log.close()
    last = await checkLog(root)
    assert.equal(last, unopened)
  }
  t.diagnostic(`${kills} kills, ${last + 1} records, ${cuts} torn tails`)
})
