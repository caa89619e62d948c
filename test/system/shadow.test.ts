import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { ShadowRun } from '../../src/shadow/records.ts'
import { startCapture, testCapture, type RunningProxy } from '../support/capture.ts'
import { cliFolder, osmigrate, osmigrateJson, startOsmigrate } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

interface Tuple {
  readonly connection: number
  readonly number: number
  readonly request: { readonly method: string; readonly path: string; readonly body?: string }
  readonly sent?: { readonly path: string; readonly body?: string }
  readonly source: { readonly status: number; readonly ms: number; readonly body?: string }
  readonly target: { readonly status: number; readonly ms: number; readonly body?: string }
  readonly different: boolean
  readonly findings: readonly { readonly what: string; readonly where: string }[] | null
}

/** The same documents on both sides. */
async function makeIndices(index: string, count: number): Promise<void> {
  const lines = Array.from(
    { length: count },
    (_, n) =>
      `{"index":{"_id":"${n}"}}\n{"n":${n},"name":"thing ${n}","user":{"email":"u${n}@x"}}\n`,
  )
  for (const engine of [source, target]) {
    await send(engine, 'PUT', `/${index}`, { settings: { number_of_shards: 1 } })
    await send(engine, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''))
  }
}

function migration(capture: object = {}, shadow: object = {}): string {
  const folder = cliFolder()
  const config = {
    ...{ version: 1, name: 'live' },
    source: { url: source.url },
    target: { url: target.url },
    capture: { ...testCapture, reads: 1, ...capture },
    shadow,
  }
  writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))
  return folder
}

function tuplesOf(folder: string): Tuple[] {
  const place = path.join(folder, '.osmigrate/live/tuples')
  return readdirSync(place)
    .sort()
    .flatMap((name) => {
      assert.equal(statSync(path.join(place, name)).mode & 0o777, 0o600)
      assert.match(name, /\.ndjson\.gz$/)
      const lines = gunzipSync(readFileSync(path.join(place, name)))
        .toString()
        .trimEnd()
        .split('\n')
      assert.equal((JSON.parse(lines[0]!) as { tuples: number }).tuples, 1)
      return lines.slice(1).map((line) => JSON.parse(line) as Tuple)
    })
}

/** One connection after another is used for as long as the client keeps it, as fetch does. */
async function ask<T>(proxy: RunningProxy, method: string, path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(proxy.url + path, { method, headers, body: JSON.stringify(body) })
  return (await answer.json()) as T
}

function through(proxy: RunningProxy): typeof source {
  return { ...source, url: proxy.url }
}

test(
  'recorded searches are replayed, their answers are compared, and a difference is found',
  { skip },
  async () => {
    const index = uniqueName('shadow')
    await makeIndices(index, 30)
    await send(target, 'POST', `/${index}/_update/7?refresh=true`, { doc: { name: 'another' } })
    const folder = migration({ redact: ['user.email'] })
    const proxy = await startCapture(folder)
    const client = through(proxy)
    for (let n = 0; n < 10; n++) {
      const query = { query: { term: { n } }, size: 5 }
      await send(client, 'POST', `/${index}/_search`, query)
    }
    await send(client, 'GET', `/${index}/_count`)
    // Goes on with a scroll: the target's own id takes its place.
    interface Page {
      readonly _scroll_id: string
    }
    const first = { size: 10, sort: ['n'] }
    const page = await ask<Page>(proxy, 'POST', `/${index}/_search?scroll=1m`, first)
    const { _scroll_id: scroll_id } = page
    await ask(proxy, 'POST', '/_search/scroll', { scroll: '1m', scroll_id })
    await ask(proxy, 'DELETE', '/_search/scroll', { scroll_id })
    // What names a redacted field is kept without its bodies, and is not replayed.
    await send(client, 'POST', `/${index}/_search`, { query: { match: { 'user.email': 'u1@x' } } })
    await send(client, 'PUT', `/${index}/_doc/written`, { n: 1000 })
    await proxy.stop()

    const run = await osmigrateJson<ShadowRun>(
      folder,
      3,
      ...['shadow', 'start', '--to-end', '--speed', 'max'],
    )
    assert.equal(run.state, 'ended')
    assert.equal(run.totals.sent, 14)
    assert.equal(run.totals.compared, 14)
    assert.equal(run.totals.errors, 0)
    assert.equal(run.totals.statusDiffers, 0)
    assert.deepEqual(run.skipped, { kind: 1, incomplete: 1 })
    const tuples = tuplesOf(folder)
    assert.equal(tuples.length, 14)
    const different = tuples.filter((one) => one.different)
    assert.deepEqual(
      different.map(({ request }) => request.path.split('?')[0]),
      [`/${index}/_search`, `/${index}/_search`],
      'the search for 7, and the page of the scroll that holds it',
    )
    // Connections keep no order among each other.
    const search = different.find(({ request }) => request.body!.includes('"n":7'))
    assert.ok(search?.findings?.some(({ where }) => where.includes('name')))
    const text = JSON.stringify(tuples)
    assert.ok(!text.includes('@x') && text.includes('***'), 'redacted on both sides')
    const scroll = tuples.find(({ request }) => request.path === '/_search/scroll')
    assert.notEqual(scroll?.sent?.body, scroll?.request.body)
    assert.equal(
      tuples.every((one) => one.source.ms > 0 && one.target.ms > 0),
      true,
    )
    assert.equal(
      run.shapes.reduce((sum, { requests }) => sum + requests, 0),
      14,
    )

    // It goes on where it ended: there is nothing new.
    const again = await osmigrateJson<ShadowRun>(
      folder,
      3,
      ...['shadow', 'start', '--to-end', '--speed', 'max'],
    )
    assert.equal(again.totals.sent, 14)
    assert.equal(tuplesOf(folder).length, 14)
    assert.match((await osmigrate(folder, 3, 'shadow', 'status')).stdout, /2 of 14 answers differ/)
  },
)

test(
  'killed in the middle it goes on, and each exchange stands once in the tuples',
  { skip },
  async () => {
    const index = uniqueName('resume')
    await makeIndices(index, 10)
    const folder = migration()
    const proxy = await startCapture(folder)
    const count = 300
    for (let n = 0; n < count; n++) {
      await send(through(proxy), 'POST', `/${index}/_search`, { query: { term: { n: n % 10 } } })
    }
    await proxy.stop()
    const args = ['shadow', 'start', '--to-end', '--rate', '100', '--json']
    const first = startOsmigrate(folder, ...args)
    let sent = 0
    while (sent < 100) {
      const view = await startOsmigrate(folder, 'shadow', 'status', '--json').ended
      if (view.code === 1) continue
      sent = (JSON.parse(view.stdout) as { run?: ShadowRun }).run?.totals.sent ?? 0
    }
    first.child.kill('SIGKILL')
    await first.ended
    assert.match((await osmigrate(folder, 4, 'shadow', 'status')).stdout, /ended without a word/)
    const run = await osmigrateJson<ShadowRun>(
      folder,
      0,
      ...['shadow', 'start', '--to-end', '--speed', 'max'],
    )
    assert.equal(run.totals.different, 0)
    const tuples = tuplesOf(folder)
    assert.deepEqual(
      tuples.map(({ number }) => number).sort((a, b) => a - b),
      Array.from({ length: count }, (_, n) => n + 1),
    )
  },
)

test(
  'writes go below the prefix alone, by-query, aliases and _all among them, and never near a migration',
  { skip },
  async () => {
    const index = uniqueName('writes')
    const prefix = `${uniqueName('s')}-`
    await makeIndices(index, 10)
    const folder = migration()
    const proxy = await startCapture(folder)
    const client = through(proxy)
    await send(client, 'PUT', `/${index}/_doc/new`, { n: 100 })
    const lines = `{"index":{"_index":"${index}","_id":"b1"}}\n{"n":101}\n{"delete":{"_index":"${index}","_id":"b2"}}\n`
    await send(client, 'POST', '/_bulk', lines)
    const add = { actions: [{ add: { index, alias: `${index}-all` } }] }
    await send(client, 'POST', '/_aliases', add)
    const all = { query: { range: { n: { gte: 100 } } }, script: { source: 'ctx._source.m = 1' } }
    await send(client, 'POST', `/${index}*/_update_by_query?refresh=true&conflicts=proceed`, all)
    await proxy.stop()
    // As a migration leaves an index: its documents go to the fence alias alone.
    const fence = `osmigrate-${index}-0`
    await send(target, 'PUT', `/${index}/_alias/${fence}`)
    const before = await send(target, 'GET', `/${index}/_search?size=100&version=true&sort=n`)

    const start = ['shadow', 'start', '--to-end', '--speed', 'max', '--again', '--writes']
    const config = path.join(folder, 'migration.yaml')
    const given = JSON.parse(readFileSync(config, 'utf8')) as object
    const refusedWith = async (shadow: object, why: RegExp): Promise<void> => {
      writeFileSync(config, JSON.stringify({ ...given, shadow }))
      const { code, stderr } = await startOsmigrate(folder, ...start).ended
      assert.equal(code, 2, stderr)
      assert.match(stderr, why)
    }
    await refusedWith({}, /shadow\.indexPrefix/)
    await refusedWith({ scratchTarget: true }, /is part of a migration: it is no scratch target/)
    await refusedWith({ indexPrefix: index.slice(0, -2) }, /choose another prefix/)
    // An alias below the prefix that leads out of it.
    await send(target, 'PUT', `/${index}/_alias/${prefix}leak`)
    await refusedWith({ indexPrefix: prefix }, /leads to .* choose another prefix/i)
    await send(target, 'DELETE', `/${index}/_alias/${prefix}leak`)

    writeFileSync(
      config,
      JSON.stringify({ ...given, shadow: { indexPrefix: prefix, connections: 1 } }),
    )
    const run = await osmigrateJson<ShadowRun>(folder, [0, 3], ...start)
    assert.equal(run.state, 'ended')
    assert.ok(run.totals.writes >= 3, JSON.stringify(run.skipped))
    await send(target, 'POST', `/${prefix}*/_refresh`)
    const own = await send<{ hits: { hits: { _id: string }[] } }>(
      target,
      'GET',
      `/${prefix}${index}/_search`,
    )
    assert.deepEqual(own.hits.hits.map(({ _id }) => _id).sort(), ['b1', 'new'])
    const aliases = await send<object>(target, 'GET', `/_alias/${prefix}${index}-all`)
    assert.deepEqual(Object.keys(aliases), [`${prefix}${index}`])
    const after = await send(target, 'GET', `/${index}/_search?size=100&version=true&sort=n`)
    assert.deepEqual((after as { hits: object }).hits, (before as { hits: object }).hits)
    await send(target, 'DELETE', `/${prefix}${index}`)
    await send(target, 'DELETE', `/${index}/_alias/${fence}`)
  },
)
