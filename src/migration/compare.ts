import { eachAtOnce } from '../base/each-at-once.ts'
import {
  compareDocuments,
  type CompareInput,
  type CompareProgress,
  type CompareSource,
} from '../compare/compare-documents.ts'
import { isFollowed, type TargetIndex, type Verdict } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { liveIndices, syncSettled } from './compare-live.ts'
import { eachLetter } from './dead-letters.ts'
import type { Migration } from './migration.ts'
import { selectedIndices } from './open-snapshot.ts'
import { backfillIndexKind } from '../backfill/records.ts'

export interface CompareDocumentsRun {
  /** Ids and versions alone. */
  readonly quick?: boolean
  readonly onProgress: (progress: CompareProgress) => void
}

/** Compares every document of the selected indices of the source with the target; verdicts are kept in the state. */
export async function compareConfigured(
  migration: Migration,
  { quick = false, onProgress }: CompareDocumentsRun,
): Promise<Verdict[]> {
  const { config, signal } = migration
  const target = await migration.target()
  const state = await migration.state('write')
  const from = await sourceKind(migration, state)
  const names =
    from === 'live'
      ? await liveIndices(migration, state)
      : await selectedIndices(config, await migration.snapshot())
  const { indices, targets } = await partsOf(state, names)
  const transform = await migration.transform()
  return compareDocuments({
    ...(transform && { transform }),
    source: await sourceOf(migration, state, from),
    ...{ target, state, indices, quick, signal, onProgress },
    targetIndexOf: (index) => targets.get(index),
    lettersOf: (index) => lettersOf(state, index),
    ...(from === 'live' && { settled: syncSettled(migration, state) }),
    options: config.compare,
  })
}

/** By compare.source. */
export async function sourceKind(
  { config }: Migration,
  state: StateStore,
): Promise<'live' | 'snapshot'> {
  const { source } = config.compare
  if (source !== 'auto') return source
  if (config.snapshot.repository === undefined) return 'live'
  return (await isFollowed(state)) ? 'live' : 'snapshot'
}

async function sourceOf(
  migration: Migration,
  state: StateStore,
  from: 'live' | 'snapshot',
): Promise<CompareSource> {
  if (from === 'live') return { cluster: await migration.source() }
  const [planned] = await state.list(backfillIndexKind, { limit: 1 })
  return {
    snapshot: await migration.snapshot(),
    numbered: planned?.value.versionFrom !== 'version',
  }
}

/** The target indices of each, by their own names where there are several. */
async function partsOf(
  state: StateStore,
  names: readonly string[],
): Promise<{ indices: string[]; targets: Map<string, TargetIndex> }> {
  const targets = new Map<string, TargetIndex>()
  const parts = await eachAtOnce(names, 1, async (index) => {
    const found = await targetPartsOf(state, index)
    for (const part of found) targets.set(part.index, part)
    return found.length === 0 ? [index] : found.map((part) => part.index)
  })
  return { indices: parts.flat(), targets }
}

async function* lettersOf(
  state: StateStore,
  index: string,
): ReturnType<NonNullable<CompareInput['lettersOf']>> {
  for await (const letter of eachLetter(state, { index, state: 'all' })) {
    if (letter.state !== 'retried') yield { id: letter.id, state: letter.state }
  }
}
