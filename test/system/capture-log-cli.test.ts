import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { CaptureRecord } from '../../src/traffic/exchange.ts'
import { openLocalLog } from '../../src/traffic/local-log.ts'
import { append } from '../support/capture-log-contract.ts'
import { numberedRequest } from '../support/capture-records.ts'
import { cliFolder, osmigrate, startOsmigrate } from '../support/cli.ts'

const start = Date.parse('2026-05-01T08:00:00Z') * 1000

function ask(number: number, line: string, body: string): CaptureRecord {
  const [method = '', target = ''] = line.split(' ')
  const packed = gzipSync(body)
  const at = start + number * 1_000_000
  return {
    ...{ ...numberedRequest(number), method, target, body: packed, bodyBytes: packed.length },
    ...{ headers: ['Content-Encoding', 'gzip'], firstByteAt: at, lastByteAt: at + 100 },
  }
}

function answer(number: number, status: number, body: string): CaptureRecord {
  const at = start + number * 1_000_000 + 5000
  return {
    ...{ kind: 'response', exchange: { proxy: 'p1', number }, status, headers: [] },
    ...{ body: Buffer.from(body), bodyBytes: body.length, firstByteAt: at, lastByteAt: at },
  }
}

const records: CaptureRecord[] = [
  { kind: 'started', proxy: 'p1', at: start, version: '1.0' },
  ask(1, 'PUT /shop/_doc/1', '{"a":1}'),
  ask(2, 'POST /_bulk', '{"index":{"_index":"logs"}}\n{"text":"\u001b[2J"}\n'),
  answer(2, 200, '{"items":[{"index":{"_index":"logs-1","_id":"x"}}]}'),
  answer(1, 201, '{"_index":"shop","_id":"1"}'),
  ask(3, 'DELETE /shop/_doc/2', ''),
  answer(3, 404, '{"_index":"shop"}'),
  ask(4, 'POST /shop/_doc', '{}'),
]

async function writeLog(folder: string, list: readonly CaptureRecord[]): Promise<void> {
  const log = await openLocalLog({ folder: join(folder, 'log/p1'), stream: 'p1', bytesMax: 1e9 })
  for (const record of list) await append(log, record)
  await log.close()
}

test('capture log show: lines, filters, bodies, JSON; export and import keep all of it', async () => {
  const folder = cliFolder()
  await writeLog(folder, records)
  const show = async (code: number, ...args: string[]): Promise<string[]> => {
    const { stdout } = await osmigrate(folder, code, 'capture', 'log', 'show', ...args)
    return stdout.split('\n').slice(0, -1)
  }
  const all = await show(0, 'log')
  assert.equal(all.length, 5)
  assert.match(all[0]!, /started  p1, osmigrate 1\.0$/)
  assert.match(all[1]!, /  200  bulk .* POST \/_bulk  \d+ B → 51 B  5 ms$/)
  assert.match(all[4]!, /   -   index .* POST \/shop\/_doc  22 B → -  -$/)
  const bodies = await show(0, 'log/p1', '--index', 'logs*', '--bodies')
  assert.deepEqual(bodies.slice(1), [
    '  > {"index":{"_index":"logs"}}',
    '  > {"text":"\\u001b[2J"}',
    '  < {"items":[{"index":{"_index":"logs-1","_id":"x"}}]}',
  ])
  const [json] = await show(0, 'log', '--status', '4xx', '--json')
  const { api, target, status, ms, time, indices } = JSON.parse(json!) as Record<string, unknown>
  assert.deepEqual(
    { api, target, status, ms, time, indices },
    {
      ...{ api: 'delete', target: '/shop/_doc/2', status: 404, ms: 5, indices: ['shop'] },
      time: '2026-05-01T08:00:03.000000Z',
    },
  )

  await osmigrate(folder, 0, 'capture', 'log', 'export', 'x.gz', '--from', 'log')
  await osmigrate(folder, 0, 'capture', 'log', 'import', 'x.gz', '--to', 'log2')
  await osmigrate(folder, 0, 'capture', 'log', 'export', 'y.gz', '--from', 'log2')
  assert.ok(readFileSync(join(folder, 'x.gz')).equals(readFileSync(join(folder, 'y.gz'))))
})

test('capture log show: a gap is exit code 3, damage is an error that --skip-damage passes over', async () => {
  const folder = cliFolder()
  const gap = { kind: 'gap' as const, proxy: 'p1', from: start, until: start + 9e6, requests: 3 }
  await writeLog(folder, [...records, { ...gap, cause: 'the log was full' }])
  const segment = readdirSync(join(folder, 'log/p1')).find((name) => name.endsWith('.log'))!
  const path = join(folder, 'log/p1', segment)
  const bytes = readFileSync(path)
  bytes[300]! ^= 1
  writeFileSync(path, bytes)
  const failed = await osmigrate(folder, 1, 'capture', 'log', 'export', 'x.gz', '--from', 'log')
  assert.match(failed.stderr, new RegExp(`${segment} at byte \\d+.*MA_CAPTURE_LOG`, 's'))
  await osmigrate(folder, 3, 'capture', 'log', 'export', 'y.gz', '--from', 'log', '--skip-damage')
  const shown = await osmigrate(folder, 3, 'capture', 'log', 'show', 'y.gz')
  assert.match(shown.stdout, /gap {2}p1: 3 requests not recorded, until .*: the log was full/)
  assert.match(shown.stdout, /gap {2}p1: at least 1 request not recorded.*is damaged/)
})

test('capture log show --follow prints what comes, until Ctrl-C', async () => {
  const folder = cliFolder()
  const log = await openLocalLog({ folder: join(folder, 'log/p1'), stream: 'p1', bytesMax: 1e9 })
  await append(log, ask(1, 'PUT /shop/_doc/1', '{}'))
  await append(log, answer(1, 201, '{}'))
  const { child, ended } = startOsmigrate(folder, 'capture', 'log', 'show', 'log', '--follow')
  const seen = new Set<number>()
  child.stdout!.on('data', (data: Buffer) => {
    for (const [, number] of data.toString().matchAll(/_doc\/(\d+)/g)) {
      seen.add(Number(number))
      if (Number(number) === 4) child.kill('SIGINT')
      else {
        const next = Number(number) + 1
        void append(log, ask(next, `PUT /shop/_doc/${next}`, '{}'))
        void append(log, answer(next, 200, '{}'))
      }
    }
  })
  const { code, stderr } = await ended
  await log.close()
  assert.deepEqual([...seen], [1, 2, 3, 4])
  assert.equal(code, 0, stderr)
})
