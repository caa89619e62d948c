import { closeMigration, type CloseResult } from '../metadata/close.ts'
import { withheldTemplateKind } from '../metadata/records.ts'
import { openEntries } from '../state/ledger.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import type { Migration } from './migration.ts'

export interface Closed extends CloseResult {
  /** Settings of the source's indices and templates that the target does not have, since nobody asked for them. */
  readonly stillWithheld: number
}

/** Ends the migration on the clusters. Connects to the source only where the ledger names something there. */
export async function closeConfigured(
  migration: Migration,
  { setWithheld }: { setWithheld: boolean },
): Promise<Closed> {
  const { signal } = migration
  // Opened for writing, a state that is not there would be made.
  const state = await migration.state(migration.hasState ? 'write' : 'read')
  const onSource = (await openEntries(state)).some(({ value }) => value.side === 'source')
  const source = onSource ? await migration.source() : undefined
  const target = await migration.target()
  const result = await closeMigration({
    target,
    state,
    setWithheld,
    signal,
    ...(source && { source }),
  })
  return { ...result, stillWithheld: setWithheld ? 0 : await withheldCount(state) }
}

async function withheldCount(state: StateStore): Promise<number> {
  let count = 0
  for await (const { value } of state.each(targetIndexKind)) {
    count += Object.keys(value.withheld).length
  }
  for await (const { value } of state.each(withheldTemplateKind)) {
    count += Object.keys(value.settings).length
  }
  return count
}
