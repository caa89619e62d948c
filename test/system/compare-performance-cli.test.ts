import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { after, test } from 'node:test'
import type { PerformanceVerdict } from '../../src/compare/performance/record.ts'
import { cliFolder, osmigrate, osmigrateJson, startOsmigrate } from '../support/cli.ts'
import { send, uniqueName, useEngine, type TestEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target
const index = uniqueName('speed-cli')
const engines = [source, target]

if (skip === false) {
  for (const engine of engines) {
    await send(engine, 'PUT', `/${index}`, {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: { properties: { n: { type: 'long' } } },
    })
    const lines = Array.from({ length: 200 }, (_, n) => `{"index":{}}\n{"n":${n}}\n`)
    await send(engine, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''))
    after(() => send(engine, 'DELETE', `/${index}`))
  }
}

const brief = [
  ...['--rounds', '5', '--turn', '200ms', '--warm-up', '200ms', '--load-rate', '40'],
  ...['--source-brake-p99', '1m', '--source-brake-errors', '1'],
]

async function makeFolder(): Promise<string> {
  const folder = cliFolder()
  const config = {
    version: 1,
    source: { url: source.url },
    target: { url: target.url },
    select: { include: index },
  }
  await writeFile(path.join(folder, 'migration.yaml'), JSON.stringify(config))
  const requests = [
    { method: 'POST', path: `/${index}/_search`, body: { query: { range: { n: { gte: 7 } } } } },
    { method: 'GET', path: `/${index}/_search?scroll=1m` },
    { method: 'GET', path: `/${index}-none/_search` },
    { method: 'DELETE', path: `/${index}` },
  ]
  const lines = requests.map((one) => JSON.stringify(one))
  await writeFile(path.join(folder, 'searches.ndjson'), lines.join('\n'))
  return folder
}

async function scratchOn(engine: TestEngine): Promise<string[]> {
  const found = await send(engine, 'GET', '/osmigrate-scratch-*?expand_wildcards=all')
  return Object.keys(found)
}

test(
  'speed of reading and writing is told, kept, and nothing is left behind',
  { skip },
  async () => {
    const folder = await makeFolder()
    const from = ['compare', 'performance', '--requests', 'searches.ndjson']
    const args = [...from, '--writes', index, ...brief, '--seed', '3']
    // What is said of the engines' speed is theirs to decide.
    const verdict = await osmigrateJson<PerformanceVerdict>(folder, [0, 3], ...args)
    assert.equal(verdict.endedEarly, null)
    const speeds = verdict.shapes.map(({ template, source }) => [template, source.requests > 0])
    assert.deepEqual(
      speeds.sort((a, b) => Number(b[1]) - Number(a[1])).map(([, asked]) => asked),
      [true, false],
    )
    const refused = verdict.shapes.find(({ source }) => source.requests === 0)!
    assert.match(refused.why, /refused by the source: status 404/)
    assert.deepEqual(verdict.leftOut, {
      'open a scroll': 1,
      'change something': 1,
      'source: status 404': 1,
    })
    assert.equal(verdict.load.seed, 3)
    assert.ok(verdict.writes !== null && verdict.writes.documents >= 200, JSON.stringify(verdict))
    assert.deepEqual(verdict.writes.errors, { source: 0, target: 0 })
    const again = await osmigrate(folder, [0, 3], ...from, ...brief)
    assert.match(again.stderr, /load: 2 requests of 2 shapes, one side at a time; 5 rounds/)
    assert.match(again.stdout, /cannot see: .*\n[^]*\n(same|faster|slower|cannot tell): /)
    for (const engine of engines) assert.deepEqual(await scratchOn(engine), [])
  },
)

test(
  'what a killed run has written to is deleted by settings restore --all',
  { skip },
  async () => {
    const folder = await makeFolder()
    const run = startOsmigrate(
      folder,
      ...['compare', 'performance', '--requests', 'searches.ndjson', '--writes', index, ...brief],
    )
    let left: string[] = []
    let ended = false
    void run.ended.then(() => (ended = true))
    while (left.length === 0 && !ended) {
      left = await scratchOn(target)
      await wait(20)
    }
    run.child.kill('SIGKILL')
    assert.equal((await run.ended).signal, 'SIGKILL')
    assert.equal(left.length, 1)
    await osmigrate(folder, 0, 'settings', 'restore', '--all')
    for (const engine of engines) assert.deepEqual(await scratchOn(engine), [])
  },
)
