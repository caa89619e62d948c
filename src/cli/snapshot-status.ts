import { withMigration } from '../migration/migration.ts'
import { readSnapshotView, type SnapshotView } from '../migration/snapshot.ts'
import { isRunning } from '../take/snapshot-status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatBytes,
  formatDuration,
  formatTime,
  printable,
  printJson,
  printLine,
  printTable,
} from './output.ts'
import { speedOf } from './snapshot-create.ts'

export async function showSnapshotStatus(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const view = await withMigration(loaded, invocation.signal, readSnapshotView)
  const status = statusOf(view, Date.now())
  if (invocation.json) printJson(status)
  else printStatus(status)
  if (status.state === 'SUCCESS') return exitCodes.done
  return status.running ? exitCodes.unfinished : exitCodes.failed
}

/** What `--json` prints. */
type Status = ReturnType<typeof statusOf>

function statusOf({ snapshot, progress, repository }: SnapshotView, now: number) {
  const { name, uuid, state, startTimeMs, endTimeMs, failures, reason } = snapshot
  const running = isRunning(state)
  const bytesDone = progress?.bytesDone ?? 0
  const bytesTotal = progress?.bytesTotal ?? 0
  const elapsedMs = (endTimeMs ?? now) - startTimeMs
  const { bytesPerSecond, etaMs } = speedOf(
    { bytesDone, bytesTotal },
    { bytes: bytesDone, elapsedMs },
  )
  const shardsTotal = progress?.shardsTotal ?? snapshot.shards
  const shardsFailed = Math.max(progress?.shardsFailed ?? 0, failures.length)
  const shardsDone = progress?.shardsDone ?? shardsTotal
  return {
    name,
    repository,
    uuid,
    state,
    running,
    startTime: new Date(startTimeMs).toISOString(),
    endTime: endTimeMs === undefined ? null : new Date(endTimeMs).toISOString(),
    percent: percentOf({ bytesDone, bytesTotal, shardsDone, shardsTotal, running }),
    bytesDone,
    bytesTotal,
    bytesPerSecond,
    etaMs: running ? (etaMs ?? null) : null,
    shards: {
      total: shardsTotal,
      ok: Math.max(0, shardsDone - shardsFailed),
      failed: shardsFailed,
    },
    failures,
    reason: reason ?? null,
    indices: progress?.indices ?? [],
  }
}

function percentOf(done: {
  bytesDone: number
  bytesTotal: number
  shardsDone: number
  shardsTotal: number
  running: boolean
}): number {
  if (!done.running) return 100
  const { bytesDone, bytesTotal, shardsDone, shardsTotal } = done
  if (bytesTotal > 0) return Math.floor((bytesDone / bytesTotal) * 100)
  return shardsTotal > 0 ? Math.floor((shardsDone / shardsTotal) * 100) : 0
}

const failuresShown = 20

function printStatus(status: Status): void {
  const { name, repository, state, shards, failures, reason, startTime, endTime, etaMs } = status
  printLine(`snapshot    ${printable(name)}  ${state}`)
  printLine(`repository  ${printable(repository)}, as the source knows it`)
  const end = endTime === null ? '' : ` to ${formatTime(Date.parse(endTime))}`
  printLine(`taken       ${formatTime(Date.parse(startTime))}${end}`)
  const eta = etaMs === null ? '' : `, ETA ${formatDuration(etaMs)}`
  printLine(
    `copied      ${status.percent} %, ${formatBytes(status.bytesDone)} of ${formatBytes(status.bytesTotal)}, ${formatBytes(status.bytesPerSecond)}/s${eta}`,
  )
  printLine(`shards      ${shards.total}: ${shards.ok} ok, ${shards.failed} failed`)
  if (status.indices.length > 0) {
    printLine()
    printTable(
      ['index', 'shards', 'done', 'failed', 'copied', 'to copy'],
      status.indices.map((one) => [
        one.index,
        one.shardsTotal,
        one.shardsDone,
        one.shardsFailed,
        formatBytes(one.bytesDone),
        formatBytes(one.bytesTotal),
      ]),
    )
  }
  if (reason !== null) printLine(`failed: ${printable(reason)}`)
  for (const one of failures.slice(0, failuresShown)) {
    printLine(`not in the snapshot: shard ${printable(`${one.index}/${one.shard}: ${one.reason}`)}`)
  }
  if (failures.length > failuresShown) {
    printLine(`and ${failures.length - failuresShown} more (--json)`)
  }
}
