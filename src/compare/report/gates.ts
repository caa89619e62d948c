import type { Verdict } from '../../state/records.ts'
import { staleness } from './age.ts'
import { notLookedAt, verdictOnDocuments, type When } from './areas.ts'
import { newestMetadata, type CompareRecords } from './compare-records.ts'
import type { CompareGateOptions } from './gate-options.ts'

/** One condition of `gates.compare`, and how it stands. */
export interface GateLine {
  readonly gate: 'documents' | 'metadata' | 'overlapAt10' | 'p99Ratio' | 'errorRateMax'
  /** As configured. */
  readonly limit: string
  /** What was found; null: nothing that one could go by. */
  readonly found: string | null
  /** unknown: not measured yet, too old, or too little to tell. */
  readonly state: 'met' | 'not met' | 'unknown'
  readonly reasons: readonly string[]
  /** The command that answers it (anew). */
  readonly how: string
}

export interface GateVerdict {
  /** The worst of its lines: one that is not met counts before one that is not known. */
  readonly state: GateLine['state']
  readonly lines: readonly GateLine[]
}

/** Evaluates the configured conditions on what was kept of comparisons. */
export function evaluateGates(
  records: CompareRecords,
  gates: CompareGateOptions,
  now: Date,
): GateVerdict {
  const when = { now, freshForMs: gates.freshFor }
  const lines = [
    documentsGate(records, gates, when),
    metadataGate(records, gates, when),
    overlapGate(records, gates, when),
    p99Gate(records, gates, when),
    errorGate(records, gates, when),
  ].filter((line) => line !== undefined)
  const has = (state: GateLine['state']): boolean => lines.some((line) => line.state === state)
  return { state: has('not met') ? 'not met' : has('unknown') ? 'unknown' : 'met', lines }
}

const reasonsMax = 20

function documentsGate(
  { indices, documents, outdated }: CompareRecords,
  gates: CompareGateOptions,
  when: When,
): GateLine | undefined {
  if (gates.documents === 'any') return undefined
  const line = { gate: 'documents', limit: 'equal', how: 'osmigrate compare documents' } as const
  const whyOld = ({ index, endedAt }: Verdict): string | undefined =>
    staleness(endedAt, when) ?? outdated?.get(index)
  const old = documents.filter((one) => whyOld(one) !== undefined)
  const fresh = documents.filter((one) => !old.includes(one))
  const reasons = [
    ...fresh.filter(({ verdict }) => verdict === 'different').map(differenceText),
    ...notLookedAt(indices, documents).map((index) => `${index}: not compared yet`),
    ...fresh
      .filter(({ verdict }) => verdict === 'unknown')
      .map(({ index, note }) => `${index}: unknown: ${note}`),
    ...old.map((one) => `${one.index}: ${whyOld(one)!}`),
  ]
  if (indices.length + documents.length === 0)
    return { ...line, found: null, state: 'unknown', reasons: ['nothing was compared yet'] }
  const verdict = verdictOnDocuments(indices, fresh)
  const equal = fresh.filter((one) => one.verdict === 'equal').length
  const all = new Set([...indices, ...documents.map(({ index }) => index)]).size
  const state =
    verdict === 'different'
      ? 'not met'
      : verdict === 'equal' && old.length === 0
        ? 'met'
        : 'unknown'
  return { ...line, found: `${equal} of ${all} indices equal`, state, reasons: limited(reasons) }
}

function differenceText({ index, different, missing, extra }: Verdict): string {
  const counts = [
    ...(different > 0 ? [`${different} different`] : []),
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(extra > 0 ? [`${extra} extra`] : []),
  ]
  return `${index}: ${counts.join(', ')}`
}

function limited(reasons: readonly string[]): string[] {
  if (reasons.length <= reasonsMax) return [...reasons]
  return [...reasons.slice(0, reasonsMax), `and ${reasons.length - reasonsMax} more`]
}

function metadataGate(
  records: CompareRecords,
  { metadata: limit }: CompareGateOptions,
  when: When,
): GateLine | undefined {
  if (limit === 'any') return undefined
  const line = { gate: 'metadata', limit, how: 'osmigrate compare metadata' } as const
  const newest = newestMetadata(records)
  if (newest === undefined) {
    const reason =
      records.metadata.length === 0
        ? 'not compared yet'
        : 'only other indices than those selected were looked at'
    return { ...line, found: null, state: 'unknown', reasons: [reason] }
  }
  const stale = staleness(newest.endedAt, when)
  if (stale !== undefined)
    return { ...line, found: newest.verdict, state: 'unknown', reasons: [stale] }
  const isMet = newest.verdict === 'equal' || newest.verdict === limit
  const counting = newest.findings.filter(
    ({ what }) => limit === 'equal' || (what !== 'announced' && what !== 'left behind'),
  )
  const reasons = counting.map(({ kind, name, what, why }) => `${kind} ${name}: ${what}: ${why}`)
  return {
    ...line,
    found: newest.verdict,
    state: isMet ? 'met' : 'not met',
    reasons: isMet ? [] : limited(reasons),
  }
}

function overlapGate(
  { searches }: CompareRecords,
  { overlapAt10: limit }: CompareGateOptions,
  when: When,
): GateLine | undefined {
  if (limit === undefined) return undefined
  const newest = searches.at(-1)
  const line = {
    gate: 'overlapAt10',
    limit: `at least ${limit}`,
    how: 'osmigrate compare searches',
  } as const
  if (newest === undefined) return { ...line, ...unknown('no searches were compared yet') }
  const { overlapAt10: found, endedAt } = newest
  if (found === null) return { ...line, ...unknown('no search of those compared found anything') }
  const stale = staleness(endedAt, when)
  if (stale !== undefined) return { ...line, ...unknown(stale) }
  const worst = newest.shapes
    .filter((shape) => shape.overlapAt10 !== null && shape.overlapAt10 < limit)
    .map((shape) => `${shape.overlapAt10!.toFixed(3)}: ${shape.template}`)
  const isMet = found >= limit
  return {
    ...line,
    found: found.toFixed(4),
    state: isMet ? 'met' : 'not met',
    reasons: isMet ? [] : limited(worst),
  }
}

function p99Gate(
  { speed }: CompareRecords,
  { p99Ratio: limit }: CompareGateOptions,
  when: When,
): GateLine | undefined {
  if (limit === undefined) return undefined
  const newest = speed.at(-1)
  const line = {
    gate: 'p99Ratio',
    limit: `at most ${limit}`,
    how: 'osmigrate compare performance',
  } as const
  if (newest === undefined) return { ...line, ...unknown('no speed was compared yet') }
  const stale = staleness(newest.endedAt, when)
  if (stale !== undefined) return { ...line, ...unknown(stale) }
  const ratio = newest.all?.ratios.p99
  if (!ratio) {
    const why = newest.endedEarly ?? newest.all?.why ?? 'no constant rate was measured'
    return { ...line, ...unknown(`too few answers for p99: ${why}`) }
  }
  const isMet = ratio.value <= limit
  const slow = newest.shapes
    .filter(({ ratios }) => ratios.p99 !== null && ratios.p99.value > limit)
    .map(({ ratios, template }) => `${ratios.p99!.value.toFixed(2)}: ${template}`)
  return {
    ...line,
    found: `${ratio.value.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    state: isMet ? 'met' : 'not met',
    reasons: isMet ? [] : limited(slow),
  }
}

/** The worst of the runs that are fresh: searches that were compared, speed that was measured. */
function errorGate(
  { searches, speed }: CompareRecords,
  { errorRateMax: limit }: CompareGateOptions,
  when: When,
): GateLine | undefined {
  if (limit === undefined) return undefined
  const line = {
    gate: 'errorRateMax',
    limit: `at most ${limit}`,
    how: 'osmigrate compare searches',
  } as const
  const compared = searches.at(-1)
  const measured = speed.at(-1)
  const rates = [
    compared && { of: 'compare searches', ...compared, errors: compared.errors.target },
    measured?.all && {
      of: 'compare performance',
      endedAt: measured.endedAt,
      errors: measured.all.target.errors,
      requests: measured.all.target.requests,
    },
  ].filter((one) => one !== undefined && one !== null)
  const fresh = rates.filter(
    ({ endedAt, requests }) => requests > 0 && staleness(endedAt, when) === undefined,
  )
  if (fresh.length === 0)
    return { ...line, ...unknown(rates.length === 0 ? 'nothing was measured yet' : 'stale') }
  const worst = Math.max(...fresh.map(({ errors, requests }) => errors / requests))
  return {
    ...line,
    found: worst.toFixed(5),
    state: worst <= limit ? 'met' : 'not met',
    reasons: fresh
      .filter(({ errors }) => errors > 0)
      .map(({ of, errors, requests }) => `${of}: ${errors} errors of ${requests} requests`),
  }
}

function unknown(reason: string): Pick<GateLine, 'found' | 'state' | 'reasons'> {
  return { found: null, state: 'unknown', reasons: [reason] }
}
