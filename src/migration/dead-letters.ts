import {
  discardDeadLetters,
  groupDeadLetters,
  retryDeadLetters,
  type DeadLetterFilter,
} from '../backfill/dead-letters.ts'
import { sourceIndexOf } from '../base/document-types.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import { selectNames } from '../base/select.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'

/** Which dead letters, besides the selection of indices that is configured. */
export type LetterChoice = Omit<DeadLetterFilter, 'index'>

/** One filter for each selected index that has such dead letters. */
export async function filtersOf(
  migration: Migration,
  state: StateStore,
  choice: LetterChoice,
): Promise<DeadLetterFilter[]> {
  const groups = await groupDeadLetters(state, choice)
  const indices = [...new Set(groups.map(({ index }) => index))].sort()
  // An index behind a data stream is selected by the stream's name.
  const selectable = await Promise.all(
    indices.map(
      async (index) =>
        (await state.get(targetIndexKind, index))?.value.dataStream ?? sourceIndexOf(index),
    ),
  )
  const selected = new Set(selectNames(selectable, selectionOf(migration.config)))
  return indices
    .filter((index, i) => selected.has(selectable[i]!) || selected.has(index))
    .map((index) => ({ ...choice, index }))
}

/** Sends the chosen dead letters again; counts what was written and what was refused again. */
export async function retryChosen(
  migration: Migration,
  choice: LetterChoice,
  onWait: (wait: BulkWait) => void,
): Promise<{ written: number; refused: number }> {
  const state = await migration.state('write')
  const total = { written: 0, refused: 0 }
  const filters = await filtersOf(migration, state, choice)
  if (filters.length === 0) return total
  const snapshot = await migration.snapshot()
  const target = await migration.target()
  const transform = await migration.transform()
  for (const filter of filters) {
    const { signal, config } = migration
    const waitMaxMs = config.backfill.bulkWaitMax
    const sending = { state, snapshot, target, waitMaxMs, onWait, signal }
    const input = { ...sending, filter, ...(transform && { transform }) }
    const done = await retryDeadLetters(input)
    total.written += done.written
    total.refused += done.refused
  }
  return total
}

/** Marks the chosen dead letters as left behind on purpose. */
export async function discardChosen(migration: Migration, choice: LetterChoice): Promise<number> {
  const state = await migration.state('write')
  let count = 0
  for (const filter of await filtersOf(migration, state, choice)) {
    count += await discardDeadLetters(state, filter)
  }
  return count
}
