import type { MetadataVerdict } from '../../state/metadata-verdict.ts'
import type { Verdict } from '../../state/records.ts'
import type { PerformanceVerdict } from '../performance/record.ts'
import type { SearchVerdict } from '../searches/search-verdict.ts'

/** Of a replay of captured traffic, what a report tells. */
export interface ReplayedTraffic {
  readonly state: string
  readonly startedAt: string
  readonly endedAt: string | null
  readonly method: string
  readonly cannotSee: readonly string[]
  readonly totals: {
    readonly sent: number
    readonly compared: number
    readonly different: number
    readonly statusDiffers: number
    readonly errors: number
    readonly sourceErrors: number
  }
  readonly latency: { readonly source: ReplayedLatency; readonly target: ReplayedLatency }
}

interface ReplayedLatency {
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
}

/** All that the state of a migration knows of comparisons; of those with several runs the newest last. */
export interface CompareRecords {
  /** Selected indices, by the name that their verdict has (`index#type` for a part). */
  readonly indices: readonly string[]
  /** Of those indices. */
  readonly documents: readonly Verdict[]
  /** Those of which it is known that their verdict no longer counts (they were written to since, say), and why. */
  readonly outdated?: ReadonlyMap<string, string>
  readonly metadata: readonly MetadataVerdict[]
  /** What is selected now, as metadata verdicts name it. */
  readonly selected: MetadataVerdict['selected']
  readonly searches: readonly SearchVerdict[]
  readonly speed: readonly PerformanceVerdict[]
  readonly shadow: ReplayedTraffic | undefined
}

/** The newest comparison of the metadata that looked at all that is selected. */
export function newestMetadata({
  metadata,
  selected,
}: CompareRecords): MetadataVerdict | undefined {
  const wanted = JSON.stringify(selected)
  return metadata.findLast((one) => JSON.stringify(one.selected) === wanted)
}
