import type { Command } from 'commander'
import type { Json } from '../base/json.ts'
import type { ComparedObject, MetadataComparison } from '../metadata/compare-metadata.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { metadataFlags, nameText } from './metadata-command.ts'
import { printable, printJson, printLine, printTable } from './output.ts'
import { idsReadRows, Progress } from './progress.ts'

/** `osmigrate compare metadata`. */
export function defineCompareMetadata(compare: Command): void {
  const command = compare
    .command('metadata')
    .summary('settings, mappings, aliases, templates, pipelines')
    .description(
      'Compares the metadata of the snapshot, or of the source (--from), with what the target has; both in the form of the target. Shows only what differs, and of that what the plan has announced. Changes nothing. Exit code 0 only when all is as on the source, but for announced changes by which nothing is lost; else 3.',
    )
  addConfigFlags(command, metadataFlags)
  command.option('--plan <FILE>', 'what was made by metadata migrate with this file')
  addExamples(command, [
    ['osmigrate compare metadata', ''],
    ["osmigrate compare metadata --index 'logs-*' --json", ''],
  ])
  defineAction(command, compareCommand, { stopping: 'stopping' })
}

async function compareCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { compareConfiguredMetadata, readPlanFile } = await import('../migration/metadata.ts')
  const loaded = await invocation.loadConfig()
  const { plan } = invocation.options
  const planFile = typeof plan === 'string' ? await readPlanFile(plan) : undefined
  const progress = new Progress()
  const comparison = await withMigration(loaded, invocation.signal, (migration) =>
    compareConfiguredMetadata(migration, {
      planFile,
      onShard: (...read) => progress.update(idsReadRows(...read)),
    }),
  ).finally(() => progress.end())
  if (invocation.json) printJson(comparison)
  else printComparison(comparison)
  return comparison.equal ? exitCodes.done : exitCodes.differs
}

function printComparison({ objects, notCarried, onlyOnTarget, equal }: MetadataComparison): void {
  const rows = objects.flatMap(rowsOf)
  if (rows.length > 0) printTable(['kind', 'name', 'where', 'wanted', 'found', 'announced'], rows)
  if (notCarried.length > 0) {
    printLine('\nnot carried over:')
    printTable(
      ['kind', 'name', 'why'],
      notCarried.map(({ kind, name, reason }) => [kind, name, reason]),
    )
  }
  printOnlyOnTarget(onlyOnTarget)
  const count = (verdict: ComparedObject['verdict']): number =>
    objects.filter((one) => one.verdict === verdict).length
  printLine(
    `\n${count('equal')} equal, ${count('announced')} with announced losses, ${count('different')} different, ${count('missing')} missing`,
  )
  if (equal) printLine('The metadata of the target is that of the source.')
}

const strangersShown = 20

/** Those first that are in the way of something. */
function printOnlyOnTarget(onlyOnTarget: MetadataComparison['onlyOnTarget']): void {
  if (onlyOnTarget.length === 0) return
  const sorted = [...onlyOnTarget].sort((a, b) => b.inPlaceOf.length - a.inPlaceOf.length)
  printLine('\nonly on the target:')
  printTable(
    ['kind', 'name', 'new indices get it in the place of'],
    sorted
      .slice(0, strangersShown)
      .map(({ kind, name, inPlaceOf }) => [kind, printable(name), printable(inPlaceOf.join(', '))]),
  )
  const more = sorted.length - strangersShown
  if (more > 0) printLine(`and ${more} more (--json)`)
}

/** What differs of an object; changes that were announced and lose nothing are in --json alone. */
function rowsOf({
  kind,
  name,
  renamedTo,
  verdict,
  differences,
  announced,
  reason,
}: ComparedObject): string[][] {
  const row = (where: string, wanted: string, found: string, why: string): string[] =>
    [kind, nameText(name, renamedTo), where, wanted, found, why].map(printable)
  if (verdict === 'missing') return [row('', '', 'missing', reason ?? '')]
  return [
    ...differences.map((one) => row(one.path, valueText(one.wanted), valueText(one.found), '')),
    ...announced
      .filter(({ loss }) => loss)
      .map((one) => row(one.path, valueText(one.from), valueText(one.to), one.reason)),
  ]
}

const valueLengthMost = 60

function valueText(value: Json | undefined): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > valueLengthMost ? `${text.slice(0, valueLengthMost - 1)}…` : text
}
