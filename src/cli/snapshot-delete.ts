import { createInterface } from 'node:readline/promises'
import { MigrationError } from '../base/errors.ts'
import { withMigration } from '../migration/migration.ts'
import { deleteConfiguredSnapshot, unregisterOwn } from '../migration/snapshot.ts'
import type { SnapshotRecord } from '../take/snapshot-status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printable, printJson, printLine } from './output.ts'

export async function deleteSnapshotCommand(invocation: Invocation): Promise<ExitCode> {
  const { options, signal, json } = invocation
  if (options.keep === true && options.unregister !== true) {
    throw new MigrationError(
      'MA_CONFIG',
      '--keep keeps the snapshot, so that there is nothing to do: say --unregister too, to take the repository off the source, or leave --keep out',
    )
  }
  const loaded = await invocation.loadConfig()
  const result = await withMigration(loaded, signal, async (migration) => {
    const deleted =
      options.keep === true
        ? undefined
        : await deleteConfiguredSnapshot(migration, {
            cancel: options.cancel === true,
            inUse: options.inUse === true,
            unregister: options.unregister === true,
            confirm: (snapshot, repository) =>
              options.yes === true
                ? Promise.resolve(true)
                : confirm(snapshot, { repository, signal, interactive: !json }),
          })
    const goesOn = options.unregister === true && (deleted !== undefined || options.keep === true)
    const unregistered = goesOn ? await unregisterOwn(migration) : undefined
    return { deleted, unregistered }
  })
  const { deleted, unregistered } = result
  if (json) {
    printJson({
      deleted: deleted && { name: deleted.snapshot.name, repository: deleted.repository },
      unregistered: unregistered?.entry.setting.replace(/^_snapshot\//, ''),
    })
  } else print(result, options)
  const refused = deleted === undefined && options.keep !== true
  return refused ? exitCodes.unfinished : exitCodes.done
}

type Result = {
  deleted: { snapshot: SnapshotRecord; repository: string } | undefined
  unregistered: Awaited<ReturnType<typeof unregisterOwn>>
}

function print({ deleted, unregistered }: Result, options: Invocation['options']): void {
  if (deleted) {
    const { snapshot, repository } = deleted
    printLine(`The snapshot ${printable(snapshot.name)} is gone from ${printable(repository)}.`)
  } else if (options.keep !== true) printLine('Nothing was deleted.')
  if (unregistered) {
    printLine(
      `${printable(unregistered.entry.setting)} is off the source; its files stay where they are.`,
    )
  } else if (options.unregister === true && (deleted || options.keep === true)) {
    printLine('This migration has no repository registered on the source.')
  }
}

async function confirm(
  { name, state, indices }: SnapshotRecord,
  about: { repository: string; signal: AbortSignal; interactive: boolean },
): Promise<boolean> {
  const { repository, signal, interactive } = about
  const what = printable(
    `the snapshot ${name} (${state}, ${indices.length} indices) from ${repository}`,
  )
  if (!interactive || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new MigrationError(
      'MA_CONFIG',
      `this would delete ${what}, for good; say --yes where nobody can be asked`,
      { details: { snapshot: name, repository } },
    )
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await prompt.question(`Delete ${what}, for good? [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    prompt.close()
  }
}
