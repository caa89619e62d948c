/**
 * The audit alone follows each line of engines: what is written, deleted and refused, whatever way the engine tells numbers;
 * with restarts of the source in between, which raise the primary terms.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { connectCluster } from '../../src/cluster/connect.ts'
import type { EngineKind } from '../../src/engines/engine.ts'
import {
  documentsOf,
  makeTargetIndex,
  openAudit,
  openState,
  stateFolder,
} from '../support/audit-world.ts'
import { send, uniqueName, useEngine, type TestEngine } from '../support/engines.ts'
import { randomOperations } from '../support/random-operations.ts'

const target = await useEngine('opensearch', '3')

interface Source {
  readonly kind: EngineKind
  readonly version: string
  readonly settings?: object
}

const sources: readonly Source[] = [
  { kind: 'elasticsearch', version: '6.2' },
  { kind: 'elasticsearch', version: '6.8' },
  { kind: 'elasticsearch', version: '7.10' },
  { kind: 'elasticsearch', version: '7.17' },
  { kind: 'elasticsearch', version: '8' },
  { kind: 'elasticsearch', version: '9' },
  { kind: 'opensearch', version: '1' },
  { kind: 'opensearch', version: '2', settings: { 'replication.type': 'SEGMENT' } },
  { kind: 'opensearch', version: '3' },
]

/** A bulk of which some items are refused. */
async function bulk(source: TestEngine, body: string): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const answer = await fetch(`${source.url}/_bulk`, { method: 'POST', headers, body })
  assert.equal(answer.status, 200)
  await answer.arrayBuffer()
}

test(
  'elasticsearch 5: not provable, but what differs is found when it is asked for',
  { skip: target.skip },
  async () => {
    const source = await useEngine('elasticsearch', '5', { own: true })
    const index = uniqueName('five')
    const state = await openState(stateFolder())
    await send(source, 'PUT', `/${index}`, { settings: { number_of_shards: 2 } })
    for (const body of randomOperations({ seed: 5, index, count: 2000, isTyped: true })) {
      await bulk(source, body)
    }
    await makeTargetIndex(state, { source, target }, index)
    const both = {
      source: await connectCluster('source', { url: [source.url] }),
      target: await connectCluster('target', { url: [target.url] }),
    }
    const world = await openAudit(both, { state, include: [index] })
    for (let round = 0; round < 2; round++) {
      const { verdict, asOf } = await world.drain()
      assert.deepEqual([verdict, asOf], ['not-provable', null])
      const { comparison } = await world.ofIndex(index)
      assert.ok(comparison!.differing > 0)
      assert.deepEqual(await documentsOf(target, index), await documentsOf(source, index))
      await world.drain()
      assert.equal((await world.ofIndex(index)).comparison!.differing, 0)
      for (const body of randomOperations({ seed: 6, index, count: 500, isTyped: true })) {
        await bulk(source, body)
      }
    }
    await world.end()
    await both.source.close()
    await both.target.close()
    await source.stop()
  },
)

for (const { kind, version, settings = {} } of sources) {
  test(`${kind} ${version}`, { skip: target.skip }, async (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'osmigrate-audit-soak-'))
    after(() => rmSync(dir, { recursive: true, force: true }))
    let source = await useEngine(kind, version, { own: true, dir })
    if (source.skip !== false) return t.skip(source.skip)
    const index = uniqueName('soak')
    const isTyped = version.startsWith('6')
    await send(source, 'PUT', `/${index}`, {
      settings: {
        ...{ number_of_shards: 3, number_of_replicas: 0, refresh_interval: '-1' },
        ...settings,
      },
    })
    const state = await openState(stateFolder())
    await makeTargetIndex(state, { source, target }, index)
    const seed = (Date.now() % 2147483646) + 1
    t.diagnostic(`${source.version}, seed ${seed}`)
    const bodies = randomOperations({ seed, index, count: 30_000, isTyped })
    const refused = { about: { _index: index, ...(isTyped && { _type: 'doc' }) } }
    const long = `{"index":${JSON.stringify(refused.about)}}\n{"long":"${'x'.repeat(40_000)}"}\n`
    for (let round = 0; round < 3; round++) {
      const both = {
        source: await connectCluster('source', { url: [source.url] }),
        target: await connectCluster('target', { url: [target.url] }),
      }
      const world = await openAudit(both, { state, include: [index] })
      const running = world.audit.run()
      for (const body of bodies.splice(0, 25)) await bulk(source, body + long)
      const verdict = await world.drain()
      const found = await world.ofIndex(index)
      assert.equal(verdict.verdict, 'caught-up', JSON.stringify(found, null, 1))
      assert.deepEqual(found.found.ahead, [])
      t.diagnostic(JSON.stringify({ round, ...verdict.explained, ...found.comparison }))
      assert.deepEqual(await documentsOf(target, index), await documentsOf(source, index))
      await state.commit(world.accounts.changes())
      await world.end()
      await running
      await both.source.close()
      await both.target.close()
      if (round === 2) break
      await source.stop()
      source = await useEngine(kind, version, { own: true, dir })
      await send(source, 'GET', `/_cluster/health/${index}?wait_for_status=yellow&timeout=60s`)
    }
    await source.stop()
  })
}
