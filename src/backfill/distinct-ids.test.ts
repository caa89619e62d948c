import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { openBlobStore } from '../blob/open.ts'
import { openRepository } from '../snapshot/repository.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import { openSqliteStore } from '../state/sqlite-store.ts'
import { requireDistinctIds } from './distinct-ids.ts'
import { forgetStop } from './run-record.ts'
import { requestStop } from './status.ts'

const fixture = path.join(
  import.meta.dirname,
  '../../test/fixtures/elasticsearch-5.6.16/compressed',
)

test('requireDistinctIds() says how far it is, stops when asked to, and reads once a snapshot', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-distinct-'))
  const state = await openSqliteStore(folder, 'write')
  t.after(async () => {
    await state.close()
    rmSync(folder, { recursive: true })
  })
  const repository = await openRepository(openBlobStore(path.join(fixture, 'repository')))
  const snapshot = await repository.openSnapshot(repository.snapshots[0]!.name)
  const index = snapshot.indices[0]!
  const { numberOfShards } = await snapshot.readIndexMetadata(index)
  const record = { index, targetIndex: index, types: null, distinctIn: null }
  const target = record as unknown as TargetIndex
  const calls: [string, number, number][] = []
  const look = async (signal = new AbortController().signal): Promise<void> => {
    const known = (await state.get(targetIndexKind, index))?.value ?? target
    const onIdsRead = (...call: [string, number, number]): void => void calls.push(call)
    await requireDistinctIds({ snapshot, state, signal, onIdsRead }, [known])
  }
  await requestStop(state)
  await assert.rejects(look(), { code: 'MA_STOPPED' })
  await forgetStop(state)
  await assert.rejects(look(AbortSignal.abort()), { code: 'MA_STOPPED' })
  assert.deepEqual(calls, [], 'before anything is read')
  await look()
  const steps = Array.from({ length: numberOfShards + 1 }, (_, shard) => shard)
  assert.deepEqual(
    calls,
    steps.map((done) => [index, done, numberOfShards]),
  )
  await look()
  assert.equal(calls.length, steps.length, 'once a snapshot')
})
