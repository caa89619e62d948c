import { setTimeout as wait } from 'node:timers/promises'
import { sourceIndexOf } from '../base/document-types.ts'
import { selectNames } from '../base/select.ts'
import { selectIndices } from '../base/select-indices.ts'
import { liveMetadata } from '../metadata/live-metadata.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { syncStatusKind, type SyncStatus } from '../sync/status.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'
import { syncProcess } from './sync.ts'

/**
 * The selected indices of the live source, and those that this migration made on the target whose source is gone: their
 * documents are on the target alone.
 */
export async function liveIndices(migration: Migration, state: StateStore): Promise<string[]> {
  const { config, signal } = migration
  const live = await liveMetadata(await migration.source(), signal)
  const streams = await live.readDataStreams()
  const withStreams = config.metadata.dataStreams !== 'refuse'
  const { names } = selectIndices({ ...live, streams }, selectionOf(config), { withStreams })
  const there = new Set(live.indices)
  const gone = new Set<string>()
  for await (const { value } of state.each(targetIndexKind)) {
    const index = sourceIndexOf(value.index)
    const [selected] = selectNames([value.dataStream ?? index], selectionOf(config))
    if (!there.has(index) && selected !== undefined) gone.add(index)
  }
  return [...names, ...gone].sort()
}

const lookEveryMs = 500
/** Statuses tell seconds, rounded. */
const roundingMs = 1000

/**
 * What waits until sync has brought to the target what the source was told before; see LookAgainInput.settled. Where no sync
 * runs nothing is waited for.
 */
export function syncSettled(
  migration: Migration,
  state: StateStore,
): (signal: AbortSignal) => Promise<string | undefined> {
  const { settledWithin } = migration.config.compare
  return async (signal) => {
    const since = Date.now()
    for (;;) {
      if (syncProcess(migration) === undefined) return undefined
      const status = (await state.get(syncStatusKind, 'status'))?.value
      if (status !== undefined && settledAt(status) > since) return undefined
      if (Date.now() - since > settledWithin) return behindText(status)
      await wait(lookEveryMs, undefined, { signal })
    }
  }
}

/** Epoch ms of the newest moment of which everything has come; -Infinity: not known. */
function settledAt({ at, mode, lag, audit }: SyncStatus): number {
  if (mode === 'none') {
    return audit === null || audit.asOf === null ? -Infinity : Date.parse(audit.asOf)
  }
  return Date.parse(at) - lag.seconds * 1000 - roundingMs
}

function behindText(status: SyncStatus | undefined): string {
  if (status === undefined) return 'sync has not told how far it is yet'
  return status.mode === 'none'
    ? 'the audit of sync did not come to an end meanwhile'
    : `sync is ${status.lag.seconds} s behind`
}
