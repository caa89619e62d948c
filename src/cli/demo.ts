import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { BackfillSummary } from '../backfill/run.ts'
import type { Engine } from '../engines/engine.ts'
import { engineAvailable, startEngine } from '../engines/engine.ts'
import { runConfiguredBackfill } from '../migration/backfill.ts'
import { compareConfigured } from '../migration/compare.ts'
import { loadConfig } from '../migration/config.ts'
import { migrateMetadata } from '../migration/metadata.ts'
import { withMigration, type Migration } from '../migration/migration.ts'
import { createConfiguredSnapshot } from '../migration/snapshot.ts'
import { isNotAsWanted } from '../metadata/apply.ts'
import { plannedObjects } from '../metadata/plan.ts'
import type { Verdict } from '../state/records.ts'
import { backfillRows } from './backfill-run.ts'
import type { Invocation } from './command.ts'
import { allEqual, CompareRows } from './compare-documents-command.ts'
import { demoBytes } from './demo-data.ts'
import { loadSampleData } from './demo-load.ts'
import { untilAborted } from './engine-command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatBytes,
  formatDuration,
  formatNumber,
  printJson,
  printLine,
  printTable,
} from './output.ts'
import { idsReadRows, Progress } from './progress.ts'
import { SnapshotRows } from './snapshot-create.ts'

/** What the demo found, for the closing table and for --json. */
interface DemoResult {
  backfill: BackfillSummary
  verdicts: Verdict[]
  /** False where an index or template was refused or lost something on the way. */
  metadataComplete: boolean
  /** Milliseconds by step, in order. */
  steps: { step: string; durationMs: number }[]
}

/** `osmigrate demo`: two real engines, a whole migration, a closing table. Everything it starts ends with it. */
export async function runDemo(invocation: Invocation): Promise<ExitCode> {
  const { signal } = invocation
  const scale = scaleOf(invocation.options.scale)
  const progress = new Progress()
  const folder = await mkdtemp(join(tmpdir(), 'osmigrate-demo-'))
  const engines: Engine[] = []
  try {
    progress.log('osmigrate demo: Elasticsearch 7.10.2 → OpenSearch, on this machine')
    const steps: DemoResult['steps'] = []
    await timed(steps, 'start two clusters', () => startEngines(engines, { progress, signal }))
    const [source, target] = engines as [Engine, Engine]
    const migration = { folder, source, target, scale, signal }
    const result = await migrate(migration, { steps, progress })
    const equal = allEqual(result.verdicts) && isComplete(result)
    if (invocation.json) printJson({ equal, ...result })
    else printResult(result, equal)
    if (invocation.options.exit !== true) {
      printAddresses(invocation.json, migration)
      await untilAborted(signal)
    }
    return equal ? exitCodes.done : exitCodes.differs
  } finally {
    progress.end()
    await Promise.all(engines.map((engine) => engine.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

function scaleOf(value: unknown): number {
  if (value === undefined) return 1
  const scale = Number(value)
  if (scale >= 0.001 && scale <= 1) return scale
  throw new MigrationError(
    'MA_CONFIG',
    `--scale: expected a number from 0.001 to 1, found ${value as string}`,
  )
}

interface DemoPlace {
  folder: string
  source: Engine
  target: Engine
  /** Share of the sample data. */
  scale: number
  signal: AbortSignal
}

interface Told {
  steps: DemoResult['steps']
  progress: Progress
}

/** The steps of a migration, in the order in which the commands would be given. */
async function migrate(place: DemoPlace, { steps, progress }: Told): Promise<DemoResult> {
  const { folder, source, target, scale, signal } = place
  const loaded = await loadConfig({
    folder,
    flags: new Map([
      ['name', 'demo'],
      ['source.url', source.url],
      ['target.url', target.url],
      ['snapshot.repository', join(source.repositoryDir, 'demo')],
      ['snapshot.name', 'demo'],
    ]),
  })
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> =>
    timed(steps, name, () => work().finally(() => progress.end()))
  return withMigration(loaded, signal, async (migration) => {
    await step('sample data', () => fillSource(migration, { scale, progress }))
    await step('snapshot', () => makeSnapshot(migration, progress))
    const metadataComplete = await step('metadata', () => makeMetadata(migration, progress))
    const backfill = await step('backfill', () =>
      runConfiguredBackfill(migration, {
        onProgress: (one) => progress.update(backfillRows(one)),
        onIdsRead: (...read) => progress.update(idsReadRows(...read)),
      }),
    )
    const rows = new CompareRows()
    const verdicts = await step('verification', () =>
      compareConfigured(migration, { onProgress: (one) => progress.update(rows.update(one)) }),
    )
    return { backfill, verdicts, metadataComplete, steps }
  })
}

async function fillSource(
  migration: Migration,
  { scale, progress }: { scale: number; progress: Progress },
): Promise<void> {
  const source = await migration.source()
  await loadSampleData(source, {
    scale,
    signal: migration.signal,
    onBytes: (done) => {
      const shown = formatBytes(done)
      progress.update([{ label: 'sample data', done, total: demoBytes * scale, shown }])
    },
  })
}

async function makeSnapshot(migration: Migration, progress: Progress): Promise<void> {
  const rows = new SnapshotRows()
  await createConfiguredSnapshot(migration, {
    onProgress: (one) => progress.update(rows.update(one)),
  })
}

async function makeMetadata(migration: Migration, progress: Progress): Promise<boolean> {
  const { plan, result } = await migrateMetadata(migration, {
    onApplied: (_applied, done, total) => progress.update([{ label: 'metadata', done, total }]),
  })
  for (const { kind, name, outcome, reason } of result.objects) {
    if (isNotAsWanted(outcome)) {
      progress.log(`${kind} ${name}: ${outcome}, ${reason ?? ''}`)
    }
  }
  for (const { name, changes } of plannedObjects(plan)) {
    for (const { path, reason } of changes.filter(({ loss }) => loss)) {
      progress.log(`${name}: ${path} is lost, ${reason}`)
    }
  }
  for (const { kind, name, reason } of plan.notCarried) {
    progress.log(`${kind} ${name} is not carried over: ${reason}`)
  }
  return result.complete
}

function isComplete({ backfill, metadataComplete }: DemoResult): boolean {
  return metadataComplete && backfill.deadLetters === 0 && backfill.lackingShards === 0
}

async function timed<T>(
  steps: DemoResult['steps'],
  step: string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now()
  const result = await work()
  steps.push({ step, durationMs: Math.round(performance.now() - start) })
  return result
}

/** Source first, then target; both start at once. What one of them started is stopped when the other fails. */
async function startEngines(
  engines: Engine[],
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<void> {
  const start = async (kind: 'elasticsearch' | 'opensearch', version: string): Promise<Engine> => {
    progress.log(`  starting ${kind} ${version}`)
    const onProgress = (message: string): void => progress.log(`  ${message}`)
    const engine = await startEngine({ kind, version, heapMb: 768, signal, onProgress })
    progress.log(`  ${kind} ${engine.version} runs at ${engine.url}`)
    return engine
  }
  const version = await targetVersion(progress)
  const started = await Promise.allSettled([
    start('elasticsearch', '7.10.2'),
    start('opensearch', version),
  ])
  for (const one of started) if (one.status === 'fulfilled') engines.push(one.value)
  for (const one of started) if (one.status === 'rejected') throw one.reason
}

async function targetVersion(progress: Progress): Promise<string> {
  const newest = await engineAvailable('opensearch', '3')
  if (newest.ok) return '3'
  const older = await engineAvailable('opensearch', '2')
  if (!older.ok) return '3' // its own message says what is missing
  progress.log(`  OpenSearch 2.19 in place of 3: ${newest.reason}`)
  return '2'
}

function printResult({ backfill, verdicts, steps }: DemoResult, equal: boolean): void {
  const verdictOf = new Map(verdicts.map((verdict) => [verdict.index, verdict.verdict]))
  const { totals, indices, durationMs } = backfill
  printLine()
  printTable(
    ['index', 'read', 'written', 'failed', 'size', 'documents are'],
    [
      ...indices.map((one) => [
        one.index,
        one.read,
        one.written,
        one.failed,
        formatBytes(one.sourceBytes),
        verdictOf.get(one.index) ?? 'unknown',
      ]),
      [
        'all',
        totals.read,
        totals.written,
        totals.failed,
        formatBytes(totals.sourceBytes),
        allEqual(verdicts) ? 'equal' : 'NOT EQUAL',
      ],
    ],
  )
  printLine()
  printTable(
    ['step', 'time'],
    steps.map(({ step, durationMs: ms }) => [step, formatDuration(ms)]),
  )
  const rate = (totals.sourceBytes * 1000) / Math.max(1, durationMs)
  const documents = Math.round((totals.written * 1000) / Math.max(1, durationMs))
  printLine(
    `\nbackfill ${formatDuration(durationMs)}: ${formatBytes(rate)}/s of documents, ${formatNumber(documents)} documents/s`,
  )
  printLine(closingLine(allEqual(verdicts), equal))
}

function closingLine(documentsEqual: boolean, complete: boolean): string {
  if (!documentsEqual) return 'NOT EQUAL: see above.'
  return complete
    ? 'Every document is equal on both sides, and all metadata was carried over.'
    : 'Every document is equal on both sides, but not everything was carried over: see above.'
}

function printAddresses(json: boolean, { source, target }: DemoPlace): void {
  const lines = [
    '',
    `source  Elasticsearch ${source.version}  ${source.url}/_cat/indices?v`,
    `target  OpenSearch ${target.version}  ${target.url}/_cat/indices?v`,
    'Both keep running. Ctrl-C stops them and removes everything.',
  ]
  if (json) process.stderr.write(`${lines.join('\n')}\n`)
  else printLine(lines.join('\n'))
}
