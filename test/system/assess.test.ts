import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Assessment } from '../../src/assess/assessment.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

for (const [version, typed] of [
  ['6', true],
  ['7', false],
] as const) {
  const engine = await useEngine('elasticsearch', version)
  const mapping = (one: object) => (typed ? { doc: one } : one)
  const stem = uniqueName('assess')
  const flags = ['--source-url', engine.url, '--index', `${stem}-*`, '--target-version', '2.19']

  test(`a live Elasticsearch ${version} is assessed: what it holds, what changes, what stays behind`, async () => {
    const folder = cliFolder()
    // Names of indices may hold what is markup elsewhere.
    const [plain, lost, hostile] = ['plain', 'lost', '&lt;b onload=alert(1)'].map((name) =>
      `${stem}-${name}`.replaceAll(' ', '_'),
    )
    const put = (index: string, settings: object, properties: object, more = {}) =>
      send(engine, 'PUT', `/${encodeURIComponent(index)}`, {
        settings: { number_of_replicas: 0, ...settings },
        mappings: mapping({ properties, ...more }),
      } as never)
    await put(
      plain!,
      { number_of_shards: 2 },
      { tags: { type: 'nested' }, name: { type: 'keyword' } },
    )
    await put(lost!, {}, { text: { type: 'text' } }, { _source: { enabled: false } })
    await put(hostile!, { 'sort.field': 'n' }, { n: { type: 'integer' } })
    const type = typed ? '"_type":"doc",' : ''
    const lines = `{"index":{${type}"_index":"${plain}"}}\n{"name":"a"}\n`.repeat(30)
    await send(engine, 'POST', '/_bulk?refresh=true', lines)

    const file = path.join(folder, 'report.html')
    const html = ['--html', file, '--measure', '0s']
    const found = await osmigrateJson<Assessment>(folder, 3, 'assess', ...flags, ...html)
    assert.match(found.source.engine, new RegExp(`^Elasticsearch ${version}\\.`))
    assert.deepEqual(found.target, { engine: 'OpenSearch 2.19', basis: 'asked for' })
    assert.equal(found.sizes.indices, 3)
    assert.equal(found.sizes.primaryShards, typed ? 12 : 4)
    assert.equal(found.sizes.documents, 30)
    const used = new Map(found.features.map(({ feature, objects }) => [feature, objects]))
    assert.deepEqual(used.get('nested documents'), [plain])
    assert.deepEqual(used.get('index sorting'), [hostile])
    assert.deepEqual(used.get('_source not kept whole'), [lost])
    const left = found.staysBehind.filter(({ name }) => name.startsWith(stem))
    assert.deepEqual(
      left.map(({ name }) => name),
      [lost],
    )
    assert.ok(Array.isArray(found.nodes) && found.nodes.length === 1)
    assert.ok('unknown' in found.clients.http && !('unknown' in found.clients.sniffing))
    assert.deepEqual(found.clients.transport, { connections: 0, expectedMax: 0, others: 0 })
    assert.equal(found.complete, false)

    const report = readFileSync(file, 'utf8')
    assert.match(report, /&amp;lt;b_onload=alert\(1\)/)
    assert.doesNotMatch(report, /&lt;b_onload/)
    assert.doesNotMatch(report, /<script|<link|<img|@import|url\(|href=|src=/)
  })
}

/** The exit code, and what `assess --json` says of a snapshot among the fixtures. */
function assessFixture(code: number, fixture: string, snapshot: string): Promise<Assessment> {
  const repository = fileURLToPath(new URL(`../fixtures/${fixture}/repository`, import.meta.url))
  const flags = ['--repository', repository, '--snapshot', snapshot]
  return osmigrateJson<Assessment>(cliFolder(), code, 'assess', ...flags)
}

test('a snapshot from which everything moves is assessed with exit code 0', async () => {
  const found = await assessFixture(0, 'elasticsearch-7.10.2/awkward', 's1')
  assert.equal(found.target.basis, 'newest known')
  assert.deepEqual([found.breakingChanges, found.staysBehind], [[], []])
  assert.ok(typeof found.sizes.primaryBytes === 'number' && found.sizes.primaryBytes > 0)
  assert.ok(typeof found.estimate.backfillHours === 'number')
  assert.equal(found.path.path, 'cannot be told')
})

test('changes that touch a snapshot, and only those, are told with the objects', async () => {
  const found = await assessFixture(3, 'elasticsearch-2.4.6/compressed', 's1')
  const namesBy = (changes: Assessment['breakingChanges']) =>
    changes.map(({ rule, objects }) => [rule, objects.map((one) => one.name)])
  assert.deepEqual(namesBy(found.breakingChanges), [['timestamp-field', ['stored']]])
  // Children find their parents as before.
  const harmless = namesBy(found.harmlessChanges).find(([rule]) => rule === 'parent-join')
  assert.deepEqual(harmless, ['parent-join', ['children']])
})

test('what is asked for wrongly is refused', async () => {
  const folder = cliFolder()
  const refused = (...flags: string[]) =>
    osmigrate(folder, 2, 'assess', '--repository', '/none', ...flags)
  assert.match((await refused('--rate', 'fast')).stderr, /--rate fast: expected a size/)
  assert.match((await refused('--measure', '5')).stderr, /--measure 5: expected a time/)
  assert.match((await refused('--target-version', 'nine')).stderr, /nine: expected/)
})
