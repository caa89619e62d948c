import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../base/json.ts'
import { requestDefaults } from '../blob/retry.ts'
import { loadConfig } from './config.ts'
import { storeOptions } from './open-snapshot.ts'

async function optionsOf(flags: Record<string, Json>) {
  const { config } = await loadConfig({ flags: new Map(Object.entries(flags)), folder: '/nowhere' })
  return storeOptions(config)
}

test('storeOptions() hands over what is configured, and nothing else', async () => {
  assert.deepEqual(await optionsOf({ 'snapshot.repository': 's3://bucket/x' }), {
    s3: {},
    gcs: {},
    azure: {},
    requests: requestDefaults,
  })
  assert.deepEqual(
    await optionsOf({
      'snapshot.s3.region': 'eu-west-1',
      'snapshot.s3.endpoint': 'https://minio:9000',
      'snapshot.s3.pathStyle': false,
      'snapshot.gcs.project': 'payer',
      'snapshot.requests.attempts': 9,
      'snapshot.tls.ca': 'file:/etc/ca.pem',
    }),
    {
      s3: { region: 'eu-west-1', endpoint: 'https://minio:9000', pathStyle: false },
      gcs: { project: 'payer' },
      azure: {},
      requests: { ...requestDefaults, attempts: 9 },
      ca: 'file:/etc/ca.pem',
    },
  )
})

test('an endpoint with credentials, or of another scheme, is refused', async () => {
  for (const endpoint of ['https://key:secret@minio:9000', 's3://minio', 'minio:9000']) {
    await assert.rejects(optionsOf({ 'snapshot.s3.endpoint': endpoint }), { code: 'MA_CONFIG' })
  }
})
