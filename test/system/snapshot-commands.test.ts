import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { backfillIndexKind } from '../../src/backfill/records.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import { cliFolder, osmigrate, osmigrateJson, startOsmigrate } from '../support/cli.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

/** `snapshot create`, `status` and `delete` as a person gives them. */

const engine = await useEngine('elasticsearch', '7')
const source = await connect('source', engine)

interface Status {
  state: string
  running: boolean
  percent: number
  bytesDone: number
  bytesTotal: number
  shards: { total: number; ok: number; failed: number }
  indices: { index: string }[]
}

test('a snapshot is begun, watched, waited for, cancelled, made and deleted by commands', async () => {
  const index = uniqueName('commands')
  await fill(source, index)
  const folder = cliFolder()
  const name = uniqueName('migration')
  const { location } = engine.makeRepository()
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: ${name}
source: { url: ${engine.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${location}, globalState: false }
`,
  )
  const before = await osmigrate(folder, 1, 'snapshot', 'status')
  assert.match(before.stderr, /`osmigrate snapshot create` registers it/)

  // A minute for some commands, after which it is cancelled.
  const slow = ['--repository-setting', 'max_snapshot_bytes_per_sec=100kb']
  const begun = await osmigrate(folder, 4, 'snapshot', 'create', '--no-wait', ...slow)
  assert.match(begun.stdout, /makes the snapshot osmigrate-.* of 1 indices/)
  const running = await osmigrateJson<Status>(folder, 4, 'snapshot', 'status')
  assert.ok(running.running && running.percent < 100, JSON.stringify(running))
  assert.deepEqual(
    running.indices.map((one) => one.index),
    [index],
  )

  const waiting = startOsmigrate(folder, 'snapshot', 'create', ...slow)
  // Whatever it says first: that it waits.
  await once(waiting.child.stderr!, 'data')
  waiting.child.kill('SIGINT')
  const stopped = await waiting.ended
  assert.equal(stopped.code, 4, stopped.stderr)
  assert.match(stopped.stderr, /is being made already[^]*the source goes on making it/)

  const refused = await osmigrate(folder, 1, 'snapshot', 'delete', '--yes')
  assert.match(refused.stderr, /being made.*--cancel/)
  const other = startOsmigrate(folder, 'snapshot', 'create', ...slow)
  await once(other.child.stderr!, 'data')
  await osmigrate(folder, 0, 'snapshot', 'delete', '--yes', '--cancel')
  const gone = await other.ended
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, /is gone .* cancelled/)
  await osmigrate(folder, 1, 'snapshot', 'status')

  const made = await osmigrateJson<{ state: string; indices: string[] }>(
    folder,
    0,
    'snapshot',
    'create',
  )
  assert.deepEqual([made.state, made.indices], ['SUCCESS', [index]])
  const whole = await osmigrate(folder, 0, 'snapshot', 'status')
  assert.match(whole.stdout, /SUCCESS[^]*100 %[^]*1: 1 ok, 0 failed/)

  assert.match((await osmigrate(folder, 2, 'snapshot', 'delete')).stderr, /--yes/)
  await planBackfill(join(folder, '.osmigrate', name), index, `osmigrate-${name}`)
  const inUse = await osmigrate(folder, 1, 'snapshot', 'delete', '--yes')
  assert.match(inUse.stderr, new RegExp(`0 of 1 indices are done, open: ${index}[^]*--in-use`))
  await osmigrate(folder, 0, 'snapshot', 'delete', '--yes', '--in-use', '--unregister')
  const { status } = await source.request('GET', `/_snapshot/osmigrate-${name}`, { accept: [404] })
  assert.equal(status, 404)
})

async function planBackfill(stateFolder: string, index: string, snapshot: string): Promise<void> {
  const state = await openSqliteStore(stateFolder, 'write')
  const value = {
    index,
    snapshot,
    snapshotUuid: 'a',
    sourceUuid: 'b',
    targetUuid: 'c',
    versionFrom: 'seqNo' as const,
    state: 'planned' as const,
    error: null,
    notes: [],
  }
  await state.commit([{ op: 'put', kind: backfillIndexKind, key: index, value }])
  await state.close()
}

/** About 6 megabytes that compress badly. */
async function fill(cluster: Cluster, index: string): Promise<void> {
  const body = {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { text: { type: 'keyword', index: false, doc_values: false } } },
  }
  await cluster.request('PUT', `/${index}`, { body })
  const lines = Array.from({ length: 1_500 }, () => {
    const text = Array.from({ length: 400 }, () => Math.random().toString(36)).join('')
    return `{"index":{}}\n${JSON.stringify({ text })}\n`
  })
  await cluster.request('POST', `/${index}/_bulk`, { body: Buffer.from(lines.join('')) })
  await cluster.request('POST', `/${index}/_flush`)
}
