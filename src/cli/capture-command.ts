import type { Command } from 'commander'
import { defineCaptureLog } from './capture-log-command.ts'
import { addConfigFlags, addExamples, defineAction } from './command.ts'

export function defineCapture(command: Command): void {
  command.description(
    'A proxy in front of the source that records every write, with the answer of the source, for sync to apply to the target. Clients notice nothing.',
  )
  defineStart(command.command('start'))
  defineStatus(command.command('status'))
  defineStop(command.command('stop'))
  defineCheck(command.command('check'))
  defineCaptureLog(command.command('log'))
}

/** Which proxy is meant, and where it is asked. */
const proxyParts = ['capture.name', 'capture.admin']

function defineStart(command: Command): void {
  command
    .summary('run the proxy')
    .description(
      'Listens at capture.listen, sends every request on to the source, and records those that may write. Runs until it is stopped; it is a process of its own, and nothing else of the migration must run. Point the clients to it (DNS, load balancer) once `capture check` is content.',
    )
    .option('--detach', 'go on in the background, with log and pid in the state folder')
    .option(
      '--replace',
      'have the proxy that runs replaced by one with the present program and configuration, without a client noticing',
    )
  addConfigFlags(command, ['source', 'capture'])
  addExamples(command, [
    ['osmigrate capture start', ''],
    ['osmigrate capture start --detach', 'then: osmigrate capture status'],
    ['osmigrate capture start --on-log-failure refuse --log-dir /data/capture', ''],
    ['osmigrate capture start --replace', 'after a change of migration.yaml, or a new version'],
  ])
  defineAction(
    command,
    async (invocation) => {
      const start = await import('./capture-start.ts')
      if (invocation.options.replace === true) return start.replaceProxy(invocation)
      if (invocation.options.detach === true) return start.detachProxy(invocation)
      return start.startProxy(invocation)
    },
    { stopping: 'no more connections; those that are open end with their next answer' },
  )
}

function defineStatus(command: Command): void {
  command
    .summary('what passes, and how the log is')
    .description(
      'Asks the proxy on this machine, or the one at --admin-listen. Exit code 0 when all is well, 3 when the log is thin, slow, full or failing or a gap was noted, 1 when no proxy answers.',
    )
    .option('--watch', 'again every two seconds, until Ctrl-C')
  addConfigFlags(command, proxyParts)
  addExamples(command, [
    ['osmigrate capture status', ''],
    ['osmigrate capture status --watch', ''],
    ['osmigrate capture status --json | jq .log', ''],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { showCaptureStatus } = await import('./capture-views.ts')
      return showCaptureStatus(invocation)
    },
    { stopping: 'no longer watching' },
  )
}

function defineStop(command: Command): void {
  command
    .summary('stop it, when its requests have ended')
    .description(
      'Asks the proxy on this machine to stop and waits until it has: it accepts nobody any more and ends its connections as their requests end. Clients must have been pointed elsewhere before.',
    )
  addConfigFlags(command, proxyParts)
  addExamples(command, [['osmigrate capture stop', '']])
  defineAction(
    command,
    async (invocation) => {
      const { stopCapture } = await import('./capture-views.ts')
      return stopCapture(invocation)
    },
    { stopping: 'no longer waiting for it; it goes on stopping' },
  )
}

function defineCheck(command: Command): void {
  command
    .summary('does everything pass it, and can it be recorded')
    .description(
      'Asks whether the source is reached through the proxy, how fast the log is synced and how long it lasts, and compares for a while what the source counts as written with what the proxy has seen: writes of clients that pass it by are found. Exit code 3 when something is not as it must be.',
    )
    .option('--for <TIME>', 'how long the counts are compared', '30s')
  addConfigFlags(command, ['source', 'select', 'capture.name', 'capture.admin', 'capture.listen'])
  addExamples(command, [
    ['osmigrate capture check', ''],
    ['osmigrate capture check --for 10m', 'before the next step'],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { checkCapture } = await import('./capture-check.ts')
      return checkCapture(invocation)
    },
    { stopping: 'no longer counting' },
  )
}
