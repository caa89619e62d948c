import type { Command } from 'commander'
import { addConfigFlags, addExamples, defineAction, repositoryParts } from './command.ts'
import { defineDetachable } from './detachable.ts'

export function defineSync(command: Command): void {
  command.description(
    'Brings the target up to date with what clients write, all the time: what the capture proxy has recorded, and what the audit finds. It can be stopped, killed and started again at any time, before, during and after the backfill.',
  )
  defineStart(command.command('start'))
  defineStatus(command.command('status'))
  defineDrain(command.command('drain'))
  defineAudit(command.command('audit'))
  defineStop(command.command('stop'))
}

/** What following the source takes. */
const syncParts = [
  'source',
  'target',
  'select',
  ...repositoryParts,
  'snapshot.name',
  'snapshot.allowPartialSource',
  'transform',
  'metadata',
  'capture.mode',
  'capture.proxies',
  'capture.admin.tls.ca',
  'capture.log',
  'sync',
]

function defineStart(command: Command): void {
  command
    .summary('follow the source until it is stopped')
    .description(
      'Reads what proxies have recorded, from where it ended, and writes it to the target; makes there what indices, mappings, aliases and templates become on the source; and audits that every number of every shard of the source is accounted for. With capture.mode none the audit alone follows the source. Exit code 4 when it was stopped: nothing is wrong, start it again.',
    )
    .option('--detach', 'go on in the background, with log and pid in the state folder')
  addConfigFlags(command, syncParts)
  addExamples(command, [
    ['osmigrate sync start', ''],
    ['osmigrate sync start --detach', 'then: osmigrate sync status --watch'],
    ['osmigrate sync start --capture-mode none', 'without a proxy'],
    ['osmigrate sync start --proxy https://proxy-1:9201 --proxy https://proxy-2:9201', ''],
  ])
  defineDetachable(
    command,
    {
      name: 'sync',
      what: 'Sync',
      next: 'osmigrate sync status --watch shows how far it is, osmigrate sync stop stops it.',
      stopping: 'what was read goes to the target; osmigrate sync start goes on from there',
    },
    async (invocation) => {
      const { startSync } = await import('./sync-run.ts')
      return startSync(invocation)
    },
  )
}

function defineStatus(command: Command): void {
  command
    .summary('how far it is behind, and what it waits for')
    .description(
      'Shows rates, lag, gaps, dead letters, what waits on what since when, and what the audit says, from any shell. Exit code 0 when it runs and the audit is complete, 3 when a gap, a dead letter or an index needs somebody, 4 when it is catching up or does not run, 1 when it has failed.',
    )
    .option('--watch', 'again every second, until Ctrl-C')
  addExamples(command, [
    ['osmigrate sync status', ''],
    ['osmigrate sync status --watch', ''],
    ['osmigrate sync status --json | jq .status.lag', ''],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { showSyncStatus } = await import('./sync-views.ts')
      return showSyncStatus(invocation)
    },
    { stopping: 'no longer watching' },
  )
}

function defineDrain(command: Command): void {
  command
    .summary('wait until the target has all that was written so far')
    .description(
      'Waits until everything that the source had done when this was called is proven to be on the target: the log is read to its end, nothing is under way, the audit is complete. Where no sync runs it follows the source itself until then. Exit code 0 when that is so, 3 when something is left that somebody has to see to, 4 when the time is over.',
    )
    .option('--for <TIME>', 'how long at most', '10m')
  addConfigFlags(command, syncParts)
  addExamples(command, [
    ['osmigrate sync drain', ''],
    ['osmigrate sync drain --for 1h', ''],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { drainSync } = await import('./sync-drain.ts')
      return drainSync(invocation)
    },
    { stopping: 'no longer waiting' },
  )
}

function defineAudit(command: Command): void {
  command
    .summary('is every write of the source accounted for')
    .description(
      'Shows what the last audit found, index by index: the highest number of each shard, how many are accounted for and how, which are missing, and what had come by no proxy. Exit code 0 when all is accounted for, 3 when not, 4 before the first audit.',
    )
    .option('--shards', 'shard by shard')
  addConfigFlags(command, ['select'])
  addExamples(command, [
    ['osmigrate sync audit', ''],
    ["osmigrate sync audit --index 'logs-*' --shards", ''],
  ])
  defineAction(command, async (invocation) => {
    const { showAudit } = await import('./sync-audit.ts')
    return showAudit(invocation)
  })
}

function defineStop(command: Command): void {
  command
    .summary('stop it')
    .description(
      'Asks the sync that runs, in whatever shell, to stop, and waits until it has: what it has read goes to the target, for sync.drainTimeout at most. What clients write meanwhile stays in the log.',
    )
  addExamples(command, [['osmigrate sync stop', '']])
  defineAction(
    command,
    async (invocation) => {
      const { stopSyncCommand } = await import('./sync-views.ts')
      return stopSyncCommand(invocation)
    },
    { stopping: 'no longer waiting for it; it goes on stopping' },
  )
}
