/** Migrations of metadata through a relay that answers in the place of the target. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { MetadataResult } from '../../src/metadata/apply.ts'
import type { MetadataPlan } from '../../src/metadata/plan.ts'
import { cliFolder, osmigrate, osmigrateJson } from './cli.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'
import { startHttpRelay, type RecordedAnswer } from './http-relay.ts'

const failure = (status: number, type: string, reason: string): RecordedAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { type, reason }, status }),
})
export const failures = {
  forbidden: failure(403, 'security_exception', 'no permissions for [indices:admin/create]'),
  busy: failure(429, 'circuit_breaking_exception', '[parent] Data too large'),
  down: failure(503, 'cluster_manager_not_discovered_exception', 'no cluster manager'),
}

/** A migration of indices of these names, a template and a pipeline; what it has made of the latter goes with the test. */
export async function makeFaultyMigration(
  t: TestContext,
  { source, target, names }: { source: TestEngine; target: TestEngine; names: readonly string[] },
) {
  const stem = uniqueName('faults')
  const body = { settings: { number_of_shards: 1, number_of_replicas: 0 } }
  for (const name of names) await send(source, 'PUT', `/${stem}-${name}`, body)
  const template = { index_patterns: [`${stem}-t-*`], mappings: { dynamic: false } }
  await send(source, 'PUT', `/_template/${stem}-template`, template)
  const pipeline = { processors: [{ set: { field: 'a', value: 1 } }] }
  await send(source, 'PUT', `/_ingest/pipeline/${stem}-pipeline`, pipeline)
  const relay = await startHttpRelay(target.port)
  t.after(async () => {
    await relay.close()
    for (const engine of [source, target]) {
      await send(engine, 'DELETE', `/_template/${stem}-template`)
      await send(engine, 'DELETE', `/_ingest/pipeline/${stem}-pipeline`)
    }
  })
  const folder = cliFolder()
  const config = {
    version: 1,
    source: { url: source.url },
    target: { url: relay.url },
    select: { include: [`${stem}-*`], exclude: [`regex:(?!${stem}-).*`] },
  }
  writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))
  return {
    stem,
    folder,
    /** The plan as a file has it. */
    evaluate: async (): Promise<MetadataPlan> => {
      await osmigrate(folder, 0, 'metadata', 'evaluate', '--output', 'evaluated.json')
      return JSON.parse(readFileSync(path.join(folder, 'evaluated.json'), 'utf8')) as MetadataPlan
    },
    relay,
    /** `metadata migrate`, which must end with this code: its result, and outcomes by what follows the stem in names. */
    migrate: async (code: number, ...flags: string[]) => {
      const result = await osmigrateJson<MetadataResult>(
        folder,
        code,
        ...['metadata', 'migrate', ...flags],
      )
      const outcomes = result.objects.map(({ name, outcome }) => [
        name.slice(stem.length + 1),
        outcome,
      ])
      return { ...result, outcomes: Object.fromEntries(outcomes) as { [name: string]: string } }
    },
    /** Which object a request would make. */
    made: ({ method, url = '' }: IncomingMessage): string | undefined => {
      const match = new RegExp(`^/(?:_template/|_ingest/pipeline/)?${stem}-(\\w+)`).exec(url)
      return method === 'PUT' ? match?.[1] : undefined
    },
  }
}
