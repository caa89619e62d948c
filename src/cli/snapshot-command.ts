import type { Command } from 'commander'
import { addConfigFlags, addExamples, defineAction, repositoryParts } from './command.ts'

export function defineSnapshot(command: Command): void {
  command.description(
    'Looks into the snapshots of a repository (list, show, documents: only what is needed is read, by range, and no cluster takes part), and has the source make them (create, status, delete).',
  )
  defineList(command.command('list'))
  defineShow(command.command('show'))
  defineDocuments(command.command('documents'))
  defineCreate(command.command('create'))
  defineStatus(command.command('status'))
  defineDelete(command.command('delete'))
}

function defineList(command: Command): void {
  command
    .summary('the snapshots of a repository')
    .description(
      'Lists the snapshots of a repository. Exit code 3 where one cannot be read (repositories of engines before 5.0 list each by its own blob); the others are listed all the same.',
    )
  addConfigFlags(command, repositoryParts)
  addExamples(command, [
    ['osmigrate snapshot list --repository /mnt/snapshots', ''],
    ['osmigrate snapshot list --repository file:///mnt/snapshots --json', ''],
    ['osmigrate snapshot list --repository s3://backups/es --s3-region eu-west-1', ''],
  ])
  defineAction(command, async (invocation) => {
    const { listSnapshots } = await import('./snapshot-views.ts')
    return listSnapshots(invocation)
  })
}

function defineShow(command: Command): void {
  command
    .summary('the indices, shards and versions of one snapshot')
    .description(
      'Shows what a snapshot holds: indices, shards, documents, bytes, engine and Lucene versions, state. Documents are counted as the engine does: nested ones are among them. Exit code 3 where indices cannot be read; they are named with the reason.',
    )
  addConfigFlags(command, [...repositoryParts, 'snapshot.name', 'select'])
  addExamples(command, [
    ['osmigrate snapshot show --repository /mnt/snapshots --snapshot nightly', ''],
    ["osmigrate snapshot show --repository /mnt/snapshots --snapshot nightly --index 'logs-*'", ''],
  ])
  defineAction(command, async (invocation) => {
    const { showSnapshot } = await import('./snapshot-views.ts')
    return showSnapshot(invocation)
  })
}

/** Which repository of the source is meant. */
const sourceParts = [
  'source',
  'snapshot.repository',
  'snapshot.sourceLocation',
  'snapshot.sourceRepository',
  'snapshot.name',
]

function defineCreate(command: Command): void {
  command
    .summary('make a snapshot of the source')
    .description(
      'Makes a snapshot of the selected indices of the live source and waits until it is whole. Before it is begun the source is asked whether it can: plugin, rights and space in the repository, primary shards, name. The repository is registered on the source as osmigrate-NAME unless it is registered already; nothing else is changed there. A snapshot of that name that is being made already is waited for. Exit code 1 when it ends PARTIAL or FAILED, 3 when closed indices had to be left out, 4 with --no-wait and when it is no longer waited for.',
    )
    .option('--no-wait', 'do not wait: the source goes on making it')
    .option(
      '--for <TIME>',
      'with a capture proxy: how long the counts of the source are compared with its log before',
      '30s',
    )
    .option('--force', 'with a capture proxy: make it without that proof; noted in the state')
  addConfigFlags(command, [
    ...sourceParts,
    'snapshot.s3',
    'snapshot.repositorySettings',
    'snapshot.rateMbPerNode',
    'snapshot.globalState',
    'snapshot.compress',
    'snapshot.stallMax',
    'select',
  ])
  addExamples(command, [
    ['osmigrate snapshot create', 'everything from migration.yaml'],
    ['osmigrate snapshot create --source-url http://es:9200 --repository /mnt/snap', ''],
    ['osmigrate snapshot create --repository s3://backups/es --s3-region eu-west-1', ''],
    ['osmigrate snapshot create --source-repository nightly --no-wait', 'one of the owner'],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { createSnapshotCommand } = await import('./snapshot-create.ts')
      return createSnapshotCommand(invocation)
    },
    { stopping: 'no longer waiting: the source goes on making the snapshot' },
  )
}

function defineStatus(command: Command): void {
  command
    .summary('how far the source is with a snapshot')
    .description(
      'Asks the source how far it is with a snapshot: state, bytes, rate, ETA, shards, each index. Exit code 0 when it is whole, 4 while it is being made, 1 when it is PARTIAL or FAILED or not there.',
    )
  addConfigFlags(command, sourceParts)
  addExamples(command, [
    ['osmigrate snapshot status', ''],
    ['osmigrate snapshot status --snapshot nightly --json', ''],
  ])
  defineAction(command, async (invocation) => {
    const { showSnapshotStatus } = await import('./snapshot-status.ts')
    return showSnapshotStatus(invocation)
  })
}

function defineDelete(command: Command): void {
  command
    .summary('delete a snapshot, or cancel one that is being made')
    .description(
      'Has the source delete a snapshot from its repository, for good, and waits until it is gone. What other snapshots share with it stays. Asks first, or needs --yes.',
    )
    .option('--yes', 'do not ask')
    .option('--cancel', 'also when it is being made: the source gives it up')
    .option('--in-use', 'also when the backfill of this migration reads it')
    .option('--unregister', 'then take off the repository that this migration registered')
    .option('--keep', 'with --unregister: delete no snapshot, only take the repository off')
  addConfigFlags(command, [...sourceParts, 'snapshot.stallMax'])
  addExamples(command, [
    ['osmigrate snapshot delete --snapshot nightly', ''],
    ['osmigrate snapshot delete --cancel --yes', 'gives up the one that is being made'],
    ['osmigrate snapshot delete --unregister --keep', 'the snapshots stay in the repository'],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { deleteSnapshotCommand } = await import('./snapshot-delete.ts')
      return deleteSnapshotCommand(invocation)
    },
    { stopping: 'no longer waiting: the source may go on deleting' },
  )
}

function defineDocuments(command: Command): void {
  command
    .summary('print the documents of a snapshot as NDJSON')
    .description(
      'Prints one document a line: index, id, routing, type, seqNo, version, source (the JSON as stored, on one line). Keys that a document lacks are left out. With and without --json the same.',
    )
  addConfigFlags(command, [
    ...repositoryParts,
    'snapshot.name',
    'snapshot.allowPartial',
    'select',
    'backfill.verify',
  ])
  addExamples(command, [
    ['osmigrate snapshot documents --repository /mnt/snap --snapshot nightly | head -3', ''],
    [
      'osmigrate snapshot documents --repository /mnt/snap --snapshot nightly --index shop | jq .id',
      '',
    ],
  ])
  defineAction(command, async (invocation) => {
    const { printDocuments } = await import('./snapshot-documents.ts')
    await printDocuments(invocation)
  })
}
