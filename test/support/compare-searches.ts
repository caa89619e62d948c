/** Asks two engines the same searches, as `osmigrate compare searches` does, and tells what was found by request. */
import { seededRandom } from '../../src/base/seeded-random.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import { differs } from '../../src/compare/searches/answer-difference.ts'
import { generateRequests } from '../../src/compare/searches/generate-requests.ts'
import { runSearches } from '../../src/compare/searches/run-searches.ts'
import type { SearchRequest } from '../../src/compare/searches/search-request.ts'
import { SearchTally } from '../../src/compare/searches/search-tally.ts'
import type { SearchVerdict } from '../../src/compare/searches/search-verdict.ts'
import { searchableIndex } from '../../src/compare/searches/source-fields.ts'
import { createAnswerTranslator } from '../../src/transform/request/translate-answer.ts'
import { createRequestTranslator } from '../../src/transform/request/translate.ts'

export interface AskedBoth {
  /** Names of the requests that differ, each once, in order. */
  readonly different: string[]
  /** What differs, for a person. */
  readonly findings: string[]
  readonly verdict: SearchVerdict
}

export interface AskBothInput {
  readonly sourceUrl: string
  readonly targetUrl: string
  /** Or how many are to be made of these indices. */
  readonly requests:
    readonly SearchRequest[] | { readonly count: number; readonly indices: readonly string[] }
  readonly seed: number
  readonly signal?: AbortSignal
}

export async function askBoth(input: AskBothInput): Promise<AskedBoth> {
  const { sourceUrl, targetUrl, seed, signal = new AbortController().signal } = input
  const source = await connectCluster('source', { url: [sourceUrl] })
  const target = await connectCluster('target', { url: [targetUrl] })
  const random = seededRandom(seed)
  const tally = new SearchTally(random, (example) => example)
  const different = new Set<string>()
  const findings: string[] = []
  const leftOut: Record<string, number> = {}
  const context = { source: source.version, target: target.version, placeOf: () => undefined }
  const [rules, back] = [createRequestTranslator(context), createAnswerTranslator(context)]
  const made = async (count: number, indices: readonly string[]): Promise<SearchRequest[]> => {
    const found = await Promise.all(indices.map((name) => searchableIndex(source, name, signal)))
    const searchable = found.filter((one) => one !== undefined)
    return generateRequests(searchable, { count, random, version: source.version })
  }
  try {
    const requests =
      'count' in input.requests
        ? await made(input.requests.count, input.requests.indices)
        : input.requests
    await runSearches({
      ...{ source, target, requests, random, signal },
      options: {
        requestsMax: requests.length,
        atOnce: 4,
        requestsPerSecond: 1000,
        timeout: 60_000,
      },
      sourceIndexOf: (name) => name,
      translate: async (request) => {
        const { fired, ...said } = rules(request)
        return {
          request: said,
          rules: fired.map(({ rule }) => rule),
          answerBack: (body) => back(request, body),
        }
      },
      onCompared: (one) => {
        tally.add(one)
        if (!differs(one.difference)) return
        different.add(one.request.name ?? one.request.path)
        for (const { what, where, noise, ...sides } of one.difference.findings) {
          if (noise !== undefined) continue
          const asked = `${one.request.path} ${one.request.body ?? ''}`
          findings.push(`${asked}: ${what} ${where}: ${sides.source} / ${sides.target}`)
        }
      },
      onLeftOut: (why) => void (leftOut[why] = (leftOut[why] ?? 0) + 1),
    })
    const now = new Date().toISOString()
    const about = { startedAt: now, endedAt: now, method: '', cannotSee: [], leftOut }
    return { different: [...different].sort(), findings, verdict: tally.verdict(about) }
  } finally {
    await Promise.all([source.close(), target.close()])
  }
}

/** Searches of the shop (search-shop.ts) by name; none of them tells documents apart that are equal. */
export function shopRequests(index: string): SearchRequest[] {
  const search = (name: string, body: object, path = `/${index}/_search`): SearchRequest => ({
    ...{ method: 'POST', path, body: JSON.stringify(body), origin: 'file', name },
  })
  const colors = { terms: { field: 'color', order: { _key: 'asc' } } }
  return [
    search('words', { query: { match: { name: 'hiking odd' } }, size: 20 }),
    search('number', { query: { match: { name: 'shoe 17' } } }),
    search('phrase', { query: { match_phrase: { name: 'shoe number' } }, sort: ['n'] }),
    search('color', {
      query: { constant_score: { filter: { term: { color: 'red' } } } },
      sort: ['n'],
    }),
    search('price', {
      query: { range: { price: { gte: 10, lt: 40 } } },
      sort: [{ price: 'desc' }],
    }),
    search('page', { from: 10, size: 10, sort: ['n'] }),
    search('next', { size: 5, sort: [{ n: 'desc' }], search_after: [30] }),
    search('colors', { size: 0, aggs: { colors } }),
    search('colors-with-prices', {
      ...{
        size: 0,
        aggs: { colors: { ...colors, aggs: { price: { stats: { field: 'price' } } } } },
      },
    }),
    search('by-color', { sort: ['color', 'n'], size: 5 }),
    search('months', {
      size: 0,
      aggs: { m: { date_histogram: { field: 'at', calendar_interval: 'month' } } },
    }),
    search('count', { query: { term: { n: 7 } } }, `/${index}/_count`),
    search('some', { ids: ['1', '2', 'none'] }, `/${index}/_mget`),
    {
      method: 'GET',
      path: `/${index}/_search?q=name:even&size=3&sort=n`,
      origin: 'file',
      name: 'line',
    },
    {
      ...{ method: 'POST', path: '/_msearch', origin: 'file', name: 'two' },
      body: `{"index":"${index}"}\n{"query":{"match":{"name":"running"}},"sort":["n"]}\n{"index":"${index}"}\n{"size":0}\n`,
    },
  ]
}
