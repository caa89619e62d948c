/** What differs in answers is found, and nothing else: differences that were planted, and clusters that are the same. */
import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { cliFolder, osmigrate } from '../support/cli.ts'
import { askBoth, shopRequests } from '../support/compare-searches.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startGateway } from '../support/gateway.ts'
import { fillShop, shopDocument, type ShopOptions } from '../support/search-shop.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

async function filled(stem: string, onTarget: ShopOptions = {}): Promise<string> {
  const index = uniqueName(stem)
  await fillShop(source, index, { documents: 60 })
  await fillShop(target, index, { documents: 60, ...onTarget })
  return index
}

async function differentIn(index: string, targetUrl = target.url): Promise<string[]> {
  const requests = shopRequests(index)
  const { different, verdict } = await askBoth({
    sourceUrl: source.url,
    targetUrl,
    requests,
    seed: 1,
  })
  assert.equal(verdict.requests, requests.length, JSON.stringify(verdict.leftOut))
  return different
}

test(
  'Elasticsearch 7 and OpenSearch 3 give equal answers to the same searches',
  { skip },
  async () => {
    assert.deepEqual(await differentIn(await filled('search-equal')), [])
  },
)

test('another analyser of one field is found in what looks for its words', { skip }, async () => {
  // Without numbers, and by letters alone.
  const properties = { name: { type: 'text', analyzer: 'simple' } }
  assert.deepEqual(await differentIn(await filled('search-analyser', { properties })), ['number'])
})

test('a keyword that became a text is found in what sorts and counts by it', { skip }, async () => {
  const properties = { color: { type: 'text' } }
  assert.deepEqual(await differentIn(await filled('search-text', { properties })), [
    ...['by-color', 'colors', 'colors-with-prices'],
  ])
})

test(
  'a target that answers one form of search with 500 is found in that alone',
  { skip },
  async () => {
    const index = await filled('search-500')
    const gateway = await startGateway(target.url, async ({ body }, forward) =>
      body.includes('search_after')
        ? { status: 500, body: '{"error":{"type":"null_pointer_exception"},"status":500}' }
        : forward(),
    )
    try {
      assert.deepEqual(await differentIn(index, gateway.url), ['next'])
    } finally {
      await gateway.close()
    }
  },
)

test('a request that would write on the target is not sent', { skip }, async () => {
  const index = await filled('search-guard')
  const requests = [
    { method: 'POST', path: `/${index}/_doc/_search`, body: '{}', origin: 'file', name: 'typed' },
    {
      method: 'POST',
      path: `/${index}/_delete_by_query`,
      body: '{"query":{"match_all":{}}}',
      origin: 'file',
    },
    { method: 'GET', path: `/${index}/x/../../${index}/_doc/1`, origin: 'file' },
  ] as const
  const urls = { sourceUrl: source.url, targetUrl: target.url }
  const { different, verdict } = await askBoth({ ...urls, requests, seed: 1 })
  assert.deepEqual(different, [])
  assert.deepEqual(verdict.leftOut, { 'change something': 1 })
  assert.deepEqual(verdict.rulesFired, { 'types-in-path': 1 })
  const { count } = await send<{ count: number }>(target, 'GET', `/${index}/_count`)
  assert.equal(count, 60)
  await assert.rejects(send(target, 'GET', `/${index}/_doc/_search`), /404/)
})

test('refreshes and merges alone make no difference', { skip }, async () => {
  const index = uniqueName('search-same')
  const settings = { number_of_shards: 3, refresh_interval: '-1' }
  await fillShop(target, index, { documents: 200, settings })
  const churn = new AbortController()
  const churning = (async () => {
    for (let round = 0; !churn.signal.aborted; round++) {
      const lines = Array.from({ length: 20 }, (_, at) => {
        const n = (round * 20 + at) % 200
        return `{"index":{"_id":"${n}"}}\n${JSON.stringify(shopDocument(n))}\n`
      })
      await send(target, 'POST', `/${index}/_bulk`, lines.join(''))
      await send(target, 'POST', `/${index}/_refresh`)
      if (round % 3 === 0) await send(target, 'POST', `/${index}/_forcemerge?max_num_segments=1`)
    }
  })()
  try {
    for (const seed of [1, 2]) {
      const requests = { count: 25, indices: [index] }
      const { findings } = await askBoth({
        sourceUrl: target.url,
        targetUrl: target.url,
        requests,
        seed,
      })
      assert.deepEqual(findings, [], `seed ${seed}`)
    }
  } finally {
    churn.abort()
    await churning
  }
})

test(
  'the command says what differs, by exit code, JSON and a file for its owner alone',
  { skip },
  async () => {
    const index = await filled('search-command')
    const folder = cliFolder()
    const url = (engine: { url: string }): string => `{ url: ${engine.url} }`
    await writeFile(
      path.join(folder, 'migration.yaml'),
      `version: 1\nname: searches\nsource: ${url(source)}\ntarget: ${url(target)}\ncapture: { redact: [price] }\n`,
    )
    const requests = shopRequests(index).map(({ origin: _, method, path: line, name, body }) =>
      JSON.stringify({ method, path: line, name, body }),
    )
    await writeFile(path.join(folder, 'searches.ndjson'), requests.join('\n'))
    const flags = ['--requests', 'searches.ndjson', '--requests-per-second', '1000', '--seed', '5']
    const equal = await osmigrate(folder, 0, 'compare', 'searches', ...flags, '--json')
    assert.equal((JSON.parse(equal.stdout) as { requests: number }).requests, requests.length)
    await send(target, 'DELETE', `/${index}/_doc/17?refresh=true`)
    const found = await osmigrate(folder, 3, 'compare', 'searches', ...flags, '--out', 'found')
    assert.match(found.stdout, /not equal/)
    assert.ok(found.stdout.includes(`curl -X POST '${target.url}/${index}/_search'`), found.stdout)
    const [file] = await readdir(path.join(folder, 'found'))
    const details = path.join(folder, 'found', file!)
    assert.equal((await stat(details)).mode & 0o777, 0o600)
    const lines = (await readFile(details, 'utf8')).trim().split('\n')
    assert.equal(lines.length, requests.length)
    assert.ok(!lines.some((line) => line.includes('"gte":10')), 'values of a redacted field')
  },
)
