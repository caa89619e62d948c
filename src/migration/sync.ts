import { allOf } from '../base/all-of.ts'
import { sourceIndexOf } from '../base/document-types.ts'
import type { LockHolder } from '../base/folder-lock.ts'
import { backfillIndexKind } from '../backfill/records.ts'
import { forbidAutoCreate } from '../metadata/fence.ts'
import type { StateStore } from '../state/store.ts'
import { currentWriter, writerMark } from '../state/writer-lock.ts'
import { syncRequestKind, type SyncRequestKey } from '../sync/records.ts'
import { runSync, type FollowingSync } from '../sync/run-sync.ts'
import { StatusServer } from '../sync/status-server.ts'
import { readSyncView, type SyncStatus, type SyncView } from '../sync/status.ts'
import { parseAddress } from './capture.ts'
import type { Migration } from './migration.ts'
import { openConfiguredSnapshot, selectionOf } from './open-snapshot.ts'
import { syncLogs } from './sync-logs.ts'

export interface SyncStart {
  readonly version: string
  readonly onWarning: (message: string) => void
  /** Once it follows; `address` where it tells of itself, undefined: nowhere. */
  readonly onRunning: (facts: {
    readonly status: () => SyncStatus
    /** Has it prove at once that all is there. */
    readonly prove: () => void
    readonly address: string | undefined
  }) => void
}

const recordedWithinMs = 1000
/** A snapshot that is not there yet is looked for at most so often. */
const lookApartMs = 30_000

/** Follows the source as migration.yaml describes it, until the migration's signal stops it. Errors: as runSync; MA_LOCKED. */
export async function runConfiguredSync(
  migration: Migration,
  { version, onWarning, onRunning }: SyncStart,
): Promise<SyncStatus> {
  const { config, signal, loaded } = migration
  const state = await migration.state('sync')
  const source = await migration.source()
  const target = await migration.target()
  const transform = await migration.transform()
  // Modules that cannot be used are found before anything is written.
  await transform?.open()
  const logs = await syncLogs(loaded, onWarning)
  await forbidAutoCreate(target, state)
  let server: StatusServer | undefined
  let latest: FollowingSync | undefined
  try {
    return await runSync({
      ...{ source, target, state, version, logs, signal },
      select: selectionOf(config),
      options: config.sync,
      metadata: config.metadata,
      allowPartialSource: config.snapshot.allowPartialSource,
      ...(transform && { transform }),
      lateMs: logs.length === 0 ? 0 : config.capture.logWaitMax + recordedWithinMs,
      bodyBytesMax: config.capture.bodyBytesMax,
      isFilled: filledIn(migration, state),
      otherWriter: () => writerMark(loaded.stateFolder, 'write'),
      onRunning: async (run) => {
        const isFirst = latest === undefined
        latest = run
        if (!isFirst) return
        const status = (): SyncStatus => latest!.status()
        server = await openServer(config.sync.listen, status)
        onRunning({ status, prove: () => latest!.prove(), address: server && addressOf(server) })
      },
    })
  } finally {
    await server?.close()
    await allOf(logs.map(({ reader }) => reader.close()))
  }
}

async function openServer(
  listen: string,
  status: () => SyncStatus,
): Promise<StatusServer | undefined> {
  return listen === 'off' ? undefined : StatusServer.open(parseAddress(listen), status)
}

function addressOf(server: StatusServer): string {
  const { address, family, port } = server.address
  const host = address === '::' || address === '0.0.0.0' ? 'localhost' : address
  return `http://${family === 'IPv6' && host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * Whether the backfill brings nothing more to an index: it has ended, or there is none of it to come. One that does a share
 * knows nothing of the other shares.
 */
function filledIn({ config }: Migration, state: StateStore): (index: string) => Promise<boolean> {
  let inSnapshot: Set<string> | undefined
  let lookedAt = -Infinity
  const mayCome = async (index: string): Promise<boolean> => {
    if (inSnapshot === undefined && performance.now() - lookedAt > lookApartMs) {
      lookedAt = performance.now()
      const snapshot = await openConfiguredSnapshot(config).catch(() => undefined)
      inSnapshot = snapshot && new Set(snapshot.indices)
    }
    return inSnapshot === undefined || inSnapshot.has(index)
  }
  return async (index) => {
    const parts = []
    for await (const { value } of state.each(backfillIndexKind, { prefix: index })) {
      if (sourceIndexOf(value.index) === index) parts.push(value)
    }
    if (parts.length > 0) {
      return parts.every((part) => part.state === 'done' && part.share === null)
    }
    // It is not planned yet, or not in the snapshot, or there is no snapshot yet.
    return config.snapshot.repository === undefined || !(await mayCome(index))
  }
}

/** The sync as any process sees it. */
export async function readConfiguredSync(migration: Migration): Promise<SyncView> {
  const state = await migration.state('read')
  return readSyncView(state, { isRunning: syncProcess(migration) !== undefined })
}

/** The process that follows the source now. */
export function syncProcess({ loaded }: Migration): LockHolder | undefined {
  return currentWriter(loaded.stateFolder, 'sync')
}

/** Asks the sync at work to prove at once that all is there, and to put nothing off for it. */
export async function askForProof(migration: Migration): Promise<void> {
  await request(migration, 'audit')
}

/** Asks the sync at work to stop; false when none is. */
export async function stopSync(migration: Migration): Promise<boolean> {
  if (syncProcess(migration) === undefined) return false
  await request(migration, 'stop')
  return true
}

async function request(migration: Migration, what: SyncRequestKey): Promise<void> {
  const state = await migration.state('note')
  const value = { at: new Date().toISOString(), pid: process.pid }
  await state.commit([{ op: 'put', kind: syncRequestKind, key: what, value }])
}
