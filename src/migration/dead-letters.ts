import {
  discardDeadLetters,
  eachDeadLetter,
  groupByCause,
  isChosen,
  retryDeadLetters,
  showDeadLetter,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type NamedDeadLetter,
} from '../backfill/dead-letters.ts'
import { sourceIndexOf } from '../base/document-types.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { selectNames } from '../base/select.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { syncDeadLetterKind, type SyncDeadLetter } from '../sync/records.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'

/** Which dead letters, besides the selection of indices that is configured. */
export type LetterChoice = Omit<DeadLetterFilter, 'index'>

/** A change that the target refused, and what the commands call it. */
export type NamedSyncLetter = Omit<SyncDeadLetter, 'state'> & {
  key: string
  state: 'open' | 'discarded'
  /** Sync is to read it from the source and send it again. */
  again: boolean
}

/** Of the backfill, or of sync. */
export type AnyLetter = NamedDeadLetter | NamedSyncLetter

/** Dead letters of the backfill and of sync. */
export async function* eachLetter(
  state: StateStore,
  filter: DeadLetterFilter = {},
): AsyncIterable<AnyLetter> {
  yield* eachDeadLetter(state, filter)
  yield* eachSyncLetter(state, filter)
}

async function* eachSyncLetter(
  state: StateStore,
  filter: DeadLetterFilter,
): AsyncIterable<NamedSyncLetter> {
  const options = filter.index === undefined ? {} : { prefix: `${filter.index}/` }
  for await (const { key, value } of state.each(syncDeadLetterKind, options)) {
    const letter = named(key, value)
    if (isChosen(letter, filter)) yield letter
  }
}

function named(key: string, value: SyncDeadLetter): NamedSyncLetter {
  const again = value.state === 'again'
  return { key, ...value, state: again ? 'open' : (value.state as 'open' | 'discarded'), again }
}

export function groupLetters(
  state: StateStore,
  filter: DeadLetterFilter = {},
): Promise<DeadLetterGroup<AnyLetter>[]> {
  return groupByCause(eachLetter(state, filter))
}

/** One filter for each selected index that has such dead letters. */
export async function filtersOf(
  migration: Migration,
  state: StateStore,
  choice: LetterChoice,
): Promise<DeadLetterFilter[]> {
  const groups = await groupLetters(state, choice)
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

/** One dead letter with its document: as the snapshot holds it, or the source now. `source` undefined: it is not there. */
export async function showLetter(
  migration: Migration,
  key: string,
): Promise<{
  letter: AnyLetter
  document: JsonObject | undefined
  sourceText: string | undefined
}> {
  const state = await migration.state('read')
  const record = await state.get(syncDeadLetterKind, key)
  if (record !== undefined) {
    const letter = named(key, record.value)
    const document = await readFromSource(await migration.source(), letter)
    const text = document?._source === undefined ? undefined : JSON.stringify(document._source)
    return { letter, document, sourceText: text }
  }
  const { letter, document } = await showDeadLetter(
    { state, snapshot: await migration.snapshot() },
    key,
  )
  const text = document?.source && Buffer.from(document.source).toString('utf8')
  return { letter, document: document && { ...document, source: text ?? null }, sourceText: text }
}

/** By a search, which every version answers for every type; what was written a moment ago may not be in it. */
async function readFromSource(
  source: Cluster,
  { index, id, routing }: NamedSyncLetter,
): Promise<JsonObject | undefined> {
  const { body } = await source.request('POST', `/${encodeURIComponent(index)}/_search`, {
    body: { query: { ids: { values: [id] } } },
    accept: [404],
    ...(routing !== null && { query: { routing } }),
  })
  const hits = isJsonObject(body.hits) && Array.isArray(body.hits.hits) ? body.hits.hits : []
  return hits.find(isJsonObject)
}

export interface RetriedLetters {
  readonly written: number
  readonly refused: number
  /** Of sync: read from the source and sent again by the sync that runs, or when it is started. Absent: none. */
  readonly asked?: number
}

/** Sends the chosen dead letters again; counts what was written and what was refused again. */
export async function retryChosen(
  migration: Migration,
  choice: LetterChoice,
  onWait: (wait: BulkWait) => void,
): Promise<RetriedLetters> {
  const state = await migration.state('write')
  const filters = await filtersOf(migration, state, choice)
  const asked = await markSyncLetters(state, filters, 'again')
  const total = { written: 0, refused: 0, ...(asked > 0 && { asked }) }
  const own = await filtersWithOwn(state, filters)
  if (own.length === 0) return total
  const snapshot = await migration.snapshot()
  const target = await migration.target()
  const transform = await migration.transform()
  for (const filter of own) {
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

/** Those that mean dead letters of the backfill, too. */
async function filtersWithOwn(
  state: StateStore,
  filters: readonly DeadLetterFilter[],
): Promise<DeadLetterFilter[]> {
  const own: DeadLetterFilter[] = []
  for (const filter of filters) {
    for await (const letter of eachDeadLetter(state, filter)) {
      if (letter !== undefined) own.push(filter)
      break
    }
  }
  return own
}

/** Marks the chosen dead letters as left behind on purpose. */
export async function discardChosen(migration: Migration, choice: LetterChoice): Promise<number> {
  const state = await migration.state('write')
  const filters = await filtersOf(migration, state, choice)
  let count = await markSyncLetters(state, filters, 'discarded')
  for (const filter of filters) count += await discardDeadLetters(state, filter)
  return count
}

/** Sync may end a letter at the same time: then there is nothing to mark. */
async function markSyncLetters(
  state: StateStore,
  filters: readonly DeadLetterFilter[],
  mark: SyncDeadLetter['state'],
): Promise<number> {
  let count = 0
  for (const filter of filters) {
    for await (const { key } of eachSyncLetter(state, filter)) {
      const record = await state.get(syncDeadLetterKind, key)
      if (record === undefined) continue
      const { revision } = record
      const value: SyncDeadLetter = { ...record.value, state: mark }
      await state.commit([{ op: 'put', kind: syncDeadLetterKind, key, value, revision }])
      count++
    }
  }
  return count
}
