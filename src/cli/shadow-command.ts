import type { Command } from 'commander'
import { addConfigFlags, addExamples, defineAction } from './command.ts'
import { defineDetachable } from './detachable.ts'

export function defineShadow(command: Command): void {
  command.description(
    'Sends what clients asked the source to the target as well, from the capture log or an export of it, with the times that it was recorded with or faster, and compares the answers. It is the load test of a prospective cluster, too.',
  )
  defineStart(command.command('start'))
  defineStatus(command.command('status'))
  defineStop(command.command('stop'))
}

const shadowParts = [
  'source',
  'target',
  'capture.proxies',
  'capture.admin.tls.ca',
  'capture.log.dir',
  'capture.log.kafka',
  'capture.redact',
  'transform',
  'shadow',
]

function defineStart(command: Command): void {
  command
    .summary('replay until the log ends, or it is stopped')
    .description(
      'Reads captured searches (capture.reads) where it ended the last time, and sends each to the target when its time has come, after the one before it on the same connection. Both answers go to files, and are compared. The configured log is followed; an export ends. Exit code 0 when it came to the end and all answers were alike, 3 when some differed, 4 when it was stopped.',
    )
    .option('--from <LOG>', 'an export, or the folder of a log, in the place of the configured log')
    .option(
      '--since <TIME>',
      'only what came in from then on: 2026-05-01T08:00Z, or 15m for so long ago',
    )
    .option('--until <TIME>', 'only what came in before then')
    .option('--to-end', 'end where the log ends now, and do not follow it')
    .option('--again', 'from the beginning, whatever was replayed before')
    .option('--detach', 'go on in the background, with log and pid in the state folder')
  addConfigFlags(command, shadowParts)
  addExamples(command, [
    ['osmigrate shadow start --detach', 'then: osmigrate shadow status --watch'],
    ['osmigrate shadow start --from monday.gz --speed 2', 'the load of a day in half of it'],
    ['osmigrate shadow start --from monday.gz --rate 500 --again', ''],
    ['osmigrate shadow start --from monday.gz --speed max --tuples off', ''],
    ['osmigrate shadow start --writes --index-prefix shadow- --from monday.gz', ''],
  ])
  defineDetachable(
    command,
    {
      name: 'shadow',
      what: 'Shadow',
      next: 'osmigrate shadow status --watch shows what it finds, osmigrate shadow stop stops it.',
      stopping: 'what is under way is finished; osmigrate shadow start goes on from there',
    },
    async (invocation) => (await import('./shadow-run.ts')).startShadow(invocation),
  )
}

function defineStatus(command: Command): void {
  command
    .summary('how the target answers, and how far the replay is')
    .description(
      'Shows rates, times of both sides, errors, differences by shape of request, and how far the replay is behind its time table, from any shell. Exit code 0 when it runs or has ended without a difference, 3 when answers differ, 4 when it was stopped or not started, 1 when it has failed.',
    )
    .option('--watch', 'again every second, until Ctrl-C')
  addExamples(command, [
    ['osmigrate shadow status', ''],
    ['osmigrate shadow status --watch', ''],
    ['osmigrate shadow status --json | jq .run.latency', ''],
  ])
  defineAction(
    command,
    async (invocation) => (await import('./shadow-views.ts')).showShadowStatus(invocation),
    { stopping: 'no longer watching' },
  )
}

function defineStop(command: Command): void {
  command
    .summary('stop it')
    .description(
      'Asks the replay that runs, in whatever shell, to stop, and waits until it has: requests under way are finished, for five seconds at most.',
    )
  addExamples(command, [['osmigrate shadow stop', '']])
  defineAction(
    command,
    async (invocation) => (await import('./shadow-views.ts')).stopShadowCommand(invocation),
    { stopping: 'no longer waiting for it; it goes on stopping' },
  )
}
