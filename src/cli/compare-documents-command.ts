import type { Command } from 'commander'
import type { CompareProgress } from '../compare/compare-documents.ts'
import type { RepairedIndex } from '../migration/compare-repair.ts'
import type { Verdict } from '../state/records.ts'
import {
  addConfigFlags,
  addExamples,
  defineAction,
  snapshotParts,
  type Invocation,
} from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import {
  formatBytes,
  formatDuration,
  formatNumber,
  printJson,
  printLine,
  printTable,
  printable,
} from './output.ts'
import { Progress, say, type ProgressRow } from './progress.ts'

/** The options of comparing documents; the section has others for searches and speed. */
const documentParts = [
  ...['source', 'slices', 'pageBytesMax', 'sourceBytesPerSecondMax', 'targetBytesPerSecondMax'],
  ...['examplesMax', 'differencesMax', 'settledWithin', 'freshFor'],
].map((name) => `compare.${name}`)

/** What finds the same documents on both sides. */
export const comparedParts = [
  'source',
  'target',
  'select',
  ...snapshotParts,
  'metadata.dataStreams',
  'transform',
]

/** `osmigrate compare documents`. */
export function defineCompareDocuments(compare: Command): void {
  const command = compare
    .command('documents')
    .summary('every document, both ways')
    .description(
      'Compares every document of the selected indices, both ways: id, routing and `_source` by value (order of keys and spelling of numbers do not count). The source is the snapshot, or the live cluster once sync is in use (--source). One that was stopped or killed goes on where it was. Exit code 0 only when all are equal, 3 when not, when it cannot be known, or when documents were left out.',
    )
  addConfigFlags(command, [...comparedParts, ...documentParts])
  command
    .option(
      '--quick',
      'ids and versions alone: no `_source` is read, so that what somebody wrote on the target by himself may go unseen',
    )
    .option(
      '--repair',
      'write what differs again from the source, delete what is on the target alone and not on the live source, and compare once more',
    )
    .option('--anew', 'use nothing of a comparison that was stopped or killed')
  addExamples(command, [
    ['osmigrate compare documents', ''],
    ['osmigrate compare documents --quick', 'some times faster'],
    ['osmigrate compare documents --index shop --repair', ''],
    ['osmigrate compare documents --source live --source-rate-max 20mb', 'with little load'],
  ])
  defineAction(command, compareDocumentsCommand, {
    stopping: 'stopping; osmigrate compare documents goes on from there',
  })
}

async function compareDocumentsCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { compareConfigured } = await import('../migration/compare.ts')
  const loaded = await invocation.loadConfig()
  const progress = new Progress()
  const rows = new CompareRows()
  const verdicts = await withMigration(loaded, invocation.signal, (migration) =>
    compareConfigured(migration, {
      quick: invocation.options.quick === true,
      repair: invocation.options.repair === true,
      anew: invocation.options.anew === true,
      onProgress: (one) => progress.update(rows.update(one)),
      onRepair: sayRepaired,
    }),
  ).finally(() => progress.end())
  if (invocation.json) printJson({ verdicts })
  else printVerdicts(verdicts)
  return allEqual(verdicts) ? exitCodes.done : exitCodes.differs
}

function sayRepaired(repaired: readonly RepairedIndex[]): void {
  for (const { index, documents } of repaired) {
    say(`${printable(index)}: ${formatNumber(documents)} documents written again; comparing again`)
  }
}

export function allEqual(verdicts: readonly Verdict[]): boolean {
  return verdicts.every(({ verdict }) => verdict === 'equal')
}

/** Both sides of the index under way, as progress. */
export class CompareRows {
  #index = ''
  #pass = 0
  #startedAt = 0
  readonly #rows = new Map<string, ProgressRow>()

  update(progress: CompareProgress): ProgressRow[] {
    const { index, side, pass, passes, documents, documentsTotal, bytes } = progress
    const now = performance.now()
    if (index !== this.#index) this.#rows.clear()
    if (index !== this.#index || pass !== this.#pass) this.#startedAt = now
    this.#index = index
    this.#pass = pass
    const again = pass > 0 ? `  looking into differences, ${pass} of ${passes}` : ''
    this.#rows.set(side, {
      label: `${index}, ${side}`,
      done: documents,
      ...(documentsTotal !== undefined && { total: documentsTotal }),
      note: `${formatBytes(bytes)}${etaText(progress, now - this.#startedAt)}${again}`,
    })
    return [...this.#rows.values()]
  }
}

const etaAfterMs = 2000

/** Time left at the speed of this pass so far. */
function etaText({ documents, documentsTotal = 0 }: CompareProgress, elapsedMs: number): string {
  if (elapsedMs < etaAfterMs || documents === 0 || documents >= documentsTotal) return ''
  return `  ETA ${formatDuration(((documentsTotal - documents) / documents) * elapsedMs)}`
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  printTable(
    [
      ...['index', 'verdict', 'source', 'target', 'equal', 'different', 'missing', 'extra'],
      'left out',
    ],
    verdicts.map((one) => [
      one.index,
      one.verdict,
      one.source,
      one.target,
      one.equal,
      one.different,
      one.missing,
      one.extra,
      leftOutOf(one),
    ]),
  )
  for (const { index, note } of verdicts) {
    if (note !== '') printLine(`${printable(index)}: ${printable(note)}`)
  }
  for (const method of new Set(verdicts.map((one) => one.method))) printLine(`method: ${method}`)
  for (const spot of new Set(verdicts.flatMap(({ cannotSee = [] }) => cannotSee))) {
    printLine(`cannot see: ${spot}`)
  }
  const examples = verdicts.flatMap(({ index, examples }) =>
    examples.map(
      (example, i) => `  ${printable(index)}/${i + 1}: ${printable(JSON.stringify(example))}`,
    ),
  )
  if (examples.length > 0) {
    const shown = examples.slice(0, 20)
    printLine(['', 'for example (osmigrate compare show INDEX/NUMBER):', ...shown].join('\n'))
  }
  printLine(
    allEqual(verdicts)
      ? '\nEvery document is equal.'
      : '\nNot everything is equal. osmigrate deadletters list shows what the target refused.',
  )
}

function leftOutOf({ leftOut }: Verdict): number {
  return leftOut === undefined ? 0 : leftOut.dropped + leftOut.deadLetters + leftOut.discarded
}
