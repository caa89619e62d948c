import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { withMigration } from '../migration/migration.ts'
import { readConfiguredSync, stopSync, syncProcess } from '../migration/sync.ts'
import type { AuditVerdict } from '../sync/audit-records.ts'
import type { Lag, SyncStatus, SyncView } from '../sync/status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatTable,
  formatTime,
  printJson,
  printLine,
  printable,
} from './output.ts'

const watchEveryMs = 1000
const namesShown = 10

export async function showSyncStatus(invocation: Invocation): Promise<ExitCode> {
  const { signal, json } = invocation
  const loaded = await invocation.loadConfig()
  if (invocation.options.watch !== true) {
    const view = await withMigration(loaded, signal, readConfiguredSync)
    if (json) printJson(view)
    else printLine(syncText(view))
    return exitCodeOf(view)
  }
  const isTerminal = process.stdout.isTTY && !json
  while (!signal.aborted) {
    const view = await withMigration(loaded, signal, readConfiguredSync)
    if (isTerminal) process.stdout.write('\x1b[H\x1b[2J')
    if (json) printJson(view)
    else printLine(`${syncText(view)}${isTerminal ? '' : '\n'}`)
    await wait(watchEveryMs, undefined, { signal }).catch(() => undefined)
  }
  return exitCodes.done
}

/** What `status` ends with: see the description of the command. */
export function exitCodeOf({ state, status }: SyncView): ExitCode {
  if (state === 'failed') return exitCodes.failed
  if (status !== undefined && needsSomebody(status)) return exitCodes.differs
  return state === 'running' && isCaughtUp(status) ? exitCodes.done : exitCodes.unfinished
}

export function needsSomebody({
  gapCount,
  deadLetters,
  foreignWrites,
  indices,
}: SyncStatus): boolean {
  const isOpen = gapCount > 0 || deadLetters > 0 || foreignWrites.length > 0
  return isOpen || indices.some(({ state }) => state !== 'doubtful')
}

export function isCaughtUp(status: SyncStatus | undefined): boolean {
  return status?.audit?.verdict === 'caught-up'
}

/** For people; whole, so that it can be shown again and again in one place. */
export function syncText(view: SyncView): string {
  const { state, run, status, proof } = view
  if (run === undefined) return 'Sync was not started yet: osmigrate sync start --detach'
  const lines = [headline(view)]
  if (run.error !== null) {
    const what = state === 'running' ? 'tries again: ' : ''
    lines.push(`  ${what}${printable(run.error.message)}`)
  }
  if (status === undefined) return lines.join('\n')
  lines.push('', rates(status), '', ...lagLines(status))
  lines.push(...section('waiting', status.waits.map(waitLine)))
  lines.push(...section('indices', status.indices.map(troubleLine)))
  lines.push(...section('gaps', gapLines(status)))
  lines.push(
    ...section('SOMEBODY ELSE writes to the target', status.foreignWrites.map(foreignLine)),
  )
  lines.push(
    ...section(
      'otherwise than on the source',
      status.different.map(({ name, what }) => `${name}: ${what}`),
    ),
  )
  if (status.deadLetters > 0) {
    lines.push(
      '',
      `${formatNumber(status.deadLetters)} changes were refused: osmigrate deadletters list`,
    )
  }
  lines.push('', auditLine(status.audit))
  if (proof?.forced === true) {
    lines.push(
      `The snapshot was made at ${formatTime(Date.parse(proof.at))} without the proof that capture sees all writes (--force).`,
    )
  }
  if (state !== 'running')
    lines.push('', 'This is how it was then. Go on: osmigrate sync start --detach')
  return lines.join('\n')
}

function headline({ state, run, status }: SyncView): string {
  const since = formatTime(Date.parse(run!.startedAt))
  const ended = formatTime(Date.parse(run!.endedAt ?? status?.at ?? run!.startedAt))
  switch (state) {
    case 'none':
      return 'Sync was not started yet'
    case 'running':
      return `sync ${status?.state === 'draining' ? 'is stopping' : 'runs'}, pid ${run!.pid}, since ${since}`
    case 'stopped':
      return `sync was stopped at ${ended}`
    case 'interrupted':
      return `sync (pid ${run!.pid}) ended without a word, about ${ended}; nothing is lost`
    case 'failed':
      return `sync FAILED at ${ended}`
  }
}

function rates({ perSecond, totals, memory }: SyncStatus): string {
  return formatTable(
    ['', 'in this run', 'a second'],
    [
      ['records read', totals.records, perSecond.records],
      ['changes', totals.changes, perSecond.changes],
      ['written', totals.written, perSecond.written],
      ['older than what is there', totals.older, ''],
      ['read from the source', totals.sourceReads, perSecond.sourceReads],
      ['sent to the target', formatBytes(totals.bytes), `${formatBytes(perSecond.bytes)}/s`],
      ['memory', formatBytes(memory.residentBytes), ''],
    ],
  )
}

function lagLines({ mode, lag, streams }: SyncStatus): string[] {
  if (mode === 'none')
    return ['There is no capture log (capture.mode none): the audit follows the source.']
  if (streams.length === 0) {
    return ['No proxy has recorded anything yet: osmigrate capture start --detach']
  }
  const lines = [`behind the log: ${lagText(lag)}`]
  if (streams.length === 1) return lines
  const rows = streams.map(({ stream, lag: own, recordedAt }) => [
    `  ${printable(stream)}`,
    lagText(own),
    recordedAt === null ? '-' : formatTime(Date.parse(recordedAt)),
  ])
  return [...lines, formatTable(['  stream', 'behind', 'newest record read'], rows)]
}

function lagText({ records, bytes, seconds, isEstimate }: Lag): string {
  if (records === 0 && seconds === 0) return 'nothing'
  const count =
    records === null ? 'unknown' : `${isEstimate ? 'about ' : ''}${formatNumber(records)}`
  const size = bytes === null ? '' : `, ${formatBytes(bytes)}`
  return `${count} records${size}, ${formatDuration(seconds * 1000)}`
}

function waitLine({ key, what, since }: SyncStatus['waits'][number]): string {
  return `${printable(key)}: ${printable(what)} (since ${formatTime(Date.parse(since))})`
}

function troubleLine({ index, state, why, since }: SyncStatus['indices'][number]): string {
  return `${printable(index)} ${state}: ${printable(why)} (since ${formatTime(Date.parse(since))})`
}

function gapLines({ gaps, gapCount }: SyncStatus): string[] {
  const lines = gaps.map(({ proxy, from, until, requests, cause, indices }) => {
    const which = indices === null ? '' : ` on ${indices.map(printable).join(', ')}`
    const times = `${formatTime(Date.parse(from))} to ${formatTime(Date.parse(until))}`
    return `${printable(proxy)}, ${times}: ${formatNumber(requests)} requests${which} are in no record (${printable(cause)})`
  })
  return gapCount > lines.length ? [...lines, `and ${gapCount - lines.length} more`] : lines
}

export function foreignLine({
  index,
  count,
  firstAt,
  lastAt,
}: SyncStatus['foreignWrites'][number]): string {
  const times = `${formatTime(Date.parse(firstAt))} to ${formatTime(Date.parse(lastAt))}`
  return `${printable(index)}: at least ${formatNumber(count)} writes were not made by this migration (${times}); both sides are compared`
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const rest = lines.length - namesShown
  const more = rest > 0 ? [`  and ${formatNumber(rest)} more: --json has all`] : []
  return ['', `${title}:`, ...lines.slice(0, namesShown).map((line) => `  ${line}`), ...more]
}

export function auditLine(audit: AuditVerdict | null): string {
  if (audit === null) return 'audit: it has not looked yet'
  const { verdict, asOf, indices, openCount, open, missing, accounted } = audit
  const shown = open.slice(0, namesShown).map(printable).join(', ')
  switch (verdict) {
    case 'caught-up':
      return `audit: everything that the source had done by ${formatTime(Date.parse(asOf!))} is on the target (${formatNumber(accounted)} numbers of ${formatNumber(indices)} indices)`
    case 'open':
      return `audit: ${formatNumber(openCount)} of ${formatNumber(indices)} indices are open${missing > 0 ? `, ${formatNumber(missing)} numbers missing` : ''}${shown === '' ? '' : `: ${shown}`} (osmigrate sync audit tells more)`
    case 'not-provable':
      return 'audit: this source numbers no writes (before Elasticsearch 6.0): osmigrate compare documents tells whether all is there'
  }
}

const stopPollMs = 100

export async function stopSyncCommand(invocation: Invocation): Promise<ExitCode> {
  const { signal, json } = invocation
  const loaded = await invocation.loadConfig()
  const view = await withMigration(loaded, signal, async (migration) => {
    if (!(await stopSync(migration))) {
      throw new MigrationError(
        'MA_STATE',
        'no sync of this migration runs: there is nothing to stop',
      )
    }
    while (syncProcess(migration) !== undefined) await wait(stopPollMs, undefined, { signal })
    return readConfiguredSync(migration)
  })
  if (json) printJson(view)
  else printLine(syncText(view))
  return view.state === 'failed' ? exitCodes.failed : exitCodes.done
}
