import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import type { ShardFiles, Snapshot } from '../snapshot/snapshot.ts'
import {
  deadLetterKind,
  shardIncarnationKind,
  sourceIncarnationKind,
  type DeadLetter,
} from '../state/records.ts'
import type { TargetIndex } from '../state/records.ts'
import { openSqliteStore } from '../state/sqlite-store.ts'
import type { Change, StateStore } from '../state/store.ts'
import type { OpenedShard } from './local-worker.ts'
import {
  noteIncarnation,
  planIndexWork,
  planShard,
  putItem,
  putShard,
  type IndexWork,
} from './plan.ts'
import { indexProgress } from './progress.ts'
import { backfillIndexKind, backfillShardKind, workItemKind } from './records.ts'
import type { BackfillIndex, BackfillShard } from './records.ts'
import { cutBytesMin } from './share.ts'

const target: TargetIndex = {
  index: 'a',
  targetIndex: 'a',
  sourceUuid: 'source-uuid',
  targetUuid: 'target-uuid',
  epochBase: 0,
  fenceAlias: 'osmigrate-source-uuid-0',
  sourceShards: 12,
  targetShards: 12,
  mayHoldRouted: true,
  sourceForm: 'full',
  sourceDocuments: null,
  withheld: {},
}

/** As much of a snapshot as planning reads. */
function snapshotOf(
  uuid: string,
  indexUuid = 'source-uuid',
  { engineVersion = '7.10.2', createdVersion = 7_100_299 } = {},
): Snapshot {
  return {
    engineVersion,
    name: `snapshot-${uuid}`,
    uuid,
    shardFailures: [{ index: 'a', shard: 7, reason: 'node left' }],
    readIndexMetadata: async () => ({ uuid: indexUuid, numberOfShards: 12, createdVersion }),
    openShard: async (_index: string, shard: number) => ({ byteLength: 1000 + shard }),
  } as unknown as Snapshot
}

const opened: OpenedShard = {
  historyUuid: 'history',
  maxSeqNo: 41,
  localCheckpoint: 40,
  segments: [
    { name: '_0', maxDoc: 10, liveCount: 10, storedBytes: 1000 },
    { name: '_1', maxDoc: 3, liveCount: 3, storedBytes: 100_000 },
    { name: '_2', maxDoc: 101, liveCount: 90, storedBytes: 25_000 },
    { name: '_3', maxDoc: 0, liveCount: 0, storedBytes: 0 },
  ],
  checkedWhileRead: [],
}
const task = { index: 'a', shard: 11 }

async function temporaryStore(t: TestContext): Promise<StateStore> {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-plan-'))
  const store = await openSqliteStore(join(folder, 'm'), 'write')
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  return store
}

async function planned(state: StateStore): Promise<IndexWork> {
  const index = await planIndexWork(state, snapshotOf('s1'), target)
  await planShard(state, index, { task, shard: opened, itemBytesMax: 10_000 })
  return index
}

const code = (expected: string, message: RegExp) => (error: unknown) =>
  error instanceof MigrationError && error.code === expected && message.test(error.message)

test('a plan is made once and read back the same, shards in order of their numbers', async (t) => {
  const state = await temporaryStore(t)
  const first = await planned(state)
  const again = await planIndexWork(state, snapshotOf('s1'), target)
  assert.deepEqual(again, first)
  assert.deepEqual(
    again.shards.map(({ shard }) => shard),
    Array.from({ length: 12 }, (_, i) => i),
  )
  assert.equal(again.shards[7]?.state, 'lacking')
  assert.equal(again.shards[11]?.state, 'planned')
})

test('large segments are split into ranges that cover each document once', async (t) => {
  const { items } = await planned(await temporaryStore(t))
  const ranges = items.map(({ segment, fromDoc, toDoc }) => `${segment} ${fromDoc}-${toDoc}`)
  assert.deepEqual(ranges, [
    '_0 0-10',
    '_1 0-1',
    '_1 1-2',
    '_1 2-3',
    '_2 0-33',
    '_2 33-67',
    '_2 67-101',
  ])
})

test('a share has its part of a large shard, other shares have the rest', async (t) => {
  const ranges: string[][] = []
  for (const number of [1, 2, 3]) {
    const state = await temporaryStore(t)
    const snapshot = snapshotOf('s1')
    snapshot.openShard = async () => ({ byteLength: cutBytesMin }) as ShardFiles
    const share = { number, of: 3 }
    const index = await planIndexWork(state, snapshot, target, share)
    assert.equal(index.shards[11]!.byteLength, Math.round(cutBytesMin / 3))
    await planShard(state, index, { task, shard: opened, itemBytesMax: 1_000_000 })
    ranges.push(index.items.map((one) => `${one.segment} ${one.fromDoc}-${one.toDoc}`))
    assert.deepEqual(await planIndexWork(state, snapshot, target, share), index)
  }
  assert.deepEqual(ranges, [['_0 0-10', '_1 0-1'], ['_1 1-2'], ['_1 2-3', '_2 0-101']])
})

test('a segment that is cut is checked by the share that holds its end, alone', async (t) => {
  const unchecked: string[][] = []
  for (const number of [1, 2, 3]) {
    const state = await temporaryStore(t)
    const snapshot = snapshotOf('s1')
    snapshot.openShard = async () => ({ byteLength: cutBytesMin }) as ShardFiles
    const index = await planIndexWork(state, snapshot, target, { number, of: 3 })
    const shard = { ...opened, checkedWhileRead: ['_0', '_1', '_2'] }
    await planShard(state, index, { task, shard, itemBytesMax: 1_000_000 })
    unchecked.push(index.shards[11]!.unchecked ?? [])
  }
  assert.deepEqual(unchecked, [['_0'], [], ['_1', '_2']])
})

test('small shards are elsewhere or here whole, and no share counts what is elsewhere', async (t) => {
  const here = new Map<number, number>()
  for (const number of [1, 2, 3]) {
    const share = { number, of: 3 }
    const index = await planIndexWork(await temporaryStore(t), snapshotOf('s1'), target, share)
    for (const { shard, state } of index.shards) {
      if (state === 'open') here.set(shard, (here.get(shard) ?? 0) + 1)
    }
    assert.equal(
      indexProgress(index).shardsTotal,
      index.shards.filter(({ state }) => state !== 'elsewhere').length,
    )
  }
  assert.deepEqual(
    [...here.values()],
    Array.from({ length: 11 }, () => 1),
  )
})

test('another share than the one that was begun is refused by name', async (t) => {
  const state = await temporaryStore(t)
  const snapshot = snapshotOf('s1')
  await planIndexWork(state, snapshot, target, { number: 2, of: 5 })
  const refused = code('MA_CONFIG', /index a was begun here with --share 2\/5, not as 1\/5/)
  await assert.rejects(planIndexWork(state, snapshot, target, { number: 1, of: 5 }), refused)
  const whole = code('MA_CONFIG', /with --share 2\/5, not without/)
  await assert.rejects(planIndexWork(state, snapshot, target), whole)
})

test('a plan from before there were shares is one of the whole', async (t) => {
  const state = await temporaryStore(t)
  const snapshot = snapshotOf('s1')
  const { record, shards } = await planIndexWork(state, snapshot, target)
  const old: Partial<BackfillIndex> = { ...record }
  delete old.share
  const value = old as BackfillIndex
  const shardsBefore = shards.map(({ part: _part, ...one }) => putShard(one as BackfillShard))
  const put: Change = { op: 'put', kind: backfillIndexKind, key: record.index, value }
  await state.commit([put, ...shardsBefore])
  const { items } = await planIndexWork(state, snapshot, target)
  assert.deepEqual(items, [])
  const refused = code('MA_CONFIG', /index a was begun here without --share, not as 2\/5/)
  await assert.rejects(planIndexWork(state, snapshot, target, { number: 2, of: 5 }), refused)
})

test('the incarnation of a shard is noted, and another one is refused by name', async (t) => {
  const state = await temporaryStore(t)
  const index = await planned(state)
  const noted = (await state.get(shardIncarnationKind, 'a/11'))?.value
  assert.deepEqual(noted, {
    index: 'a',
    shard: 11,
    sourceUuid: 'source-uuid',
    historyUuid: 'history',
    snapshot: 'snapshot-s1',
    maxSeqNo: 41,
    localCheckpoint: 40,
  })
  const other = { task, shard: { ...opened, historyUuid: 'began anew' } }
  await assert.rejects(
    noteIncarnation(state, index, other),
    code('MA_TARGET_INDEX', /a, shard 11.*another incarnation.*history.*began anew/),
  )
})

test('a snapshot of another life of an index than sync has found is not written to it', async (t) => {
  const state = await temporaryStore(t)
  const index = await planned(state)
  const histories = Array<string | null>(12).fill(null)
  histories[11] = 'restored'
  const value = { index: 'a', uuid: 'source-uuid', histories, followed: null, life: 1 }
  await state.commit([{ op: 'put', kind: sourceIncarnationKind, key: 'a', value }])
  await assert.rejects(
    noteIncarnation(state, index, { task, shard: opened }),
    code('MA_TARGET_INDEX', /a, shard 11.*another incarnation.*restored/),
  )
})

test('versions are made of _version only where index and engine are older than 6.0', async (t) => {
  const openSearchBit = 0x0800_0000
  for (const [engineVersion, createdVersion, expected] of [
    ['1.7.5', 1_070_599, 'version'],
    ['5.6.16', 5_061_699, 'version'],
    ['5.6.16', 2_040_699, 'version'],
    ['6.8.23', 5_061_699, 'seqNo'],
    ['6.2.4', 6_020_499, 'seqNo'],
    ['2.19.4', openSearchBit + 2_190_499, 'seqNo'],
    ['1.3.20', 7_100_299, 'seqNo'],
  ] as const) {
    const snapshot = snapshotOf('s1', undefined, { engineVersion, createdVersion })
    const { record } = await planIndexWork(await temporaryStore(t), snapshot, target)
    assert.equal(record.versionFrom, expected, `${engineVersion}, ${createdVersion}`)
  }
})

test('a shard that cannot be listed is bad by name, and looked at again by a later run', async (t) => {
  const state = await temporaryStore(t)
  const broken = snapshotOf('s1')
  broken.openShard = async (_index, shard) => {
    if (shard === 3) throw new MigrationError('MA_BLOB_MISSING', 'no snap-s1.dat')
    return { byteLength: 1000 } as ShardFiles
  }
  const error = { code: 'MA_BLOB_MISSING', message: 'no snap-s1.dat' }
  const bad = { index: 'a', shard: 3, byteLength: 0, state: 'bad', part: null, error }
  for (const run of [1, 2]) {
    const { shards } = await planIndexWork(state, broken, target)
    assert.deepEqual(shards[3], bad, `run ${run}`)
    assert.deepEqual([shards.length, shards[4]?.state], [12, 'open'])
  }
  const mended = (await planIndexWork(state, snapshotOf('s1'), target)).shards[3]
  const open = { index: 'a', shard: 3, byteLength: 1003, state: 'open', part: null, error: null }
  assert.deepEqual(mended, open)
})

test('another incarnation of the index than the one that metadata saw is refused', async (t) => {
  const state = await temporaryStore(t)
  await assert.rejects(
    planIndexWork(state, snapshotOf('s1', 'other-uuid'), target),
    code('MA_TARGET_INDEX', /source-uuid.*other-uuid/),
  )
})

test('another transform than the one of the first documents is refused, and begins anew with the target', async (t) => {
  const state = await temporaryStore(t)
  const plan = (transform: string | null, targetUuid = target.targetUuid) =>
    planIndexWork(state, snapshotOf('s1'), { ...target, targetUuid }, undefined, transform)
  await plan('print-1')
  assert.equal((await plan('print-1')).record.transform, 'print-1')
  const other = code('MA_CONFIG', /another transform \(print-1\), and now the .* is print-2/)
  await assert.rejects(plan('print-2'), other)
  await assert.rejects(plan(null), code('MA_CONFIG', /and now none is configured/))
  assert.equal((await plan('print-2', 'anew')).record.transform, 'print-2')
})

test('another snapshot is refused while the target holds the first', async (t) => {
  const state = await temporaryStore(t)
  await planned(state)
  await assert.rejects(
    planIndexWork(state, snapshotOf('s2'), target),
    code('MA_SNAPSHOT', /snapshot-s1.*snapshot-s2/),
  )
})

test('a target index made anew makes all begin anew, of this index alone', async (t) => {
  const state = await temporaryStore(t)
  await planned(state)
  const other = { ...(await state.get(workItemKind, 'a/11/_0/0000000000'))!.value, index: 'ab' }
  await state.commit([putItem(other)])
  const anew = await planIndexWork(state, snapshotOf('s2'), { ...target, targetUuid: 'anew' })
  assert.deepEqual(anew.items, [])
  assert.equal(await state.count(workItemKind), 1)
  assert.equal(await state.count(shardIncarnationKind), 0)
  assert.equal(await state.count(backfillShardKind), 12)
  assert.equal((await state.get(backfillIndexKind, 'a'))?.value.targetUuid, 'anew')
})

test('dead letters above a checkpoint go when the item goes on, those below stay', async (t) => {
  const state = await temporaryStore(t)
  const { items } = await planned(state)
  const item = items.find(({ segment, fromDoc }) => segment === '_2' && fromDoc === 33)!
  await state.commit([putItem({ ...item, checkpoint: 50 })])
  for (const doc of [20, 40, 50, 60, 80]) {
    const value = { index: 'a', shard: 11, segment: '_2', doc, state: 'open' } as DeadLetter
    await state.commit([{ op: 'put', kind: deadLetterKind, key: `a/11/_2/${doc}`, value }])
  }
  // Of the other items of the segment nothing is settled.
  await planIndexWork(state, snapshotOf('s1'), target)
  const left: number[] = []
  for await (const { value } of state.each(deadLetterKind)) left.push(value.doc)
  assert.deepEqual(left, [40])
})

test('a shard that is damaged is bad; a repository that cannot be reached ends the planning', async (t) => {
  const failing = (error: MigrationError): Snapshot => ({
    ...snapshotOf('s'),
    openShard: () => Promise.reject(error),
  })
  const damaged = failing(new MigrationError('MA_CORRUPT_DATA', 'damaged'))
  const { shards } = await planIndexWork(await temporaryStore(t), damaged, target)
  assert.deepEqual([...new Set(shards.map(({ state }) => state))], ['bad', 'lacking'])
  const away = failing(new MigrationError('MA_BLOB_READ', 'nobody answers', { retryable: true }))
  await assert.rejects(planIndexWork(await temporaryStore(t), away, target), {
    code: 'MA_BLOB_READ',
  })
})
