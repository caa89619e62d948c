import { MigrationError } from '../base/errors.ts'
import { seededRandom } from '../base/seeded-random.ts'
import { runSearches } from '../compare/searches/run-searches.ts'
import { redactExample, SearchDetails } from '../compare/searches/search-details.ts'
import { SearchTally } from '../compare/searches/search-tally.ts'
import { searchVerdictKind, type SearchVerdict } from '../compare/searches/search-verdict.ts'
import { searchesDiffer } from '../compare/searches/searches-gate.ts'
import type { StateStore } from '../state/store.ts'
import type { Migration } from './migration.ts'
import { requestWords } from './request-words.ts'
import { gatherRequests, type RequestSources } from './search-requests.ts'

export interface CompareSearchesInput {
  readonly from: RequestSources
  /** The same seed draws the same requests, in the same order. */
  readonly seed: number
  /** A folder for what was found of each request; undefined: none. */
  readonly out: string | undefined
  readonly onProgress: (progress: SearchesProgress) => void
  readonly onWarning: (message: string) => void
}

export type SearchesProgress =
  | { readonly stage: 'gathering'; readonly what: string; readonly count: number }
  | {
      readonly stage: 'asking'
      readonly done: number
      readonly total: number
      readonly different: number
    }

export interface ComparedSearches {
  readonly verdict: SearchVerdict
  /** Why it is no success; empty: it is. */
  readonly reasons: readonly string[]
  readonly detailsFile: string | undefined
}

const verdictsKept = 20

/** Asks both sides the same searches and compares the answers; what was found is kept in the state. */
export async function compareConfiguredSearches(
  migration: Migration,
  { from, seed, out, onProgress, onWarning }: CompareSearchesInput,
): Promise<ComparedSearches> {
  const { config, signal } = migration
  const state = await migration.state(migration.hasState ? 'note' : 'write')
  const options = config.compare.searches
  const random = seededRandom(seed)
  const startedAt = new Date().toISOString()
  const { requests, leftOut } = await gatherRequests(migration, from, {
    ...{ requestsMax: options.requestsMax, random, onWarning },
    onProgress: (what, count) => onProgress({ stage: 'gathering', what, count }),
  })
  const words = await requestWords(migration)
  const redact = redactExample(config.capture.redact)
  const tally = new SearchTally(random, redact)
  const details = out === undefined ? undefined : await SearchDetails.open(out, startedAt, redact)
  const outside = { ...leftOut }
  const tell = (): void => {
    const done = tally.requests + sum(outside) - sum(leftOut)
    onProgress({ stage: 'asking', done, total: requests.length, different: tally.different })
  }
  try {
    await runSearches({
      ...{ source: await migration.source(), target: await migration.target(), requests },
      ...{ options, random, signal, sourceIndexOf: words.sourceIndexOf },
      translate: async (request) => {
        const said = await words.translate(request)
        return {
          request: said.request,
          rules: said.fired.map(({ rule }) => rule),
          answerBack: (body) => words.answerBack(request, body),
        }
      },
      onCompared: (one) => {
        tally.add(one)
        details?.add(one)
        tell()
      },
      onLeftOut: (why) => {
        outside[why] = (outside[why] ?? 0) + 1
        tell()
      },
    })
  } finally {
    await details?.close()
  }
  if (tally.requests === 0) throw nothingAsked(outside)
  const verdict = tally.verdict({
    ...{ startedAt, endedAt: new Date().toISOString(), leftOut: outside },
    ...{ method: methodText(seed), cannotSee: cannotSee(from) },
  })
  await keep(state, verdict)
  const reasons = searchesDiffer(verdict, config.gates.compare)
  return { verdict, reasons, detailsFile: details?.path }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0)
}

function nothingAsked(leftOut: Readonly<Record<string, number>>): MigrationError {
  const reasons = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`)
  return new MigrationError('MA_CONFIG', `no request could be compared: ${reasons.join('; ')}`, {
    details: { leftOut },
  })
}

async function keep(state: StateStore, verdict: SearchVerdict): Promise<void> {
  await state.commit([
    { op: 'put', kind: searchVerdictKind, key: verdict.startedAt, value: verdict },
  ])
  const kept = await state.list(searchVerdictKind)
  await state.commit(
    kept
      .slice(0, Math.max(0, kept.length - verdictsKept))
      .map(({ key }) => ({ op: 'delete', kind: searchVerdictKind, key })),
  )
}

function methodText(seed: number): string {
  return (
    'each request sent to the source, to the target side by side with it, and to the source again, in random order ' +
    `(seed ${seed}); what differs between the two answers of the source is noise`
  )
}

function cannotSee({ file, generate, captured }: RequestSources): string[] {
  return [
    ...(captured !== undefined || (file === undefined && generate === undefined)
      ? ['requests that are not in the sample of capture.reads']
      : []),
    ...(generate !== undefined
      ? ['what clients ask otherwise than the requests that were made']
      : []),
    'pages behind the first of a scroll, and what goes on within a point in time',
  ]
}
