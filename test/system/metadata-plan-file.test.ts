import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { AppliedObject } from '../../src/metadata/apply.ts'
import type { MetadataComparison } from '../../src/metadata/compare-metadata.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { cliFolder, osmigrateJson, startOsmigrate } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = await connect('source', sourceEngine)
const target = skip ? source : await connect('target', targetEngine)

interface File {
  indices: { name: string; action: string; body: { settings: JsonObject; mappings: JsonObject } }[]
  indexTemplates: { name: string; action: string; body: JsonObject }[]
}
interface Result {
  objects: AppliedObject[]
}

test(
  'a plan is written, edited and made as it was edited; a refused template holds indices back',
  { skip },
  async () => {
    const stem = uniqueName('plan')
    const [edited, shards, dropped, template] = ['edited', 'shards', 'dropped', 'template'].map(
      (part) => `${stem}-${part}`,
    ) as [string, string, string, string]
    for (const name of [edited, shards, dropped]) {
      await send(sourceEngine, 'PUT', `/${name}`, {
        settings: { number_of_shards: 1, number_of_replicas: 0 },
        mappings: { properties: { n: { type: 'integer' } } },
      })
    }
    const pattern = {
      index_patterns: [`${template}-x-*`],
      template: { settings: { refresh_interval: '3s' } },
    }
    await send(sourceEngine, 'PUT', `/_index_template/${template}`, pattern)
    const { location } = sourceEngine.makeRepository()
    await createSnapshot(source, {
      migration: stem,
      location,
      name: stem,
      select: { include: [`${stem}-*`] },
    })
    await send(sourceEngine, 'DELETE', `/_index_template/${template}`)
    const folder = cliFolder()
    const words = [
      ...['--repository', location, '--snapshot', stem, '--target-url', targetEngine.url],
      ...['--no-pipelines', '--index', `${stem}-*`],
    ]
    // Others make templates on this source, too; pipelines are left behind, and so the exit code is not 0.
    const anyway = 3
    const migrate = (...more: string[]): Promise<Result> =>
      osmigrateJson<Result>(
        folder,
        anyway,
        'metadata',
        'migrate',
        ...words,
        '--plan',
        'plan.json',
        ...more,
      )
    await startOsmigrate(folder, 'metadata', 'evaluate', ...words, '--output', 'plan.json').ended
    const file = path.join(folder, 'plan.json')
    const plan = JSON.parse(readFileSync(file, 'utf8')) as File
    plan.indices = plan.indices.filter(({ name }) => name !== dropped)
    const find = (name: string) => plan.indices.find((index) => index.name === name)!.body
    find(edited).mappings = { properties: { n: { type: 'long' } } }
    find(edited).settings['index.refresh_interval'] = '9s'
    find(shards).settings['index.number_of_shards'] = '2'
    plan.indexTemplates = plan.indexTemplates.filter(({ name }) => name === template)
    plan.indexTemplates[0]!.body.template = { settings: { 'index.refresh_interval': 'never' } }
    Object.assign(plan, { componentTemplates: [], legacyTemplates: [] })
    writeFileSync(file, JSON.stringify(plan))
    const outcomes = ({ objects }: Result): { [name: string]: string } =>
      Object.fromEntries(objects.map(({ name, outcome }) => [name, outcome]))
    assert.deepEqual(outcomes(await migrate()), {
      [template]: 'refused',
      [edited]: 'waiting',
      [shards]: 'waiting',
    })
    const gone = await migrate('--keep-going')
    assert.deepEqual(outcomes(gone), {
      [template]: 'refused',
      [edited]: 'created',
      [shards]: 'refused',
    })
    assert.match(gone.objects.find(({ name }) => name === shards)!.reason!, /--shards/)
    const { body } = await target.request('GET', `/${edited}`, { query: { flat_settings: true } })
    const made = body[edited] as { settings: JsonObject; mappings: JsonObject }
    assert.deepEqual(made.mappings, { properties: { n: { type: 'long' } } })
    assert.equal(made.settings['index.refresh_interval'], '9s')
    assert.equal(outcomes(await migrate('--keep-going'))[edited], 'unchanged')
    const compare = async (...more: string[]) => {
      const line = ['compare', 'metadata', ...words, ...more]
      const { objects } = await osmigrateJson<MetadataComparison>(folder, anyway, ...line)
      return objects.find(({ name }) => name === edited)!
    }
    const without = (await compare()).differences.map(({ path }) => path)
    assert.deepEqual(without, ['settings.index.refresh_interval', 'mappings.properties.n.type'])
    const { verdict, announced } = await compare('--plan', 'plan.json')
    assert.equal(verdict, 'equal')
    assert.ok(announced.some(({ reason }) => reason === 'edited in the plan file'))
  },
)
