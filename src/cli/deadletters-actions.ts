import type { DeadLetterGroup } from '../backfill/dead-letters.ts'
import { MigrationError } from '../base/errors.ts'
import {
  discardChosen,
  eachLetter,
  filtersOf,
  groupLetters,
  retryChosen,
  showLetter,
  type AnyLetter,
  type LetterChoice,
} from '../migration/dead-letters.ts'
import { withMigration } from '../migration/migration.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatDuration,
  formatNumber,
  isOutputClosed,
  printJson,
  printLine,
  printTable,
  printable,
} from './output.ts'
import { say } from './progress.ts'

export async function listDeadLetters(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  return withMigration(loaded, invocation.signal, async (migration) => {
    const state = await migration.state('read')
    const filters = await filtersOf(migration, state, choiceOf(invocation))
    if (invocation.options.each === true) {
      let count = 0
      for (const filter of filters) {
        for await (const letter of eachLetter(state, filter)) {
          count++
          printLetter(letter, invocation.json)
          if (isOutputClosed()) return exitCodes.done
        }
      }
      return count > 0 ? exitCodes.differs : exitCodes.done
    }
    const groups = (await Promise.all(filters.map((filter) => groupLetters(state, filter)))).flat()
    if (invocation.json) printJson({ groups })
    else printGroups(groups)
    return groups.length > 0 ? exitCodes.differs : exitCodes.done
  })
}

function printLetter(letter: AnyLetter, json: boolean): void {
  if (json) return printJson(letter)
  const { key, id, cause, status, reason } = letter
  printLine(printable(`${key}  id ${id}  ${cause} (${status}): ${reason}`))
}

function printGroups(groups: readonly DeadLetterGroup<AnyLetter>[]): void {
  if (groups.length === 0) return printLine('No dead letters.')
  printTable(
    ['index', 'cause', 'count', 'example', 'why'],
    groups.map(({ index, cause, count, example }) => [
      index,
      cause,
      count,
      example.key,
      shortened(example.reason),
    ]),
  )
  printLine('\nosmigrate deadletters show KEY shows one with its document; retry sends them again.')
}

const reasonShown = 120

function shortened(text: string): string {
  return text.length > reasonShown ? `${text.slice(0, reasonShown)}…` : text
}

export async function showOneDeadLetter(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const key = invocation.args[0]!
  const { letter, document, sourceText } = await withMigration(
    loaded,
    invocation.signal,
    (migration) => showLetter(migration, key),
  )
  if (invocation.json) printJson({ ...letter, document: document ?? null })
  else {
    for (const [name, value] of Object.entries(letter)) {
      printLine(`${name.padEnd(8)} ${printable(String(value ?? '-'))}`)
    }
    printLine(`source   ${printable(sourceText ?? 'not there')}`)
  }
  return exitCodes.done
}

export async function retryDeadLettersCommand(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const done = await withMigration(loaded, invocation.signal, (migration) =>
    retryChosen(migration, choiceOf(invocation), ({ what, waitMs }) =>
      say(`the target answers ${what}; again in ${formatDuration(waitMs)}`),
    ),
  )
  if (invocation.json) printJson(done)
  else {
    const { written, refused, asked } = done
    if (asked !== undefined) {
      printLine(
        `${formatNumber(asked)} changes are read from the source and sent again by sync, now or when it is started.`,
      )
    }
    if (asked === undefined || written + refused > 0) {
      printLine(`${formatNumber(written)} written, ${formatNumber(refused)} refused again`)
    }
  }
  return done.refused > 0 ? exitCodes.differs : exitCodes.done
}

export async function discardDeadLettersCommand(invocation: Invocation): Promise<ExitCode> {
  const choice = choiceOf(invocation)
  if (choice.cause === undefined && choice.id === undefined && invocation.options.all !== true) {
    throw new MigrationError(
      'MA_CONFIG',
      'which dead letters are to be left behind?\nSay --cause CAUSE, --id ID, or --all.',
    )
  }
  const loaded = await invocation.loadConfig()
  const discarded = await withMigration(loaded, invocation.signal, (migration) =>
    discardChosen(migration, choice),
  )
  if (invocation.json) printJson({ discarded })
  else printLine(`${formatNumber(discarded)} dead letters are left behind on purpose.`)
  return exitCodes.done
}

function choiceOf({ options }: Invocation): LetterChoice {
  return {
    ...(typeof options.cause === 'string' && { cause: options.cause }),
    ...(typeof options.id === 'string' && { id: options.id }),
    ...(typeof options.state === 'string' && {
      state: options.state as NonNullable<LetterChoice['state']>,
    }),
  }
}
