import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import { openSqliteStore } from '../state/sqlite-store.ts'
import type { Change } from '../state/store.ts'
import { planIndexWork, putItem, putShard } from './plan.ts'
import { backfillIndexKind, type BackfillIndex } from './records.ts'
import { backfillStatus } from './status.ts'

const target: TargetIndex = {
  ...{
    index: 'a',
    targetIndex: 'a',
    sourceUuid: 's',
    targetUuid: 't',
    fenceAlias: 'osmigrate-s-0',
  },
  ...{ epochBase: 0, sourceShards: 1, targetShards: 1, mayHoldRouted: true },
  ...{ sourceForm: 'full', sourceDocuments: null, withheld: {} },
}
const record: BackfillIndex = {
  ...{ index: 'a', snapshot: 'n', snapshotUuid: 'u', sourceUuid: 's', targetUuid: 't' },
  ...{ share: null, versionFrom: 'seqNo', state: 'planned', error: null, notes: [] },
}
const items = 30_000
const cpuSecondsMax = 5

test('a plan of tens of thousands of work items is read back, and its status told, in no time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-status-'))
  const state = await openSqliteStore(join(folder, 'm'), 'write')
  t.after(async () => {
    await state.close()
    rmSync(folder, { recursive: true })
  })
  const shard = { index: 'a', shard: 0, byteLength: items * 100 }
  const changes: Change[] = [
    { op: 'put', kind: targetIndexKind, key: 'a', value: target },
    { op: 'put', kind: backfillIndexKind, key: 'a', value: record },
    putShard({ ...shard, state: 'planned', part: null, error: null }),
  ]
  for (let n = 0; n < items; n++) {
    const done = n % 2 === 0
    const [fromDoc, toDoc] = [n * 10, n * 10 + 10]
    const settled = done ? 10 : 0
    changes.push(
      putItem({
        ...{ index: 'a', shard: 0, segment: '_0', fromDoc, toDoc, storedBytes: 100 },
        ...{ checkpoint: fromDoc + settled, done, read: settled, written: settled, failed: 0 },
        sourceBytes: 0,
      }),
    )
  }
  await state.commit(changes)
  const before = process.cpuUsage()
  const { totals, snapshotBytesTotal } = await backfillStatus(state, { isRunning: false })
  assert.equal(totals.written, items * 5)
  assert.equal(totals.snapshotBytes, snapshotBytesTotal / 2)
  const snapshot = { uuid: 'u', name: 'n' } as Snapshot
  const planned = await planIndexWork(state, snapshot, target)
  assert.equal(planned.items.length, items)
  const { user, system } = process.cpuUsage(before)
  assert.ok((user + system) / 1e6 < cpuSecondsMax, `${(user + system) / 1e6} s`)
})
