import type { Command } from 'commander'
import { addConfigFlags, addExamples, defineAction, snapshotParts } from './command.ts'
import { defineDetachable } from './detachable.ts'

export function defineBackfill(command: Command): void {
  command.description(
    'Carries the documents of a snapshot over to the target. It can be stopped, killed and started again at any time.',
  )
  defineStart(command.command('start'))
  defineStatus(command.command('status'))
  defineStop(command.command('stop'))
}

function defineStart(command: Command): void {
  command
    .summary('begin, or go on where it ended')
    .description(
      'Writes the documents of the selected indices to the target indices that `metadata migrate` has made. What is settled already is not written again. Exit code 3 when documents were refused or the snapshot lacks shards.',
    )
    .option('--detach', 'go on in the background, with log and pid in the state folder')
  addConfigFlags(command, [
    'target',
    'select',
    ...snapshotParts,
    'snapshot.allowPartialSource',
    'metadata.dataStreams',
    'transform',
    'backfill',
  ])
  addExamples(command, [
    ['osmigrate backfill start', ''],
    ['osmigrate backfill start --detach', 'then: osmigrate backfill status'],
    ["osmigrate backfill start --index 'logs-*' --verify full", ''],
    ['osmigrate backfill start --share 2/5', 'on the second of five hosts'],
  ])
  defineDetachable(
    command,
    {
      name: 'backfill',
      what: 'The backfill',
      next: 'osmigrate backfill status shows how far it is, osmigrate backfill stop stops it.',
      stopping: 'stopping at a checkpoint; osmigrate backfill start goes on from there',
    },
    async (invocation) => {
      const { startBackfill } = await import('./backfill-run.ts')
      return startBackfill(invocation)
    },
  )
}

function defineStatus(command: Command): void {
  command
    .summary('how far it is')
    .description(
      'Shows how far the backfill is, from any shell. Exit code 0 done, 4 unfinished, 3 done with refused documents or lacking shards, 1 failed.',
    )
  addExamples(command, [
    ['osmigrate backfill status', ''],
    ['osmigrate backfill status --json | jq .totals', ''],
  ])
  defineAction(command, async (invocation) => {
    const { showBackfillStatus } = await import('./backfill-views.ts')
    return showBackfillStatus(invocation)
  })
}

function defineStop(command: Command): void {
  command
    .summary('stop it at a checkpoint')
    .description(
      'Asks the backfill that runs, in whatever shell, to stop at a checkpoint, and waits until it has.',
    )
  addExamples(command, [['osmigrate backfill stop', '']])
  defineAction(command, async (invocation) => {
    const { stopBackfillCommand } = await import('./backfill-views.ts')
    return stopBackfillCommand(invocation)
  })
}
