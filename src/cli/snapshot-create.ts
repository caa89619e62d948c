import { MigrationError } from '../base/errors.ts'
import { duration } from '../base/option-types.ts'
import { withMigration } from '../migration/migration.ts'
import { createConfiguredSnapshot } from '../migration/snapshot.ts'
import type { BegunSnapshot, CreatedSnapshot } from '../take/create-snapshot.ts'
import type { SnapshotProgress } from '../take/snapshot-status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { leftOutLines } from './left-out.ts'
import { formatBytes, formatDuration, printable, printJson, printLine } from './output.ts'
import { Progress, say, type ProgressRow } from './progress.ts'

export async function createSnapshotCommand(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const wait = invocation.options.wait !== false
  const progress = new Progress()
  const rows = new SnapshotRows()
  const created = await withMigration(loaded, invocation.signal, (migration) =>
    createConfiguredSnapshot(migration, {
      wait,
      order: {
        watchMs: timeOf(invocation.options.for),
        force: invocation.options.force === true,
        onWatch: () => say('comparing what the source counts as written with the capture log'),
        onFinding: ({ text }) => say(text),
      },
      onBegin: (begun) => sayBegun(begun),
      onProgress: (one) => progress.update(rows.update(one)),
    }),
  ).finally(() => progress.end())
  if (invocation.json) printJson(created)
  else if (wait) printCreated(created)
  else printBegun(created)
  if (!wait) return exitCodes.unfinished
  return lacksSelected(created) ? exitCodes.differs : exitCodes.done
}

function timeOf(text: unknown): number {
  const parsed = duration({ minMs: 1000 }).safeParse(text)
  if (parsed.success) return parsed.data
  throw new MigrationError('MA_CONFIG', `--for: ${parsed.error.issues[0]!.message}`)
}

/** Closed indices were meant, and no snapshot of this source can hold them; the others are left out by a rule. */
function lacksSelected({ leftOut }: BegunSnapshot): boolean {
  return leftOut.some(({ reason }) => reason === 'closed')
}

function sayBegun({ leftOut, space, name }: BegunSnapshot): void {
  if (space === undefined) say(`${printable(name)} is being made already; waiting for it`)
  else if (space.bytesFree === undefined) {
    say(
      `the indices take ${formatBytes(space.bytesNeeded)}; how much is free in the repository cannot be known from here`,
    )
  }
  for (const line of leftOutLines(leftOut, 'not in the snapshot')) say(line)
}

function printCreated(created: CreatedSnapshot): void {
  const { name, repository, indices, shards, durationMs } = created
  printLine(
    `snapshot ${printable(name)}: ${indices.length} indices, ${shards} shards, ${formatDuration(durationMs)}`,
  )
  printLine(
    `The source knows the repository as ${printable(repository)}. Next: osmigrate metadata evaluate`,
  )
}

function printBegun({ name, indices }: CreatedSnapshot): void {
  printLine(`The source makes the snapshot ${printable(name)} of ${indices.length} indices.`)
  printLine('Watch it: osmigrate snapshot status. Wait for it: osmigrate snapshot create')
}

/** Progress by bytes, with the rate since this process began to look. */
export class SnapshotRows {
  readonly #now: () => number
  #first: { bytes: number; ms: number } | undefined

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  update(progress: SnapshotProgress): ProgressRow[] {
    this.#first ??= { bytes: progress.bytesDone, ms: this.#now() }
    const elapsedMs = this.#now() - this.#first.ms
    return [progressRow(progress, { bytes: progress.bytesDone - this.#first.bytes, elapsedMs })]
  }
}

function progressRow(
  progress: SnapshotProgress,
  { bytes, elapsedMs }: { bytes: number; elapsedMs: number },
): ProgressRow {
  const { bytesDone, bytesTotal, shardsDone, shardsTotal, shardsFailed } = progress
  const { bytesPerSecond, etaMs } = speedOf(progress, { bytes, elapsedMs })
  const rate = bytesPerSecond > 0 ? `  ${formatBytes(bytesPerSecond)}/s` : ''
  const eta = etaMs === undefined || etaMs < 1000 ? '' : `  ETA ${formatDuration(etaMs)}`
  const failed = shardsFailed > 0 ? `  ${shardsFailed} failed` : ''
  const shards = `shards ${shardsDone} of ${shardsTotal}${failed}`
  if (bytesTotal === 0) {
    return { label: 'snapshot', done: shardsDone, total: shardsTotal, shown: shards }
  }
  const shown = `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`
  return {
    label: 'snapshot',
    done: bytesDone,
    total: bytesTotal,
    shown,
    note: `${shards}${rate}${eta}`,
  }
}

/** The rate of a stretch of time, and when it would be done at that rate. */
export function speedOf(
  { bytesDone, bytesTotal }: Pick<SnapshotProgress, 'bytesDone' | 'bytesTotal'>,
  { bytes, elapsedMs }: { bytes: number; elapsedMs: number },
): { bytesPerSecond: number; etaMs?: number } {
  const bytesPerSecond = elapsedMs > 0 ? Math.max(0, Math.round((bytes * 1000) / elapsedMs)) : 0
  if (bytesPerSecond === 0) return { bytesPerSecond }
  return { bytesPerSecond, etaMs: Math.round(((bytesTotal - bytesDone) * 1000) / bytesPerSecond) }
}
