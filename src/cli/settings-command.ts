import type { Command } from 'commander'
import { addConfigFlags, addExamples, defineAction } from './command.ts'
import { printJson, printLine, printTable } from './output.ts'

export function defineSettings(command: Command): void {
  command.description(
    'Every setting that osmigrate changes on a cluster is noted in a ledger before the change.',
  )
  const restore = command
    .command('restore')
    .summary('put back every setting that was changed')
    .description(
      'Puts back every setting that osmigrate changed on source and target, also after it was killed. A setting that somebody else has changed since is left as it is, and named.',
    )
  addConfigFlags(restore, ['source', 'target'])
  addExamples(restore, [['osmigrate settings restore', '']])
  defineAction(restore, async (invocation) => {
    const { withMigration } = await import('../migration/migration.ts')
    const { restoreAllSettings } = await import('../migration/settings.ts')
    const loaded = await invocation.loadConfig()
    const restored = await withMigration(loaded, invocation.signal, restoreAllSettings)
    if (invocation.json) return printJson({ settings: restored })
    if (restored.length === 0) return printLine('No setting stands changed.')
    printTable(
      ['side', 'index', 'setting', 'outcome', 'value'],
      restored.map(({ entry, outcome, found }) => [
        entry.side,
        entry.index,
        entry.setting,
        outcome,
        outcome === 'left' ? (found ?? 'not set') : (entry.oldValue ?? 'not set'),
      ]),
    )
  })
}
