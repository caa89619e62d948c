import { Command, CommanderError, Option } from 'commander'
import { packageVersion } from './main.ts'
import { MigrationError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { reportFailure } from './failure.ts'
import { guardOutput } from './output.ts'

/** A command of the first level: its line in the overview, and the module that knows the rest. */
interface CommandEntry {
  name: string
  summary: string
  load(): Promise<(command: Command) => void>
}

/** In the order in which a migration uses them. */
const commands: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'a whole migration on this machine, with real clusters and sample data',
    load: async () => (await import('./demo-command.ts')).defineDemo,
  },
  {
    name: 'init',
    summary: 'write a commented migration.yaml',
    load: async () => (await import('./init-command.ts')).defineInit,
  },
  {
    name: 'assess',
    summary: 'what moving a cluster takes, and what of it stays behind',
    load: async () => (await import('./assess-command.ts')).defineAssess,
  },
  {
    name: 'clusters',
    summary: 'what users need on the clusters: the least roles',
    load: async () => (await import('./clusters-command.ts')).defineClusters,
  },
  {
    name: 'snapshot',
    summary: 'look into snapshots, make one, print its documents',
    load: async () => (await import('./snapshot-command.ts')).defineSnapshot,
  },
  {
    name: 'metadata',
    summary: 'indices, mappings, aliases and templates: evaluate, then migrate',
    load: async () => (await import('./metadata-command.ts')).defineMetadata,
  },
  {
    name: 'transform',
    summary: 'try on real documents what changes them on their way',
    load: async () => (await import('./transform-command.ts')).defineTransform,
  },
  {
    name: 'backfill',
    summary: 'carry the documents of a snapshot over to the target',
    load: async () => (await import('./backfill-command.ts')).defineBackfill,
  },
  {
    name: 'capture',
    summary: 'a proxy in front of the source that records every write',
    load: async () => (await import('./capture-command.ts')).defineCapture,
  },
  {
    name: 'sync',
    summary: 'bring the target up to date with what clients write, all the time',
    load: async () => (await import('./sync-command.ts')).defineSync,
  },
  {
    name: 'compare',
    summary: 'compare source and target: documents, metadata, searches, speed',
    load: async () => (await import('./compare-command.ts')).defineCompare,
  },
  {
    name: 'shadow',
    summary: 'replay recorded traffic against the target: does it answer as the source does?',
    load: async () => (await import('./shadow-command.ts')).defineShadow,
  },
  {
    name: 'deadletters',
    summary: 'documents that the target refused: list, show, retry, discard',
    load: async () => (await import('./deadletters-command.ts')).defineDeadLetters,
  },
  {
    name: 'settings',
    summary: 'put back what was changed on a cluster',
    load: async () => (await import('./settings-command.ts')).defineSettings,
  },
  {
    name: 'close',
    summary: 'end the migration on the clusters: fences off, settings put back',
    load: async () => (await import('./close-command.ts')).defineClose,
  },
  {
    name: 'engine',
    summary: 'start a real Elasticsearch or OpenSearch on this machine, for trying things',
    load: async () => (await import('./engine-command.ts')).defineEngine,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    load: async () => (await import('./completion-command.ts')).defineCompletion,
  },
]

/** Parses, runs, and turns whatever comes out into an exit code and, if need be, one message. */
export async function runProgram(given: readonly string[]): Promise<void> {
  guardOutput()
  // `help snapshot list` is `snapshot list --help`, at any depth.
  const args = given[0] === 'help' ? [...given.slice(1), '--help'] : given
  const global = { json: args.includes('--json'), debug: args.includes('--debug') }
  try {
    const program = await buildProgram(wanted(args))
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return
      // Help that nobody asked for (a command without its sub-command) is shown already.
      if (error.code === 'commander.help') process.exitCode = 2
      else reportFailure(usageError(error), global)
      return
    }
    reportFailure(error, global)
  }
}

/**
 * The commander program. With `only`, the other commands are lines in the overview without their modules;
 * without, everything is loaded (documentation, completion).
 */
export async function buildProgram(only?: string): Promise<Command> {
  const program = new Command('osmigrate')
  program
    .description('Moves Elasticsearch to OpenSearch: nothing lost, proven equal.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command, with examples')
    .addOption(new Option('--json', 'print JSON instead of text'))
    .addOption(
      new Option('--config <FILE>', 'configuration file (default: migration.yaml, if there)'),
    )
    .addOption(new Option('--name <NAME>', 'name of the migration, beats the one in the file'))
    .addOption(new Option('--debug', 'show the stack of an error'))
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', overviewExamples)
  prepare(program)
  for (const entry of commands) {
    const command = program
      .command(entry.name)
      .summary(entry.summary)
      .description(sentence(entry.summary))
    command.copyInheritedSettings(program)
    if (only === undefined || only === entry.name) (await entry.load())(command)
    prepare(command)
  }
  return program
}

/** Settings that commander does not pass on to sub-commands made before they were set. */
function prepare(command: Command): void {
  command.exitOverride().showSuggestionAfterError(true)
  command.configureOutput({ outputError: () => {} })
  for (const child of command.commands) prepare(child)
}

/** The first word that is no option and no value of a global option. */
function wanted(args: readonly string[]): string {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--config' || arg === '--name') i++
    else if (arg === 'help') continue
    else if (!arg.startsWith('-')) return arg
  }
  return ''
}

const secretsHint =
  'Secrets have no flags: write env:NAME or file:PATH into migration.yaml, or set OSMIGRATE_SOURCE_PASSWORD, OSMIGRATE_TARGET_PASSWORD.'

function usageError(error: CommanderError): MigrationError {
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?')
  if (/unknown option '--.*(password|api-?key|bearer|token|secret)/i.test(text)) {
    return new MigrationError('MA_CONFIG', `${text.split(';')[0]}\n${secretsHint}`)
  }
  const [, unknown] = /unknown command '(.+?)'/.exec(text) ?? []
  const guess =
    unknown === undefined
      ? undefined
      : nearest(
          unknown,
          commands.map((one) => one.name),
        )
  const hint =
    guess !== undefined && !text.includes('did you mean') ? `; did you mean ${guess}?` : ''
  return new MigrationError('MA_CONFIG', `${text}${hint}\nAdd --help to see how it is used.`)
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

const overviewExamples = `
Examples:
  osmigrate demo                                      see a whole migration on this machine
  osmigrate snapshot list --repository /mnt/snap      what is in a snapshot repository
  osmigrate init                                      write migration.yaml, then:
  osmigrate metadata evaluate                         what would be made on the target
  osmigrate metadata migrate
  osmigrate backfill start
  osmigrate compare documents

Exit codes: 0 done and equal, 1 failed, 2 wrong usage or configuration,
            3 done with items not carried over or not equal, 4 unfinished (run it again to go on)`
