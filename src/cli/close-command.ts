import type { Command } from 'commander'
import type { Closed } from '../migration/close.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine, printTable } from './output.ts'
import { printRestored } from './settings-command.ts'

export function defineClose(command: Command): void {
  command
    .description(
      'Ends the migration on the clusters: takes the fence aliases off the target, so that nothing of this migration can write any more, and puts back every setting that it changed. Indices and templates stay. It can be repeated. Exit code 3 when the target refused a withheld setting.',
    )
    .option(
      '--set-withheld',
      'set on the target what was withheld from it: pipelines, write blocks, lifecycle policies',
    )
  addConfigFlags(command, ['source', 'target'])
  addExamples(command, [
    ['osmigrate close', ''],
    ['osmigrate close --set-withheld', 'when clients are about to use the target'],
  ])
  defineAction(command, closeCommand, {
    stopping: 'stopping after the present step; osmigrate close goes on',
  })
}

async function closeCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { closeConfigured } = await import('../migration/close.ts')
  const loaded = await invocation.loadConfig()
  const setWithheld = invocation.options.setWithheld === true
  const closed = await withMigration(loaded, invocation.signal, (migration) =>
    closeConfigured(migration, { setWithheld }),
  )
  if (invocation.json) printJson(closed)
  else printClosed(closed)
  return closed.withheld.some(({ refused }) => refused !== undefined)
    ? exitCodes.differs
    : exitCodes.done
}

function printClosed({ fences, withheld, restored, stillWithheld }: Closed): void {
  printLine(`${fences.length} fence aliases are gone: this migration writes no more.`)
  if (restored.length > 0) printRestored(restored)
  if (withheld.length > 0) {
    printTable(
      ['kind', 'name', 'withheld setting', 'outcome'],
      withheld.map(({ kind, name, setting, refused }) => [
        kind,
        name,
        setting,
        refused === undefined ? 'set' : `refused: ${refused}`,
      ]),
    )
  }
  if (stillWithheld > 0) {
    printLine(`${stillWithheld} settings stay withheld: osmigrate close --set-withheld sets them.`)
  }
}
