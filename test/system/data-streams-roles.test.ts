/** With the printed role and no other a data stream goes over as one, from metadata to close. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import {
  cliFolder,
  migrateMetadata,
  osmigrate,
  osmigrateJson,
  startOsmigrate,
} from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const target = await useEngine('opensearch', '3', { security: true })
const repository = path.join(
  import.meta.dirname,
  '../fixtures/elasticsearch-8.19.0/history/repository',
)
const passwordVariable = 'TEST_STREAM_ROLES_PASSWORD'
const password = 'Quiet-Harbour-27-Lantern'
process.env[passwordVariable] = password

test('the printed role is enough for data streams', { skip: target.skip }, async () => {
  const folder = cliFolder()
  const { roles } = await osmigrateJson<{ roles: { body: JsonObject }[] }>(
    folder,
    0,
    ...['clusters', 'roles', 'target', '--index', 'stream'],
  )
  const user = uniqueName('mover')
  await send(target, 'PUT', `/_plugins/_security/api/roles/${user}`, roles[0]!.body)
  await send(target, 'PUT', `/_plugins/_security/api/internalusers/${user}`, {
    password,
    opendistro_security_roles: [user],
  })
  const yaml = [
    'version: 1',
    `target: { url: '${target.url}', auth: { username: ${user}, password: 'env:${passwordVariable}' }, tls: { ca: 'file:${target.caFile}' } }`,
    "select: { include: ['stream'] }",
    `snapshot: { repository: '${repository}', name: fifth }`,
  ]
  writeFileSync(path.join(folder, 'migration.yaml'), `${yaml.join('\n')}\n`)
  try {
    await migrateMetadata(folder)
    const compared = await startOsmigrate(folder, 'compare', 'metadata').ended
    assert.match(compared.stdout, /\d+ equal/)
    await osmigrate(folder, 0, 'backfill', 'start', '--speed-up-target')
    await osmigrate(folder, 0, 'compare', 'documents')
    await osmigrate(folder, 0, 'close')
    const streams = await send<{ data_streams: object[] }>(target, 'GET', '/_data_stream/stream')
    assert.equal(streams.data_streams.length, 1)
  } finally {
    await send(target, 'DELETE', '/_data_stream/stream').catch(() => {})
    await send(target, 'DELETE', '/_index_template/stream').catch(() => {})
  }
})
