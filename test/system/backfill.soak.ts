/** A million documents, updated and deleted in part, carried over by a backfill that is killed again and again. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { assertEqual, makeReady, makeSnapshot, spawnBackfill } from '../support/backfill.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine

const documents = 1_000_000
const perBulk = 10_000
const kills = 12
const killedAfterMsMost = 8_000

test('a million documents, killed a dozen times, end equal', { skip }, async (t) => {
  const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
  const target = await connect('target', targetEngine)
  const index = uniqueName('million')
  await makeIndex(sourceEngine, index, { settings: { number_of_shards: 2 } })
  for (let from = 0; from < documents; from += perBulk) {
    const items = numbered(perBulk, from)
    const again = items.filter((_, i) => i % 7 === 0)
    const gone = items.filter((_, i) => i % 11 === 0).map(({ id }) => ({ id, source: null }))
    await putItems(sourceEngine, index, [...items, ...again, ...gone])
  }
  const ready = await makeReady({
    ...(await makeSnapshot(source, [index])),
    target,
    indices: [index],
  })
  let killed = 0
  for (let i = 0; i < kills; i++) {
    const run = spawnBackfill(ready, { url: targetEngine.url, options: { threads: 1 + (i % 2) } })
    const afterMs = Math.random() * killedAfterMsMost
    await Promise.race([delay(afterMs, undefined, { ref: false }), run.ended])
    run.child.kill('SIGKILL')
    if ((await run.ended) === 'SIGKILL') killed++
  }
  t.diagnostic(`${killed} runs were killed before their end`)
  assert.equal(await spawnBackfill(ready, { url: targetEngine.url, options: {} }).ended, 0)
  await assertEqual(ready)
})
