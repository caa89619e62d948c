import type { IndexProgress } from '../backfill/progress.ts'
import type { BackfillStatus } from '../backfill/status.ts'
import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { readBackfillStatus, stopBackfill, writerOf } from '../migration/backfill.ts'
import { withMigration } from '../migration/migration.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatTime,
  printJson,
  printLine,
  printTable,
  printable,
} from './output.ts'

export async function showBackfillStatus(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const status = await withMigration(loaded, invocation.signal, readBackfillStatus)
  if (invocation.json) printJson(status)
  else printStatus(status)
  return statusCode(status)
}

function statusCode({ state, deadLetters, totals, indices }: BackfillStatus): ExitCode {
  // Done with errors: of shards that the snapshot lacks.
  const left = deadLetters + totals.withoutSource + totals.withTimestamp + droppedUnasked(indices)
  const complete = left === 0 && indices.every(({ errors }) => errors.length === 0)
  if (state === 'done') return complete ? exitCodes.done : exitCodes.differs
  return state === 'failed' ? exitCodes.failed : exitCodes.unfinished
}

function printStatus(status: BackfillStatus): void {
  const { run, share, totals } = status
  printLine(share === null ? stateText(status) : `share ${share}: ${stateText(status)}`)
  if (run) {
    const ended = run.endedAt === null ? '' : `, ended ${formatTime(Date.parse(run.endedAt))}`
    printLine(
      `snapshot ${printable(run.snapshot)}, this run began ${formatTime(Date.parse(run.startedAt))}${ended}`,
    )
  }
  if (run?.error) printLine(`error: ${run.error.message} [${run.error.code}]`)
  if (run?.waiting) {
    printLine(`waits since ${formatTime(Date.parse(run.waiting.since))}: ${run.waiting.on}`)
  }
  if (status.indices.length > 0) {
    printLine()
    printIndexTable(status.indices)
    const share =
      status.snapshotBytesTotal > 0
        ? Math.floor((totals.snapshotBytes / status.snapshotBytesTotal) * 100)
        : 100
    const eta = status.etaMs === undefined ? '' : `, ETA ${formatDuration(status.etaMs)}`
    printLine(
      `\n${share} %, ${formatNumber(totals.written)} documents, ${formatNumber(Math.round(status.documentsPerSecond))}/s, ${formatBytes(status.sourceBytesPerSecond)}/s${eta}`,
    )
  }
  if (share !== null && status.state === 'done') printLine(shareLine(share))
  if (status.deadLetters > 0) {
    printLine(`${formatNumber(status.deadLetters)} dead letters: osmigrate deadletters list`)
  }
}

/** What a host that has done its share cannot know. */
export function shareLine(share: string): string {
  return `Share ${share} is done. The indices are complete when all ${share.split('/')[1]!} shares are: then, on any host, osmigrate compare documents`
}

function stateText({ state, run }: BackfillStatus): string {
  switch (state) {
    case 'none':
      return 'not begun: osmigrate backfill start'
    case 'running':
      return `running, pid ${run?.pid ?? 0}`
    case 'interrupted':
      return 'interrupted: its process is gone; osmigrate backfill start goes on'
    case 'stopped':
      return 'stopped: osmigrate backfill start goes on'
    case 'failed':
      return 'failed; when the cause is mended, osmigrate backfill start goes on'
    case 'done':
      return 'done'
  }
}

/** Documents that a transform has left out where its step does not allow it. */
export function droppedUnasked(indices: readonly IndexProgress[]): number {
  const dropped = indices.flatMap((one) => one.dropped)
  return dropped.reduce((sum, { allowed, count }) => sum + (allowed ? 0 : count), 0)
}

/** One line an index, and what is to be known of it. */
export function printIndexTable(indices: readonly IndexProgress[]): void {
  printTable(
    ['index', 'state', 'read', 'written', 'failed', 'size', 'done'],
    indices.map((one) => [
      one.index,
      one.state,
      one.read,
      one.written,
      one.failed,
      formatBytes(one.sourceBytes),
      `${percent(one)} %`,
    ]),
  )
  for (const { index, errors, notes, withoutSource, withTimestamp, dropped } of indices) {
    for (const { shard, code, message } of errors) {
      const place = shard === null ? printable(index) : `${printable(index)}/${shard}`
      printLine(`${place}: ${message} [${code}]`)
    }
    for (const note of notes) printLine(`${printable(index)}: ${note}`)
    for (const { reason, count, id, allowed } of dropped) {
      const asked = allowed ? '' : ', which allowDrop does not allow'
      printLine(
        `${printable(index)}: ${formatNumber(count)} documents left out by the transform${asked}: ${printable(reason)} (${printable(id)}, …)`,
      )
    }
    if (withoutSource > 0) {
      printLine(
        `${printable(index)}: ${formatNumber(withoutSource)} documents have no _source and are not carried over`,
      )
    }
    if (withTimestamp > 0) {
      printLine(
        `${printable(index)}: _timestamp and _ttl are not carried over; ${formatNumber(withTimestamp)} documents have one`,
      )
    }
  }
}

function percent({ state, snapshotBytes, snapshotBytesTotal }: IndexProgress): number {
  if (state === 'done') return 100
  return snapshotBytesTotal > 0 ? Math.floor((snapshotBytes / snapshotBytesTotal) * 100) : 0
}

/** How often `stop` looks whether the run has ended, and for how long. */
const lookEveryMs = 200
const stopWaitMaxMs = 120_000

export async function stopBackfillCommand(invocation: Invocation): Promise<void> {
  const loaded = await invocation.loadConfig()
  await withMigration(loaded, invocation.signal, async (migration) => {
    const writer = writerOf(migration)
    if (writer === undefined || !(await stopBackfill(migration))) {
      if (invocation.json) printJson({ stopped: false, reason: 'nothing runs' })
      else printLine(`Nothing runs on ${loaded.stateFolder}.`)
      return
    }
    const deadline = performance.now() + stopWaitMaxMs
    while (writerOf(migration)?.pid === writer.pid) {
      if (performance.now() > deadline) throw stillRuns(writer.pid)
      await wait(lookEveryMs)
    }
    if (invocation.json) printJson({ stopped: true, pid: writer.pid })
    else printLine(`Stopped (pid ${writer.pid}). osmigrate backfill start goes on.`)
  })
}

function stillRuns(pid: number): MigrationError {
  return new MigrationError(
    'MA_LOCKED',
    `the backfill (pid ${pid}) has not stopped within ${stopWaitMaxMs / 1000} s\nIt was asked to and still may. Nothing is lost if you end it: kill ${pid}`,
    { details: { pid } },
  )
}
