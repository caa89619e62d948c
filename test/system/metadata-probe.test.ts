import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { JsonObject } from '../../src/base/json.ts'
import type { MetadataPlan } from '../../src/metadata/plan.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { cliFolder, osmigrate, osmigrateJson, startOsmigrate } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { connect } from '../support/metadata.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = await connect('source', sourceEngine)
const target = skip ? source : await connect('target', targetEngine)

interface File {
  indices: { name: string; body: { settings: JsonObject } }[]
}

/** Temporary indices, and shields for them against templates, that are on the target. */
async function leftOver(): Promise<string[]> {
  const all = { query: { expand_wildcards: 'all' } }
  const { body } = await target.request('GET', '/osmigrate-probe-*', all)
  const shields = await target.request('GET', '/_index_template/osmigrate-shield-*', {
    accept: [404],
  })
  const isOurs = JSON.stringify(shields.body).includes('osmigrate-probe-')
  return [...Object.keys(body), ...(isOurs ? ['a shield'] : [])]
}

test(
  'a probe shows what only making an index shows, and leaves nothing behind, also when it is killed',
  { skip },
  async () => {
    const stem = uniqueName('probe')
    const names = ['first', 'second', 'sorted'].map((part) => `${stem}-${part}`)
    for (const name of names) {
      await send(sourceEngine, 'PUT', `/${name}`, {
        settings: { number_of_shards: 1, number_of_replicas: 0 },
        mappings: { properties: { n: { type: 'integer' } } },
        aliases: { [`${stem}-alias`]: { filter: { term: { n: 1 } } } },
      })
    }
    const { location } = sourceEngine.makeRepository()
    await createSnapshot(source, {
      migration: stem,
      location,
      name: stem,
      select: { include: [`${stem}-*`] },
      globalState: false,
    })
    // What templates of the target say of such names does not count.
    const template = `/_index_template/${stem}`
    await send(targetEngine, 'PUT', template, {
      index_patterns: ['osmigrate-probe-*'],
      priority: 7,
      template: { mappings: { properties: { n: { type: 'text' } } } },
    })
    after(() => send(targetEngine, 'DELETE', template))
    const proxy = await startFaultProxy(Number(new URL(targetEngine.url).port))
    after(() => proxy.close())
    const folder = cliFolder()
    const words = (url: string): string[] => [
      ...['--repository', location, '--snapshot', stem, '--target-url', url],
      ...['--index', `${stem}-*`],
    ]
    const evaluate = ['metadata', 'evaluate', ...words(targetEngine.url)]
    for (const version of ['8.1', '3.1']) {
      const without = ['--target-version', version, ...(version === '3.1' ? ['--probe'] : [])]
      await osmigrate(folder, 2, ...evaluate, ...without)
    }
    const clean = await osmigrateJson<MetadataPlan>(folder, 0, ...evaluate, '--probe')
    assert.deepEqual(
      clean.indices.map(({ name, probed }) => [name, probed]),
      names.map((name) => [name, true]),
    )
    assert.deepEqual(await leftOver(), [])

    await osmigrate(folder, 0, ...evaluate, '--output', 'plan.json')
    const file = path.join(folder, 'plan.json')
    const plan = JSON.parse(readFileSync(file, 'utf8')) as File
    plan.indices.at(-1)!.body.settings['index.sort.field'] = 'nowhere'
    writeFileSync(file, JSON.stringify(plan))
    const edited = [...evaluate, '--plan', 'plan.json']
    await osmigrateJson<MetadataPlan>(folder, 0, ...edited)
    const tried = await osmigrateJson<MetadataPlan>(folder, 3, ...edited, '--probe')
    assert.deepEqual(
      tried.indices.map(({ action, probed }) => [action, probed]),
      [
        ['create', true],
        ['create', true],
        ['refused', undefined],
      ],
    )
    assert.match(tried.indices.at(-1)!.reason!, /sorted, which was tried: .*nowhere.* Exclude it/)
    assert.equal(tried.indices.at(-1)!.changes.at(-1)!.what, 'cannot')
    assert.deepEqual(await leftOver(), [])

    const made = /^PUT \/osmigrate-probe-/
    proxy.fault = (line) => (made.test(line) ? 'hold' : 'none')
    const killed = startOsmigrate(folder, 'metadata', 'evaluate', ...words(proxy.url), '--probe')
    while ((await leftOver()).length < 1 + names.length) {
      assert.equal(killed.child.exitCode, null)
      await wait(20)
    }
    killed.child.kill('SIGKILL')
    assert.equal((await killed.ended).signal, 'SIGKILL')
    const restore = ['settings', 'restore', '--target-url', targetEngine.url]
    const { stdout } = await osmigrate(folder, 0, ...restore)
    assert.match(stdout, /osmigrate-probe-.*restored/)
    assert.deepEqual(await leftOver(), [])
  },
)
