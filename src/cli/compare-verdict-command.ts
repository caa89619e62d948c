import type { Command } from 'commander'
import type { JudgedIndex, OverallVerdict } from '../migration/compare-verdict.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { comparedParts } from './compare-documents-command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine, printTable, printable } from './output.ts'

/** `osmigrate compare verdict`. */
export function defineCompareVerdict(compare: Command): void {
  const command = compare
    .command('verdict')
    .summary('what the last comparisons say, and whether they still count')
    .description(
      'Puts the last verdict of every selected index and that of the metadata together, and asks both sides whether they were written to since. Compares nothing. Exit code 0 only when all of it is equal and fresh, else 3.',
    )
  addConfigFlags(command, [...comparedParts, 'compare.source', 'compare.freshFor'])
  addExamples(command, [
    ['osmigrate compare verdict', ''],
    ['osmigrate compare verdict --fresh-for 1h --json', ''],
  ])
  defineAction(command, verdictCommand, { stopping: 'stopping' })
}

async function verdictCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { overallVerdict } = await import('../migration/compare-verdict.ts')
  const loaded = await invocation.loadConfig()
  const overall = await withMigration(loaded, invocation.signal, overallVerdict)
  if (invocation.json) printJson(overall)
  else printOverall(overall)
  return overall.verdict === 'equal' ? exitCodes.done : exitCodes.differs
}

const reasonsShown = 20

function printOverall({ verdict, indices, metadata, reasons }: OverallVerdict): void {
  const rows = indices.map((one) => [printable(one.index), ...cellsOf(one)])
  const { verdict: ofMetadata = 'not compared', endedAt = '', stale = null } = metadata ?? {}
  printTable(
    ['index', 'verdict', 'how', 'source', 'compared at', 'stale'],
    [...rows, ['(metadata)', ofMetadata, '', '', endedAt, stale ?? '']],
  )
  printLine(`\n${verdict}`)
  for (const reason of reasons.slice(0, reasonsShown)) printLine(`  ${printable(reason)}`)
  const more = reasons.length - reasonsShown
  if (more > 0) printLine(`  and ${more} more (--json)`)
}

function cellsOf({ verdict, stale }: JudgedIndex): string[] {
  if (verdict === null) return ['not compared', '', '', '', '']
  const { how = 'full', from = 'snapshot', endedAt } = verdict
  return [verdict.verdict, how, from, endedAt, stale ?? '']
}
