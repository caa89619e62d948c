import assert from 'node:assert/strict'
import test from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { deleteSnapshot } from '../../src/take/delete-snapshot.ts'
import { readyRepository, unregister } from '../../src/take/repository.ts'
import {
  isRunning,
  readSnapshotRecord,
  readSnapshotStatus,
  type SnapshotProgress,
} from '../../src/take/snapshot-status.ts'
import { useEngine, type TestEngine } from '../support/engines.ts'
import { connect, newState } from '../support/metadata.ts'

/** Every version of a source takes a snapshot: asked for, watched, waited for again, cancelled, deleted. */

const versions = [
  ['elasticsearch', '1.7.5'],
  ['elasticsearch', '2.4.6'],
  ['elasticsearch', '5.6.16'],
  ['elasticsearch', '6.2.4'],
  ['elasticsearch', '6.8.23'],
  ['elasticsearch', '7.10.2'],
  ['elasticsearch', '7.17.28'],
  ['elasticsearch', '8.19.0'],
  ['elasticsearch', '9.2.0'],
  ['opensearch', '1.3.20'],
  ['opensearch', '2.19.4'],
  ['opensearch', '3.6.0'],
] as const

for (const [kind, version] of versions) {
  test(`${kind} ${version} takes snapshots`, async () => {
    const engine = await useEngine(kind, version, { own: true })
    try {
      await takesSnapshots(engine)
    } finally {
      await engine.stop()
    }
  })
}

async function takesSnapshots(engine: TestEngine): Promise<void> {
  const source = await connect('source', engine)
  await fill(source, 'shop')
  await fill(source, 'shut')
  await source.request('POST', '/shut/_close')
  // Since 7.2 a closed index has shards, which start anew.
  await source.request('GET', '/_cluster/health', { query: { wait_for_status: 'green' } })
  const { location } = engine.makeRepository()
  const state = await newState()
  const migration = 'versions'
  const common = { migration, location, state, select: {} }

  // Of about 8 MB, at 1 MB/s: it is seen on its way.
  const slow = { compress: true, rateMbPerNode: 1 }
  const begun = await createSnapshot(source, {
    ...common,
    name: 'first',
    repositoryOptions: slow,
    wait: false,
  })
  const holdsClosed = source.version.major > 6 || kindOf(source) === 'opensearch'
  assert.deepEqual(begun.indices, holdsClosed ? ['shop', 'shut'] : ['shop'])
  assert.deepEqual(begun.leftOut, holdsClosed ? [] : [{ index: 'shut', reason: 'closed' }])
  const running = await readSnapshotRecord(source, begun.repository, 'first')
  assert.ok(running && isRunning(running.state), running?.state)

  await assert.rejects(
    createSnapshot(source, { ...common, select: { include: ['nothing*'] }, name: 'x' }),
    { code: 'MA_CONFIG' },
  )
  const seen: SnapshotProgress[] = []
  const made = await createSnapshot(source, {
    ...common,
    name: 'first',
    onProgress: (one) => seen.push(one),
  })
  assert.equal(made.state, 'SUCCESS')
  const between = seen.filter(
    ({ bytesDone, bytesTotal }) => bytesDone > 0 && bytesDone < bytesTotal,
  )
  assert.ok(between.length > 0, JSON.stringify(seen.map((one) => [one.bytesDone, one.bytesTotal])))
  for (const [i, one] of seen.entries()) {
    assert.ok(i === 0 || one.bytesDone >= seen[i - 1]!.bytesDone, 'bytes grow')
    assert.ok(one.bytesDone <= one.bytesTotal)
  }
  const status = await readSnapshotStatus(source, made.repository, 'first')
  assert.equal(status?.shardsDone, status?.shardsTotal)
  const repository = await openRepository(openBlobStore(location))
  assert.deepEqual([...(await repository.openSnapshot('first')).indices], [...begun.indices])

  // A second one shares the files of the first, is cancelled on its way, and leaves nothing.
  await fill(source, 'more')
  await createSnapshot(source, { ...common, name: 'second', repositoryOptions: slow, wait: false })
  const cancelled = { repository: made.repository, name: 'second' }
  await assert.rejects(deleteSnapshot(source, { ...cancelled, cancel: false }), /--cancel/)
  await deleteSnapshot(source, { ...cancelled, cancel: true })
  assert.equal(await readSnapshotRecord(source, made.repository, 'second'), undefined)

  await deleteSnapshot(source, { repository: made.repository, name: 'first', cancel: false })
  assert.equal((await unregister(source, made.repository, state))?.outcome, 'restored')
  const again = await readyRepository(source, common, { options: slow })
  assert.equal(again.isNew, true)
}

function kindOf(source: Cluster): string {
  return source.version.flavour
}

/** About 4 MB that compress badly. */
async function fill(source: Cluster, index: string): Promise<void> {
  const typed = kindOf(source) === 'elasticsearch' && source.version.major < 7
  await source.request('PUT', `/${index}`, {
    body: { settings: { number_of_shards: 2, number_of_replicas: 0 } },
  })
  const lines = Array.from({ length: 1500 }, (_, n) => {
    const text = Array.from({ length: 100 }, () => Math.random()).join(' ')
    return `{"index":{"_id":"d${n}"}}\n${JSON.stringify({ text })}\n`
  })
  await source.request('POST', `/${index}${typed ? '/item' : ''}/_bulk`, {
    body: Buffer.from(lines.join('')),
  })
  await source.request('POST', `/${index}/_flush`)
}
