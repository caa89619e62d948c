import type { Command } from 'commander'
import type { CompareProgress } from '../compare/compare-documents.ts'
import type { Verdict } from '../state/records.ts'
import {
  addConfigFlags,
  addExamples,
  defineAction,
  snapshotParts,
  type Invocation,
} from './command.ts'
import { defineCompareMetadata } from './compare-metadata-command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatBytes, printJson, printLine, printTable, printable } from './output.ts'
import { Progress, type ProgressRow } from './progress.ts'

/** The options of comparing documents; the section has others for searches and speed. */
const documentParts = [
  ...['source', 'slices', 'pageBytesMax', 'sourceBytesPerSecondMax', 'targetBytesPerSecondMax'],
  ...['examplesMax', 'differencesMax', 'settledWithin', 'freshFor'],
].map((name) => `compare.${name}`)

export function defineCompare(command: Command): void {
  command.description('Compares what the source holds with what the target holds.')
  const documents = command
    .command('documents')
    .summary('every document, both ways')
    .description(
      'Compares every document of the selected indices, both ways: id, routing and `_source` by value (order of keys and spelling of numbers do not count). Exit code 0 only when all are equal, 3 when not, or when it cannot be known.',
    )
  addConfigFlags(documents, [
    'source',
    'target',
    'select',
    ...snapshotParts,
    'metadata.dataStreams',
    'transform',
    ...documentParts,
  ])
  documents.option(
    '--quick',
    'ids and versions alone: no `_source` is read, so that what somebody wrote on the target by himself may go unseen',
  )
  addExamples(documents, [
    ['osmigrate compare documents', ''],
    ['osmigrate compare documents --quick', 'some times faster'],
    ['osmigrate compare documents --index shop --json', ''],
    ['osmigrate compare documents --source live --source-rate-max 20mb', 'with little load'],
  ])
  defineAction(documents, compareCommand, {
    stopping: 'stopping; osmigrate compare documents begins anew',
  })
  defineCompareMetadata(command)
}

async function compareCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { compareConfigured } = await import('../migration/compare.ts')
  const loaded = await invocation.loadConfig()
  const progress = new Progress()
  const rows = new CompareRows()
  const verdicts = await withMigration(loaded, invocation.signal, (migration) =>
    compareConfigured(migration, {
      quick: invocation.options.quick === true,
      onProgress: (one) => progress.update(rows.update(one)),
    }),
  ).finally(() => progress.end())
  if (invocation.json) printJson({ verdicts })
  else printVerdicts(verdicts)
  return allEqual(verdicts) ? exitCodes.done : exitCodes.differs
}

export function allEqual(verdicts: readonly Verdict[]): boolean {
  return verdicts.every(({ verdict }) => verdict === 'equal')
}

/** Both sides of the index under way, as progress. */
export class CompareRows {
  #index = ''
  readonly #rows = new Map<string, ProgressRow>()

  update(progress: CompareProgress): ProgressRow[] {
    const { index, side, pass, passes, documents, documentsTotal, bytes } = progress
    if (index !== this.#index) this.#rows.clear()
    this.#index = index
    const again = pass > 0 ? `  looking into differences, ${pass} of ${passes}` : ''
    this.#rows.set(side, {
      label: `${index}, ${side}`,
      done: documents,
      ...(documentsTotal !== undefined && { total: documentsTotal }),
      note: `${formatBytes(bytes)}${again}`,
    })
    return [...this.#rows.values()]
  }
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  printTable(
    ['index', 'verdict', 'source', 'target', 'equal', 'different', 'missing', 'extra'],
    verdicts.map((one) => [
      one.index,
      one.verdict,
      one.source,
      one.target,
      one.equal,
      one.different,
      one.missing,
      one.extra,
    ]),
  )
  for (const { index, note } of verdicts) {
    if (note !== '') printLine(`${printable(index)}: ${printable(note)}`)
  }
  for (const method of new Set(verdicts.map((one) => one.method))) printLine(`method: ${method}`)
  const examples = verdicts.flatMap(({ index, examples }) =>
    examples.map((example) => `  ${printable(index)}: ${printable(JSON.stringify(example))}`),
  )
  if (examples.length > 0) printLine(['', 'for example:', ...examples.slice(0, 20)].join('\n'))
  printLine(
    allEqual(verdicts)
      ? '\nEvery document is equal.'
      : '\nNot everything is equal. osmigrate deadletters list shows what the target refused.',
  )
}
