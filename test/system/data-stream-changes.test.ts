/** A data stream is filled while the source goes on changing it: nothing is lost, and nothing comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settleStreamChanges } from '../../src/backfill/stream-changes.ts'
import { targetIndexKind } from '../../src/state/records.ts'
import { withState } from '../support/backfill.ts'
import { useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import {
  assertAsModel,
  assertInsertsKeepText,
  changeWhileFilled,
  makeStreamWorld,
  randomFrom,
  textsOf,
  writeChanges,
} from '../support/stream-world.ts'

const engine = await useEngine('opensearch', '3')
const target = engine.skip === false ? await connect('target', engine) : undefined!

test(
  'later writes while the backfill runs and is killed: the target ends as the source',
  { skip: engine.skip },
  async (t) => {
    const world = await makeStreamWorld(engine, target, 800)
    const seed = (Date.now() % 2147483646) + 1
    t.diagnostic(`seed ${seed}`)
    try {
      const options = { bulkBytesMax: '3kb', bulksInFlightMax: 3 }
      const done = await changeWhileFilled(world, { kills: 3, seed, options })
      t.diagnostic(JSON.stringify(done))
      assert.ok(done.deletes > 0 && done.notesMost > 0)
      await assertAsModel(world)
      await assertInsertsKeepText(world, randomFrom(seed))
    } finally {
      await world.clean()
    }
  },
)

test(
  'while the backfill is not done an older change is left out, and what is made anew as it ends stays',
  { skip: engine.skip },
  async () => {
    const world = await makeStreamWorld(engine, target, 4)
    try {
      await withState(world.ready.folder, async (state) => {
        const { value: index } = (await state.get(targetIndexKind, world.ready.indices[0]!))!
        const change = (id: string, seqNo: number, n: number | null) => {
          const source = n === null ? null : Buffer.from(`{"@timestamp":1,"n":${n}}`)
          return { id, routing: null, seqNo, source }
        }
        for (const changes of [
          [change('g1-0', 20, 2), change('g1-1', 21, null)],
          [change('g1-0', 10, 1), change('g1-1', 11, 1), change('other', 12, 3)],
        ]) {
          await writeChanges(world, state, index, changes)
        }
        const found = async () => [...(await textsOf(target, index.targetIndex))].sort()
        const two = ['g1-0', '{"@timestamp":1,"n":2}']
        const other = ['other', '{"@timestamp":1,"n":3}']
        assert.deepEqual(await found(), [two, other])

        // Made anew on the source after the end of the backfill has read that it was deleted.
        const list = state.list.bind(state)
        state.list = async (...of) => {
          const page = await list(...of)
          state.list = list
          await writeChanges(world, state, index, [change('g1-1', 30, 4)])
          return page
        }
        const patience = { waitMaxMs: 60_000, signal: new AbortController().signal }
        await settleStreamChanges(state, target, index, patience)
        assert.deepEqual(await found(), [two, ['g1-1', '{"@timestamp":1,"n":4}'], other])
      })
    } finally {
      await world.clean()
    }
  },
)
