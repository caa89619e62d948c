import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader } from './capture-log.ts'
import type { CaptureRecord } from './exchange.ts'
import { openLocalLog, type LocalLog } from './local-log.ts'
import { openLocalLogReader } from './local-log-reader.ts'
import { LogFeed, type FedRecord, type LogFeedInput } from './log-feed.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-feed-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let folders = 0

function mark(at: number): CaptureRecord {
  return { kind: 'started', proxy: 'edge', at, version: '1' }
}

async function openStream(t: TestContext, root: string, stream: string): Promise<LocalLog> {
  const log = await openLocalLog({ folder: path.join(root, stream), stream, bytesMax: 1e9 })
  t.after(() => log.close())
  return log
}

function append(log: LocalLog, record: CaptureRecord): Promise<void> {
  return new Promise((resolve, reject) =>
    log.append(record, (error) => (error ? reject(error) : resolve())),
  )
}

async function openFeed(
  t: TestContext,
  reader: CaptureLogReader,
  given: Partial<LogFeedInput> = {},
): Promise<LogFeed> {
  const feed = await LogFeed.open({
    logs: [{ name: 'log', reader, lookEveryMs: 20 }],
    ...{ from: new Map(), bytesMax: 1e6, signal: new AbortController().signal },
    ...{ onWait: () => {}, onStream: () => {} },
    ...given,
  })
  t.after(() => feed.close())
  return feed
}

/** Takes until a record or a place is there that is looked for. */
async function takeUntil(feed: LogFeed, isLast: (one: FedRecord) => boolean): Promise<FedRecord[]> {
  const taken: FedRecord[] = []
  while (!taken.some(isLast)) taken.push(...(await feed.take(AbortSignal.timeout(10_000))))
  return taken
}

function timeOf({ record }: FedRecord): number {
  return record !== undefined && 'at' in record ? record.at : -1
}

test('all streams are read from where they ended before, and one that appears later from its beginning', async (t) => {
  const root = path.join(folder, String(folders++))
  const first = await openStream(t, root, 'a.0')
  for (const at of [1, 2, 3]) await append(first, mark(at))
  const reader = openLocalLogReader(root)
  const { end } = (await reader.streams())[0]!
  await append(first, mark(4))
  const feed = await openFeed(t, reader, { from: new Map([['a.0', end.offset]]) })
  const taken = await takeUntil(feed, (one) => timeOf(one) === 4)
  assert.deepEqual(
    taken.map(timeOf).filter((at) => at > 0),
    [4],
  )
  const second = await openStream(t, root, 'b.0')
  await append(second, mark(5))
  const later = await takeUntil(feed, (one) => timeOf(one) === 5)
  assert.ok(later.some(({ stream }) => stream === 'b.0'))
})

test('a quiet stream is passed to its end, though marks follow its last record', async (t) => {
  const root = path.join(folder, String(folders++))
  const log = await openStream(t, root, 'a.0')
  await append(log, mark(1))
  await log.close()
  const reader = openLocalLogReader(root)
  const feed = await openFeed(t, reader)
  const { 'a.0': end } = await feed.ends()
  const taken = await takeUntil(feed, ({ next }) => next >= end!)
  assert.equal(taken.at(-1)!.next, end)
  assert.deepEqual(
    taken.map(timeOf).filter((at) => at > 0),
    [1],
  )
})

test('what was removed before it was read is a gap', async (t) => {
  const root = path.join(folder, String(folders++))
  const log = await openStream(t, root, 'a.0')
  await append(log, mark(1))
  const local = openLocalLogReader(root)
  const oldest = { stream: 'a.0', offset: 5000 }
  let isFirst = true
  const reader: CaptureLogReader = {
    streams: () => Promise.resolve([{ oldest, end: oldest }]),
    read: (from, options) => {
      if (!isFirst) return local.read({ stream: 'a.0', offset: from.offset }, options)
      isFirst = false
      throw new MigrationError('MA_CAPTURE_LOG', 'position 10 was released and removed')
    },
    behind: () => Promise.resolve({ bytes: 0 }),
    release: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  const feed = await openFeed(t, reader, { from: new Map([['a.0', 10]]) })
  const [gap] = await feed.take(AbortSignal.timeout(10_000))
  assert.equal(gap!.next, 5000)
  assert.ok(gap!.record?.kind === 'gap' && /released and removed/.test(gap!.record.cause))
})

test('a log that cannot be asked is a wait that is told, and goes on', async (t) => {
  const root = path.join(folder, String(folders++))
  const log = await openStream(t, root, 'a.0')
  await append(log, mark(1))
  const local = openLocalLogReader(root)
  let failures = 2
  const reader: CaptureLogReader = {
    streams: () => local.streams(),
    read: (from, options) => {
      if (failures-- > 0) throw new MigrationError('MA_CAPTURE_LOG', 'away', { retryable: true })
      return local.read(from, options)
    },
    behind: (position) => local.behind(position),
    release: (position) => local.release(position),
    close: () => local.close(),
  }
  const waits: (string | undefined)[] = []
  const onWait: LogFeedInput['onWait'] = (key, what) => {
    if (key === 'stream a.0') waits.push(what)
  }
  const feed = await openFeed(t, reader, { onWait })
  await takeUntil(feed, (one) => timeOf(one) === 1)
  assert.ok(waits.includes('away'))
  assert.equal(waits.at(-1), undefined)
})

test('no more is read than there is room for', async (t) => {
  const root = path.join(folder, String(folders++))
  const log = await openStream(t, root, 'a.0')
  for (let at = 1; at <= 200; at++) await append(log, mark(at))
  const feed = await openFeed(t, openLocalLogReader(root), { bytesMax: 3000 })
  const all: number[] = []
  while (!all.includes(200)) {
    const taken = await feed.take(AbortSignal.timeout(10_000))
    assert.ok(taken.length <= 11, String(taken.length))
    all.push(...taken.map(timeOf).filter((at) => at > 0))
  }
  assert.deepEqual(
    all,
    Array.from({ length: 200 }, (_, i) => i + 1),
  )
})

test('a stream that two logs hold is refused by name', async (t) => {
  const root = path.join(folder, String(folders++))
  await append(await openStream(t, root, 'a.0'), mark(1))
  const logs = ['one', 'two'].map((name) => ({ name, reader: openLocalLogReader(root) }))
  const feed = openFeed(t, openLocalLogReader(root), { logs })
  await assert.rejects(feed, { code: 'MA_CONFIG', message: /one and two both hold a stream a\.0/ })
})

test('what is not followed is read to its end, and then there is no more to take', async (t) => {
  const root = path.join(folder, String(folders++))
  for (const stream of ['a.0', 'b.0']) {
    const log = await openStream(t, root, stream)
    for (const at of [1, 2]) await append(log, mark(at))
  }
  const feed = await openFeed(t, openLocalLogReader(root), { follow: false })
  const taken: FedRecord[] = []
  for (;;) {
    const some = await feed.take(AbortSignal.timeout(10_000))
    if (some.length === 0) break
    taken.push(...some)
  }
  assert.deepEqual(taken.map(timeOf).sort(), [1, 1, 2, 2])
})
