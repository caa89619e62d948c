import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { performanceVerdictKind } from '../../src/compare/performance/record.ts'
import type { CompareReport } from '../../src/compare/report/compare-report.ts'
import type { GateVerdict } from '../../src/compare/report/gates.ts'
import { searchVerdictKind } from '../../src/compare/searches/search-verdict.ts'
import { metadataVerdictKind } from '../../src/state/metadata-verdict.ts'
import { verdictKind } from '../../src/state/records.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import type { Change } from '../../src/state/store.ts'
import { skipBrowser, withBrowser } from '../support/browser.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import {
  documentVerdict,
  hostile,
  metadataVerdict,
  performanceVerdict,
  searchShape,
  searchVerdict,
} from '../support/compare-records.ts'
import { focused, hardToRead, openAll, tooWide } from '../support/page-checks.ts'

const now = new Date()
const times = {
  startedAt: new Date(now.getTime() - 60_000).toISOString(),
  endedAt: now.toISOString(),
}

/** A folder with a configuration, and a state as comparisons leave it. */
async function migrationWith(gates: string, changes: readonly Change[]): Promise<string> {
  const folder = cliFolder()
  const config = `version: 1\nname: shop\nsource: { url: "http://127.0.0.1:9" }\ngates: { compare: ${gates} }\n`
  writeFileSync(path.join(folder, 'migration.yaml'), config)
  const state = await openSqliteStore(path.join(folder, '.osmigrate', 'shop'), 'write')
  await state.commit(changes)
  await state.close()
  return folder
}

const equal = documentVerdict('shop', times)
const different = documentVerdict(`logs-${hostile}`, {
  ...times,
  ...{ verdict: 'different', equal: 998, different: 1, missing: 1, note: hostile },
  examples: [{ kind: 'missing', id: hostile }],
})
const slow = searchShape(`POST /shop/_search ${hostile}`, {
  ...{ different: 3, overlapAt10: 0.4, findings: { ids: 3 } },
  example: {
    ...{ method: 'POST', path: "/shop/_search?q=it's", body: `{"query":"${hostile}"}` },
    target: { method: 'POST', path: '/shop/_search', body: '{}' },
    findings: [{ what: 'ids', where: 'hits.hits', source: hostile, target: null, noise: null }],
  },
})
const searches = searchVerdict({
  ...times,
  ...{ requests: 40, different: 3, overlapAt10: 0.9, shapes: [slow, ...searchVerdict().shapes] },
  ...{ latencyPairs: Array.from({ length: 50 }, (_, i) => [1 + i, 2 + i, 0]) },
})

function put<T>(kind: { name: string }, key: string, value: T): Change {
  return { op: 'put', kind, key, value: value as never }
}

const documents = [equal, different].map((one) => put(verdictKind, one.index, one))
const others = [
  put(metadataVerdictKind, times.startedAt, metadataVerdict(times)),
  put(searchVerdictKind, times.startedAt, searches),
  put(performanceVerdictKind, times.startedAt, performanceVerdict(1.5, times)),
]

test('compare gate tells line by line what is met, with 0, 3 or 4 as its exit code', async () => {
  const stateOf = async (code: number, gates: string, changes: readonly Change[]) => {
    const folder = await migrationWith(gates, changes)
    const { state, lines } = await osmigrateJson<GateVerdict>(folder, code, 'compare', 'gate')
    return [state, ...lines.map((line) => `${line.gate} ${line.state}`)]
  }
  const met = await stateOf(0, '{}', [documents[0]!, others[0]!])
  assert.deepEqual(met, ['met', 'documents met', 'metadata met'])
  const all = '{ overlapAt10: 0.98, p99Ratio: 1.2, errorRateMax: 0.01 }'
  assert.deepEqual(await stateOf(3, all, [...documents, ...others]), [
    ...['not met', 'documents not met', 'metadata met', 'overlapAt10 not met'],
    ...['p99Ratio not met', 'errorRateMax met'],
  ])
  const folder = await migrationWith('{}', [documents[0]!])
  const { stdout } = await osmigrate(folder, 4, 'compare', 'gate')
  assert.match(
    stdout,
    /metadata: not compared yet\nmetadata: to find out: osmigrate compare metadata/,
  )
})

test('without any state compare report and compare gate say what to do first', async () => {
  const { stderr } = await osmigrate(cliFolder(), 1, 'compare', 'gate')
  assert.match(stderr, /nothing is known of the migration "migration".*Compare first/)
})

test('compare report writes a page, a text and JSON, in which names of others stay names', async () => {
  const folder = await migrationWith('{ p99Ratio: 1.2 }', [...documents, ...others])
  await osmigrate(folder, 0, 'compare', 'report', '--out', 'out/report')
  const read = (name: string): string =>
    readFileSync(path.join(folder, 'out', 'report', name), 'utf8')
  const report = JSON.parse(read('report.json')) as CompareReport
  assert.equal(report.gate.state, 'not met')
  assert.deepEqual(
    report.areas.map(({ area, verdict }) => [area, verdict]),
    [
      ...[
        ['documents', 'different'],
        ['metadata', 'equal'],
      ],
      ...[
        ['searches', 'different'],
        ['speed', 'slower'],
      ],
    ],
  )
  const page = read('report.html')
  assert.doesNotMatch(page, /<script|<link|<img|@import|url\(/)
  assert.match(
    page,
    /curl -X POST &#39;http:\/\/127\.0\.0\.1:9\/shop\/_search\?q=it&#39;\\&#39;&#39;s&#39;/,
  )
  const text = read('report.md')
  assert.match(text, /\*\*slower\*\*/)
  assert.match(text, /logs-\\<img src=x onerror=alert\(1\)\\>"'\\`\\\|/)
  assert.match(text, /\n```\nPOST \/shop\/_search <img/)
})

test(
  'the page of a report is quiet, readable on a telephone and a wide screen, in light and dark, and by keys',
  { skip: skipBrowser },
  async () => {
    const full = await migrationWith('{ p99Ratio: 1.2 }', [...documents, ...others])
    const empty = await migrationWith('{}', [])
    for (const folder of [full, empty])
      await osmigrate(folder, 0, 'compare', 'report', '--out', '.')
    await withBrowser(async (browser) => {
      for (const folder of [full, empty])
        for (const [width, colorScheme] of [
          [400, 'dark'],
          [1600, 'light'],
        ] as const) {
          const page = await browser.newPage()
          const noise = listenTo(page)
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          const url = pathToFileURL(path.join(folder, 'report.html')).href
          await page.goto(url)
          await page.evaluate(openAll)
          assert.deepEqual(noise, [url], 'what the page fetched and said')
          assert.deepEqual(await page.evaluate(tooWide), [], `wider than ${width}`)
          assert.deepEqual(await page.evaluate(hardToRead), [], `in ${colorScheme} at ${width}`)
          await page.close()
        }
      await useKeys(await browser.newPage(), pathToFileURL(path.join(full, 'report.html')).href)
    })
  },
)

/** Requests, messages, errors and dialogs. */
function listenTo(page: Page): string[] {
  const heard: string[] = []
  page.on('request', (request) => heard.push(request.url()))
  page.on('console', (message) => heard.push(message.text()))
  page.on('pageerror', (error) => heard.push(String(error)))
  page.on('dialog', (dialog) => {
    heard.push(dialog.message())
    void dialog.dismiss()
  })
  return heard
}

async function useKeys(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(focused), 'A Documents')
  await page.keyboard.press('Enter')
  assert.match(page.url(), /#documents$/)
  const seen: string[] = []
  // All of the page can be reached by one key; opening is another.
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab')
    const now = await page.evaluate(focused)
    if (now.startsWith('BODY')) break
    seen.push(now)
    if (/^SUMMARY .*3 of 20/s.test(now)) {
      await page.keyboard.press('Enter')
      assert.ok(await page.locator('pre.copy').first().isVisible())
    }
  }
  assert.ok(
    seen.some((one) => one.startsWith('PRE curl')),
    'commands can be reached',
  )
  assert.ok(
    seen.some((one) => one.startsWith('SUMMARY')),
    'details can be reached',
  )
}
