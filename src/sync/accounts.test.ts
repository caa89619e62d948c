import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { shardOfDocument } from '../base/shard-of.ts'
import { shardIncarnationKind } from '../state/records.ts'
import { openSqliteStore } from '../state/sqlite-store.ts'
import type { StateStore } from '../state/store.ts'
import { Account } from './account.ts'
import { Accounts, countSnapshot } from './accounts.ts'
import type { SourceIndex } from './source-index.ts'

async function newState(): Promise<StateStore> {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-accounts-'))
  const state = await openSqliteStore(folder, 'write')
  after(async () => {
    await state.close()
    rmSync(folder, { recursive: true })
  })
  return state
}

function indexOf(shards: number, { uuid = 'u1', history = 'h1' } = {}): SourceIndex {
  return {
    ...{ name: 'shop', uuid, isOpen: true, numberOfShards: shards, numberOfRoutingShards: shards },
    ...{ routingPartitionSize: 1, runsPipeline: false, mayRoute: false, aliases: new Map() },
    shards: Array.from({ length: shards }, () => ({
      ...{ historyUuid: history, primaryTerm: 1 },
      ...{ maxSeqNo: null, localCheckpoint: null, globalCheckpoint: null },
    })),
  }
}

function newAccount(): Account {
  return Account.empty({ index: 'i', shard: 0, targets: 't', uuid: 'u', historyUuid: 'h' })
}

const one = { id: 'a', routing: null, primaryTerm: 1 }

test('what the target acknowledged counts in the shard of the document', () => {
  const accounts = new Accounts()
  const index = indexOf(5)
  const { accounts: shards } = accounts.open(index, 't')
  accounts.acknowledged(index, { ...one, seqNos: [3] })
  assert.equal(
    shards.reduce((sum, { numbers }) => sum + numbers.size, 0),
    0,
    'not confirmed yet',
  )
  accounts.notePlaced(index)
  accounts.acknowledged(index, { ...one, seqNos: [3] })
  accounts.acknowledged(index, { ...one, routing: 'r', seqNos: [4] })
  accounts.acknowledged(index, { ...one, routing: undefined, seqNos: [5] })
  accounts.acknowledged(index, { ...one, routing: undefined, shard: 2, seqNos: [6] })
  assert.ok(shards[shardOfDocument('a', null, index)]!.numbers.has(3))
  assert.ok(shards[shardOfDocument('a', 'r', index)]!.numbers.has(4))
  assert.ok(shards[2]!.numbers.has(6))
  assert.equal(
    shards.reduce((sum, { numbers }) => sum + numbers.size, 0),
    3,
  )
})

test('numbers of another life of the index, or for another target index, do not count', () => {
  const accounts = new Accounts()
  const index = indexOf(1)
  accounts.open(index, 't')
  accounts.acknowledged(indexOf(1, { uuid: 'u0' }), { ...one, seqNos: [0] })
  accounts.acknowledged(indexOf(1, { history: 'h0' }), { ...one, seqNos: [1] })
  assert.equal(accounts.of('shop')[0]!.numbers.size, 0)
  accounts.acknowledged(index, { ...one, seqNos: [0, 1] })
  assert.equal(accounts.open(index, 't').accounts[0]!.numbers.size, 2)
  for (const [other, targets] of [
    [indexOf(1, { uuid: 'u2' }), 't'],
    [indexOf(1, { history: 'h2' }), 't'],
    [index, 't2'],
  ] as const) {
    assert.equal(accounts.open(other, targets).accounts[0]!.numbers.size, 0)
  }
  accounts.forget('shop')
  accounts.acknowledged(index, { ...one, seqNos: [0] })
  assert.deepEqual(accounts.of('shop'), [])
})

test('the state brings them back, and only what has changed is written', async () => {
  const state = await newState()
  const accounts = new Accounts()
  const index = indexOf(1)
  accounts.open(index, 't')
  accounts.acknowledged(index, { ...one, seqNos: [0, 1, 7] })
  await state.commit(accounts.changes())
  assert.deepEqual(accounts.changes(), [])
  const again = await Accounts.load(state)
  assert.deepEqual(again.changes(), [])
  assert.deepEqual(
    [...again.open(index, 't').accounts[0]!.numbers.missing(0, 8)],
    [
      { from: 2, to: 6 },
      { from: 8, to: 8 },
    ],
  )
  again.forget('shop')
  await state.commit(again.changes())
  assert.equal((await Accounts.load(state)).of('shop').length, 0)
})

test('the snapshot counts up to its local checkpoint, in its own incarnation alone', async () => {
  const state = await newState()
  const record = {
    ...{ index: 'shop', shard: 0, sourceUuid: 'u1', snapshot: 's' },
    ...{ historyUuid: 'h1', maxSeqNo: 12, localCheckpoint: 9 },
  }
  const put = { op: 'put', kind: shardIncarnationKind, key: 'shop/0', value: record } as const
  await state.commit([put])
  const accounts = new Accounts()
  const open = accounts.open(indexOf(1), 't').accounts
  await countSnapshot(state, open, [])
  assert.equal(open[0]!.numbers.size, 0)
  await countSnapshot(state, open, ['shop'])
  await countSnapshot(state, open, ['shop'])
  assert.deepEqual([open[0]!.numbers.completeTo, open[0]!.explained.snapshot], [9, 10])
  assert.equal(accounts.isInSnapshot(indexOf(1), one, 9), true)
  assert.equal(accounts.isInSnapshot(indexOf(1), one, 10), false)
  assert.equal(accounts.isInSnapshot(indexOf(1, { uuid: 'u2' }), one, 9), false)
  assert.equal(open[0]!.isDoubtful, false)
  const other = new Accounts().open(indexOf(1, { history: 'h2' }), 't').accounts
  await countSnapshot(state, other, ['shop'])
  assert.deepEqual([other[0]!.numbers.size, other[0]!.isOpened], [0, false])
})

test('what was written before the snapshot was known to hold it is in doubt', () => {
  const account = newAccount()
  account.acknowledge(4, 1)
  account.countSnapshot(9, undefined)
  assert.equal(account.isDoubtful, true)
  assert.deepEqual(account.explained, { snapshot: 9, captured: 1, search: 0, comparison: 0 })
})

test('the snapshot of a primary that is lost since is in doubt', () => {
  for (const [then, isDoubtful] of [
    [1, true],
    [2, false],
    [undefined, false],
  ] as const) {
    const account = newAccount()
    account.seen(2, 50)
    account.countSnapshot(9, then)
    assert.deepEqual([account.isDoubtful, account.numbers.completeTo], [isDoubtful, 9])
  }
})

test('what another primary gives anew is not in the snapshot, whatever that counted', () => {
  const account = newAccount()
  account.seen(1, 5)
  account.countSnapshot(9, 1)
  assert.deepEqual([account.snapshotTo, account.isDoubtful], [9, false])
  account.seen(2, 6)
  assert.deepEqual([account.snapshotTo, account.isDoubtful], [5, true])
  assert.equal(account.numbers.completeTo, 5)
})

test('under another primary numbers above the checkpoint are missing again, and late ones of the former do not count', () => {
  const account = newAccount()
  account.seen(1, 5)
  for (let number = 0; number <= 9; number++) account.acknowledge(number, 1)
  assert.equal(account.seen(2, 6), 4)
  assert.equal(account.isDoubtful, true)
  assert.equal(account.numbers.completeTo, 5)
  account.seen(2, 8)
  account.acknowledge(7, 1)
  account.acknowledge(8, undefined)
  assert.equal(account.numbers.size, 6)
  account.acknowledge(6, 2)
  account.acknowledge(7, 3)
  assert.equal(account.numbers.completeTo, 7)
  account.acknowledge(3, 1)
  assert.equal(account.numbers.size, 8)
})

test('a number that was found counts when all documents of it are settled, not before', () => {
  const account = newAccount()
  account.seen(1, 5)
  account.noteFound(2)
  account.acknowledge(2, 1)
  assert.equal(account.numbers.has(2), false)
  account.settle(2, 2, 'search')
  assert.deepEqual(account.explained, { snapshot: 0, captured: 0, search: 1, comparison: 0 })
  account.noteFound(4)
  account.forgetFound()
  account.acknowledge(4, 1)
  assert.equal(account.numbers.has(4), true)
})
