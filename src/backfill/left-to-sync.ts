import { MigrationError } from '../base/errors.ts'
import { sourceIndexOf } from '../base/document-types.ts'
import { stoppedError, systemClock, type Clock } from '../cluster/backoff.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import {
  isFollowed,
  removedIndexKind,
  sourceIncarnationKind,
  syncRunKind,
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

/** Longer than sync takes to delete a few indices on a target that is busy. */
const betweenMaxMs = 60_000
const lookMs = 500

/**
 * Looks again while a target index is not as it was made and sync runs: it may be about to make it anew, or to delete it,
 * and notes that in the state before and after. Gives what `look` gives; throws what it throws when that stands.
 */
export async function notBetween<T>(
  state: StateStore,
  { signal, clock = systemClock }: { readonly signal: AbortSignal; readonly clock?: Clock },
  look: () => Promise<T>,
): Promise<T> {
  const until = clock.now() + betweenMaxMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      const mayBeBetween = error instanceof MigrationError && error.code === 'MA_TARGET_INDEX'
      if (!mayBeBetween || clock.now() > until || !(await isAtWork(state))) throw error
    }
    await clock.sleep(lookMs, signal).catch(() => {
      throw stoppedError('waiting for sync to make an index anew', signal)
    })
  }
}

/** As whyLeftToSync(), of an index that cannot be written to any more because of `error`. */
export async function whyLeftBehind(
  { state, signal }: { readonly state: StateStore; readonly signal: AbortSignal },
  index: Pick<TargetIndex, 'index' | 'sourceUuid'>,
  error: MigrationError,
): Promise<string | undefined> {
  const look = async (): Promise<string> => {
    const why = await whyLeftToSync(state, index)
    if (why === undefined) throw error
    return why
  }
  return notBetween(state, { signal }, look).catch((found: unknown) => {
    if (found === error || signal.aborted) return undefined
    throw found
  })
}

async function isAtWork(state: StateStore): Promise<boolean> {
  return (await state.get(syncRunKind, 'run'))?.value.state === 'running'
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
