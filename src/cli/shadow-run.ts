import { keepYoungSpaceSmall } from '../base/young-space.ts'
import { withMigration } from '../migration/migration.ts'
import { runConfiguredShadow } from '../migration/shadow.ts'
import type { ShadowRun } from '../shadow/records.ts'
import { parseWindow } from './capture-log-filter.ts'
import type { Invocation } from './command.ts'
import { sayStarted } from './detach.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { packageVersion } from './main.ts'
import { formatDuration, formatNumber, printJson, printLine } from './output.ts'
import { Progress, say } from './progress.ts'
import { shadowText } from './shadow-views.ts'

const shownEveryMs = 1000

/** `shadow start` in the foreground; also what a detached process runs. */
export async function startShadow(invocation: Invocation): Promise<ExitCode> {
  keepYoungSpaceSmall()
  const loaded = await invocation.loadConfig()
  const { options, signal, json } = invocation
  const progress = new Progress()
  let timer: NodeJS.Timeout | undefined
  try {
    const run = await withMigration(loaded, signal, (migration) =>
      runConfiguredShadow(migration, {
        version: packageVersion(),
        from: options.from as string | undefined,
        window: parseWindow(options),
        toEnd: options.toEnd === true,
        again: options.again === true,
        onWarning: say,
        onRunning: (now) => {
          sayStarted()
          timer = setInterval(() => progress.update([line(now())]), shownEveryMs)
        },
      }),
    )
    progress.end()
    if (json) printJson(run)
    else printLine(shadowText({ state: run.state, run }))
    return exitCodeOfRun(run)
  } finally {
    clearInterval(timer)
    progress.end()
  }
}

function line({ totals, latency, lag }: ShadowRun) {
  const p99 = latency.target.p99
  const time = p99 === null ? '' : `, target p99 ${formatDuration(p99)}`
  const late = lag.lateMs > 1000 ? `, ${formatDuration(lag.lateMs)} late` : ''
  const note = `${formatNumber(totals.different)} differ, ${formatNumber(totals.errors)} errors${time}${late}`
  return { label: 'requests', done: totals.sent, note }
}

function exitCodeOfRun({ state, totals }: ShadowRun): ExitCode {
  if (state === 'stopped') return exitCodes.unfinished
  return totals.different + totals.errors > 0 ? exitCodes.differs : exitCodes.done
}
