import type { Command } from 'commander'
import type { Restored } from '../state/ledger.ts'
import { addConfigFlags, addExamples, defineAction } from './command.ts'
import { printJson, printLine, printTable, printable } from './output.ts'

export function defineSettings(command: Command): void {
  command.description(
    'Every setting that osmigrate changes on a cluster is noted in a ledger before the change.',
  )
  const restore = command
    .command('restore')
    .summary('put back the settings that a backfill left changed')
    .description(
      'Puts back the settings that a backfill changed while it ran, also after it was killed. What stands until the migration is closed stays, and is named: `osmigrate close` puts it back, and so does --all. A setting that somebody else has changed since is left as it is, and named.',
    )
    .option(
      '--all',
      'also what stands until close, e.g. the cluster setting that keeps late deletes from making indices',
    )
  addConfigFlags(restore, ['source', 'target'])
  addExamples(restore, [['osmigrate settings restore', '']])
  defineAction(restore, async (invocation) => {
    const { withMigration } = await import('../migration/migration.ts')
    const { restoreChanged } = await import('../migration/settings.ts')
    const loaded = await invocation.loadConfig()
    const all = invocation.options.all === true
    const { restored, kept } = await withMigration(loaded, invocation.signal, (migration) =>
      restoreChanged(migration, { all }),
    )
    if (invocation.json) return printJson({ settings: restored, kept })
    if (restored.length > 0) printRestored(restored)
    else printLine(kept.length > 0 ? 'Nothing was to be put back.' : 'No setting stands changed.')
    for (const { side, setting, newValue } of kept) {
      const what = printable(`${setting} of the ${side} stays ${newValue ?? 'not set'}`)
      printLine(`${what} until: osmigrate close`)
    }
  })
}

export function printRestored(restored: readonly Restored[]): void {
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
}
