import type { MetadataVerdict } from '../../state/metadata-verdict.ts'
import type { Verdict } from '../../state/records.ts'
import type { PerformanceVerdict } from '../performance/record.ts'
import type { SearchVerdict } from '../searches/search-verdict.ts'
import { areasOf, notLookedAt, type Area } from './areas.ts'
import { newestMetadata, type CompareRecords, type ReplayedTraffic } from './compare-records.ts'
import type { CompareGateOptions } from './gate-options.ts'
import { evaluateGates, type GateVerdict } from './gates.ts'
import { timelineOf, type TimelineEvent } from './timeline.ts'

/** All that report.json holds; the page and the text are made from it. */
export interface CompareReport {
  readonly format: 1
  readonly migration: string
  readonly madeAt: string
  /** URLs as configured; null: none is. */
  readonly source: string | null
  readonly target: string | null
  readonly gate: GateVerdict
  readonly areas: readonly Area[]
  readonly timeline: readonly TimelineEvent[]
  /** Those that differ first. */
  readonly documents: readonly Verdict[]
  /** Selected indices whose documents were not compared. */
  readonly notCompared: readonly string[]
  readonly metadata: MetadataVerdict | null
  readonly searches: SearchVerdict | null
  readonly speed: PerformanceVerdict | null
  readonly traffic: ReplayedTraffic | null
}

export interface AboutReport {
  readonly migration: string
  readonly source: string | undefined
  readonly target: string | undefined
  readonly gates: CompareGateOptions
  readonly now: Date
}

/** Puts together what is known of all comparisons of a migration. */
export function buildReport(records: CompareRecords, about: AboutReport): CompareReport {
  const { migration, source, target, gates, now } = about
  const { indices, documents, searches, speed, shadow } = records
  return {
    format: 1,
    migration,
    madeAt: now.toISOString(),
    source: source ?? null,
    target: target ?? null,
    gate: evaluateGates(records, gates, now),
    areas: areasOf(records, { now, freshForMs: gates.freshFor }),
    timeline: timelineOf(records),
    documents: [...documents].sort((a, b) => rank[a.verdict] - rank[b.verdict]),
    notCompared: notLookedAt(indices, documents),
    metadata: newestMetadata(records) ?? null,
    searches: searches.at(-1) ?? null,
    speed: speed.at(-1) ?? null,
    traffic: shadow ?? null,
  }
}

const rank = { different: 0, unknown: 1, equal: 2 } as const
