import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { appendAll } from '../../test/support/capture-log-contract.ts'
import { numberedRequest, randomRecord } from '../../test/support/capture-records.ts'
import { buildChunk } from '../../test/support/known-streams.ts'
import { randomSource } from '../../test/support/random-json.ts'
import type { CaptureRecord } from './exchange.ts'
import { readExport, type ExportEntry } from './export-read.ts'
import { exportLog, type ExportOptions } from './export-write.ts'
import { importLog, type ImportOptions } from './import.ts'
import { knownEntries } from './import-known.ts'
import { openLocalLog } from './local-log.ts'
import { localImportTarget } from './local-import.ts'
import { openLocalLogReader } from './local-log-reader.ts'

const always = { since: 0, until: 0 }

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'capture-export-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function writeStream(
  root: string,
  stream: string,
  records: readonly CaptureRecord[],
): Promise<void> {
  const log = await openLocalLog({ folder: join(root, stream), stream, bytesMax: 1 << 30 })
  await appendAll(log, records)
  await log.close()
}

const exportFrom = (root: string, file: string, options: Partial<ExportOptions> = {}) =>
  exportLog({ reader: openLocalLogReader(root), file, window: always, ...options })

const importTo = (root: string, file: string, options: Partial<ImportOptions> = {}) =>
  importLog({ entries: readExport(file), target: localImportTarget(root, 1 << 30), ...options })

async function entriesOf(file: string): Promise<ExportEntry[]> {
  const entries: ExportEntry[] = []
  for await (const entry of readExport(file)) entries.push(entry)
  return entries
}

const records = (seed: number, count: number): CaptureRecord[] => {
  const random = randomSource(seed)
  return Array.from({ length: count }, (_, i) => randomRecord(random, i))
}

test('export, import, export: the same bytes', async (t) => {
  const folder = tempFolder(t)
  await writeStream(join(folder, 'a'), 'edge-1.0', records(1, 900))
  await writeStream(join(folder, 'a'), 'edge-1.1', [])
  await writeStream(join(folder, 'a'), 'edge-2.0', records(2, 300))
  const first = join(folder, 'first.gz')
  const told = await exportFrom(join(folder, 'a'), first)
  assert.equal(told.records, 1200)
  const imported = await importTo(join(folder, 'b'), first)
  assert.deepEqual(imported, { ...told, skipped: 0 })
  const second = join(folder, 'second.gz')
  assert.deepEqual(await exportFrom(join(folder, 'b'), second), told)
  assert.ok(readFileSync(first).equals(readFileSync(second)))
  const found = (await entriesOf(first)).flatMap((one) =>
    one.kind === 'record' && one.stream === 'edge-2.0' ? [one.record] : [],
  )
  assert.deepEqual(found, records(2, 300))
})

test('an export that was broken off goes on where it was, and gives the same bytes', async (t) => {
  const folder = tempFolder(t)
  const big = Array.from({ length: 480 }, (_, i) => numberedRequest(i, 100_000))
  await writeStream(folder, 'p1', big)
  await writeStream(folder, 'p2', records(3, 100))
  await exportFrom(folder, join(folder, 'whole.gz'))
  const file = join(folder, 'x.gz')
  for (const stopAt of [20, 40]) {
    const stop = new AbortController()
    const broken = exportFrom(folder, file, {
      signal: stop.signal,
      onProgress: ({ bytes }) => bytes > stopAt << 20 && stop.abort(new Error('killed')),
    })
    await assert.rejects(broken, /killed/)
    assert.ok(!existsSync(file) && existsSync(`${file}.part`))
  }
  let first: number | undefined
  await exportFrom(folder, file, { onProgress: ({ bytes }) => (first ??= bytes) })
  assert.ok(first! > 30 << 20, `began anew at ${first}`)
  assert.ok(readFileSync(file).equals(readFileSync(join(folder, 'whole.gz'))))
  assert.ok(!existsSync(`${file}.part`) && !existsSync(`${file}.part.json`))
})

test('an import that was broken off goes on where it was; another one into the same log is refused', async (t) => {
  const folder = tempFolder(t)
  await writeStream(join(folder, 'a'), 'p1', records(4, 600))
  await writeStream(join(folder, 'a'), 'p2', records(5, 600))
  const file = join(folder, 'x.gz')
  await exportFrom(join(folder, 'a'), file)
  const target = localImportTarget(join(folder, 'b'), 1 << 30)
  for (const stopAt of [200, 700]) {
    const stop = new AbortController()
    let taken = 0
    const broken = importLog({
      ...{ entries: readExport(file), signal: stop.signal },
      target: (stream) => {
        const one = target(stream)
        return {
          existing: () => one.existing(),
          open: async () => {
            const writer = await one.open()
            return {
              last: undefined,
              append: (record, durable) => {
                if (++taken === stopAt) stop.abort(new Error('killed'))
                writer.append(record, durable)
              },
              usage: () => writer.usage(),
              close: () => writer.close(),
            }
          },
        }
      },
    })
    await assert.rejects(broken, /killed/)
  }
  const done = await importTo(join(folder, 'b'), file)
  assert.ok(done.skipped >= 900 && done.skipped < 1200, `${done.skipped} were there`)
  await exportFrom(join(folder, 'b'), join(folder, 'y.gz'))
  assert.ok(readFileSync(file).equals(readFileSync(join(folder, 'y.gz'))))
  await writeStream(join(folder, 'c'), 'p1', records(6, 600))
  await exportFrom(join(folder, 'c'), join(folder, 'other.gz'))
  await assert.rejects(importTo(join(folder, 'b'), join(folder, 'other.gz')), /holds other records/)
})

test('a time window selects requests by their first byte, and answers with their requests', async (t) => {
  const folder = tempFolder(t)
  const answer = (number: number, at: number): CaptureRecord => ({
    ...{ kind: 'response', exchange: { proxy: 'p1', number }, status: 201, headers: [] },
    ...{ body: Buffer.alloc(0), bodyBytes: 0, firstByteAt: at, lastByteAt: at },
  })
  const ask = (number: number, at: number): CaptureRecord => ({
    ...numberedRequest(number),
    ...{ firstByteAt: at, lastByteAt: at },
  })
  await writeStream(folder, 'p1', [
    ask(1, 90),
    ask(2, 100),
    answer(1, 120),
    answer(2, 250),
    ask(3, 199),
    ask(4, 200),
    answer(4, 205),
    answer(3, 300),
  ])
  const file = join(folder, 'x.gz')
  await exportFrom(folder, file, { window: { since: 100, until: 200 } })
  const found = (await entriesOf(file)).flatMap((one) =>
    one.kind === 'record' && 'exchange' in one.record
      ? [`${one.record.kind} ${one.record.exchange.number}`]
      : [],
  )
  assert.deepEqual(found, ['request 2', 'response 2', 'request 3', 'response 3'])
  const none = join(folder, 'none.gz')
  await exportFrom(folder, none, { window: { since: 5000, until: 0 } })
  assert.deepEqual(
    (await entriesOf(none)).map(({ kind }) => kind),
    ['begin', 'end'],
  )
})

test('what is not a whole export is refused, wherever it is cut or changed', async (t) => {
  const folder = tempFolder(t)
  await writeStream(folder, 'p1', records(8, 12))
  const file = join(folder, 'x.gz')
  await exportFrom(folder, file)
  const packed = readFileSync(file)
  const content = gunzipSync(packed)
  const expectDamage = async (bytes: Buffer, what: string): Promise<void> => {
    writeFileSync(file, bytes)
    await assert.rejects(
      entriesOf(file),
      (error: { code: string }) => /MA_CAPTURE_LOG|MA_FORMAT_TOO_NEW/.test(error.code),
      what,
    )
  }
  const step = Math.ceil(content.length / 150)
  for (let at = 0; at < content.length; at += step) {
    await expectDamage(gzipSync(content.subarray(0, at)), `cut at ${at}`)
    const flipped = Buffer.from(content)
    flipped[at]! ^= 1 << (at % 8)
    await expectDamage(gzipSync(flipped), `flipped at ${at}`)
  }
  for (let at = 12; at < packed.length; at += Math.ceil(packed.length / 60)) {
    await expectDamage(packed.subarray(0, at), `packed, cut at ${at}`)
  }
  const two = Buffer.concat([packed, packed])
  await expectDamage(two, 'two in one')
  await assert.rejects(entriesOf(join(folder, 'none')), { code: 'MA_CONFIG' })
  await assert.rejects(exportFrom(folder, file), { code: 'MA_CONFIG', message: /is there already/ })
})

test('a file of the known tool is imported as one stream, and again nothing of it twice', async (t) => {
  const folder = tempFolder(t)
  const file = join(folder, 'known.gz')
  const ask = 'PUT /i/_doc/1 HTTP/1.1\r\nHost: es\r\nContent-Length: 7\r\n\r\n{"a":1}'
  const answered = 'HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}'
  const chunk = buildChunk({
    number: 1,
    passed: [
      { kind: 'read', at: 1000, data: ask },
      { kind: 'requestEnd', at: 1001 },
      { kind: 'write', at: 1002, data: answered },
    ],
  })
  writeFileSync(file, gzipSync(`n1.c1|${chunk.toString('base64')}\n`))
  const target = localImportTarget(join(folder, 'log'), 1 << 30)
  const first = await importLog({ entries: knownEntries(file), target })
  assert.deepEqual([first.records, first.skipped], [2, 0])
  const again = await importLog({ entries: knownEntries(file), target })
  assert.deepEqual(again, { ...first, skipped: 2 })
  const reader = openLocalLogReader(join(folder, 'log'))
  const kinds: string[] = []
  for await (const { record } of reader.read({ stream: 'known', offset: 0 }, { follow: false })) {
    kinds.push(record.kind)
  }
  assert.deepEqual(kinds, ['request', 'response'])
})
