import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { withMigration } from '../migration/migration.ts'
import { readConfiguredShadow, shadowProcess, stopShadow } from '../migration/shadow.ts'
import type { Latency, ShadowRun, ShapeFigures } from '../shadow/records.ts'
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

export interface ShadowView {
  readonly state: 'none' | 'interrupted' | ShadowRun['state']
  readonly run?: ShadowRun
}

const watchEveryMs = 1000
const stopPollMs = 100
const shapesShown = 10
const templateShown = 90

export async function showShadowStatus(invocation: Invocation): Promise<ExitCode> {
  const { signal, json } = invocation
  const loaded = await invocation.loadConfig()
  const isTerminal = process.stdout.isTTY && !json
  for (;;) {
    const view = await withMigration(loaded, signal, readConfiguredShadow)
    if (isTerminal && invocation.options.watch === true) process.stdout.write('\x1b[H\x1b[2J')
    if (json) printJson(view)
    else printLine(shadowText(view))
    if (invocation.options.watch !== true) return exitCodeOf(view)
    await wait(watchEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return exitCodes.done
  }
}

export async function stopShadowCommand(invocation: Invocation): Promise<ExitCode> {
  const { signal, json } = invocation
  const loaded = await invocation.loadConfig()
  const view = await withMigration(loaded, signal, async (migration) => {
    if (!(await stopShadow(migration))) {
      throw new MigrationError(
        'MA_STATE',
        'no replay of this migration runs: there is nothing to stop',
      )
    }
    while (shadowProcess(migration) !== undefined) await wait(stopPollMs, undefined, { signal })
    return readConfiguredShadow(migration)
  })
  if (json) printJson(view)
  else printLine(shadowText(view))
  return view.state === 'failed' ? exitCodes.failed : exitCodes.done
}

function exitCodeOf({ state, run }: ShadowView): ExitCode {
  if (state === 'failed') return exitCodes.failed
  if (run !== undefined && run.totals.different + run.totals.errors > 0) return exitCodes.differs
  return state === 'running' || state === 'ended' ? exitCodes.done : exitCodes.unfinished
}

/** For people; whole, so that it can be shown again and again in one place. */
export function shadowText({ state, run }: ShadowView): string {
  if (run === undefined) return 'Nothing was replayed yet: osmigrate shadow start --detach'
  const { totals, skipped, lag, latency, shapes, waits, perSecond, memory } = run
  const lines = [headline(state, run), `  ${run.method}`]
  if (run.error !== null) lines.push(`  ${printable(run.error.message)}`)
  lines.push(
    '',
    `${formatNumber(totals.sent)} requests sent to ${printable(run.target)}, ${formatNumber(perSecond.sent)} a second; memory ${formatBytes(memory.residentBytes)}`,
    lagText(lag),
    '',
    formatTable(
      ['', 'p50', 'p90', 'p99', 'max', 'errors'],
      [
        ['source', ...times(latency.source), totals.sourceErrors],
        ['target', ...times(latency.target), totals.errors],
      ],
    ),
    '',
    `${formatNumber(totals.different)} of ${formatNumber(totals.sent)} answers differ (${formatNumber(totals.statusDiffers)} in their status)`,
  )
  const worst = shapes.filter(({ different, errors }) => different + errors.target > 0)
  lines.push(...worst.slice(0, shapesShown).map(shapeLine))
  if (worst.length > shapesShown) {
    lines.push(`  and ${formatNumber(worst.length - shapesShown)} more shapes: --json has them`)
  }
  lines.push(...skippedLines(skipped))
  if (totals.gaps > 0) {
    lines.push(`the log has ${formatNumber(totals.gaps)} gaps: what came in then is not replayed`)
  }
  for (const { key, what, since } of waits) {
    lines.push(
      `waits: ${printable(key)}: ${printable(what)} (since ${formatTime(Date.parse(since))})`,
    )
  }
  if (run.tuples !== null) lines.push('', `tuples: ${printable(run.tuples)}`)
  if (state === 'stopped' || state === 'interrupted' || state === 'failed') {
    lines.push('', 'Go on: osmigrate shadow start')
  }
  return lines.join('\n')
}

function headline(state: ShadowView['state'], run: ShadowRun): string {
  const log = printable(run.log)
  const ended = formatTime(Date.parse(run.endedAt ?? run.at))
  switch (state) {
    case 'none':
      return 'Nothing was replayed yet'
    case 'running':
      return `shadow replays ${log}, pid ${run.pid}, since ${formatTime(Date.parse(run.startedAt))}`
    case 'ended':
      return `shadow has replayed ${log} to its end, at ${ended}`
    case 'stopped':
      return `shadow was stopped at ${ended}`
    case 'interrupted':
      return `shadow (pid ${run.pid}) ended without a word, about ${ended}`
    case 'failed':
      return `shadow FAILED at ${ended}`
  }
}

function lagText({ lateMs, bytes, records, recordedAt }: ShadowRun['lag']): string {
  const newest =
    recordedAt === null
      ? 'nothing sent yet'
      : `newest request recorded at ${formatTime(Date.parse(recordedAt))}`
  const left = bytes ?? 0
  const rest =
    left > 0
      ? `, ${formatBytes(left)} of the log are left`
      : records !== null && records > 0
        ? `, ${formatNumber(records)} records of the log are left`
        : ''
  const late = lateMs > 100 ? `, ${formatDuration(lateMs)} behind its time table` : ''
  return `${newest}${rest}${late}`
}

function times({ p50, p90, p99, max }: Latency): string[] {
  return [p50, p90, p99, max].map((ms) => (ms === null ? '-' : `${ms.toFixed(ms < 10 ? 2 : 0)} ms`))
}

function shapeLine({ template, requests, different, errors, findings }: ShapeFigures): string {
  const kinds = Object.entries(findings)
    .sort((a, b) => b[1] - a[1])
    .map(([what, count]) => `${what} ${formatNumber(count)}`)
  if (errors.target > 0) kinds.push(`errors ${formatNumber(errors.target)}`)
  const text = printable(
    template.length > templateShown ? `${template.slice(0, templateShown)}…` : template,
  )
  return `  ${formatNumber(different)} of ${formatNumber(requests)}  ${text}${kinds.length > 0 ? `  (${kinds.join(', ')})` : ''}`
}

const reasons: Readonly<Record<keyof ShadowRun['skipped'], string>> = {
  kind: 'are of another kind (writes, or questions about the cluster)',
  incomplete: 'are not in the log as they were sent (too long, redacted)',
  unanswered: 'have no answer in the log',
  cursor: 'go on with a scroll, PIT or async search that was not begun here',
  guard: 'would write outside of what may be written to',
  untranslatable: 'cannot be said to the target',
}

function skippedLines(skipped: ShadowRun['skipped']): string[] {
  const entries = Object.entries(skipped) as [keyof ShadowRun['skipped'], number][]
  if (entries.length === 0) return []
  return [
    '',
    'not replayed:',
    ...entries.map(([reason, count]) => `  ${formatNumber(count)} ${reasons[reason]}`),
  ]
}
