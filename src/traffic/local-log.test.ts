import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CaptureRecord } from './exchange.ts'
import { openLocalLog } from './local-log.ts'
import { openLocalLogReader } from './local-log-reader.ts'

test('what is appended is read back in order', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'capture-log-'))
  t.after(() => rmSync(root, { recursive: true }))
  const log = await openLocalLog({ folder: join(root, 'p1'), stream: 'p1', bytesMax: 1 << 26 })
  const records: CaptureRecord[] = Array.from({ length: 1000 }, (_, i) => ({
    kind: 'request' as const,
    exchange: { proxy: 'p1', number: i },
    connection: 3,
    method: 'PUT',
    target: `/shop/_doc/${i}`,
    headers: ['content-type', 'application/json'],
    body: Buffer.alloc(i * 20, 65 + (i % 26)),
    bodyBytes: i * 20,
    firstByteAt: 1_700_000_000_000_000 + i,
    lastByteAt: 1_700_000_000_000_100 + i,
    mayWrite: true,
  }))
  await Promise.all(
    records.map(
      (record) =>
        new Promise<void>((resolve, reject) =>
          log.append(record, (error) => (error ? reject(error) : resolve())),
        ),
    ),
  )
  await log.close()
  const reader = openLocalLogReader(root)
  const [stream] = await reader.streams()
  const found: CaptureRecord[] = []
  let next = 0
  for await (const one of reader.read(stream!.oldest, { follow: false })) {
    found.push(one.record)
    next = one.next.offset
  }
  assert.deepEqual(found, records)
  assert.ok(next < stream!.end.offset && next + 27 > stream!.end.offset, 'a mark is behind')
})
