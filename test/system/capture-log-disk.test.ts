import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MigrationError } from '../../src/base/errors.ts'
import { openLocalLog, type LocalLog } from '../../src/traffic/local-log.ts'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { append } from '../support/capture-log-contract.ts'
import { numberedRequest } from '../support/capture-records.ts'
import { smallDisk } from '../support/small-disk.ts'

/** Appends until a record is refused; the numbers that were taken, and the refusal. */
async function appendUntilRefused(
  log: LocalLog,
  first: number,
): Promise<{ taken: number[]; refusal: MigrationError }> {
  const taken: number[] = []
  for (let number = first; ; number += 5) {
    const outcomes = await Promise.allSettled(
      [0, 1, 2, 3, 4].map((i) => append(log, numberedRequest(number + i, 3000))),
    )
    for (const [i, { status }] of outcomes.entries()) {
      if (status === 'fulfilled') taken.push(number + i)
    }
    const refused = outcomes.find(({ status }) => status === 'rejected')
    if (refused?.status !== 'rejected') continue
    assert.ok(refused.reason instanceof MigrationError)
    return { taken, refusal: refused.reason }
  }
}

async function numbersIn(root: string): Promise<number[]> {
  const found: number[] = []
  const from = { stream: 'p1', offset: 0 }
  for await (const { record } of openLocalLogReader(root).read(from, { follow: false })) {
    assert.ok(record.kind === 'request')
    assert.deepEqual(record, numberedRequest(record.exchange.number, 3000))
    found.push(record.exchange.number)
  }
  return found
}

const root = smallDisk(4 << 20)

/** Where no disk can be made: what a proxy does with a log that takes no more is in capture-faults.test.ts for everybody. */
if (root !== undefined)
  test('a disk that is full: refused by name, and used again when there is room', () =>
    fillUp(root))

async function fillUp(root: string): Promise<void> {
  writeFileSync(join(root, 'filler'), Buffer.alloc(2 << 20, 1))
  const log = await openLocalLog({
    ...{ folder: join(root, 'p1'), stream: 'p1', bytesMax: 1 << 30, segmentBytesMax: 300_000 },
  })
  const first = await appendUntilRefused(log, 0)
  assert.equal(first.refusal.code, 'MA_CAPTURE_LOG')
  assert.match(first.refusal.message, /cannot be written: ENOSPC/)
  assert.ok(first.taken.length > 300, `${first.taken.length} taken`)
  assert.match(log.status().failure!.message, /ENOSPC/)
  rmSync(join(root, 'filler'))
  while (log.status().failure !== undefined) await sleep(20)
  const second = await appendUntilRefused(log, 100_000)
  assert.ok(second.taken.length > 300, `${second.taken.length} taken`)
  const all = [...first.taken, ...second.taken]
  assert.deepEqual(await numbersIn(root), all)
  await log.close()
  assert.deepEqual(await numbersIn(root), all)
  const again = await openLocalLog({ folder: join(root, 'p1'), stream: 'p1', bytesMax: 1 << 30 })
  assert.equal(again.last?.number, all.at(-1))
  await again.close()
  assert.deepEqual(await numbersIn(root), all)
}
