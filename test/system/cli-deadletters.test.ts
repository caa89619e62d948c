import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { makeSnapshot } from '../support/backfill.ts'
import { cliFolder, migrateMetadata, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine

/** The folder of a migration of an index in which the target refuses bad1, bad2 and bad3. */
async function ready(index: string): Promise<string> {
  const mappings = { dynamic: false, properties: { n: { type: 'integer' } } }
  await makeIndex(sourceEngine, index, { mappings })
  const bad = [1, 2, 3].map((n) => ({ id: `bad${n}`, source: { x: `no number ${n}` } }))
  await putItems(sourceEngine, index, [...numbered(20), ...bad])
  const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
  const { repository, snapshot } = await makeSnapshot(source, [index])
  const folder = cliFolder()
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: ${uniqueName('migration')}
target: { url: ${targetEngine.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${repository}, name: ${snapshot.name} }
metadata: { templates: false }
`,
  )
  await migrateMetadata(folder)
  await mapX(index, { type: 'integer' })
  return folder
}

function mapX(index: string, x: JsonObject): Promise<unknown> {
  return send(targetEngine, 'PUT', `/${index}/_mapping`, { properties: { x } })
}

interface Letter {
  key: string
  id: string
  cause: string
  state: string
}

test(
  'dead letters are listed, shown, retried and discarded by commands, with exit codes',
  { skip },
  async () => {
    const index = uniqueName('letters')
    const folder = await ready(index)
    const cause = 'mapper_parsing_exception'
    const started = await osmigrate(folder, 3, 'backfill', 'start')
    assert.match(started.stdout, /3 documents were refused: osmigrate deadletters list/)

    const { groups } = await osmigrateJson<{ groups: (JsonObject & { example: Letter })[] }>(
      folder,
      3,
      'deadletters',
      'list',
    )
    assert.deepEqual(
      groups.map((one) => [one['index'], one['cause'], one['count']]),
      [[index, cause, 3]],
    )
    assert.match((await osmigrate(folder, 3, 'deadletters', 'list')).stdout, new RegExp(cause))
    const letters = await each(folder, 3)
    assert.deepEqual(letters.map(({ id }) => id).sort(), ['bad1', 'bad2', 'bad3'])

    const { key } = letters.find(({ id }) => id === 'bad2')!
    const shown = await osmigrateJson<{ id: string; document: { source: string } }>(
      folder,
      0,
      'deadletters',
      'show',
      key,
    )
    assert.equal(shown.id, 'bad2')
    assert.equal(shown.document.source, '{"x":"no number 2"}')

    const retry = (code: number, ...flags: string[]): Promise<JsonObject> =>
      osmigrateJson(folder, code, 'deadletters', 'retry', ...flags)
    assert.deepEqual(await retry(3), { written: 0, refused: 3 })
    await mapX(index, { type: 'integer', ignore_malformed: true })
    assert.deepEqual(await retry(0, '--id', 'bad1'), { written: 1, refused: 0 })

    await osmigrate(folder, 2, 'deadletters', 'discard')
    const discarded = await osmigrateJson(folder, 0, 'deadletters', 'discard', '--id', 'bad2')
    assert.deepEqual(discarded, { discarded: 1 })
    await osmigrate(folder, 3, 'backfill', 'status')
    assert.deepEqual(await retry(0, '--cause', cause), { written: 1, refused: 0 })

    assert.match((await osmigrate(folder, 0, 'deadletters', 'list')).stdout, /No dead letters/)
    await osmigrate(folder, 0, 'backfill', 'status')
    const all = await each(folder, 3, '--state', 'all')
    const states = Object.fromEntries(all.map(({ id, state }) => [id, state]))
    assert.deepEqual(states, { bad1: 'retried', bad2: 'discarded', bad3: 'retried' })
    await send(targetEngine, 'POST', `/${index}/_refresh`)
    const { count } = await send<{ count: number }>(targetEngine, 'GET', `/${index}/_count`)
    assert.equal(count, 22)
  },
)

/** `deadletters list --each --json`: one document a line. */
async function each(folder: string, code: number, ...flags: string[]): Promise<Letter[]> {
  const args = ['deadletters', 'list', '--each', '--json', ...flags]
  const { stdout } = await osmigrate(folder, code, ...args)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Letter)
}
