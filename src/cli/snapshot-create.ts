import { withMigration } from '../migration/migration.ts'
import { createConfiguredSnapshot } from '../migration/snapshot.ts'
import type { Invocation } from './command.ts'
import { formatBytes, formatDuration, printJson, printLine } from './output.ts'
import { Progress } from './progress.ts'

export async function createSnapshotCommand(invocation: Invocation): Promise<void> {
  const loaded = await invocation.loadConfig()
  const progress = new Progress()
  const created = await withMigration(loaded, invocation.signal, (migration) =>
    createConfiguredSnapshot(migration, ({ state, shardsDone, shardsTotal, bytesDone }) => {
      const note = `${formatBytes(bytesDone)} copied, ${state}`
      progress.update([{ label: 'shards', done: shardsDone, total: shardsTotal, note }])
    }),
  ).finally(() => progress.end())
  if (invocation.json) return printJson(created)
  const { name, repository, indices, shards, durationMs } = created
  printLine(
    `snapshot ${name}: ${indices.length} indices, ${shards} shards, ${formatDuration(durationMs)}`,
  )
  printLine(`The source knows the repository as ${repository}. Next: osmigrate metadata evaluate`)
}
