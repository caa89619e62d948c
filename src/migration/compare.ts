import { compareDocuments, type CompareProgress } from '../compare/compare-documents.ts'
import { targetIndexKind, type TargetIndex, type Verdict } from '../state/records.ts'
import type { Migration } from './migration.ts'
import { selectedIndices } from './open-snapshot.ts'

/** Compares every document of the selected indices of the snapshot with the target; verdicts are kept in the state. */
export async function compareConfigured(
  migration: Migration,
  onProgress: (progress: CompareProgress) => void,
): Promise<Verdict[]> {
  const { config, signal } = migration
  const snapshot = await migration.snapshot()
  const target = await migration.target()
  const state = await migration.state('write')
  const targets = new Map<string, TargetIndex>()
  for await (const { key, value } of state.each(targetIndexKind)) targets.set(key, value)
  const transform = await migration.transform()
  return compareDocuments({
    ...(transform && { transform }),
    snapshot,
    target,
    state,
    indices: await selectedIndices(config, snapshot),
    targetIndexOf: (index) => targets.get(index),
    options: config.compare,
    signal,
    onProgress,
  })
}
