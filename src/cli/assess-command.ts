import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { MigrationError } from '../base/errors.ts'
import { duration, byteSize } from '../base/option-types.ts'
import {
  addConfigFlags,
  addExamples,
  defineAction,
  snapshotParts,
  type Invocation,
} from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine } from './output.ts'
import { Progress } from './progress.ts'

const parts = [
  'source',
  'target',
  'select',
  ...snapshotParts,
  'snapshot.allowPartialSource',
  'metadata',
]
const measureDefault = '10s'

export function defineAssess(command: Command): void {
  command
    .description(
      'Tells what moving a cluster would take, and what of it stays behind: versions, sizes, plugins, features in use, what changes by name, clients, a way to go, hours and disk. Reads only; needs no target. Exit code 3 when something would not move, or not as it is.',
    )
    .option(
      '--target-version <VERSION>',
      'assess for an OpenSearch of this version (default: what --target-url is, else the newest known)',
    )
    .option(
      '--rate <SIZE>',
      'bytes of documents a second that the target takes, as a backfill has shown, e.g. 40mb (default: what our benchmark has measured)',
    )
    .option(
      '--measure <TIME>',
      `how long the writes to the source are watched (default: ${measureDefault})`,
    )
    .option('--html <FILE>', 'write a report with charts, in one file that needs no network')
  addConfigFlags(command, parts)
  addExamples(command, [
    ['osmigrate assess --source-url https://es-1:9200', 'a live cluster'],
    ['osmigrate assess --html report.html', ''],
    ['osmigrate assess --repository /mnt/snap --snapshot nightly --target-version 2.19', ''],
    ['osmigrate assess --measure 5m --rate 40mb --json', ''],
  ])
  defineAction(command, assessCommand, { stopping: 'stopping' })
}

async function assessCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { assessSource } = await import('../migration/assess.ts')
  const { options } = invocation
  const rate = parsed('--rate', byteSize({ min: 1 }), options.rate)
  const measureMs = parsed(
    '--measure',
    duration({ minMs: 0, maxMs: 3_600_000 }),
    options.measure ?? measureDefault,
  )!
  const loaded = await invocation.loadConfig()
  const progress = new Progress()
  const assessment = await withMigration(loaded, invocation.signal, (migration) =>
    assessSource(migration, {
      measureMs,
      ...(rate !== undefined && { rateBytesPerSecond: rate }),
      ...(options.targetVersion !== undefined && { targetVersion: text(options.targetVersion) }),
      onProgress: (indices) =>
        progress.update([{ label: 'indices', done: indices, total: indices }]),
    }),
  )
  progress.end()
  const file = options.html === undefined ? undefined : resolve(text(options.html))
  if (file !== undefined) {
    const { assessmentReport } = await import('./assess-report.ts')
    await writeFile(file, assessmentReport(assessment))
  }
  if (invocation.json) printJson(assessment)
  else {
    const { printAssessment } = await import('./assess-view.ts')
    printAssessment(assessment)
    if (file !== undefined) printLine(`\nreport: ${file}`)
  }
  return assessment.complete ? exitCodes.done : exitCodes.differs
}

function parsed<T>(
  flag: string,
  schema: {
    safeParse(
      value: unknown,
    ):
      | { success: true; data: T }
      | { success: false; error: { issues: readonly { message: string }[] } }
  },
  value: unknown,
): T | undefined {
  if (value === undefined) return undefined
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new MigrationError(
    'MA_CONFIG',
    `${flag} ${text(value)}: ${result.error.issues[0]!.message}`,
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
