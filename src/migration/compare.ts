import { compareDocuments, type CompareProgress } from '../compare/compare-documents.ts'
import type { TargetIndex, Verdict } from '../state/records.ts'
import { targetPartsOf } from '../state/target-parts.ts'
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
  const indices: string[] = []
  for (const index of await selectedIndices(config, snapshot)) {
    const parts = await targetPartsOf(state, index)
    for (const part of parts) targets.set(part.index, part)
    indices.push(...(parts.length === 0 ? [index] : parts.map((part) => part.index)))
  }
  const transform = await migration.transform()
  return compareDocuments({
    ...(transform && { transform }),
    snapshot,
    target,
    state,
    indices,
    targetIndexOf: (index) => targets.get(index),
    options: config.compare,
    signal,
    onProgress,
  })
}
