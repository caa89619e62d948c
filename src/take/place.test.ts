import assert from 'node:assert/strict'
import test from 'node:test'
import { MigrationError } from '../base/errors.ts'
import type { EngineVersion } from '../cluster/cluster.ts'
import { isAt, repositoryBody, repositoryPlace } from './place.ts'

function version(flavour: EngineVersion['flavour'], major: number): EngineVersion {
  return { flavour, text: `${major}.0.0`, major, minor: 0, patch: 0 }
}
const elasticsearch7 = version('elasticsearch', 7)

test('a location becomes the settings that its engine names it by', () => {
  const cases: [string, string, object][] = [
    ['/mnt/snap/', 'fs', { location: '/mnt/snap' }],
    ['/', 'fs', { location: '/' }],
    ['file:///mnt/with%20blank', 'fs', { location: '/mnt/with blank' }],
    ['s3://backups', 's3', { bucket: 'backups' }],
    ['s3://backups/es/prod/', 's3', { bucket: 'backups', base_path: 'es/prod' }],
    ['S3://backups//es', 's3', { bucket: 'backups', base_path: 'es' }],
    ['gs://backups/es', 'gcs', { bucket: 'backups', base_path: 'es' }],
    ['azure://account/snapshots', 'azure', { container: 'snapshots' }],
    ['azure://account/snapshots/es/a', 'azure', { container: 'snapshots', base_path: 'es/a' }],
  ]
  for (const [location, type, settings] of cases) {
    const body = repositoryBody(repositoryPlace(location), { compress: true }, elasticsearch7)
    assert.deepEqual(body, { type, settings: { ...settings, compress: true } }, location)
  }
})

test('what no engine can write to is refused, and what may be a secret is not repeated', () => {
  for (const location of ['relative/path', 'https://host/path', 's3://', 'azure://account', '']) {
    assert.throws(() => repositoryPlace(location), { code: 'MA_CONFIG' }, location)
  }
  assert.throws(
    () => repositoryPlace('s3://KEY:hunter2@backups/es'),
    (error) => error instanceof MigrationError && !error.message.includes('hunter2'),
  )
})

test('an S3 service is named as the version of the plugin takes it', () => {
  const place = repositoryPlace('s3://backups/es')
  const settings = (engine: EngineVersion, s3: object): unknown =>
    repositoryBody(place, { compress: false, s3 }, engine).settings
  const common = { bucket: 'backups', base_path: 'es', compress: false }
  const endpoint = 'https://minio:9000'
  assert.deepEqual(settings(elasticsearch7, { region: 'eu-west-1' }), {
    ...common,
    region: 'eu-west-1',
  })
  assert.deepEqual(settings(elasticsearch7, { endpoint }), {
    ...common,
    region: 'us-east-1',
    endpoint,
    path_style_access: true,
  })
  assert.deepEqual(settings(elasticsearch7, { endpoint, pathStyle: false }), {
    ...common,
    region: 'us-east-1',
    endpoint,
  })
  assert.deepEqual(settings(version('elasticsearch', 2), { endpoint, region: 'eu-west-1' }), {
    ...common,
    endpoint: 'minio:9000',
    protocol: 'https',
    path_style_access: true,
  })
  assert.deepEqual(settings(version('opensearch', 3), { region: 'eu-west-1' }), {
    ...common,
    region: 'eu-west-1',
    shard_path_type: 'fixed',
  })
})

test('rate and further settings go along, and win', () => {
  const place = repositoryPlace('gs://backups')
  const options = {
    compress: true,
    rateMbPerNode: 40,
    settings: { client: 'moving', compress: false },
  }
  assert.deepEqual(repositoryBody(place, options, elasticsearch7).settings, {
    bucket: 'backups',
    compress: false,
    max_snapshot_bytes_per_sec: '40mb',
    client: 'moving',
  })
})

test('credentials are refused as settings, without repeating them', () => {
  const place = repositoryPlace('s3://backups')
  const names = ['access_key', 'secret_key', 'session_token', 's3.client.default.secret_key', 'key']
  for (const name of [...names, 'SAS_TOKEN', 'credentials_file', 'password']) {
    assert.throws(
      () =>
        repositoryBody(place, { compress: true, settings: { [name]: 'hunter2' } }, elasticsearch7),
      (error) => {
        assert.ok(error instanceof MigrationError)
        assert.equal(error.code, 'MA_CONFIG')
        assert.match(error.message, /keystore/)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  }
  const harmless = { storage_class: 'standard', server_side_encryption: true, role_arn: 'arn:x' }
  repositoryBody(place, { compress: true, settings: harmless }, elasticsearch7)
})

test('a registered repository is at a place by its type and what names it', () => {
  const place = repositoryPlace('s3://backups/es')
  assert.ok(isAt(place, 's3', { bucket: 'backups', base_path: 'es/', region: 'x' }))
  assert.ok(!isAt(place, 's3', { bucket: 'backups' }))
  assert.ok(!isAt(place, 'gcs', { bucket: 'backups', base_path: 'es' }))
  assert.ok(isAt(repositoryPlace('s3://backups'), 's3', { bucket: 'backups' }))
  const folder = repositoryPlace('/mnt/snap/es')
  assert.ok(isAt(folder, 'fs', { location: '/mnt/snap/es/' }))
  assert.ok(isAt(folder, 'fs', { location: 'snap/es' }), 'relative to a path.repo')
  assert.ok(
    !isAt(folder, 'fs', { location: '/mnt/snap' }) && !isAt(folder, 'fs', { location: 's' }),
  )
})
