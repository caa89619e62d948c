import type { BackfillProgress } from '../backfill/progress.ts'
import type { BackfillSummary } from '../backfill/run.ts'
import { runConfiguredBackfill } from '../migration/backfill.ts'
import { withMigration } from '../migration/migration.ts'
import { droppedUnasked, printIndexTable, shareLine } from './backfill-views.ts'
import type { Invocation } from './command.ts'
import { sayStarted } from './detach.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatBytes, formatDuration, formatNumber, printJson, printLine } from './output.ts'
import { idsReadRows, Progress, type ProgressRow } from './progress.ts'

/** `backfill start` in the foreground; also what a detached process runs. */
export async function startBackfill(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const progress = new Progress()
  let started = false
  const update = (rows: ProgressRow[]): void => {
    if (!started) sayStarted()
    started = true
    progress.update(rows)
  }
  const summary = await withMigration(loaded, invocation.signal, (migration) =>
    runConfiguredBackfill(migration, {
      onProgress: (one) => update(backfillRows(one)),
      onIdsRead: (...read) => update(idsReadRows(...read)),
    }),
  ).finally(() => progress.end())
  const { withoutSource, withTimestamp } = summary.totals
  const left =
    summary.deadLetters +
    summary.lackingShards +
    withoutSource +
    withTimestamp +
    droppedUnasked(summary.indices)
  const complete = left === 0
  if (invocation.json) printJson({ ...summary, complete })
  else printSummary(summary)
  return complete ? exitCodes.done : exitCodes.differs
}

/** The whole, and the indices that are under way. */
export function backfillRows(progress: BackfillProgress): ProgressRow[] {
  const { totals, snapshotBytesTotal, documentsPerSecond, sourceBytesPerSecond } = progress
  const eta =
    progress.etaMs === undefined || progress.etaMs < 1000
      ? ''
      : `  ETA ${formatDuration(progress.etaMs)}`
  const letters = totals.failed > 0 ? `  dead letters ${formatNumber(totals.failed)}` : ''
  const waiting = progress.waiting ? `  waits: ${progress.waiting.on}` : ''
  return [
    {
      label: 'backfill',
      done: totals.snapshotBytes,
      total: snapshotBytesTotal,
      shown: `${formatNumber(totals.written)} documents`,
      note:
        `${formatNumber(Math.round(documentsPerSecond))}/s  ${formatBytes(sourceBytesPerSecond)}/s` +
        `${eta}${letters}${waiting}`,
    },
  ]
}

function printSummary(summary: BackfillSummary): void {
  const { share, totals, durationMs, deadLetters, lackingShards, restored } = summary
  printIndexTable(summary.indices)
  printLine(
    `\n${formatNumber(totals.written)} documents, ${formatBytes(totals.sourceBytes)} in all; this run took ${formatDuration(durationMs)}`,
  )
  for (const { entry, found } of restored.filter(({ outcome }) => outcome === 'left')) {
    printLine(
      `${entry.setting} of ${entry.index ?? 'the cluster'} was changed by somebody else meanwhile (${found ?? 'not set'}); left as it is`,
    )
  }
  if (lackingShards > 0) printLine(`${lackingShards} shards are not in the snapshot.`)
  if (deadLetters > 0) {
    printLine(`${formatNumber(deadLetters)} documents were refused: osmigrate deadletters list`)
  } else if (share === null) printLine('Next: osmigrate compare documents')
  if (share !== null) printLine(shareLine(share))
}
