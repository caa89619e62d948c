import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import { seededRandom } from '../base/seeded-random.ts'
import {
  comparePerformance,
  type PerformanceInput,
} from '../compare/performance/compare-performance.ts'
import { compareWrites } from '../compare/performance/compare-writes.ts'
import type { LoadPlan } from '../compare/performance/load-plan.ts'
import type { AskedOfBoth } from '../compare/performance/mix.ts'
import type { PerformanceProgress } from '../compare/performance/performance-run.ts'
import { performanceVerdictKind, type PerformanceVerdict } from '../compare/performance/record.ts'
import { scratchPrefix } from '../compare/performance/scratch-index.ts'
import type { SearchRequest } from '../compare/searches/search-request.ts'
import { notARead } from '../compare/searches/send-search.ts'
import { uniquePart } from '../metadata/temporary.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { liveIndices } from './compare-live.ts'
import type { Migration } from './migration.ts'
import { requestWords } from './request-words.ts'
import { removeScratch, withScratch } from './scratch-indices.ts'
import { gatherRequests, type RequestSources } from './search-requests.ts'

export interface ComparePerformanceInput {
  readonly from: RequestSources
  /** The same seed draws the same requests, in the same order. */
  readonly seed: number
  /** Index whose documents are written to both; true: the largest; undefined: nothing is written. */
  readonly writes: string | true | undefined
  readonly onGathered: (what: string, count: number) => void
  readonly onWarning: (message: string) => void
  readonly onPlan: (plan: LoadPlan) => void
  readonly onProgress: (progress: PerformanceProgress) => void
}

const verdictsKept = 20

/** Puts the same load on both sides and says which is faster with what; what was found is kept in the state. */
export async function compareConfiguredPerformance(
  migration: Migration,
  { from, seed, writes, onGathered, onWarning, onPlan, onProgress }: ComparePerformanceInput,
): Promise<PerformanceVerdict> {
  const { config, signal } = migration
  const [source, target] = [await migration.source(), await migration.target()]
  const state = await migration.state(migration.hasState ? 'note' : 'write')
  const options = config.compare.performance
  await removeScratch({ clusters: { source, target }, state }, scratchPrefix)
  const { requests, leftOut } = await gatherRequests(migration, from, {
    requestsMax: config.compare.searches.requestsMax,
    random: seededRandom(seed),
    onProgress: onGathered,
    onWarning,
  })
  const { asked, more } = await inBothWords(migration, requests)
  const verdict = await comparePerformance({
    ...{ source, target, asked, options, seed, signal, onPlan, onProgress },
    ...(writes !== undefined && { compareWrites: await writesOf(migration, state, writes) }),
  })
  const told = { ...verdict, leftOut: { ...leftOut, ...more, ...verdict.leftOut } }
  await keep(state, told)
  return told
}

/** What only reads on both sides, in the words of each; how many do not, by why. */
async function inBothWords(
  migration: Migration,
  requests: readonly SearchRequest[],
): Promise<{ asked: AskedOfBoth[]; more: { [why: string]: number } }> {
  const [source, target] = [await migration.source(), await migration.target()]
  const words = await requestWords(migration)
  const more: { [why: string]: number } = {}
  const leaveOut = (why: string): void => void (more[why] = (more[why] ?? 0) + 1)
  const asked: AskedOfBoth[] = []
  for (const request of requests) {
    const why = opensSomething(request) ?? notARead(source, request)
    if (why !== undefined) {
      leaveOut(why)
      continue
    }
    try {
      const { request: said } = await words.translate(request)
      const whyNotThere = notARead(target, said)
      if (whyNotThere === undefined) {
        asked.push({ source: request, target: { ...said, origin: request.origin } })
      } else leaveOut(`${whyNotThere} on the target`)
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code !== 'MA_TRANSFORM') throw error
      leaveOut('a transform could not change')
    }
  }
  return { asked, more }
}

/** Sent thousands of times, contexts that nobody closes would fill the source. */
function opensSomething({ path }: SearchRequest): string | undefined {
  return /[?&]scroll=/.test(path) ? 'open a scroll' : undefined
}

async function writesOf(
  migration: Migration,
  state: StateStore,
  writes: string | true,
): Promise<NonNullable<PerformanceInput['compareWrites']>> {
  const { config, signal } = migration
  const [source, target] = [await migration.source(), await migration.target()]
  const index = writes === true ? await largestIndex(migration, state) : writes
  const [part] = await targetPartsOf(state, index)
  const scratch = `${scratchPrefix}${uniquePart()}`
  const { connections, rounds, turn: turnMs } = config.compare.performance
  const input = {
    ...{ source, target, index, scratch, connections, rounds, turnMs, signal },
    targetIndex: part?.targetIndex ?? index,
  }
  return (run, by) =>
    withScratch({ clusters: { source, target }, state }, scratch, () =>
      compareWrites(input, run, by),
    )
}

async function largestIndex(migration: Migration, state: StateStore): Promise<string> {
  const names = new Set(await liveIndices(migration, state))
  const source = await migration.source()
  const { body } = await source.request<Json>('GET', '/_cat/indices', {
    query: { format: 'json', h: 'index,docs.count', bytes: 'b' },
    signal: migration.signal,
  })
  const rows = Array.isArray(body) ? body.filter(isJsonObject) : []
  const [largest] = rows
    .filter(({ index }) => typeof index === 'string' && names.has(index))
    .sort((a, b) => Number(b['docs.count'] ?? 0) - Number(a['docs.count'] ?? 0))
  if (typeof largest?.index === 'string') return largest.index
  throw new MigrationError(
    'MA_CONFIG',
    'no index is selected whose documents could be written; name one: --writes INDEX',
  )
}

async function keep(state: StateStore, verdict: PerformanceVerdict): Promise<void> {
  const record = { kind: performanceVerdictKind, key: verdict.startedAt, value: verdict }
  await state.commit([{ op: 'put', ...record }])
  const kept = await state.list(performanceVerdictKind)
  const old = kept.slice(0, Math.max(0, kept.length - verdictsKept))
  await state.commit(old.map(({ key }) => ({ op: 'delete', kind: performanceVerdictKind, key })))
}
