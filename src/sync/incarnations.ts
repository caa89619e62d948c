import type { Json } from '../base/json.ts'
import {
  shardIncarnationKind,
  sourceIncarnationKind,
  type SourceIncarnation,
} from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import type { Doubts } from './doubts.ts'
import { ownHistory } from './read-shards.ts'
import type { SourceIndex } from './source-index.ts'

/** What of an incarnation the view tells. */
export function incarnationOf(
  { name, uuid, shards }: SourceIndex,
  before?: SourceIncarnation,
): SourceIncarnation {
  const known = before?.uuid === uuid ? before : undefined
  return {
    index: name,
    uuid,
    histories: shards.map(
      ({ historyUuid }, shard) => historyUuid ?? known?.histories[shard] ?? null,
    ),
    followed: known?.followed ?? null,
    life: known?.life ?? 0,
  }
}

/** Whether the numbers of `now` are of the row that those of `known` are of. */
export function isSameIncarnation(known: SourceIncarnation, now: SourceIncarnation): boolean {
  const { histories } = known
  return (
    known.uuid === now.uuid &&
    !now.histories.some((history, shard) => isOtherHistory(histories[shard] ?? null, history))
  )
}

/** What is not told says nothing; and a node that was started again does not tell of a restore before. */
export function isOtherHistory(known: string | null, now: string | null): boolean {
  return known !== null && now !== null && now !== ownHistory && known !== now
}

/** The histories of the snapshot that the documents were read from; undefined where none were. */
export async function snapshotIncarnation(
  state: StateStore,
  index: string,
): Promise<SourceIncarnation | undefined> {
  const histories: (string | null)[] = []
  let uuid: string | undefined
  for await (const { value } of state.each(shardIncarnationKind, { prefix: `${index}/` })) {
    histories[value.shard] = value.historyUuid
    uuid = value.sourceUuid
  }
  if (uuid === undefined) return undefined
  return {
    index,
    uuid,
    histories: Array.from(histories, (one) => one ?? null),
    followed: null,
    life: 0,
  }
}

/**
 * Notes the incarnations of all indices before the snapshot of a live migration is made: what is recorded from `ends` on is
 * of these, until the view shows others.
 */
export async function rememberIncarnations(
  state: StateStore,
  {
    indices,
    doubts,
    ends,
    since,
  }: {
    readonly indices: Iterable<SourceIndex>
    readonly doubts: Doubts
    readonly ends: Json
    readonly since: string
  },
): Promise<void> {
  const all = [...indices]
  await doubts.add(all.map(({ name }) => ({ index: name, since, ends })))
  const known = await Promise.all(
    all.map(async ({ name }) => (await state.get(sourceIncarnationKind, name))?.value),
  )
  await state.commit(
    all.map((index, i) => {
      const value = incarnationOf(index, known[i])
      return { op: 'put', kind: sourceIncarnationKind, key: index.name, value }
    }),
  )
}
