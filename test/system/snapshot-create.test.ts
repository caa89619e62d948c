import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import test from 'node:test'
import { MigrationError } from '../../src/base/errors.ts'
import type { Selection } from '../../src/base/select.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { parseVersion } from '../../src/cluster/version.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { closeMigration } from '../../src/metadata/close.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { configSchema } from '../../src/migration/config-schema.ts'
import { selectedIndices } from '../../src/migration/open-snapshot.ts'
import { openEntries } from '../../src/state/ledger.ts'
import { chooseIndices } from '../../src/take/choose-indices.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { deleteSnapshot } from '../../src/take/delete-snapshot.ts'
import {
  isRunning,
  readSnapshotRecord,
  readSnapshotStatus,
  type SnapshotProgress,
} from '../../src/take/snapshot-status.ts'
import { requireSuccess } from '../../src/take/wait-for-snapshot.ts'
import { dropBrokenIndex, makeBrokenIndex } from '../support/broken-disk.ts'
import { cliFolder, osmigrate } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, connectWith, newState, snapshotOf } from '../support/metadata.ts'

const six = await useEngine('elasticsearch', '6')
const seven = await useEngine('elasticsearch', '7')
const secured = await useEngine('opensearch', '3', { security: true })

/** So slow that a snapshot of two megabytes is seen on its way. */
const slow = { compress: true, rateMbPerNode: 1 }
/** So slow that it does not end before it is cancelled. */
const endless = { compress: true, settings: { max_snapshot_bytes_per_sec: '50kb' } }

for (const engine of [six, seven]) {
  const { version } = engine
  const source = await connect('source', engine)

  test(`makes a snapshot on ${version} and takes the repository off at close`, async () => {
    const index = uniqueName('snap')
    await putOne(source, index)
    const { location } = engine.makeRepository()
    const migration = uniqueName('migration')
    const state = await newState()
    const progress: SnapshotProgress[] = []
    const made = await createSnapshot(source, {
      migration,
      location: `file://${location}`,
      name: 's1',
      select: { include: [`${index}*`] },
      state,
      onProgress: (step) => progress.push(step),
    })
    assert.deepEqual(made.indices, [index])
    assert.equal(made.repository, `osmigrate-${migration}`)
    assert.equal(progress.at(-1)?.state, 'SUCCESS')
    const taken = createSnapshot(source, {
      migration,
      location,
      name: 's1',
      select: { include: [index] },
    })
    await assert.rejects(taken, { code: 'MA_SNAPSHOT', message: /a snapshot s1 .* already/ })
    await closeMigration({ target: source, source, state, setWithheld: false })
    assert.equal(await isRegistered(source, made.repository), false)
  })

  test(`an index that is deleted as the snapshot is asked of ${version} is not in it`, async () => {
    const name = uniqueName('snap')
    await putOne(source, `${name}-stays`)
    await putOne(source, `${name}-goes`)
    const { location } = engine.makeRepository()
    let deleted = 0
    const made = await createSnapshot(source, {
      migration: uniqueName('migration'),
      location,
      name: 's1',
      select: { include: [`${name}*`] },
      bytesFree: async () => {
        if (deleted++ === 0) await send(engine, 'DELETE', `/${name}-goes`)
        return undefined
      },
    })
    assert.deepEqual(made.indices, [`${name}-stays`])
    assert.equal(made.state, 'SUCCESS')
  })

  test(`says what to put into elasticsearch.yml when ${version} may not write there, and leaves nothing`, async () => {
    const index = uniqueName('snap')
    await putOne(source, index)
    const state = await newState()
    const migration = uniqueName('migration')
    const refused = createSnapshot(source, {
      migration,
      location: '/nowhere/snapshots',
      name: 's1',
      select: { include: [index] },
      state,
    })
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof MigrationError)
      assert.equal(error.code, 'MA_REPOSITORY')
      assert.match(error.message, /elasticsearch.yml .* path.repo: \["\/nowhere\/snapshots"\]/)
      return true
    })
    await nothingIsLeft(source, { state, migration })
  })

  test(`names the primary shards that ${version} lacks, before anything is begun`, async () => {
    const index = await makeUnassigned(source)
    const state = await newState()
    const migration = uniqueName('migration')
    const { location } = engine.makeRepository()
    const wanted = { migration, location, name: 's1', select: { include: [index] }, state }
    const message = new RegExp(`${index}/0 \\(UNASSIGNED.*--exclude`)
    await assert.rejects(createSnapshot(source, wanted), { code: 'MA_SNAPSHOT', message })
    await nothingIsLeft(source, wanted)
    await source.request('DELETE', `/${index}`)
  })

  test(`a folder that ${version} may not write to, or that is too small, is refused and taken off again`, async () => {
    const index = uniqueName('full')
    await putOne(source, index)
    await source.request('POST', `/${index}/_flush`)
    const { location } = engine.makeRepository()
    const state = await newState()
    const migration = uniqueName('migration')
    const wanted = { migration, location, name: 's1', select: { include: [index] }, state }
    chmodSync(location, 0o555)
    const message = /(not accessible|failed to create).*must be able to write/
    await assert.rejects(createSnapshot(source, wanted), { code: 'MA_REPOSITORY', message })
    await nothingIsLeft(source, wanted)
    chmodSync(location, 0o777)
    const bytesFree = () => Promise.resolve(10)
    await assert.rejects(createSnapshot(source, { ...wanted, bytesFree }), {
      code: 'MA_REPOSITORY',
      message: /needs about .* GB are free/,
    })
    await nothingIsLeft(source, wanted)

    // What is in the repository already needs no room.
    const { repository } = await createSnapshot(source, wanted)
    const held = await readSnapshotStatus(source, repository, 's1')
    const bytesHeld = held?.indices[0]?.bytesHeld ?? 0
    assert.ok(bytesHeld > 1_000)
    const made = await createSnapshot(source, {
      ...wanted,
      name: 's2',
      bytesFree: () => Promise.resolve(bytesHeld - 100),
    })
    assert.equal(made.state, 'SUCCESS')
  })

  test(`an owner's repository of ${version} is used by its name or place, and never taken off`, async () => {
    const index = uniqueName('owned')
    await putOne(source, index)
    const { location, name: owned } = engine.makeRepository()
    await source.request('PUT', `/_snapshot/${owned}`, {
      body: { type: 'fs', settings: { location } },
    })
    const state = await newState()
    const migration = uniqueName('migration')
    const wanted = { migration, select: { include: [index] }, state }
    const byName = await createSnapshot(source, { ...wanted, registeredAs: owned, name: 'one' })
    const byPlace = await createSnapshot(source, { ...wanted, location, name: 'two' })
    assert.deepEqual([byName.repository, byPlace.repository], [owned, owned])
    await nothingIsLeft(source, { state, migration })
    assert.equal(await isRegistered(source, owned), true)

    const rate = { ...wanted, registeredAs: owned, name: 'three', repositoryOptions: slow }
    await assert.rejects(createSnapshot(source, rate), { code: 'MA_CONFIG', message: /its owner/ })
    await source.request('PUT', `/_snapshot/${owned}`, {
      body: { type: 'fs', settings: { location, readonly: true } },
    })
    const readonly = { ...wanted, registeredAs: owned, name: 'three' }
    await assert.rejects(createSnapshot(source, readonly), {
      code: 'MA_REPOSITORY',
      message: /read-only/,
    })
    const unknown = createSnapshot(source, { ...readonly, registeredAs: 'nobody' })
    await assert.rejects(unknown, {
      code: 'MA_REPOSITORY',
      // Other tests have theirs there; the list is cut.
      message: /no repository named nobody\. There are: \w/,
    })
    await source.request('DELETE', `/_snapshot/${owned}`)
  })
}

test('closed indices are named where the source takes no snapshots of them', async () => {
  for (const engine of [six, seven]) {
    const source = await connect('source', engine)
    const index = uniqueName('closed')
    await putOne(source, `${index}-a`)
    await putOne(source, `${index}-b`)
    await source.request('POST', `/${index}-b/_close`)
    const { indices, leftOut } = await chooseIndices(source, { include: [`${index}*`] })
    assert.deepEqual(indices, engine === six ? [`${index}-a`] : [`${index}-a`, `${index}-b`])
    assert.deepEqual(leftOut, engine === six ? [{ index: `${index}-b`, reason: 'closed' }] : [])
    await source.request('DELETE', `/${index}-b`)
  }
})

test("hidden indices and the engine's own are left out and listed, unless they are named", async () => {
  const source = await connect('source', seven)
  const name = uniqueName('hidden')
  await source.request('PUT', `/${name}`, { body: { settings: { 'index.hidden': true } } })
  const saved = `.kibana-${name}`
  for (const index of [`.${name}`, `${name}-plain`, saved]) {
    await source.request('PUT', `/${index}`)
  }
  const all = await chooseIndices(source, { include: ['*'] })
  assert.ok(!all.indices.includes(name) && !all.indices.includes(`.${name}`))
  assert.ok(all.leftOut.some((one) => one.index === name && one.reason === 'hidden'))
  assert.ok(all.leftOut.some((one) => one.index === `.${name}` && one.reason === 'system'))
  const named = await chooseIndices(source, { include: [`${name}*`, `.${name}`] })
  assert.deepEqual(named.indices, [`.${name}`, name, `${name}-plain`])
  assert.deepEqual(named.leftOut, [])
  // A snapshot that was made with them is selected from as the cluster is.
  const snapshot = await snapshotOf(source, seven, [`${name}*`, `.${name}`, saved])
  assert.deepEqual(snapshot.indices, [saved, `.${name}`, name, `${name}-plain`])
  const evaluate = (select: Selection) =>
    evaluateMetadata({
      ...fromSnapshot('of a test', snapshot, shardLook),
      target: { version: parseVersion('opensearch', '3.1.0')! },
      select,
      options: metadataOptions.parse({ templates: false, pipelines: false }),
      allowPartialSource: false,
    })
  const plan = await evaluate({})
  assert.deepEqual(
    plan.indices.map((one) => one.name),
    [`${name}-plain`],
  )
  assert.deepEqual(plan.leftOut, [
    { index: saved, reason: 'system' },
    { index: `.${name}`, reason: 'system' },
    { index: name, reason: 'hidden' },
  ])
  assert.deepEqual(plan.notSelected, [saved, `.${name}`, name])
  const kindOfSaved = ({ notCarried }: typeof plan) =>
    notCarried.find((one) => one.name === saved)?.kind
  assert.equal(kindOfSaved(plan), 'saved objects of dashboards')
  const onPurpose = await evaluate({ exclude: ['.*', '.kibana*'] })
  assert.equal(kindOfSaved(onPurpose), undefined)
  const config = (include: string[]) =>
    configSchema.parse({ version: 1, name: 'test', select: { include } })
  assert.deepEqual(await selectedIndices(config(['*']), snapshot), [`${name}-plain`])
  assert.deepEqual(await selectedIndices(config(['*', name]), snapshot), [name, `${name}-plain`])
  await source.request('DELETE', `/${name},.${name},${name}-plain,${saved}`)
})

test('a snapshot is watched by bytes, to the last one', async () => {
  const source = await connect('source', seven)
  const index = await makeMegabytes(source)
  const { location } = seven.makeRepository()
  const seen: SnapshotProgress[] = []
  const made = await createSnapshot(source, {
    migration: uniqueName('m'),
    location,
    name: 'watched',
    select: { include: [index] },
    repositoryOptions: slow,
    onProgress: (one) => seen.push(one),
  })
  assert.equal(made.state, 'SUCCESS')
  assert.ok(seen.some(({ bytesDone, bytesTotal }) => bytesTotal > 0 && bytesDone < bytesTotal))
  assert.equal(seen.at(-1)?.bytesDone, seen.at(-1)?.bytesTotal)
})

test('one that is on its way is waited for again, and cancelled on purpose only', async () => {
  const source = await connect('source', seven)
  const index = await makeMegabytes(source)
  const { location } = seven.makeRepository()
  const state = await newState()
  const place = { migration: uniqueName('m'), location, state, repositoryOptions: endless }
  const wanted = { ...place, select: { include: [index] }, name: 'long' }
  const { repository, state: stands } = await createSnapshot(source, { ...wanted, wait: false })
  assert.ok(isRunning(stands))

  const controller = new AbortController()
  const stopped = createSnapshot(source, {
    ...wanted,
    onBegin: () => controller.abort(),
    signal: controller.signal,
  })
  await assert.rejects(stopped, { code: 'MA_STOPPED', message: /snapshot status.*--cancel/ })
  const other = await makeMegabytes(source)
  const others = createSnapshot(source, { ...wanted, select: { include: [other] } })
  await assert.rejects(others, { code: 'MA_SNAPSHOT', message: /made of other indices/ })

  const target = { repository, name: 'long' }
  await assert.rejects(deleteSnapshot(source, { ...target, cancel: false }), /--cancel/)
  const joined = Promise.withResolvers<void>()
  const waiting = createSnapshot(source, { ...wanted, onBegin: () => joined.resolve() })
  const gone = assert.rejects(waiting, { code: 'MA_SNAPSHOT', message: /is gone .*cancelled/ })
  await joined.promise
  await deleteSnapshot(source, { ...target, cancel: true })
  await gone
  await assert.rejects(deleteSnapshot(source, { ...target, cancel: true }), {
    code: 'MA_SNAPSHOT',
    message: /no snapshot long/,
  })
  await closeMigration({ target: source, source, state, setWithheld: false })
})

test('a snapshot that does not move is not waited for without end', async () => {
  const source = await connect('source', seven)
  const index = await makeMegabytes(source)
  const { location } = seven.makeRepository()
  const migration = uniqueName('m')
  const waited = createSnapshot(source, {
    migration,
    location,
    name: 'stuck',
    select: { include: [index] },
    repositoryOptions: endless,
    stallMaxMs: 1,
  })
  await assert.rejects(waited, { code: 'MA_SNAPSHOT', message: /has moved .*The source may go on/ })
  const repository = `osmigrate-${migration}`
  await deleteSnapshot(source, { repository, name: 'stuck', cancel: true })
})

test('a snapshot that lacks a shard is an error that names the shard', async () => {
  const source = await connect('source', seven)
  const index = uniqueName('broken')
  await makeBrokenIndex({ cluster: source, engine: seven }, index, { shards: 1, broken: 0 })
  const { location } = seven.makeRepository()
  const made = createSnapshot(source, {
    migration: uniqueName('migration'),
    location,
    name: 's1',
    select: { include: [index] },
  })
  await assert.rejects(made, (error) => {
    assert.ok(error instanceof MigrationError)
    assert.equal(error.code, 'MA_SNAPSHOT')
    assert.match(
      error.message,
      new RegExp(`ended PARTIAL: ${index}\\[0\\]: .*CorruptIndexException`),
    )
    return true
  })
  const flags = ['--source-url', seven.url, '--repository', location, '--snapshot', 's1']
  const { stdout } = await osmigrate(cliFolder(), 1, 'snapshot', 'status', ...flags)
  assert.match(stdout, new RegExp(`PARTIAL[^]*1: 0 ok, 1 failed[^]*${index}/0: .*Corrupt`))
  await dropBrokenIndex(source, index)
})

test('a repository that is no longer writable in the middle of it is an error', async () => {
  const source = await connect('source', seven)
  const index = await makeMegabytes(source)
  const { location } = seven.makeRepository()
  const made = createSnapshot(source, {
    migration: uniqueName('migration'),
    location,
    name: 's1',
    select: { include: [index] },
    repositoryOptions: slow,
    onBegin: () => chmodSync(location, 0o555),
  })
  await assert.rejects(made, { code: 'MA_SNAPSHOT', message: /could not write its end/ })
  chmodSync(location, 0o777)
})

test('of snapshots begun at once, an engine that makes one at a time makes one after the other', async () => {
  const source = await connect('source', six)
  const index = uniqueName('queue')
  await putOne(source, index)
  const migrations = ['first', 'second', 'third'].map((name) => uniqueName(name))
  const made = await Promise.all(
    migrations.map((migration) => {
      const { location } = six.makeRepository()
      return createSnapshot(source, {
        migration,
        location,
        name: 's',
        select: { include: [index] },
      })
    }),
  )
  assert.deepEqual(
    made.map(({ state }) => state),
    ['SUCCESS', 'SUCCESS', 'SUCCESS'],
  )
  for (const { repository } of made) await source.request('DELETE', `/_snapshot/${repository}`)
})

test('a snapshot that FAILED says why', async () => {
  const source = await connect('source', six)
  const index = await makeUnassigned(source)
  const { location, name: repository } = six.makeRepository()
  await source.request('PUT', `/_snapshot/${repository}`, {
    body: { type: 'fs', settings: { location } },
  })
  // Asked for without looking first, this engine begins it and lets it fail.
  await source.request('PUT', `/_snapshot/${repository}/failed`, {
    query: { wait_for_completion: true },
    body: { indices: index },
  })
  const record = await readSnapshotRecord(source, repository, 'failed')
  assert.equal(record?.state, 'FAILED')
  assert.throws(() => requireSuccess(record), {
    code: 'MA_SNAPSHOT',
    message: new RegExp(`failed ended FAILED: .*${index}`),
  })
  await source.request('DELETE', `/_snapshot/${repository}`)
  await source.request('DELETE', `/${index}`)
})

test(
  'a permission that the source does not give is named, and nothing stays noted',
  { skip: secured.skip },
  async () => {
    const source = await connectWith('source', secured, {
      cluster_permissions: ['cluster:monitor/*', 'cluster:admin/repository/get'],
      index_permissions: [{ index_patterns: ['*'], allowed_actions: ['*'] }],
    })
    const index = uniqueName('guarded')
    await send(secured, 'PUT', `/${index}/_doc/1?refresh=true`, { n: 1 })
    const state = await newState()
    const migration = uniqueName('migration')
    const { location } = secured.makeRepository()
    const wanted = { migration, location, name: 's1', select: { include: [index] }, state }
    await assert.rejects(createSnapshot(source, wanted), {
      code: 'MA_CLUSTER_AUTH',
      message: /lacks the permission cluster:admin\/repository\/put/,
    })
    await nothingIsLeft(source, wanted)
  },
)

async function putOne(source: Cluster, index: string): Promise<void> {
  await source.request('PUT', `/${index}/_doc/1`, { query: { refresh: true }, body: { n: 1 } })
}

/** An index whose only shard no node may hold. */
async function makeUnassigned(source: Cluster): Promise<string> {
  const index = uniqueName('red')
  await source.request('PUT', `/${index}`, {
    query: { wait_for_active_shards: 0, timeout: '1s' },
    body: {
      settings: { number_of_shards: 1, 'index.routing.allocation.require._name': 'nobody' },
    },
  })
  return index
}

/** About two megabytes that compress badly. */
async function makeMegabytes(source: Cluster): Promise<string> {
  const index = uniqueName('megabytes')
  const settings = { number_of_shards: 1, number_of_replicas: 0 }
  await source.request('PUT', `/${index}`, { body: { settings } })
  const lines = Array.from({ length: 600 }, (_, n) => {
    const text = Array.from({ length: 100 }, () => Math.random()).join(' ')
    return `{"index":{"_id":"d${n}"}}\n${JSON.stringify({ text })}\n`
  })
  await source.request('POST', `/${index}/_bulk`, { body: Buffer.from(lines.join('')) })
  await source.request('POST', `/${index}/_flush`)
  return index
}

async function isRegistered(source: Cluster, repository: string): Promise<boolean> {
  const { status } = await source.request('GET', `/_snapshot/${repository}`, { accept: [404] })
  return status !== 404
}

async function nothingIsLeft(
  source: Cluster,
  { state, migration }: { state: Parameters<typeof openEntries>[0]; migration: string },
): Promise<void> {
  assert.equal(await isRegistered(source, `osmigrate-${migration}`), false)
  assert.deepEqual(await openEntries(state), [])
}
