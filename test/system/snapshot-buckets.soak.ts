import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import test, { after } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { s3Credentials } from '../../src/engines/services.ts'
import { closeMigration } from '../../src/metadata/close.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { deleteSnapshot } from '../../src/take/delete-snapshot.ts'
import { readSnapshotRecord } from '../../src/take/snapshot-status.ts'
import { osmigrate, cliFolder } from '../support/cli.ts'
import { useEngine, type TestEngine } from '../support/engines.ts'
import { connect, newState } from '../support/metadata.ts'

/** Snapshots that engines make in a bucket, by their own plugins, and that are read from there again. */

const documents = 1_000
const bucket = 'backups'
const s3 = await useEngine('s3', '4', { own: true })
mkdirSync(path.join(s3.dir, 'data', bucket))
chmodSync(path.join(s3.dir, 'data', bucket), 0o777) // as root the service is another user
const reach = { endpoint: s3.url, region: 'us-east-1' }

const before = { ...process.env }
process.env.AWS_ACCESS_KEY_ID = s3Credentials.accessKeyId
process.env.AWS_SECRET_ACCESS_KEY = s3Credentials.secretAccessKey
after(() => {
  process.env = before
})

test('OpenSearch 3 makes a snapshot on S3 that is read from there', async () => {
  const engine = await useEngine('opensearch', '3', {
    plugin: 'repository-s3',
    keystore: {
      's3.client.default.access_key': s3Credentials.accessKeyId,
      's3.client.default.secret_key': s3Credentials.secretAccessKey,
    },
  })
  const source = await connect('source', engine)
  await movesThroughBucket(engine, source, 'opensearch-3')
  await readsScattered(source)
  await namesWhatIsMissing(source)
  await takesDataStreams(source)
  await engine.stop()
})

test('Elasticsearch 2.4 with cloud-aws makes a snapshot on S3 that is read from there', async () => {
  const engine = await useEngine('elasticsearch', '2', {
    plugin: 'cloud-aws',
    settings: {
      'cloud.aws.access_key': s3Credentials.accessKeyId,
      'cloud.aws.secret_key': s3Credentials.secretAccessKey,
    },
  })
  const source = await connect('source', engine)
  await movesThroughBucket(engine, source, 'elasticsearch-2')
  await engine.stop()
})

async function movesThroughBucket(
  engine: TestEngine,
  source: Cluster,
  prefix: string,
): Promise<void> {
  const typed = engine.kind === 'elasticsearch'
  await source.request('PUT', '/shop', {
    body: { settings: { number_of_shards: 3, number_of_replicas: 0 } },
  })
  const lines = Array.from(
    { length: documents },
    (_, n) => `{"index":{"_id":"d${n}"}}\n{"n":${n}}\n`,
  )
  await source.request('POST', `/shop${typed ? '/item' : ''}/_bulk`, {
    query: { refresh: true },
    body: Buffer.from(lines.join('')),
  })
  const location = `s3://${bucket}/${prefix}/deep`
  const state = await newState()
  const wanted = {
    migration: 'buckets',
    location,
    state,
    select: { include: ['shop'] },
    repositoryOptions: { compress: true, rateMbPerNode: 50, s3: reach },
  }
  const made = await createSnapshot(source, { ...wanted, name: 'one' })
  assert.equal(made.state, 'SUCCESS')
  const again = await createSnapshot(source, { ...wanted, name: 'two' })
  assert.equal(again.repository, made.repository)

  const { stdout } = await osmigrate(
    cliFolder(),
    0,
    ...['snapshot', 'documents', '--repository', location, '--snapshot', 'two'],
    ...['--s3-endpoint', s3.url],
  )
  const found = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; source: { n: number } })
  assert.deepEqual(
    found.map(({ id, source: { n } }) => `${id} ${n}`).sort(),
    Array.from({ length: documents }, (_, n) => `d${n} ${n}`).sort(),
  )
  await deleteSnapshot(source, { repository: made.repository, name: 'two', cancel: false })
  assert.equal(await readSnapshotRecord(source, made.repository, 'two'), undefined)
  await closeMigration({ target: source, source, state, setWithheld: false })
  const left = await openRepository(openBlobStore(location, { s3: reach }))
  assert.deepEqual(
    left.snapshots.map(({ name }) => name),
    ['one'],
    'what was made stays where it is',
  )
}

/** As OpenSearch 3 itself registers it: shards below hashes, beside the base path. */
async function readsScattered(source: Cluster): Promise<void> {
  const settings = { bucket, base_path: 'scattered', ...reach, path_style_access: true }
  await source.request('PUT', '/_snapshot/owned', { body: { type: 's3', settings } })
  const wanted = { migration: 'm', registeredAs: 'owned', name: 'x', select: { include: ['shop'] } }
  assert.equal((await createSnapshot(source, wanted)).state, 'SUCCESS')
  const location = `s3://${bucket}/scattered`
  const { stdout } = await osmigrate(
    cliFolder(),
    0,
    ...['snapshot', 'documents', '--repository', location, '--snapshot', 'x'],
    ...['--s3-endpoint', s3.url],
  )
  assert.equal(stdout.trimEnd().split('\n').length, documents)
}

async function namesWhatIsMissing(source: Cluster): Promise<void> {
  const select = { include: ['shop'] }
  const wanted = { migration: 'm', name: 'x', select }
  const nowhere = createSnapshot(source, {
    ...wanted,
    location: 's3://no-such-bucket/es',
    repositoryOptions: { compress: true, s3: reach },
  })
  await assert.rejects(nowhere, { code: 'MA_REPOSITORY', message: /s3:PutObject/ })
  for (const [location, plugin] of [
    ['gs://backups/es', 'repository-gcs'],
    ['azure://account/backups/es', 'repository-azure'],
  ] as const) {
    await assert.rejects(createSnapshot(source, { ...wanted, location }), {
      code: 'MA_REPOSITORY',
      message: new RegExp(`opensearch-plugin install ${plugin}`),
    })
  }
  const { body } = await source.request('GET', '/_snapshot')
  assert.deepEqual(Object.keys(body), ['owned'])
}

async function takesDataStreams(source: Cluster): Promise<void> {
  await source.request('PUT', '/_index_template/stream', {
    body: { index_patterns: ['stream*'], data_stream: {} },
  })
  await source.request('POST', '/stream/_doc', {
    query: { refresh: true },
    body: { '@timestamp': '2026-01-01T00:00:00Z' },
  })
  const made = await createSnapshot(source, {
    migration: 'streams',
    location: `s3://${bucket}/streams`,
    name: 'one',
    select: { include: ['str*'] },
    repositoryOptions: { compress: true, s3: reach },
  })
  assert.deepEqual(made.indices, ['.ds-stream-000001'])
  const { body } = await source.request<{ snapshots: { data_streams: string[] }[] }>(
    'GET',
    `/_snapshot/${made.repository}/one`,
  )
  assert.deepEqual(body.snapshots[0]?.data_streams, ['stream'])
}
