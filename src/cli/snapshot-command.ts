import type { Command } from 'commander'
import { addConfigFlags, addExamples, defineAction, repositoryParts } from './command.ts'

export function defineSnapshot(command: Command): void {
  command.description(
    'Looks into the snapshots of a repository. Reads only what is needed, by range; no cluster takes part.',
  )
  defineList(command.command('list'))
  defineShow(command.command('show'))
  defineCreate(command.command('create'))
  defineDocuments(command.command('documents'))
}

function defineList(command: Command): void {
  command
    .summary('the snapshots of a repository')
    .description('Lists the snapshots of a repository.')
  addConfigFlags(command, repositoryParts)
  addExamples(command, [
    ['osmigrate snapshot list --repository /mnt/snapshots', ''],
    ['osmigrate snapshot list --repository file:///mnt/snapshots --json', ''],
    ['osmigrate snapshot list --repository s3://backups/es --s3-region eu-west-1', ''],
  ])
  defineAction(command, async (invocation) => {
    const { listSnapshots } = await import('./snapshot-views.ts')
    await listSnapshots(invocation)
  })
}

function defineShow(command: Command): void {
  command
    .summary('the indices, shards and versions of one snapshot')
    .description(
      'Shows what a snapshot holds: indices, shards, documents, bytes, engine and Lucene versions, state. Documents are counted as the engine does: nested ones are among them.',
    )
  addConfigFlags(command, [...repositoryParts, 'snapshot.name', 'select'])
  addExamples(command, [
    ['osmigrate snapshot show --repository /mnt/snapshots --snapshot nightly', ''],
    ["osmigrate snapshot show --repository /mnt/snapshots --snapshot nightly --index 'logs-*'", ''],
  ])
  defineAction(command, async (invocation) => {
    const { showSnapshot } = await import('./snapshot-views.ts')
    await showSnapshot(invocation)
  })
}

function defineCreate(command: Command): void {
  command
    .summary('make a snapshot of the source')
    .description(
      'Makes a snapshot of the selected indices of the live source and waits until it is whole. The repository is registered on the source as osmigrate-NAME; nothing else is changed there.',
    )
  addConfigFlags(command, [
    'source',
    'snapshot.repository',
    'snapshot.name',
    'snapshot.rateMbPerNode',
    'select',
  ])
  addExamples(command, [
    ['osmigrate snapshot create', 'everything from migration.yaml'],
    ['osmigrate snapshot create --source-url http://es:9200 --repository /mnt/snap', ''],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { createSnapshotCommand } = await import('./snapshot-create.ts')
      await createSnapshotCommand(invocation)
    },
    { stopping: 'no longer waiting: the source goes on making the snapshot' },
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
