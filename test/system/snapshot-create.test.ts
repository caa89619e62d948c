import assert from 'node:assert/strict'
import test from 'node:test'
import { MigrationError } from '../../src/base/errors.ts'
import { closeMigration } from '../../src/metadata/close.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import type { SnapshotProgress } from '../../src/take/snapshot-status.ts'
import { dropBrokenIndex, makeBrokenIndex } from '../support/broken-disk.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { connect, newState } from '../support/metadata.ts'

const six = await useEngine('elasticsearch', '6')
const seven = await useEngine('elasticsearch', '7')

for (const engine of [six, seven]) {
  const { version } = engine
  const source = await connect('source', engine)

  test(`makes a snapshot on ${version} and takes the repository off at close`, async () => {
    const index = uniqueName('snap')
    await source.request('PUT', `/${index}/_doc/1`, { query: { refresh: true }, body: { n: 1 } })
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
    const { status } = await source.request('GET', `/_snapshot/${made.repository}`, {
      accept: [404],
    })
    assert.equal(status, 404)
  })

  test(`says what to put into elasticsearch.yml when ${version} may not write there`, async () => {
    const index = uniqueName('snap')
    await source.request('PUT', `/${index}/_doc/1`, { body: { n: 1 } })
    const state = await newState()
    const refused = createSnapshot(source, {
      migration: uniqueName('migration'),
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
    await closeMigration({ target: source, source, state, setWithheld: false })
  })
}

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
  await dropBrokenIndex(source, index)
})
