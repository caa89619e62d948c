import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { MigrationError } from '../base/errors.ts'
import type { CompareReport } from '../compare/report/compare-report.ts'
import type { GateVerdict } from '../compare/report/gates.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { comparedParts } from './compare-documents-command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printable, printJson, printLine, printTable } from './output.ts'

/** `osmigrate compare report` and `osmigrate compare gate`. */
export function defineCompareReport(compare: Command): void {
  const report = compare
    .command('report')
    .summary('all that was compared, as a page to look at')
    .description(
      'Writes what was kept of all comparisons into a folder: report.html (one page that needs no network), report.md and report.json. Asks no cluster, and compares nothing anew. Exit code 0 once the report is written; osmigrate compare gate tells whether it is good enough.',
    )
    .requiredOption('--out <DIR>', 'folder that the report is written to; it is made')
  addConfigFlags(report, ['select', 'gates.compare'])
  addExamples(report, [
    ['osmigrate compare report --out report', ''],
    ["osmigrate compare report --out report --index 'logs-*'", 'of some indices'],
  ])
  defineAction(report, reportCommand)
  const gate = compare
    .command('gate')
    .summary('whether what was compared is good enough')
    .description(
      'Holds what was kept of comparisons against gates.compare of migration.yaml, line by line with reasons. Compares nothing; where a target is configured and no sync runs it asks both sides whether they were written to since. Exit code 0 when all of it is met, 3 when something is not, 4 when something was not measured yet, or too long ago.',
    )
  addConfigFlags(gate, [...comparedParts, 'compare.source', 'compare.freshFor', 'gates.compare'])
  addExamples(gate, [
    ['osmigrate compare gate', ''],
    ['osmigrate compare gate --gate-overlap-at-10 0.98 --gate-p99-ratio 1.2', ''],
    ['osmigrate compare gate --json', ''],
  ])
  defineAction(gate, gateCommand)
}

async function reportCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { readCompareReport } = await import('../migration/compare-report.ts')
  const loaded = await invocation.loadConfig()
  const report = await withMigration(loaded, invocation.signal, (migration) =>
    readCompareReport(migration, new Date()),
  )
  const folder = resolve(String(invocation.options.out))
  const files = await writeReport(report, folder)
  if (invocation.json) printJson({ files, gate: report.gate, areas: report.areas })
  else {
    printTable(
      ['area', 'verdict', 'what was found'],
      report.areas.map(({ area, verdict, stale, summary }) => [
        area,
        stale === null ? verdict : `${verdict}, ${stale}`,
        printable(summary),
      ]),
    )
    printLine(`\nreport: ${files[0]}`)
  }
  return exitCodes.done
}

async function writeReport(report: CompareReport, folder: string): Promise<string[]> {
  const { compareReportPage } = await import('./compare-report-html.ts')
  const { compareReportMarkdown } = await import('./compare-report-markdown.ts')
  const texts = {
    'report.html': compareReportPage(report),
    'report.md': compareReportMarkdown(report),
    'report.json': `${JSON.stringify(report, null, 2)}\n`,
  }
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text)
  } catch (error) {
    throw new MigrationError(
      'MA_CONFIG',
      `--out ${folder}: the report cannot be written: ${(error as Error).message}`,
      { cause: error },
    )
  }
  return Object.keys(texts).map((name) => join(folder, name))
}

async function gateCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { evaluateConfiguredGates } = await import('../migration/compare-report.ts')
  const loaded = await invocation.loadConfig()
  const verdict = await withMigration(loaded, invocation.signal, (migration) =>
    evaluateConfiguredGates(migration, new Date()),
  )
  if (invocation.json) printJson(verdict)
  else printGate(verdict)
  return gateExitCodes[verdict.state]
}

const gateExitCodes = {
  met: exitCodes.done,
  'not met': exitCodes.differs,
  unknown: exitCodes.unfinished,
} as const

const reasonsShown = 5

function printGate({ lines, state }: GateVerdict): void {
  printTable(
    ['gate', 'limit', 'found', 'state'],
    lines.map((line) => [line.gate, line.limit, line.found ?? '-', line.state]),
  )
  for (const { gate, reasons, state: stateOfLine, how } of lines) {
    const more = reasons.length - reasonsShown
    for (const reason of reasons.slice(0, reasonsShown)) printLine(`${gate}: ${printable(reason)}`)
    if (more > 0) printLine(`${gate}: and ${more} more (--json)`)
    if (stateOfLine === 'unknown') printLine(`${gate}: to find out: ${how}`)
  }
  printLine(
    `\n${{ met: 'All of it is met.', 'not met': 'Not all of it is met.', unknown: 'It is not known yet.' }[state]}`,
  )
}
