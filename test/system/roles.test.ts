import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { cliFolder, migrateMetadata, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3', { security: true })

interface Printed {
  roles: { system: string; request: string; body: JsonObject }[]
}

test(
  'with the printed role and no other a migration goes through, from metadata to close',
  { skip: target.skip },
  async () => {
    const folder = cliFolder()
    const index = uniqueName('least')
    const user = uniqueName('mover')
    const password = 'Quiet-Harbour-27-Lantern'
    process.env.OSMIGRATE_TARGET_PASSWORD = password
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
    await send(target, 'PUT', `/_plugins/_security/api/roles/${user}`, roles[0]!.body)
    await send(target, 'PUT', `/_plugins/_security/api/internalusers/${user}`, {
      password,
      opendistro_security_roles: [user],
    })
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
      `target: { url: '${target.url}', auth: { username: ${user} }, tls: { ca: 'file:${target.caFile}' } }`,
      `select: { include: ['${index}'] }`,
      `snapshot: { repository: '${location}' }`,
    ]
    writeFileSync(path.join(folder, 'migration.yaml'), `${yaml.join('\n')}\n`)
    await osmigrate(folder, 0, 'snapshot', 'create')
    await migrateMetadata(folder)
    await osmigrate(folder, 0, 'backfill', 'start', '--speed-up-target')
    await osmigrate(folder, 0, 'compare', 'documents')
    await osmigrate(folder, 0, 'close')
  },
)
