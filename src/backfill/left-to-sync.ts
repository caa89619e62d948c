import { sourceIndexOf } from '../base/document-types.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import {
  isFollowed,
  removedIndexKind,
  sourceIncarnationKind,
  type TargetIndex,
} from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { backfillIndexKind, type BackfillIndex } from './records.ts'

/**
 * Takes the indices out that have become others on the source since the snapshot: sync has deleted the target's, or made it
 * anew and fills it. They are noted as done, with the reason, so that nobody waits for them. Gives the others.
 */
export async function withoutLeftToSync(
  state: StateStore,
  snapshot: Snapshot,
  indices: readonly string[],
): Promise<string[]> {
  if (!(await isFollowed(state))) return [...indices]
  const kept: string[] = []
  for (const index of indices) {
    const { uuid } = await snapshot.readIndexMetadata(index)
    const why = await whyLeftToSync(state, { index, sourceUuid: uuid })
    if (why === undefined) kept.push(index)
    else await noteLeft(state, snapshot, { index, sourceUuid: uuid, why })
  }
  return kept
}

/** Why an index, or a part of one, that was in the snapshot is now sync's alone; undefined: it is not. */
export async function whyLeftToSync(
  state: StateStore,
  { index, sourceUuid }: Pick<TargetIndex, 'index' | 'sourceUuid'>,
): Promise<string | undefined> {
  const name = sourceIndexOf(index)
  const seen = (await state.get(sourceIncarnationKind, name))?.value
  if (seen !== undefined && seen.uuid !== sourceUuid) return 'was deleted and made anew'
  if (seen !== undefined && seen.life > 0) return 'was restored, or lost writes'
  for await (const { value } of state.each(removedIndexKind)) {
    if (value.sourceUuid === sourceUuid && seen === undefined) return 'was deleted'
  }
  return undefined
}

async function noteLeft(
  state: StateStore,
  { name, uuid }: Snapshot,
  { index, sourceUuid, why }: { index: string; sourceUuid: string; why: string },
): Promise<void> {
  const parts = await targetPartsOf(state, index)
  const known = parts.length > 0 ? parts : [{ index, targetUuid: 'none' }]
  const records = known.map((part): BackfillIndex => ({
    ...{ index: part.index, snapshot: name, snapshotUuid: uuid, sourceUuid },
    ...{ targetUuid: part.targetUuid, share: null, versionFrom: 'seqNo' },
    ...{ state: 'done', error: null, notes: [leftNote(why)] },
  }))
  await state.commit(
    records.map((value) => ({ op: 'put', kind: backfillIndexKind, key: value.index, value })),
  )
}

/** What people are told of it. */
export function leftNote(why: string): string {
  return `it ${why} on the source since the snapshot: sync brings it to the target, not the backfill`
}
