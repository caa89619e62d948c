import { MigrationError } from '../base/errors.ts'
import { isAlive, readProxyRecord } from '../capture/proxy-record.ts'
import type { StateStore } from '../state/store.ts'
import { Doubts } from '../sync/doubts.ts'
import { rememberIncarnations } from '../sync/incarnations.ts'
import { startProofKind, type StartProof } from '../sync/records.ts'
import { SourceView } from '../sync/source-view.ts'
import type { CaptureLogReader } from '../traffic/capture-log.ts'
import { proxyName } from './capture.ts'
import { compareWrites, type CheckFinding } from './capture-check.ts'
import type { LoadedConfig } from './config.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'
import { mergedReader, syncLogs } from './sync-logs.ts'

export interface StartOrder {
  /** How long the counts of the source are compared with what comes into the log. */
  readonly watchMs: number
  /** Begin without the proof; noted in the state. */
  readonly force: boolean
  readonly onWatch: () => void
  readonly onFinding: (finding: CheckFinding) => void
}

/**
 * A snapshot from which a live migration begins is made only when the proxy is seen to record every write: what is written
 * between a snapshot and a proxy that comes later is in neither. Throws MA_STATE where that is not proven. Nothing is asked
 * where no proxy is configured and none runs.
 */
export async function proveCapture(migration: Migration, order: StartOrder): Promise<void> {
  const { loaded } = migration
  if (!isLive(loaded)) return
  const log = mergedReader(await syncLogs(loaded, () => {}))
  const state = await migration.state('write')
  let finding: CheckFinding
  if (order.force) {
    finding = { what: 'writes', isWell: false, text: 'it was not looked at (--force)' }
    await log.close()
  } else {
    order.onWatch()
    finding = (await compareWrites(migration, { compareMs: order.watchMs, log })).finding
    order.onFinding(finding)
    if (!finding.isWell) throw notProven(finding)
  }
  const value: StartProof = {
    at: new Date().toISOString(),
    finding: finding.text,
    forced: order.force,
  }
  await state.commit([{ op: 'put', kind: startProofKind, key: 'start', value }])
  await rememberSource(migration, state)
}

/** Whether the migration goes on live, by a proxy. */
function isLive(loaded: LoadedConfig): boolean {
  const { mode, proxies } = loaded.config.capture
  if (mode !== undefined) return mode === 'proxy'
  if (proxies !== undefined) return true
  const record = readProxyRecord(loaded.stateFolder, proxyName(loaded))
  return record !== undefined && isAlive(record.pid)
}

/** What is recorded from now on is of the incarnations that the indices have now: sync need not doubt it. */
async function rememberSource(migration: Migration, state: StateStore): Promise<void> {
  const { config, signal, loaded } = migration
  const log: CaptureLogReader = mergedReader(await syncLogs(loaded, () => {}))
  try {
    const ends = Object.fromEntries(
      (await log.streams()).map(({ end }) => [end.stream, end.offset]),
    )
    const since = new Date().toISOString()
    const view = await SourceView.open({
      source: await migration.source(),
      select: selectionOf(config),
      withStreams: config.metadata.dataStreams !== 'refuse',
      signal,
    })
    const doubts = await Doubts.load(state)
    await rememberIncarnations(state, { indices: view.indices(), doubts, ends, since })
  } finally {
    await log.close()
  }
}

function notProven({ text, isOpen }: CheckFinding): MigrationError {
  const next =
    isOpen === true
      ? 'Make the snapshot while clients write'
      : 'Point all clients to the proxy, and try `osmigrate capture check`'
  return new MigrationError(
    'MA_STATE',
    `the snapshot is not made: it is not proven that the proxy sees what is written: ${text}.\n` +
      `What is written past it between the snapshot and its repair would have to be found by the audit alone. ${next}, or say --force, which is noted.`,
  )
}
