/** What every store of a capture log must do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  CaptureLogReader,
  CaptureLogWriter,
  LoggedRecord,
  LogPosition,
} from '../../src/traffic/capture-log.ts'
import type { CaptureRecord } from '../../src/traffic/exchange.ts'
import { numberedRequest, randomRecord } from './capture-records.ts'
import { randomSource } from './random-json.ts'

export interface TestStore {
  openWriter(): Promise<CaptureLogWriter>
  openReader(): Promise<CaptureLogReader>
  remove(): Promise<void>
}

/** Appends one record after the other, and waits until the last of them is durable. */
export async function appendAll(
  writer: CaptureLogWriter,
  records: readonly CaptureRecord[],
): Promise<void> {
  await Promise.all(records.map((record) => append(writer, record)))
}

export function append(writer: CaptureLogWriter, record: CaptureRecord): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.append(record, (error) => (error === undefined ? resolve() : reject(error)))
  })
}

/** All records from `from` up to the present end. */
export async function readAll(
  reader: CaptureLogReader,
  from: LogPosition,
): Promise<LoggedRecord[]> {
  const found: LoggedRecord[] = []
  for await (const one of reader.read(from, { follow: false })) found.push(one)
  return found
}

/** Of a log that has one stream. */
export async function onlyStream(
  reader: CaptureLogReader,
): Promise<{ oldest: LogPosition; end: LogPosition }> {
  const streams = await reader.streams()
  assert.equal(streams.length, 1)
  return streams[0]!
}

const recordsOf = (found: readonly LoggedRecord[]): CaptureRecord[] =>
  found.map(({ record }) => record)

/** Adds the tests of the contract for a store; `make` gives a new, empty one that holds one stream at most. */
export function testCaptureLogStore(name: string, make: () => Promise<TestStore>): void {
  const withStore = (what: string, run: (store: TestStore) => Promise<void>): void => {
    test(`${name}: ${what}`, { timeout: 60_000 }, async () => {
      const store = await make()
      try {
        await run(store)
      } finally {
        await store.remove()
      }
    })
  }

  withStore('records of all kinds are read back in order and equal', async (store) => {
    const random = randomSource(11)
    const records = Array.from({ length: 300 }, (_, i) => randomRecord(random, i))
    const writer = await store.openWriter()
    await appendAll(writer, records)
    await writer.close()
    const reader = await store.openReader()
    const { oldest } = await onlyStream(reader)
    assert.deepEqual(recordsOf(await readAll(reader, oldest)), records)
    await reader.close()
  })

  withStore(
    'durable is called once for each record, in order, never within append()',
    async (store) => {
      const writer = await store.openWriter()
      const called: number[] = []
      let isAppending = false
      await Promise.all(
        Array.from(
          { length: 100 },
          (_, i) =>
            new Promise<void>((resolve) => {
              isAppending = true
              writer.append(numberedRequest(i), (error) => {
                assert.equal(error, undefined)
                assert.ok(!isAppending)
                called.push(i)
                resolve()
              })
              isAppending = false
            }),
        ),
      )
      await writer.close()
      assert.deepEqual(
        called,
        Array.from({ length: 100 }, (_, i) => i),
      )
    },
  )

  withStore(
    'reading on from the position behind a record misses and repeats nothing',
    async (store) => {
      const writer = await store.openWriter()
      await appendAll(
        writer,
        Array.from({ length: 40 }, (_, i) => numberedRequest(i, i * 400)),
      )
      const reader = await store.openReader()
      const { oldest } = await onlyStream(reader)
      const all = await readAll(reader, oldest)
      assert.equal(all.length, 40)
      for (const i of [0, 1, 17, 38, 39]) {
        assert.deepEqual(await readAll(reader, all[i]!.next), all.slice(i + 1))
      }
      await append(writer, numberedRequest(40))
      assert.deepEqual(recordsOf(await readAll(reader, all[39]!.next)), [numberedRequest(40)])
      await reader.close()
      await writer.close()
    },
  )

  withStore(
    'a reader that follows gets what is appended later, until its signal fires',
    async (store) => {
      const writer = await store.openWriter()
      await append(writer, numberedRequest(0))
      const reader = await store.openReader()
      const { oldest } = await onlyStream(reader)
      const stop = new AbortController()
      const found: number[] = []
      const following = (async () => {
        for await (const { record } of reader.read(oldest, { follow: true, signal: stop.signal })) {
          assert.ok(record.kind === 'request')
          found.push(record.exchange.number)
          if (record.exchange.number < 50) await append(writer, numberedRequest(found.length))
          else setImmediate(() => stop.abort(new Error('enough')))
        }
      })()
      await assert.rejects(following, /enough/)
      assert.deepEqual(
        found,
        Array.from({ length: 51 }, (_, i) => i),
      )
      await reader.close()
      await writer.close()
    },
  )

  withStore('a writer is told what the stream ended with', async (store) => {
    const first = await store.openWriter()
    assert.equal(first.last, undefined)
    await appendAll(first, [numberedRequest(3), numberedRequest(8), numberedRequest(5)])
    await first.close()
    const second = await store.openWriter()
    const at = 1_700_000_000_000_009
    assert.deepEqual(second.last, { isClean: false, at, number: 8 })
    await append(second, { kind: 'stopped', proxy: 'p1', at: at + 7, version: '1' })
    await second.close()
    const third = await store.openWriter()
    assert.deepEqual(third.last, { isClean: true, at: at + 7, number: 8 })
    await third.close()
  })

  withStore('a body of several megabytes and an empty one are kept', async (store) => {
    const writer = await store.openWriter()
    const records = [numberedRequest(0, 0), numberedRequest(1, 5_000_000), numberedRequest(2, 0)]
    await appendAll(writer, records)
    await writer.close()
    const reader = await store.openReader()
    const { oldest } = await onlyStream(reader)
    assert.deepEqual(recordsOf(await readAll(reader, oldest)), records)
    await reader.close()
  })

  withStore('what was released may go, and what was not is kept', async (store) => {
    const writer = await store.openWriter()
    await appendAll(
      writer,
      Array.from({ length: 20 }, (_, i) => numberedRequest(i)),
    )
    const reader = await store.openReader()
    const { oldest } = await onlyStream(reader)
    const all = await readAll(reader, oldest)
    await reader.release(all[9]!.next)
    await reader.release(all[4]!.next)
    await writer.close()
    assert.deepEqual(await readAll(reader, all[9]!.next), all.slice(10))
    await reader.close()
  })
}
