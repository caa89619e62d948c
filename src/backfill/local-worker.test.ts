import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import type { WritePlace } from '../cluster/write-place.ts'
import type { BulkBody, BulkOutcome, ItemProblem } from '../cluster/bulk-body.ts'
import type { ShardReader } from '../document/shard-reader.ts'
import { documentBlock, type BlockDocument } from '../../test/support/document-block.ts'
import { itemNames } from './batch.ts'
import { LocalWorker, type ItemReport, type ItemTask } from './local-worker.ts'
import type { WorkItem } from './records.ts'

const documents: BlockDocument[] = Array.from({ length: 100 }, (_, i) => ({
  doc: i * 2,
  id: `d${i}`,
  seqNo: i,
  source: `{"n":${i},"t":"${'x'.repeat(100)}"}`,
}))

function reader(all: readonly BlockDocument[] = documents): ShardReader {
  return {
    historyUuid: 'h',
    maxSeqNo: 99,
    localCheckpoint: 99,
    segments: [
      { name: '_0', luceneVersion: '8.7.0', maxDoc: 200, liveCount: 100, storedBytes: 20_000 },
    ],
    hasField: () => false,
    check: async () => {},
    checksWhileReading: false,
    checkParts: async () => {},
    async *readBlocks(_segment, { fromDoc = 0, toDoc = 200 } = {}) {
      for (let from = fromDoc; from < toDoc; from += 30) {
        const to = Math.min(toDoc, from + 30)
        const inside = all.filter(({ doc }) => doc >= from && doc < to)
        yield documentBlock(inside, { fromDoc: from, toDoc: to })
      }
    },
    close: async () => {},
  }
}

const item: WorkItem = {
  index: 'a',
  shard: 0,
  segment: '_0',
  fromDoc: 0,
  toDoc: 200,
  storedBytes: 20_000,
  checkpoint: 0,
  done: false,
  read: 0,
  written: 0,
  failed: 0,
  sourceBytes: 0,
}
const task: ItemTask = {
  item,
  place: { alias: 'osmigrate-u-0' },
  epochBase: 0,
  versionFrom: 'seqNo',
  mayHoldRouted: true,
  mayRename: false,
  partialSource: false,
}

const allWritten = { conflicts: [], refused: [], bytesSent: 1, requests: 1, waits: 0 }

function outcome(body: BulkBody, problems: Partial<BulkOutcome> = {}): BulkOutcome {
  return { ...allWritten, tooLarge: false, written: body.count, ...problems }
}

function ids(body: BulkBody): string[] {
  return Array.from({ length: body.count }, (_, i) => itemNames(body, i).id)
}

interface Sink {
  deliver: (place: WritePlace, body: BulkBody, signal: AbortSignal) => Promise<BulkOutcome>
  reports: ItemReport[]
}

async function run(sink: Sink, { of = task, from = reader() } = {}): Promise<void> {
  const worker = new LocalWorker({
    openShardReader: async () => from,
    deliver: sink.deliver,
    bulkBytesMax: 2000,
    bulksInFlightMax: 4,
  })
  const { settled } = await worker.run(of, async (report) => {
    sink.reports.push(report)
  })
  await settled
}

test('every document is sent once, and the last report says done', async () => {
  const sent: string[] = []
  const reports: ItemReport[] = []
  const deliver: Sink['deliver'] = async (place, body) => {
    assert.equal(place.alias, 'osmigrate-u-0')
    sent.push(...ids(body))
    return outcome(body)
  }
  await run({ deliver, reports })
  assert.deepEqual(
    sent,
    documents.map(({ id }) => id),
  )
  const last = reports.at(-1)!.item
  assert.deepEqual([last.checkpoint, last.done, last.read, last.written], [200, true, 100, 100])
})

test('an item goes on from its checkpoint', async () => {
  const sent: string[] = []
  const deliver: Sink['deliver'] = async (_alias, body) => {
    sent.push(...ids(body))
    return outcome(body)
  }
  const of = { ...task, item: { ...item, checkpoint: 151, read: 76, written: 76 } }
  const reports: ItemReport[] = []
  await run({ deliver, reports }, { of })
  assert.deepEqual(sent[0], 'd76')
  assert.equal(sent.length, 24)
  assert.equal(reports.at(-1)!.item.read, 100)
})

test('with the answer to one bulk held, no report passes that bulk', async () => {
  const held = Promise.withResolvers<void>()
  const reports: ItemReport[] = []
  let bulks = 0
  let heldFrom = -1
  const deliver: Sink['deliver'] = async (_alias, body) => {
    if (++bulks === 3) {
      heldFrom = Number(ids(body)[0]!.slice(1)) * 2
      await held.promise
      assert.ok(reports.length >= 3)
      assert.ok(reports.every((report) => report.item.checkpoint <= heldFrom))
    }
    if (bulks === 6) held.resolve()
    return outcome(body)
  }
  await run({ deliver, reports })
  assert.ok(heldFrom > 0)
  assert.equal(reports.at(-1)!.item.done, true)
})

test('a failing bulk fails the item, the others are awaited and counted', async () => {
  const reports: ItemReport[] = []
  let bulks = 0
  const deliver: Sink['deliver'] = async (_alias, body) => {
    if (++bulks === 2) throw new MigrationError('MA_TARGET_INDEX', 'gone')
    return outcome(body)
  }
  await assert.rejects(run({ deliver, reports }), /gone/)
  assert.ok(reports.every((report) => !report.item.done))
  assert.ok(reports.length >= 1)
})

test('a conflict is a finding, however low the version that the target holds', async () => {
  const conflict = (position: number, current: number): ItemProblem => ({
    item: position,
    status: 409,
    type: 'version_conflict_engine_exception',
    reason: `[d]: version conflict, current version [${current}] is higher than the one provided [1]`,
  })
  const reports: ItemReport[] = []
  let first = true
  const deliver: Sink['deliver'] = async (_alias, body) => {
    if (!first) return outcome(body)
    first = false
    return outcome(body, {
      written: body.count - 3,
      conflicts: [conflict(0, 2), conflict(1, 101), { ...conflict(2, 1), reason: 'odd words' }],
    })
  }
  await run({ deliver, reports })
  const letters = reports.flatMap((report) => report.deadLetters)
  assert.deepEqual(
    letters.map(({ id, doc, cause, state }) => [id, doc, cause, state]),
    [
      ['d0', 0, 'version_conflict_engine_exception', 'open'],
      ['d1', 2, 'version_conflict_engine_exception', 'open'],
      ['d2', 4, 'version_conflict_engine_exception', 'open'],
    ],
  )
  const last = reports.at(-1)!.item
  assert.deepEqual([last.read, last.written, last.failed], [100, 97, 3])
})

test('a routed document stops an index whose target may not hold one, before anything of its block is sent', async () => {
  const routed = documents.map((one) => (one.doc === 4 ? { ...one, routing: 'k' } : one))
  let sent = 0
  const deliver: Sink['deliver'] = async (_alias, body) => {
    sent += body.count
    return outcome(body)
  }
  const of = { ...task, mayHoldRouted: false }
  await assert.rejects(
    run({ deliver, reports: [] }, { of, from: reader(routed) }),
    (error) =>
      error instanceof MigrationError &&
      error.code === 'MA_TARGET_INDEX' &&
      /index a .*"d2".*"k"/.test(error.message),
  )
  assert.equal(sent, 0)
})

test('a document without _source is counted where that was allowed, and so is a _timestamp', async () => {
  const some = documents.map((one, i) => {
    if (i % 10 === 0) return { doc: one.doc, id: one.id, seqNo: i }
    return { ...one, timed: i % 10 === 1 }
  })
  const reports: ItemReport[] = []
  const of = { ...task, partialSource: true }
  const deliver: Sink['deliver'] = async (_alias, body) => outcome(body)
  await run({ deliver, reports }, { of, from: reader(some) })
  assert.deepEqual(
    reports.flatMap((report) => report.deadLetters),
    [],
  )
  const { read, written, failed, withoutSource, withTimestamp } = reports.at(-1)!.item
  assert.deepEqual([read, written, failed, withoutSource, withTimestamp], [100, 90, 0, 10, 10])
})

test('a document without _source becomes a dead letter', async () => {
  const some = documents.map((one, i) => (i === 50 ? { doc: one.doc, id: one.id, seqNo: i } : one))
  const reports: ItemReport[] = []
  await run({ deliver: async (_alias, body) => outcome(body), reports }, { from: reader(some) })
  const letters = reports.flatMap((report) => report.deadLetters)
  assert.deepEqual(
    letters.map(({ id, cause, version }) => [id, cause, version]),
    [['d50', 'source_missing', 51]],
  )
  assert.equal(reports.at(-1)!.item.failed, 1)
})

test('stop() ends the reading; what is under way is settled, the rest is left for later', async () => {
  const reports: ItemReport[] = []
  let bulks = 0
  const worker: LocalWorker = new LocalWorker({
    openShardReader: async () => reader(),
    deliver: async (_alias, body) => {
      if (++bulks === 2) worker.stop()
      return outcome(body)
    },
    bulkBytesMax: 2000,
    bulksInFlightMax: 1,
  })
  const { settled } = await worker.run(task, async (report) => {
    reports.push(report)
  })
  await assert.rejects(
    settled,
    (error) => error instanceof MigrationError && error.code === 'MA_STOPPED',
  )
  const last = reports.at(-1)!.item
  assert.equal(last.done, false)
  assert.equal(last.checkpoint, documents[last.read - 1]!.doc + 1)
})

test('after a 413 the bulks get smaller', async () => {
  const sizes: number[] = []
  const deliver: Sink['deliver'] = async (_alias, body) => {
    sizes.push(body.itemStart[body.count]!)
    return outcome(body, { tooLarge: sizes.length === 1, bytesSent: 3_000_000 })
  }
  const from = reader(documents.map((one) => ({ ...one, source: `"${'x'.repeat(50_000)}"` })))
  const worker = new LocalWorker({
    openShardReader: async () => from,
    deliver,
    bulkBytesMax: 1_000_000,
    bulksInFlightMax: 1,
  })
  await (
    await worker.run(task, async () => {})
  ).settled
  assert.ok(sizes[0]! > 900_000)
  assert.ok(sizes.slice(2).every((size) => size <= 500_000))
})

test('stop() also ends the reading of a shard that is being checked', async () => {
  const worker: LocalWorker = new LocalWorker({
    openShardReader: (_task, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new MigrationError('MA_STOPPED', 'stopped')))
        setImmediate(() => worker.stop())
      }),
    deliver: async (_alias, body) => outcome(body),
    bulkBytesMax: 2000,
    bulksInFlightMax: 1,
  })
  await assert.rejects(worker.openShard({ index: 'a', shard: 0 }), /stopped/)
})

test('a shard is checked where it is opened, and by no worker that reads an item of it', async () => {
  const seen: string[] = []
  const worker = (name: string): LocalWorker =>
    new LocalWorker({
      openShardReader: async (_task, { checked }) => {
        seen.push(`${name} opens${checked ? ' checked' : ''}`)
        return { ...reader(), check: async () => void seen.push(`${name} checks`) }
      },
      deliver: async (_alias, body) => outcome(body),
      bulkBytesMax: 2000,
      bulksInFlightMax: 1,
    })
  const first = worker('first')
  await first.openShard({ index: 'a', shard: 0 })
  for (const one of [first, worker('second')]) await (await one.run(task, async () => {})).settled
  assert.deepEqual(seen, ['first opens', 'first checks', 'second opens checked'])
})
