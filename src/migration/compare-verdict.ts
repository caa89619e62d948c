import type { Stale } from '../compare/freshness.ts'
import { metadataVerdictKind, type MetadataVerdict } from '../state/metadata-verdict.ts'
import { verdictKind, type Verdict } from '../state/records.ts'
import { partsOf, sourceKind, sourceOf, staleNow } from './compare.ts'
import { liveIndices } from './compare-live.ts'
import type { Migration } from './migration.ts'
import { selectedIndices } from './open-snapshot.ts'

/** What the last comparisons say of everything that is selected. */
export interface OverallVerdict {
  /** equal: every index was compared, is equal and fresh, and so is the metadata, but for what the plan has announced. */
  readonly verdict: 'equal' | 'different' | 'unknown' | 'stale'
  readonly indices: readonly JudgedIndex[]
  /** null: it was not compared. */
  readonly metadata: (MetadataVerdict & { readonly stale: Stale | null }) | null
  /** Why it is not equal, for people; empty where it is. */
  readonly reasons: readonly string[]
}

export interface JudgedIndex {
  readonly index: string
  /** null: it was not compared. */
  readonly verdict: Verdict | null
  /** age: older than compare.freshFor. writes: either side was written to since. */
  readonly stale: Stale | null
}

/** Reads the verdicts that are in the state and asks both sides whether they were written to since. */
export async function overallVerdict(migration: Migration): Promise<OverallVerdict> {
  const { config, signal } = migration
  const state = await migration.state('read')
  const from = await sourceKind(migration, state)
  const names =
    from === 'live'
      ? await liveIndices(migration, state)
      : await selectedIndices(config, await migration.snapshot())
  const { indices, targets } = await partsOf(state, names)
  const input = {
    source: await sourceOf(migration, state, from),
    target: await migration.target(),
    targetIndexOf: (index: string) => targets.get(index),
    signal,
  }
  const judged: JudgedIndex[] = []
  for (const index of indices) {
    const verdict = (await state.get(verdictKind, index))?.value ?? null
    const stale = verdict && ((await staleNow(migration, input, verdict)) ?? null)
    judged.push({ index, verdict, stale })
  }
  const found = (await state.list(metadataVerdictKind)).at(-1)?.value
  const isOld = found && Date.now() - Date.parse(found.endedAt) > config.compare.freshFor
  const metadata = found === undefined ? null : { ...found, stale: isOld ? ('age' as const) : null }
  const reasons = [...judged.flatMap(reasonOf), ...metadataReason(metadata)]
  return { verdict: wholeOf(judged, metadata, reasons), indices: judged, metadata, reasons }
}

const staleTexts: Record<Stale, string> = {
  age: 'its verdict is older than compare.freshFor',
  writes: 'it was written to since it was compared',
}

function reasonOf({ index, verdict, stale }: JudgedIndex): string[] {
  if (verdict === null) return [`${index}: not compared`]
  if (verdict.verdict !== 'equal') return [`${index}: ${verdict.verdict}`]
  return stale === null ? [] : [`${index}: ${staleTexts[stale]}`]
}

function metadataReason(metadata: OverallVerdict['metadata']): string[] {
  if (metadata === null) return ['metadata: not compared (osmigrate compare metadata)']
  if (metadata.verdict === 'different') return ['metadata: different (osmigrate compare metadata)']
  return metadata.stale === null ? [] : [`metadata: ${staleTexts[metadata.stale]}`]
}

function wholeOf(
  indices: readonly JudgedIndex[],
  metadata: OverallVerdict['metadata'],
  reasons: readonly string[],
): OverallVerdict['verdict'] {
  if (reasons.length === 0) return 'equal'
  const all = [...indices.map(({ verdict }) => verdict?.verdict), metadata?.verdict]
  if (all.includes('different')) return 'different'
  return all.includes('unknown') || all.includes(undefined) ? 'unknown' : 'stale'
}
