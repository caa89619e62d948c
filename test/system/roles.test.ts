import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { isUnknown, type Assessment } from '../../src/assess/assessment.ts'
import type { JsonObject } from '../../src/base/json.ts'
import {
  cliFolder,
  migrateMetadata,
  osmigrate,
  osmigrateJson,
  startOsmigrate,
} from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3', { security: true })

const password = 'Quiet-Harbour-27-Lantern'
const passwordVariable = 'TEST_LEAST_ROLES_PASSWORD'
process.env[passwordVariable] = password

interface Printed {
  roles: { system: string; request: string; body: JsonObject }[]
}

test(
  'with the printed role and no other a migration goes through, from metadata to close',
  { skip: target.skip },
  async () => {
    const folder = cliFolder()
    const index = uniqueName('least')
    const { roles } = await osmigrateJson<Printed>(
      folder,
      0,
      'clusters',
      'roles',
      'target',
      '--index',
      index,
    )
    assert.equal(roles[0]!.system, 'OpenSearch security')
    const user = await makeUser(roles[0]!.body)
    await send(source, 'PUT', `/${index}`, {
      settings: { number_of_shards: 2 },
      aliases: { [`${index}-alias`]: {} },
    })
    const lines = '{"index":{"routing":"r"}}\n{"n":1}\n'.repeat(20)
    await send(source, 'POST', `/${index}/_bulk?refresh=true`, lines)
    const { location } = source.makeRepository()
    const yaml = [
      'version: 1',
      `source: { url: '${source.url}' }`,
      `target: { url: '${target.url}', auth: { username: ${user}, password: 'env:${passwordVariable}' }, tls: { ca: 'file:${target.caFile}' } }`,
      `select: { include: ['${index}'] }`,
      `snapshot: { repository: '${location}' }`,
    ]
    writeFileSync(path.join(folder, 'migration.yaml'), `${yaml.join('\n')}\n`)
    await osmigrate(folder, 0, 'snapshot', 'create')
    const probed = await startOsmigrate(folder, 'metadata', 'evaluate', '--probe').ended
    assert.match(probed.stdout, /create, tried/)
    await migrateMetadata(folder)
    const compared = await startOsmigrate(folder, 'compare', 'metadata').ended
    assert.match(compared.stdout, /\d+ equal/)
    await osmigrate(folder, 0, 'backfill', 'start', '--speed-up-target')
    await osmigrate(folder, 0, 'compare', 'documents')
    await osmigrate(folder, 0, 'close')
  },
)

test(
  'with the printed role and no other a source is assessed, and makes a snapshot',
  { skip: target.skip },
  async () => {
    const folder = cliFolder()
    const index = uniqueName('least-source')
    const flags = ['--index', index]
    const { roles } = await osmigrateJson<Printed>(
      folder,
      0,
      'clusters',
      'roles',
      'source',
      ...flags,
    )
    const user = await makeUser(roles.at(-1)!.body)
    await send(target, 'PUT', `/${index}/_doc/1?refresh=true&routing=r`, { n: 1 })
    const { location } = target.makeRepository()
    const yaml = [
      'version: 1',
      `source: { url: '${target.url}', auth: { username: ${user}, password: 'env:${passwordVariable}' }, tls: { ca: 'file:${target.caFile}' } }`,
      `select: { include: ['${index}'] }`,
      `snapshot: { repository: '${location}' }`,
    ]
    writeFileSync(path.join(folder, 'migration.yaml'), `${yaml.join('\n')}\n`)
    const measure = ['--measure', '0s', '--no-templates']
    const { stdout } = await startOsmigrate(folder, 'assess', ...measure, '--json').ended
    const found = JSON.parse(stdout) as Assessment
    assert.equal(found.sizes.documents, 1, stdout)
    assert.ok(!isUnknown(found.nodes) && !isUnknown(found.writes), stdout)
    assert.ok(!isUnknown(found.clients.sniffing) && !isUnknown(found.clients.transport), stdout)
    await osmigrate(folder, 0, 'snapshot', 'create')
    await osmigrate(folder, 0, 'snapshot', 'status')
    await osmigrate(folder, 0, 'snapshot', 'delete', '--yes', '--unregister')
  },
)

/** A user of the secured engine with this role and no other. */
async function makeUser(role: JsonObject): Promise<string> {
  const user = uniqueName('mover')
  await send(target, 'PUT', `/_plugins/_security/api/roles/${user}`, role)
  await send(target, 'PUT', `/_plugins/_security/api/internalusers/${user}`, {
    password,
    opendistro_security_roles: [user],
  })
  return user
}
