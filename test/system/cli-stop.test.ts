import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeSnapshot } from '../support/backfill.ts'
import { startBulkProxy, type BulkProxy } from '../support/bulk-proxy.ts'
import {
  cliFolder,
  migrateMetadata,
  osmigrate,
  osmigrateJson,
  startOsmigrate,
} from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

/** `osmigrate backfill start` is stopped and killed, then started again; the proxy decides when. */

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const documents = 1000
const names = {
  one: uniqueName('one'),
  two: uniqueName('two'),
  killed: uniqueName('killed'),
  fast: uniqueName('fast'),
}

let proxy: BulkProxy
let repository: string
let snapshotName: string

before(async () => {
  if (skip !== false) return
  for (const index of Object.values(names)) {
    await makeIndex(sourceEngine, index)
    await putItems(sourceEngine, index, numbered(documents))
  }
  const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
  const made = await makeSnapshot(source, Object.values(names))
  repository = made.repository
  snapshotName = made.snapshot.name
  proxy = await startBulkProxy(targetEngine.port)
})
after(() => proxy?.close())

/** The folder of a migration of one index, whose metadata is on the target. About 50 bulks. */
async function ready(index: string): Promise<string> {
  const folder = cliFolder()
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: ${uniqueName('migration')}
target: { url: ${proxy.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${repository}, name: ${snapshotName} }
metadata: { templates: false }
backfill: { bulkBytesMax: 3kb, itemBytesMax: 20kb, bulksInFlightMax: 4, stopWaitMax: 300ms }
`,
  )
  await migrateMetadata(folder)
  resetProxy()
  return folder
}

function resetProxy(): void {
  proxy.fate = () => 'relay'
  proxy.onAnswered = () => {}
  proxy.bulks = 0
}

/** Goes on where the run before was ended, and compares every document. */
async function assertGoesOnToEqual(folder: string, ...flags: string[]): Promise<void> {
  resetProxy()
  const { totals } = await osmigrateJson<{ totals: { written: number; failed: number } }>(
    folder,
    0,
    'backfill',
    'start',
    ...flags,
  )
  assert.deepEqual([totals.written, totals.failed], [documents, 0])
  const { verdicts } = await osmigrateJson<{ verdicts: { verdict: string; equal: number }[] }>(
    folder,
    0,
    'compare',
    'documents',
  )
  assert.deepEqual(
    verdicts.map(({ verdict, equal }) => [verdict, equal]),
    [['equal', documents]],
  )
}

for (const threads of [1, 2]) {
  test(
    `SIGTERM ends backfill start with 4 and says how to go on; nothing is missing then: ${threads} threads`,
    { skip },
    async () => {
      const folder = await ready(threads === 1 ? names.one : names.two)
      const enough = Promise.withResolvers<void>()
      let answered = 0
      // One bulk is never answered, later ones are: what it held must be sent again.
      proxy.fate = ({ number }) => (number === 3 ? 'hold' : 'relay')
      proxy.onAnswered = ({ number }) => {
        if (number > 3 && ++answered === 8) enough.resolve()
      }
      const flags = ['--threads', String(threads)]
      const { child, ended } = startOsmigrate(folder, 'backfill', 'start', ...flags)
      await Promise.race([enough.promise, ended])
      child.kill('SIGTERM')
      const { code, stderr } = await ended
      assert.equal(code, 4, stderr)
      assert.match(stderr, /osmigrate backfill start/)
      const status = await osmigrateJson<{ state: string; totals: { written: number } }>(
        folder,
        4,
        'backfill',
        'status',
      )
      assert.equal(status.state, 'stopped')
      assert.ok(status.totals.written > 0 && status.totals.written < documents)
      await assertGoesOnToEqual(folder, ...flags)
    },
  )
}

test('kill -9 of backfill start, then start again: nothing is missing', { skip }, async () => {
  const folder = await ready(names.killed)
  const { child, ended } = startOsmigrate(folder, 'backfill', 'start')
  proxy.fate = ({ number }) => (number === 4 ? 'hold' : 'relay')
  proxy.onAnswered = ({ number }) => {
    if (number === 10) child.kill('SIGKILL')
  }
  assert.equal((await ended).signal, 'SIGKILL')
  const status = await osmigrateJson<{ state: string }>(folder, 4, 'backfill', 'status')
  assert.equal(status.state, 'interrupted')
  await send(targetEngine, 'POST', `/${names.killed}/_refresh`)
  const { count } = await send<{ count: number }>(targetEngine, 'GET', `/${names.killed}/_count`)
  assert.ok(count > 0 && count < documents, `${count} documents before the kill`)
  await assertGoesOnToEqual(folder)
})

test('settings restore puts back what a killed backfill start had changed', { skip }, async () => {
  const index = names.fast
  const folder = await ready(index)
  const put = { 'index.number_of_replicas': 1, 'index.refresh_interval': '9s' }
  await send(targetEngine, 'PUT', `/${index}/_settings`, put)
  const { child, ended } = startOsmigrate(folder, 'backfill', 'start', '--speed-up-target')
  proxy.onAnswered = () => child.kill('SIGKILL')
  assert.equal((await ended).signal, 'SIGKILL')
  assert.deepEqual(await speedOf(index), ['-1', '0'])
  const restored = await osmigrateJson<{
    settings: { entry: { index: string; setting: string }; outcome: string }[]
  }>(folder, 0, 'settings', 'restore')
  assert.deepEqual(restored.settings.map(({ entry, outcome }) => [entry.setting, outcome]).sort(), [
    ['index.number_of_replicas', 'restored'],
    ['index.refresh_interval', 'restored'],
  ])
  assert.deepEqual(await speedOf(index), ['9s', '1'])
  const again = await osmigrate(folder, 0, 'settings', 'restore')
  assert.match(again.stdout, /Nothing was to be put back|No setting stands changed/)
})

async function speedOf(index: string): Promise<(string | undefined)[]> {
  type Settings = { [index: string]: { settings: { index: Record<string, string> } } }
  const answer = await send<Settings>(targetEngine, 'GET', `/${index}/_settings`)
  const settings = answer[index]!.settings.index
  return [settings['refresh_interval'], settings['number_of_replicas']]
}
