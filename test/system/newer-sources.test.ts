/**
 * Snapshots of engines after 7.10, from the fixtures that those engines made, are moved to OpenSearch and compared: all
 * indices but those whose mode the target does not know.
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { assertEqual, backfill, makeReady } from '../support/backfill.ts'
import { send, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

// The indices have the names of the fixtures, so nobody else may be there.
const engine = await useEngine('opensearch', '3', { own: true })
const target = engine.skip === false ? await connect('target', engine) : undefined!

const sources = [
  'elasticsearch-7.17.28',
  'elasticsearch-8.19.0',
  'elasticsearch-9.2.0',
  'opensearch-1.3.20',
  'opensearch-2.19.4',
  'opensearch-3.6.0',
]
const left = ['time_series', 'logsdb']

for (const source of sources) {
  test(`${source}: every document arrives, once`, { skip: engine.skip }, async () => {
    const repository = path.join(import.meta.dirname, `../fixtures/${source}/compressed/repository`)
    const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('s1')
    const indices = snapshot.indices.filter((index) => !left.includes(index))
    const ready = await makeReady({ repository, snapshot, target, indices })
    try {
      const first = await backfill(ready)
      assert.equal(first.deadLetters, 0)
      await assertEqual(ready)
    } finally {
      await send(engine, 'DELETE', `/${indices.join(',')}`)
    }
  })
}
