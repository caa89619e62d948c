import { Argument, Option, type Command } from 'commander'
import { addConfigFlags, addExamples, defineAction } from './command.ts'

/** Where the configured log is. */
const logParts = ['capture.log.dir', 'capture.log.kafka']

const logArgument = (): Argument =>
  new Argument('[log]', 'an export, or the folder of a log or of one of its streams').default(
    undefined,
    'the log that is configured',
  )

export function defineCaptureLog(command: Command): void {
  command
    .summary('what was recorded: show, export, import')
    .description(
      'The capture log holds the requests that may have written, with the answers of the source. Reading it disturbs no proxy that writes it.',
    )
  defineShow(command.command('show'))
  defineExport(command.command('export'))
  defineImport(command.command('import'))
}

function defineShow(command: Command): void {
  command
    .summary('requests and answers, one line each')
    .description(
      'Prints what a capture log holds, in order of time: of a log that is being written, of an export, of a topic. Exit code 3 when it has gaps: requests that may have written and are not in it.',
    )
    .addArgument(logArgument())
    .option(
      '--since <TIME>',
      'only what came in from then on: 2026-05-01T08:00Z, or 15m for so long ago',
    )
    .option('--until <TIME>', 'only what came in before then')
    .option(
      '--index <PATTERN>',
      'only what names such an index, in the path or in the answer; several times for several',
      (value: string, before: string[] | undefined) => [...(before ?? []), value],
    )
    .option('--api <NAME>', 'only requests of this API, as it stands in the lines')
    .option('--status <STATUS>', 'only answers with this status: 201, 4xx, 500-599, none')
    .option('--limit <N>', 'so many lines at most')
    .option('--bodies', 'with the bodies, unpacked')
    .option('--follow', 'waits for more, until Ctrl-C')
    .option('--skip-damage', 'goes on behind bytes that are damaged; a gap stands in their place')
  addConfigFlags(command, logParts)
  addExamples(command, [
    ['osmigrate capture log show --since 15m', ''],
    ['osmigrate capture log show --follow --status 5xx', ''],
    ['osmigrate capture log show --index shop --bodies --limit 20', ''],
    ['osmigrate capture log show traffic.gz --json | jq .api', ''],
  ])
  defineAction(
    command,
    async (invocation) => (await import('./capture-log-show.ts')).showLog(invocation),
    { stopping: 'no longer reading' },
  )
}

function defineExport(command: Command): void {
  command
    .summary('to one file')
    .description(
      'Writes what a capture log holds to a file (docs/formats/capture-log.md). What comes while it is read is not in it. An export that was broken off goes on when the command is given again. Exit code 3 when damage was passed over.',
    )
    .addArgument(new Argument('<file>', 'the file to be made, e.g. traffic.gz'))
    .option('--from <LOG>', 'an export, or a folder, in the place of the log that is configured')
    .option('--since <TIME>', 'only requests that came in from then on, with their answers')
    .option('--until <TIME>', 'only requests that came in before then, with their answers')
    .option('--skip-damage', 'goes on behind bytes that are damaged; a gap stands in their place')
  addConfigFlags(command, logParts)
  addExamples(command, [
    ['osmigrate capture log export traffic.gz', ''],
    [
      'osmigrate capture log export monday.gz --since 2026-05-04T00:00Z --until 2026-05-05T00:00Z',
      '',
    ],
  ])
  defineAction(
    command,
    async (invocation) => (await import('./capture-log-transfer.ts')).exportCommand(invocation),
    { stopping: 'stopping; the same command goes on from here' },
  )
}

function defineImport(command: Command): void {
  command
    .summary('from such a file')
    .description(
      'Appends an export to a capture log that is empty, under the names that its streams had. An import that was broken off goes on when the command is given again; to a topic it begins anew, which does no harm to sync.',
    )
    .addArgument(new Argument('<file>', 'what `capture log export` wrote'))
    .addOption(
      new Option(
        '--format <FORMAT>',
        'osmigrate, or known: traffic that the capture proxy of opensearch-migrations recorded, as its tools export it',
      )
        .choices(['osmigrate', 'known'])
        .default('osmigrate'),
    )
    .option('--to <FOLDER>', 'a folder in the place of the log that is configured')
  addConfigFlags(command, [...logParts, 'capture.log.bytesMax'])
  addExamples(command, [
    ['osmigrate capture log import traffic.gz --to /data/capture', ''],
    ['osmigrate capture log import kafka_export.proto.gz --format known', ''],
  ])
  defineAction(
    command,
    async (invocation) => (await import('./capture-log-transfer.ts')).importCommand(invocation),
    { stopping: 'stopping; the same command goes on from here' },
  )
}
