/** A data stream is filled while the source goes on changing it: nothing is lost, and nothing comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import {
  assertAsModel,
  assertInsertsKeepText,
  changeWhileFilled,
  makeStreamWorld,
  randomFrom,
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
