/**
 * Data streams on each line of OpenSearch: filled while the source goes on changing them, with many kills; and what makes
 * it safe there, that late writes are refused and nothing comes to be by itself.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliverBulk } from '../../src/cluster/bulk.ts'
import { writePlaceOf } from '../../src/cluster/write-place.ts'
import { closeMigration } from '../../src/metadata/close.ts'
import { targetIndexKind } from '../../src/state/records.ts'
import { withState } from '../support/backfill.ts'
import { send, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import {
  assertAsModel,
  assertInsertsKeepText,
  changeWhileFilled,
  makeStreamWorld,
  randomFrom,
} from '../support/stream-world.ts'

for (const version of ['1', '2', '3']) {
  test(`OpenSearch ${version}: filled and changed at once, killed 10 times`, async (t) => {
    const engine = await useEngine('opensearch', version, { own: true })
    if (engine.skip !== false) return t.skip(engine.skip)
    const target = await connect('target', engine)
    for (let round = 1; round <= 3; round++) {
      const seed = ((Date.now() * round) % 2147483646) + 1
      t.diagnostic(`seed ${seed}`)
      const world = await makeStreamWorld(engine, target, 6000)
      const options = { bulkBytesMax: '6kb', bulksInFlightMax: 4, threads: round === 3 ? 2 : 1 }
      const done = await changeWhileFilled(world, { kills: 10, seed, options })
      t.diagnostic(JSON.stringify(done))
      assert.equal(done.kills, 10)
      await assertAsModel(world)
      await assertInsertsKeepText(world, randomFrom(seed))
      const record = await withState(world.ready.folder, async (state) => {
        const { value } = (await state.get(targetIndexKind, world.ready.indices[0]!))!
        await closeMigration({ target, state, setWithheld: false })
        return value
      })
      const bytes = Buffer.from('{"update":{"_id":"late"}}\n{"doc":{},"upsert":{"@timestamp":1}}\n')
      const body = { bytes, itemStart: Int32Array.of(0, bytes.length), count: 1 }
      const { signal } = new AbortController()
      const late = { ...writePlaceOf(record), body, waitMaxMs: 1000, signal }
      await assert.rejects(deliverBulk(target, late), { code: 'MA_TARGET_INDEX' })
      await send(engine, 'DELETE', `/_data_stream/${world.stream}`)
      await world.clean()
    }
    await engine.stop()
  })
}
