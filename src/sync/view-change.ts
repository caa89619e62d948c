import { isDeepStrictEqual } from 'node:util'
import { isOtherHistory } from './incarnations.ts'
import type { IndexDetails, ListedIndex } from './read-source.ts'
import type { SourceIndex } from './source-index.ts'

/** What became of an index since the view was read before. */
export type IndexChange =
  | 'added'
  | 'removed'
  /** Deleted and made anew: it has another UUID. */
  | 'made-anew'
  /** Restored over a closed index, or a stale copy was made the primary: numbers begin anew under the same UUID. */
  | 'other-history'
  /** All its primaries are started by now, and tell their histories. */
  | 'started'
  | 'opened'
  | 'closed'
  | 'mapping'
  | 'settings'
  | 'aliases'
  /** It is behind another data stream than before, or the stream has been rolled over. */
  | 'stream'
  | 'primary-term'

export type ViewChange = ReadonlyMap<string, ReadonlySet<IndexChange>>

/** One index: what the view tells of it, and by what it knows that it has changed. */
export interface ViewEntry {
  readonly index: SourceIndex
  readonly listed: ListedIndex
  readonly details: IndexDetails
  /** Of the stream that it is behind, the newest index. */
  readonly newest: string | undefined
  /** The last histories that were told; kept while a shard is not started. */
  readonly histories: readonly (string | null)[]
  /** False while a primary is not started, so that nobody knows its history. */
  readonly isSettled: boolean
}

/** What has changed from one look at the source to the next. */
export function changesBetween(
  before: ReadonlyMap<string, ViewEntry>,
  after: ReadonlyMap<string, ViewEntry>,
): ViewChange {
  const changes = new Map<string, ReadonlySet<IndexChange>>()
  for (const [name, entry] of after) {
    const old = before.get(name)
    const found = old === undefined ? (['added'] as const) : changesOfEntry(old, entry)
    if (found.length > 0) changes.set(name, new Set(found))
  }
  for (const name of before.keys()) if (!after.has(name)) changes.set(name, new Set(['removed']))
  return changes
}

function changesOfEntry(
  old: ViewEntry,
  { index, listed, details, ...now }: ViewEntry,
): IndexChange[] {
  if (old.listed.uuid !== listed.uuid) return ['made-anew']
  const isOther = now.histories.some((history, shard) => {
    return isOtherHistory(old.histories[shard] ?? null, history)
  })
  const changes: [IndexChange, boolean][] = [
    ['other-history', isOther],
    ['started', now.isSettled && !old.isSettled],
    ['opened', index.isOpen && !old.index.isOpen],
    ['closed', !index.isOpen && old.index.isOpen],
    ['mapping', details.mapping !== old.details.mapping],
    ['settings', details.settings !== old.details.settings],
    ['aliases', details.aliasHash !== old.details.aliasHash],
    ['stream', old.index.dataStream !== index.dataStream || old.newest !== now.newest],
    ['primary-term', !isDeepStrictEqual(old.listed.primaryTerms, listed.primaryTerms)],
  ]
  return changes.flatMap(([change, is]) => (is ? [change] : []))
}
