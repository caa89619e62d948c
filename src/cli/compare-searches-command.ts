import { randomInt } from 'node:crypto'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { SearchShape, SearchVerdict } from '../compare/searches/search-verdict.ts'
import type { ComparedSearches, SearchesProgress } from '../migration/compare-searches.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { curlCommand } from './curl.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatNumber, printJson, printLine, printTable, printable } from './output.ts'
import { Progress, say, type ProgressRow } from './progress.ts'

/** Where requests come from, for every command that asks both sides. */
export function addRequestFlags(command: Command): Command {
  return command
    .option(
      '--captured [PATH]',
      'requests that the proxy has recorded (capture.reads); with a path those of an export, or of the folder of a log. The default where neither of the next two is given',
    )
    .option(
      '--requests <FILE>',
      'requests of a file, a line each: {"method": "POST", "path": "/index/_search", "body": {…}, "name": "…"}',
    )
    .addOption(
      new Option(
        '--generate <NUMBER>',
        'make so many requests from the mappings and some documents of the selected indices',
      ).argParser(wholeNumber),
    )
    .addOption(
      new Option('--seed <NUMBER>', 'draw the same requests in the same order again').argParser(
        wholeNumber,
      ),
    )
}

/** What addRequestFlags() was given. */
export function requestFlags({ captured, requests, generate, seed }: Invocation['options']): {
  from: { captured?: string | true; file?: string; generate?: number }
  seed: number
} {
  return {
    from: {
      ...((typeof captured === 'string' || captured === true) && { captured }),
      ...(typeof requests === 'string' && { file: requests }),
      ...(typeof generate === 'number' && { generate }),
    },
    seed: typeof seed === 'number' ? seed : randomInt(2 ** 31),
  }
}

/** `osmigrate compare searches`. */
export function defineCompareSearches(compare: Command): void {
  const command = compare
    .command('searches')
    .summary('the answers to the same searches')
    .description(
      'Sends the same searches to both sides and compares the answers: status, number of hits, ids and their order, scores, aggregations, suggestions, highlights. The source is asked twice; what differs between its two answers is noise and does not count. Requests are said in the words of the target where it has others (request rules). Exit code 0 when all answers are equal, or as near as gates.compare asks for; else 3.',
    )
  addConfigFlags(command, [
    'source',
    'target',
    'select',
    'transform',
    'capture.redact',
    'compare.searches',
  ])
  addRequestFlags(command)
  command.option('--out <DIR>', 'write what was found of each request into a file in this folder')
  addExamples(command, [
    ['osmigrate compare searches', 'what clients asked, as the proxy recorded it'],
    ['osmigrate compare searches --generate 500', 'no traffic needed'],
    ['osmigrate compare searches --requests searches.ndjson --out found', ''],
    ["osmigrate compare searches --generate 200 --index 'shop*' --seed 7 --json", ''],
  ])
  defineAction(command, compareCommand, { stopping: 'stopping; nothing of this run is kept' })
}

async function compareCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { compareConfiguredSearches } = await import('../migration/compare-searches.ts')
  const loaded = await invocation.loadConfig()
  const { out } = invocation.options
  const progress = new Progress()
  const compared = await withMigration(loaded, invocation.signal, (migration) =>
    compareConfiguredSearches(migration, {
      ...requestFlags(invocation.options),
      out: typeof out === 'string' ? out : undefined,
      onProgress: (one) => progress.update([progressRow(one)]),
      onWarning: (message) => say(message, 'warning'),
    }),
  ).finally(() => progress.end())
  const { source, target } = loaded.config
  if (invocation.json) {
    const { verdict, reasons, detailsFile = null } = compared
    printJson({ ...verdict, equal: reasons.length === 0, reasons, detailsFile })
  } else {
    printSearches(compared, { source: source?.url?.[0] ?? '', target: target?.url?.[0] ?? '' })
  }
  return compared.reasons.length === 0 ? exitCodes.done : exitCodes.differs
}

function progressRow(progress: SearchesProgress): ProgressRow {
  if (progress.stage === 'gathering') return { label: progress.what, done: progress.count }
  const { done, total, different } = progress
  return { label: 'searches', done, total, note: `${formatNumber(different)} different` }
}

const shapesShown = 20
const examplesShown = 5

function printSearches(
  { verdict, reasons, detailsFile }: ComparedSearches,
  urls: { source: string; target: string },
): void {
  printShapes(verdict)
  for (const shape of verdict.shapes.slice(0, examplesShown)) {
    if (shape.different > 0) printExample(shape, urls)
  }
  printRules(verdict)
  const { requests, different, noise } = verdict
  printLine(
    `\n${formatNumber(requests)} requests of ${verdict.shapesAll} shapes: ${formatNumber(requests - different - noise)} equal, ${formatNumber(noise)} with noise alone, ${formatNumber(different)} different`,
  )
  for (const [why, count] of Object.entries(verdict.leftOut)) {
    printLine(`left out: ${formatNumber(count)} that ${why}`)
  }
  printLine(`method: ${verdict.method}`)
  for (const text of verdict.cannotSee) printLine(`cannot see: ${text}`)
  if (detailsFile !== undefined) printLine(`each request: ${printable(detailsFile)}`)
  printLine(reasons.length === 0 ? '\nThe answers are equal.' : '\nThe answers are not equal:')
  for (const reason of reasons) printLine(`  ${reason}`)
}

function printShapes({ shapes, shapesAll }: SearchVerdict): void {
  printTable(
    [
      'shape',
      'requests',
      'different',
      'noise',
      'overlap@10',
      'source p50',
      'target p50',
      'differ in',
    ],
    shapes
      .slice(0, shapesShown)
      .map((shape) => [
        shape.key,
        shape.requests,
        shape.different,
        shape.noise,
        shape.overlapAt10 === null ? '' : shape.overlapAt10.toFixed(2),
        msText(shape.latency.source.p50),
        msText(shape.latency.target.p50),
        Object.keys(shape.findings).join(', '),
      ]),
  )
  if (shapesAll > shapesShown) printLine(`and ${shapesAll - shapesShown} more shapes (--json)`)
}

function msText(ms: number | null): string {
  return ms === null ? '' : `${ms.toFixed(1)} ms`
}

function printExample(
  { key, template, example }: SearchShape,
  urls: { source: string; target: string },
): void {
  printLine(`\n${key}  ${printable(shortened(template))}`)
  for (const { what, where, source, target, noise } of example.findings.slice(0, 3)) {
    if (noise !== null) continue
    printLine(
      `  ${what} ${printable(where)}: source ${printable(source ?? '-')}, target ${printable(target ?? '-')}`,
    )
  }
  printLine(printable(`  ${curlCommand(urls.source, example)}`))
  printLine(printable(`  ${curlCommand(urls.target, example.target ?? example)}`))
}

const templateShown = 300

function shortened(text: string): string {
  return text.length <= templateShown ? text : `${text.slice(0, templateShown - 1)}…`
}

function printRules({ rulesFired }: SearchVerdict): void {
  const fired = Object.entries(rulesFired)
  if (fired.length === 0) return
  printLine('\nsaid to the target in its own words:')
  printTable(['request rule', 'requests'], fired)
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('it must be a whole number')
  return value
}
