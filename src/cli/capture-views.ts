import { setTimeout as wait } from 'node:timers/promises'
import type { CaptureStatus, LatencyStatus, LogStatus } from '../capture/status.ts'
import { stopConfiguredProxy } from '../migration/capture-run.ts'
import { askCaptureStatus } from '../migration/capture-status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatBytes,
  formatHours,
  formatNumber,
  formatTime,
  isOutputClosed,
  printJson,
  printLine,
  printTable,
  printable,
} from './output.ts'

const watchEveryMs = 2000

export async function showCaptureStatus(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const isWatched = invocation.options.watch === true
  for (;;) {
    const status = await askCaptureStatus(loaded)
    if (isWatched && process.stdout.isTTY && !invocation.json) process.stdout.write('\x1b[H\x1b[2J')
    if (invocation.json) printJson(status)
    else printStatus(status)
    if (!isWatched || isOutputClosed()) return exitCodeOf(status)
    await wait(watchEveryMs, undefined, { signal: invocation.signal })
  }
}

export async function stopCapture(invocation: Invocation): Promise<ExitCode> {
  const { proxy, pid } = await stopConfiguredProxy(await invocation.loadConfig(), invocation.signal)
  if (invocation.json) printJson({ proxy, pid, stopped: true })
  else printLine(`The proxy ${printable(proxy)} (pid ${pid}) has stopped.`)
  return exitCodes.done
}

function exitCodeOf({ log }: CaptureStatus): ExitCode {
  if (log.requestsInGaps > 0) return exitCodes.differs
  if (log.state === 'unknown') return exitCodes.unfinished
  return log.state === 'ok' ? exitCodes.done : exitCodes.differs
}

function printStatus(status: CaptureStatus): void {
  const { requests, latency, log, workers, connections, memory } = status
  const draining = status.state === 'draining' ? ', draining' : ''
  printLine(
    `${printable(status.proxy)} serves ${status.listen.join(', ')} since ${formatTime(Date.parse(status.startedAt))}${draining}`,
  )
  printLine(
    `in front of ${status.source.join(', ')}; ${workers.running} of ${workers.wanted} workers`,
  )
  printLine()
  printTable(
    ['', 'now', 'in all'],
    [
      ['requests', `${formatNumber(requests.perSecond)}/s`, requests.total],
      ['writes', '', requests.writes],
      ['recorded reads', '', requests.sampledReads],
      ['refused', '', requests.refused],
      ['answers', '', statusText(requests.byStatus)],
      ['connections', formatNumber(connections.clients), ''],
      ['the source takes', latencyText(latency.source), ''],
      ['the proxy adds', latencyText(latency.added), ''],
      ['memory', formatBytes(memory.residentBytes), ''],
    ],
  )
  printLine()
  printLog(log)
}

function printLog(log: LogStatus): void {
  const since = log.since === undefined ? '' : ` since ${formatTime(Date.parse(log.since))}`
  const cause = log.cause === undefined ? '' : `: ${printable(log.cause)}`
  printLine(`log ${printable(log.place)}: ${stateTexts[log.state]}${since}${cause}`)
  const bound = log.bytesMax === undefined ? '' : ` of ${formatBytes(log.bytesMax)}`
  const left =
    log.secondsLeft === undefined
      ? ''
      : `, lasts ${formatHours(log.secondsLeft / 3600)} at this rate`
  printLine(`  ${formatBytes(log.bytes)}${bound}, ${formatBytes(log.bytesPerSecond)}/s${left}`)
  printLine(
    `  ${formatNumber(log.records)} records (${formatNumber(log.thinRecords)} thin), durable after ${latencyText(log.append)}, ${formatNumber(log.syncsPerSecond)} syncs/s`,
  )
  if (log.requestsInGaps > 0) {
    printLine(
      `  ${formatNumber(log.requestsInGaps)} requests are in no record (${formatNumber(log.gaps)} gaps noted): the audit finds what they did`,
    )
  }
}

const stateTexts: Record<LogStatus['state'], string> = {
  unknown: 'no worker has told of it yet',
  ok: 'ok',
  thin: 'nearly full, records are thin',
  full: 'FULL',
  failing: 'FAILING',
}

function statusText(byStatus: { readonly [status: string]: number }): string {
  const entries = Object.entries(byStatus).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries
    .map(([name, count]) => `${name === '0' ? 'none' : name} ${formatNumber(count)}`)
    .join(', ')
}

function latencyText({ p50Ms, p99Ms }: LatencyStatus): string {
  if (p50Ms === undefined || p99Ms === undefined) return '-'
  return `≤ ${formatNumber(p50Ms)} ms, p99 ≤ ${formatNumber(p99Ms)} ms`
}
