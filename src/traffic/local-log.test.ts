import assert from 'node:assert/strict'
import fs, { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readdirSync } from 'node:fs'
import { readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  append,
  appendAll,
  onlyStream,
  readAll,
  testCaptureLogStore,
} from '../../test/support/capture-log-contract.ts'
import { numberedRequest } from '../../test/support/capture-records.ts'
import { MigrationError } from '../base/errors.ts'
import type { CaptureRecord } from './exchange.ts'
import type { LocalLogOptions } from './local-log-options.ts'
import { openLocalLog, type LocalLog } from './local-log.ts'
import { openLocalLogReader } from './local-log-reader.ts'

const makeRoot = (): string => mkdtempSync(join(tmpdir(), 'capture-log-'))

testCaptureLogStore('local log', async () => {
  const root = makeRoot()
  return {
    openWriter: () => openLog(root, { segmentBytesMax: 20_000 }),
    openReader: async () => openLocalLogReader(root),
    remove: async () => rmSync(root, { recursive: true }),
  }
})

function openLog(root: string, options: Partial<LocalLogOptions> = {}): Promise<LocalLog> {
  return openLocalLog({ folder: join(root, 'p1'), stream: 'p1', bytesMax: 1 << 26, ...options })
}

function tempRoot(t: TestContext): string {
  const root = makeRoot()
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

const segments = (root: string): string[] =>
  readdirSync(join(root, 'p1'))
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(root, 'p1', name))

const requests = (from: number, to: number, bodyBytes?: number): CaptureRecord[] =>
  Array.from({ length: to - from }, (_, i) => numberedRequest(from + i, bodyBytes))

function answerTo(request: CaptureRecord): CaptureRecord {
  assert.ok(request.kind === 'request')
  const { exchange, lastByteAt } = request
  const times = { firstByteAt: lastByteAt, lastByteAt }
  const body = Buffer.from('{}')
  return { kind: 'response', exchange, status: 200, headers: [], body, bodyBytes: 2, ...times }
}

async function numbersIn(root: string, options = {}): Promise<(number | string)[]> {
  const reader = openLocalLogReader(root)
  const { oldest } = await onlyStream(reader)
  const found: (number | string)[] = []
  for await (const { record } of reader.read(oldest, { follow: false, ...options })) {
    found.push(record.kind === 'request' ? record.exchange.number : record.kind)
  }
  return found
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

/** Appends one record after the other, so that each is a group of its own. */
async function appendEach(log: LocalLog, records: readonly CaptureRecord[]): Promise<void> {
  for (const record of records) await append(log, record)
}

test('folder and files are for their owner alone', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await append(log, numberedRequest(1))
  assert.equal(statSync(join(root, 'p1')).mode & 0o777, 0o700)
  for (const path of [...segments(root), join(root, 'p1/lock.json'), join(root, 'p1/lock.db')]) {
    assert.equal(statSync(path).mode & 0o777, 0o600, path)
  }
  await log.close()
})

test('a second writer of a stream is refused, and not after the first has closed', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await assert.rejects(openLog(root), {
    code: 'MA_LOCKED',
    message: new RegExp(`pid ${process.pid}`),
  })
  await log.close()
  await (await openLog(root)).close()
})

test('a folder that cannot be written to is named', async (t) => {
  const root = tempRoot(t)
  writeFileSync(join(root, 'p1'), 'a file')
  await assert.rejects(openLog(root), { code: 'MA_CAPTURE_LOG', message: /p1 cannot be opened/ })
})

test('a reader that follows a log without records is there when a later writer has some', async (t) => {
  const root = tempRoot(t)
  await (await openLog(root)).close()
  const empty = await openLog(root)
  const reading = (async () => {
    const reader = openLocalLogReader(root)
    for await (const one of reader.read({ stream: 'p1', offset: 0 }, { follow: true })) return one
    return undefined
  })()
  await new Promise((resolve) => setTimeout(resolve, 60))
  await empty.close()
  const log = await openLog(root)
  await append(log, numberedRequest(7))
  assert.deepEqual((await reading)?.record, numberedRequest(7))
  await log.close()
})

test('a log that is closed has no segment without records', async (t) => {
  const root = tempRoot(t)
  for (let i = 0; i < 3; i++) await (await openLog(root)).close()
  assert.deepEqual(segments(root), [])
})

test(
  'a log that is full refuses at once, and takes more when what was read is released',
  { timeout: 60_000 },
  async (t) => {
    const root = tempRoot(t)
    const log = await openLog(root, { bytesMax: 200_000, segmentBytesMax: 20_000 })
    let appended = 0
    const refused = await (async () => {
      for (;;) {
        try {
          await append(log, numberedRequest(appended, 2000))
          appended++
        } catch (error) {
          return error
        }
      }
    })()
    assert.ok(refused instanceof MigrationError && refused.code === 'MA_CAPTURE_LOG')
    assert.equal(refused.details.cause, 'full')
    assert.ok(log.usage().bytes <= 200_000 && log.usage().bytes > 190_000, `${log.usage().bytes}`)
    const reader = openLocalLogReader(root)
    const all = await readAll(reader, (await onlyStream(reader)).oldest)
    assert.equal(all.length, appended)
    await reader.release(all[49]!.next)
    // One that comes late takes nothing back.
    await reader.release(all[2]!.next)
    // The refusal is what has the log look.
    while (log.usage().bytes > 150_000) {
      await assert.rejects(append(log, numberedRequest(0, 180_000)), /full/)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await append(log, numberedRequest(appended++, 2000))
    const kept = await numbersIn(root)
    assert.deepEqual(kept, range(Number(kept[0]), appended))
    assert.ok(Number(kept[0]) > 30 && Number(kept[0]) <= 50, `from ${kept[0]} on`)
    await assert.rejects(readAll(reader, all[2]!.next), {
      code: 'MA_CAPTURE_LOG',
      message: /was released/,
    })
    await log.close()
  },
)

test('a log that is closed has none of the segments that were released', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root, { segmentBytesMax: 1000 })
  await appendEach(log, requests(0, 20, 300))
  await log.close()
  const before = segments(root).length
  const reader = openLocalLogReader(root)
  const all = await readAll(reader, (await onlyStream(reader)).oldest)
  await reader.release(all[9]!.next)
  await (await openLog(root)).close()
  assert.ok(segments(root).length <= before - 3, `${segments(root).length} of ${before}`)
  assert.deepEqual(await readAll(reader, all[9]!.next), all.slice(10))
})

test('requests one after the other take one write each with the answers before them', async (t) => {
  const log = await openLog(tempRoot(t))
  const answers: Promise<void>[] = []
  for (const request of requests(0, 20)) {
    await append(log, request)
    answers.push(append(log, answerTo(request)))
  }
  assert.equal(log.status().writes, 20)
  // The last one has nothing to go with.
  await Promise.all(answers)
  assert.equal(log.status().writes, 21)
  const unawaited = append(log, answerTo(numberedRequest(20)))
  await log.close()
  await unawaited
})

test('what waits for the disk is bounded: more is refused by name', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root, { waitingBytesMax: 50_000 })
  const outcomes = await Promise.allSettled(requests(0, 40, 3000).map((one) => append(log, one)))
  const taken = outcomes.filter(({ status }) => status === 'fulfilled').length
  assert.ok(taken >= 14 && taken < 17, `${taken}`)
  const first = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult
  assert.match((first.reason as Error).message, /too slow: 50000 bytes wait/)
  await append(log, numberedRequest(99))
  await log.close()
  assert.deepEqual(await numbersIn(root), [...range(0, taken), 99])
})

test('a torn tail is cut at opening, wherever it is torn, and named', async (t) => {
  for (let cut = 1; cut < 700; cut += 37) {
    const root = tempRoot(t)
    const log = await openLog(root)
    await appendEach(log, requests(0, 5, 500))
    const [path] = segments(root)
    const { end } = log.status()
    await log.close()
    // The closing mark goes, and a part of the last group.
    const bytes = readFileSync(path!)
    const torn = bytes.subarray(0, bytes.length - 27 - cut)
    writeFileSync(path!, Buffer.concat([torn, Buffer.alloc(1000)]))
    const whole = Math.floor((torn.length - 58) / (26 + 500 + 100))
    const again = await openLog(root)
    const cutBytes = again.recovered.cut?.bytes ?? 0
    assert.equal(statSync(path!).size, torn.length - cutBytes)
    await append(again, numberedRequest(100))
    await again.close()
    const numbers = await numbersIn(root)
    const kept = numbers.length - 1
    assert.ok(kept === 4 || (kept === 3 && cut > 600), `${kept} after ${cut}, ${whole}`)
    assert.deepEqual(numbers, [...range(0, kept), 100])
    if (kept === 4 && cut < 600) assert.ok(cutBytes > 0, `${cut}: ${cutBytes}`)
    assert.ok(again.status().end > end, 'no position is used twice')
  }
})

test('a flipped byte is noticed wherever it is, named with its file, and never cut off as a tail', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await appendEach(log, requests(0, 3, 20))
  await log.close()
  const [path] = segments(root)
  const good = readFileSync(path!)
  for (let at = 0; at < good.length; at++) {
    const bytes = Buffer.from(good)
    bytes[at]! ^= 1 << (at % 8)
    writeFileSync(path!, bytes)
    const reader = openLocalLogReader(root)
    const from = { stream: 'p1', offset: 0 }
    // The last bytes are the mark that vouches for what stands before it.
    if (at >= good.length - 27) {
      assert.deepEqual((await readAll(reader, from)).length, 3)
      continue
    }
    await assert.rejects(readAll(reader, from), (error: MigrationError) => {
      assert.match(error.code, /MA_CAPTURE_LOG|MA_FORMAT_TOO_NEW/, `${at}: ${error.message}`)
      assert.equal(error.details.file, path)
      assert.ok(Number(error.details.offset) <= at, `${at}: ${String(error.details.offset)}`)
      return true
    })
  }
})

test('a log that is idle vouches for its last group, so that damage to it is no tail', async (t) => {
  const root = tempRoot(t)
  t.mock.timers.enable({ apis: ['setInterval'] })
  const log = await openLog(root, { segmentBytesMax: 10_000 })
  await appendEach(log, requests(0, 3, 50))
  const [path] = segments(root)
  const before = readFileSync(path!)
  t.mock.timers.tick(1000)
  while (readFileSync(path!).equals(before)) await new Promise((resolve) => setImmediate(resolve))
  // As it lies there after kill -9.
  const crashed = tempRoot(t)
  mkdirSync(join(crashed, 'p1'))
  const bytes = readFileSync(path!)
  bytes[bytes.lastIndexOf('_doc/2')]! ^= 1
  writeFileSync(join(crashed, 'p1/00000001.log'), bytes)
  const again = await openLog(crashed)
  assert.equal(again.recovered.damaged.length, 1)
  await assert.rejects(numbersIn(crashed), { code: 'MA_CAPTURE_LOG' })
  await Promise.all([log.close(), again.close()])
})

test('a reader that follows does not wait at damage', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await appendEach(log, requests(0, 10, 50))
  const [path] = segments(root)
  const bytes = readFileSync(path!)
  const at = bytes.indexOf('_doc/4')
  const file = openSync(path!, 'r+')
  writeSync(file, Buffer.from([bytes[at]! ^ 1]), 0, 1, at)
  closeSync(file)
  await assert.rejects(numbersIn(root, { follow: true }), {
    code: 'MA_CAPTURE_LOG',
    message: /00000001\.log at byte \d+/,
  })
  await log.close()
})

test('damage is left out on request, and a gap stands in its place', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await appendEach(log, requests(0, 20, 300))
  await log.close()
  const [path] = segments(root)
  const bytes = readFileSync(path!)
  bytes[bytes.length >> 1]! ^= 4
  writeFileSync(path!, bytes)
  const found = await numbersIn(root, { skipDamage: true })
  const at = found.indexOf('gap')
  assert.deepEqual(found, [...range(0, at), 'gap', ...range(at + 1, 20)])
  // A writer goes on behind it, and leaves it as it is.
  const again = await openLog(root)
  assert.equal(again.recovered.damaged.length, 1)
  await append(again, numberedRequest(20))
  await again.close()
  assert.deepEqual(await numbersIn(root, { skipDamage: true }), [...found, 20])
})

test('a segment that is gone from the middle, or has lost its header, is an error and no end', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root, { segmentBytesMax: 2000 })
  await appendEach(log, requests(0, 30, 300))
  await log.close()
  const paths = segments(root)
  assert.ok(paths.length > 4)
  const good = readFileSync(paths[2]!)
  rmSync(paths[2]!)
  await assert.rejects(numbersIn(root), /was released and removed/)
  writeFileSync(paths[2]!, Buffer.concat([Buffer.alloc(20, 1), good.subarray(20)]))
  await assert.rejects(numbersIn(root), { code: 'MA_CAPTURE_LOG', message: /00000003\.log/ })
  const found = await numbersIn(root, { skipDamage: true })
  const at = found.indexOf('gap')
  assert.deepEqual(found, [...range(0, at), 'gap', ...range(30 - (found.length - at - 1), 30)])
})

test('a reader that follows gets every record once while segments are rolled and removed', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root, { segmentBytesMax: 5000, bytesMax: 60_000 })
  await append(log, numberedRequest(0))
  const reader = openLocalLogReader(root)
  const { oldest } = await onlyStream(reader)
  let expected = 0
  const following = (async () => {
    for await (const { record, next } of reader.read(oldest, { follow: true })) {
      assert.ok(record.kind === 'request')
      assert.equal(record.exchange.number, expected++)
      if (expected % 50 === 0) await reader.release(next)
      if (expected === 2000) return
    }
  })()
  for (let number = 1; number < 2000;) {
    const batch = requests(number, Math.min(2000, number + 7))
    const outcomes = await Promise.allSettled(batch.map((one) => append(log, one)))
    const taken = outcomes.findIndex(({ status }) => status === 'rejected')
    number += taken < 0 ? batch.length : taken
    if (taken >= 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await following
  await log.close()
  assert.ok(segments(root).length < 20)
})

/** Lets the next writes to files fail, as a disk that fails does. */
function failWrites(t: TestContext, { fails }: { fails: () => string | undefined }): void {
  const { writev } = fs
  const failing = (...args: unknown[]): void => {
    const code = fails()
    const done = args.at(-1) as (error: Error) => void
    if (code === undefined) Reflect.apply(writev, fs, args)
    else setImmediate(() => done(Object.assign(new Error(`${code}: no such luck`), { code })))
  }
  Object.assign(fs, { writev: failing })
  syncBuiltinESMExports()
  t.after(() => {
    Object.assign(fs, { writev })
    syncBuiltinESMExports()
  })
}

test('after a write that failed nothing of it counts, and the log is usable when the disk is', async (t) => {
  const root = tempRoot(t)
  let failing: string | undefined
  failWrites(t, { fails: () => failing })
  const log = await openLog(root)
  await appendAll(log, requests(0, 3))
  failing = 'EIO'
  const error = await append(log, numberedRequest(3)).then(
    () => assert.fail('taken'),
    (reason: unknown) => reason as MigrationError,
  )
  assert.equal(error.code, 'MA_CAPTURE_LOG')
  assert.match(error.message, /cannot be written: EIO/)
  await assert.rejects(append(log, numberedRequest(4)), /EIO/)
  assert.match(log.status().failure!.message, /EIO/)
  failing = undefined
  while (log.status().failure !== undefined) await new Promise((resolve) => setTimeout(resolve, 10))
  await append(log, numberedRequest(5))
  await log.close()
  assert.deepEqual(await numbersIn(root), [0, 1, 2, 5])
})

test('a disk that fails when the log is opened is tried again', async (t) => {
  const root = tempRoot(t)
  let failing: string | undefined = 'ENOSPC'
  failWrites(t, { fails: () => failing })
  const log = await openLog(root)
  await assert.rejects(append(log, numberedRequest(0)), /ENOSPC/)
  failing = undefined
  while (log.status().failure !== undefined) await new Promise((resolve) => setTimeout(resolve, 10))
  await append(log, numberedRequest(1))
  await log.close()
  assert.deepEqual(await numbersIn(root), [1])
})

test('a disk that fails while a segment is closed loses nothing that is durable', async (t) => {
  const root = tempRoot(t)
  let failing: string | undefined
  failWrites(t, { fails: () => failing })
  const log = await openLog(root, { segmentBytesMax: 1000 })
  await append(log, numberedRequest(0, 1500))
  failing = 'ENOSPC'
  await assert.rejects(append(log, numberedRequest(1)), /ENOSPC/)
  failing = undefined
  while (log.status().failure !== undefined) await new Promise((resolve) => setTimeout(resolve, 10))
  await append(log, numberedRequest(2))
  await log.close()
  assert.deepEqual(await numbersIn(root), [0, 2])
})

/** Keeps the next write of two records from the disk until it is let go; the one after it goes through. */
function holdFirstOfTwo(t: TestContext): {
  readonly secondIsSafe: Promise<void>
  readonly letGo: (error?: Error) => void
} {
  const { writev } = fs
  const second = Promise.withResolvers<void>()
  let held: unknown[] | undefined
  const holding = (...args: unknown[]): void => {
    if (held === undefined) {
      held = args
      return
    }
    const done = args.at(-1) as (...outcome: unknown[]) => void
    const told = (...outcome: unknown[]): void => {
      done(...outcome)
      second.resolve()
    }
    Reflect.apply(writev, fs, [...args.slice(0, -1), told])
  }
  const putBack = (): void => {
    Object.assign(fs, { writev })
    syncBuiltinESMExports()
  }
  Object.assign(fs, { writev: holding })
  syncBuiltinESMExports()
  t.after(putBack)
  return {
    secondIsSafe: second.promise,
    letGo: (error) => {
      putBack()
      if (error === undefined) Reflect.apply(writev, fs, held!)
      else (held!.at(-1) as (error: Error) => void)(error)
    },
  }
}

async function appendTwo(log: LocalLog): Promise<{ durable: number[]; refused: number[] }> {
  const found = { durable: [] as number[], refused: [] as number[] }
  for (const number of [1, 2]) {
    log.append(numberedRequest(number), (error) =>
      (error === undefined ? found.durable : found.refused).push(number),
    )
    // The end of the turn, and so of the group.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  }
  return found
}

test('a group is durable when those before it are, though it was on the disk before them', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await append(log, numberedRequest(0))
  const { secondIsSafe, letGo } = holdFirstOfTwo(t)
  const found = await appendTwo(log)
  await secondIsSafe
  assert.deepEqual(found.durable, [])
  const crashed = tempRoot(t)
  cpSync(segments(root)[0]!, join(crashed, 'p1', '00000001.log'))
  letGo()
  await log.close()
  assert.deepEqual(found, { durable: [1, 2], refused: [] })
  assert.deepEqual(await numbersIn(root), [0, 1, 2])

  const recovered = await openLog(crashed)
  assert.ok((recovered.recovered.cut?.bytes ?? 0) > 0)
  assert.deepEqual(recovered.recovered.damaged, [])
  await recovered.close()
  assert.deepEqual(await numbersIn(crashed), [0])
})

test('a group does not count when one before it has failed', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root)
  await append(log, numberedRequest(0))
  const { secondIsSafe, letGo } = holdFirstOfTwo(t)
  const found = await appendTwo(log)
  await secondIsSafe
  letGo(Object.assign(new Error('EIO: no such luck'), { code: 'EIO' }))
  while (log.status().failure !== undefined || found.refused.length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.deepEqual(found, { durable: [], refused: [1, 2] })
  await append(log, numberedRequest(3))
  await log.close()
  assert.deepEqual(await numbersIn(root), [0, 3])
})

test('what lies behind a position is counted by segments, without what was never written', async (t) => {
  const root = tempRoot(t)
  const log = await openLog(root, { segmentBytesMax: 20_000 })
  await appendAll(log, requests(0, 100, 1000))
  const reader = openLocalLogReader(root)
  const { oldest, end } = await onlyStream(reader)
  const records = await readAll(reader, oldest)
  const bytesBehind = async (offset: number): Promise<number> =>
    (await reader.behind({ stream: 'p1', offset })).bytes!
  const all = await bytesBehind(oldest.offset)
  assert.ok(all > 100_000 && all < 130_000, String(all))
  assert.equal(await bytesBehind(end.offset), 0)
  const counts: number[] = []
  for (const { next } of records) counts.push(await bytesBehind(next.offset))
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  )
  // Killed: the next one begins far behind.
  const copy = tempRoot(t)
  fs.cpSync(join(root, 'p1'), join(copy, 'p1'), { recursive: true })
  await log.close()
  const again = await openLog(copy)
  t.after(() => again.close())
  await appendAll(again, requests(100, 101, 1000))
  const killed = openLocalLogReader(copy)
  const jumped = await onlyStream(killed)
  assert.ok(jumped.end.offset - oldest.offset > 2 ** 30)
  const behind = (await killed.behind(oldest)).bytes!
  assert.ok(behind > all && behind < all + 10_000, String(behind))
})
