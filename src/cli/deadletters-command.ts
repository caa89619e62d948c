import { Argument, Option, type Command } from 'commander'
import { addConfigFlags, addExamples, defineAction, repositoryParts } from './command.ts'

export function defineDeadLetters(command: Command): void {
  command.description(
    'Dead letters are documents that the target refused. Backfill and sync go on without them; the snapshot, or the source, still holds them.',
  )
  const list = command
    .command('list')
    .summary('by cause')
    .description(
      'Lists dead letters, grouped by index and cause. Exit code 3 when there are open ones.',
    )
    .option('--each', 'one line each; with --json NDJSON')
  addFilters(list)
  addConfigFlags(list, ['select'])
  addExamples(list, [
    ['osmigrate deadletters list', ''],
    ['osmigrate deadletters list --index shop --each', ''],
  ])
  act(list, 'listDeadLetters')

  const show = command
    .command('show')
    .summary('one of them, with its document')
    .description(
      'Shows one dead letter and the document: as the snapshot holds it, or for one of sync as the source has it now.',
    )
    .addArgument(new Argument('<key>', 'as `deadletters list --each` shows it'))
  addConfigFlags(show, ['source', ...repositoryParts, 'snapshot.name', 'snapshot.allowPartial'])
  addExamples(show, [['osmigrate deadletters show shop/0/_3/17', '']])
  act(show, 'showOneDeadLetter')

  const retry = command
    .command('retry')
    .summary('send them again')
    .description(
      'Sends open dead letters again, for example after the mapping of the target was mended. What is refused again stays open. Exit code 3 then. Those of sync are read from the source again and sent by the sync that runs, or when it is started.',
    )
  addFilters(retry)
  addConfigFlags(retry, [
    'target',
    ...repositoryParts,
    'snapshot.name',
    'snapshot.allowPartial',
    'select',
    'metadata.dataStreams',
    'transform',
    'backfill.bulkWaitMax',
  ])
  addExamples(retry, [
    ['osmigrate deadletters retry', ''],
    ['osmigrate deadletters retry --cause mapper_parsing_exception', ''],
  ])
  act(retry, 'retryDeadLettersCommand', 'stopping; the rest stays open')

  const discard = command
    .command('discard')
    .summary('leave them behind on purpose')
    .description(
      'Marks open dead letters as left behind on purpose. They stay listed with --state all. Say which, or --all.',
    )
    .option('--all', 'every open dead letter of the selected indices')
  addFilters(discard)
  addConfigFlags(discard, ['select'])
  addExamples(discard, [['osmigrate deadletters discard --index tmp --all', '']])
  act(discard, 'discardDeadLettersCommand')
}

function addFilters(command: Command): void {
  command.option('--cause <CAUSE>', 'only of this cause, e.g. mapper_parsing_exception')
  command.option('--id <ID>', 'only of the document with this id')
  if (command.name() === 'list') {
    const states = ['open', 'retried', 'discarded', 'all']
    command.addOption(new Option('--state <STATE>', 'which state (default: open)').choices(states))
  }
}

type Action =
  'listDeadLetters' | 'showOneDeadLetter' | 'retryDeadLettersCommand' | 'discardDeadLettersCommand'

function act(command: Command, action: Action, stopping?: string): void {
  defineAction(
    command,
    async (invocation) => (await import('./deadletters-actions.ts'))[action](invocation),
    stopping === undefined ? {} : { stopping },
  )
}
