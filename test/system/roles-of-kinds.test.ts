/** With the printed role and no other pipelines, scripts and templates of every kind are carried over. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { MetadataResult } from '../../src/metadata/apply.ts'
import type { MetadataPlan } from '../../src/metadata/plan.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3', { security: true })
const { skip } = target
const password = 'Quiet-Harbour-27-Lantern'
const passwordVariable = 'TEST_ROLES_OF_KINDS_PASSWORD'
process.env[passwordVariable] = password

/** A user of the secured engine with the printed role alone, as a cluster of migration.yaml. */
async function clusterAs(side: 'source' | 'target', indices: readonly string[]) {
  const flags = indices.flatMap((index) => ['--index', index])
  const { roles } = await osmigrateJson<{ roles: { body: JsonObject }[] }>(
    cliFolder(),
    0,
    ...['clusters', 'roles', side, ...flags],
  )
  const username = uniqueName('mover')
  await send(target, 'PUT', `/_plugins/_security/api/roles/${username}`, roles.at(-1)!.body)
  await send(target, 'PUT', `/_plugins/_security/api/internalusers/${username}`, {
    password,
    opendistro_security_roles: [username],
  })
  return {
    url: target.url,
    auth: { username, password: `env:${passwordVariable}` },
    tls: { ca: `file:${target.caFile}` },
  }
}

function folderWith(config: object): string {
  const folder = cliFolder()
  writeFileSync(
    path.join(folder, 'migration.yaml'),
    JSON.stringify({ version: 1, name: uniqueName('roles'), ...config }),
  )
  return folder
}

test('pipelines, scripts and templates with the printed role', { skip }, async () => {
  const stem = uniqueName('kinds')
  const script = { script: { lang: 'painless', source: 'ctx.n = 1' } }
  const processors = [{ script: { id: `${stem}-script` } }]
  await send(source, 'PUT', `/_scripts/${stem}-script`, script)
  await send(source, 'PUT', `/_ingest/pipeline/${stem}-pipeline`, { processors })
  const patterns = { index_patterns: [`${stem}-t-*`] }
  await send(source, 'PUT', `/_template/${stem}-old`, patterns)
  await send(source, 'PUT', `/_component_template/${stem}-part`, { template: {} })
  const composable = { ...patterns, composed_of: [`${stem}-part`] }
  await send(source, 'PUT', `/_index_template/${stem}-new`, composable)
  await send(source, 'PUT', `/${stem}-index`, {
    settings: { default_pipeline: `${stem}-pipeline` },
  })
  const folder = folderWith({
    source: { url: source.url },
    target: await clusterAs('target', [`${stem}-*`]),
    select: { include: [`${stem}-*`], exclude: [`regex:(?!${stem}-).*`] },
  })
  try {
    const plan = await osmigrateJson<MetadataPlan>(folder, 0, 'metadata', 'evaluate', '--probe')
    assert.equal(plan.pipelines.length, 2)
    const { objects } = await osmigrateJson<MetadataResult>(folder, 0, 'metadata', 'migrate')
    assert.deepEqual(
      objects.map(({ name, outcome }) => [name.slice(stem.length + 1), outcome]),
      ['script', 'pipeline', 'part', 'old', 'new', 'index'].map((name) => [name, 'created']),
    )
    await osmigrate(folder, 0, 'compare', 'metadata')
    await osmigrate(folder, 0, 'close', '--set-withheld')
  } finally {
    for (const engine of [source, target]) {
      await send(engine, 'DELETE', `/_index_template/${stem}-new`).catch(() => {})
      await send(engine, 'DELETE', `/_component_template/${stem}-part`).catch(() => {})
      await send(engine, 'DELETE', `/_template/${stem}-old`).catch(() => {})
      await send(engine, 'DELETE', `/_ingest/pipeline/${stem}-pipeline`).catch(() => {})
      await send(engine, 'DELETE', `/_scripts/${stem}-script`).catch(() => {})
    }
  }
})
