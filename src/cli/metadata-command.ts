import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { AppliedObject } from '../metadata/apply.ts'
import {
  carriesEverything,
  plannedObjects,
  type MetadataPlan,
  type PlannedChange,
} from '../metadata/plan.ts'
import {
  addConfigFlags,
  addExamples,
  defineAction,
  snapshotParts,
  type Invocation,
} from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { leftOutLines } from './left-out.ts'
import { printJson, printLine, printTable, printable } from './output.ts'
import { idsReadRows, Progress } from './progress.ts'

/** The parts of the configuration that planning takes. */
export const metadataFlags = [
  'source',
  'target',
  'select',
  ...snapshotParts,
  'snapshot.allowPartialSource',
  'transform',
  'metadata',
]

export function defineMetadata(command: Command): void {
  command.description(
    'Makes on the target what documents need: index templates, indices with settings, mappings and aliases.',
  )
  const evaluate = command
    .command('evaluate')
    .summary('show what would be made, and what would not; changes nothing')
    .description(
      'Shows what would be made on the target, what would be different from the source and why, and what cannot be carried over. Changes nothing that lasts. Exit code 3 when something would be left behind.',
    )
  addConfigFlags(evaluate, metadataFlags)
  evaluate.option(
    '--output <FILE>',
    'write the plan into a file that can be edited: metadata migrate --plan FILE takes it',
  )
  evaluate.option(
    '--target-version <VERSION>',
    'plan for an OpenSearch of this version, without asking any target',
  )
  evaluate.option('--plan <FILE>', 'only what is in this file of --output, as it stands there')
  evaluate.option(
    '--probe',
    'have the target make each index under a temporary name, and delete it again: what it refuses is shown',
  )
  addExamples(evaluate, [
    ['osmigrate metadata evaluate', ''],
    ["osmigrate metadata evaluate --index 'logs-*' --json", ''],
    ['osmigrate metadata evaluate --output plan.json', 'then edit it'],
    [
      'osmigrate metadata evaluate --plan plan.json --probe',
      'does the target take what was edited?',
    ],
    [
      'osmigrate metadata evaluate --source-url https://es-1:9200 --target-version 3.1',
      'of a live cluster, without any target',
    ],
  ])
  defineAction(evaluate, evaluateCommand, { stopping: 'stopping' })

  const migrate = command
    .command('migrate')
    .summary('make it on the target')
    .description(
      'Makes on the target what `metadata evaluate` shows. It can be repeated; what is there already as wanted stays. Exit code 3 when something was left behind.',
    )
  addConfigFlags(migrate, metadataFlags)
  migrate.option(
    '--plan <FILE>',
    'make only what is in this file of metadata evaluate --output, as it stands there',
  )
  migrate.option('--keep-going', 'make indices even where the target refused a template')
  addExamples(migrate, [
    ['osmigrate metadata migrate', ''],
    ["osmigrate metadata migrate --replicas 'logs-*=1'", ''],
    ['osmigrate metadata migrate --plan plan.json', 'as edited'],
  ])
  defineAction(migrate, migrateCommand, {
    stopping: 'stopping after the present step; osmigrate metadata migrate goes on',
  })
}

async function evaluateCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { planMetadata, readPlanFile } = await import('../migration/metadata.ts')
  const { planFileText } = await import('../metadata/plan-file.ts')
  const loaded = await invocation.loadConfig()
  const { targetVersion, output, plan: file, probe } = invocation.options
  const planFile = typeof file === 'string' ? await readPlanFile(file) : undefined
  const progress = new Progress()
  const plan = await withMigration(loaded, invocation.signal, (migration) =>
    planMetadata(migration, {
      ...(typeof targetVersion === 'string' && { targetVersion }),
      ...(planFile && { planFile }),
      probe: probe === true,
      onShard: (...read) => progress.update(idsReadRows(...read)),
      onProbed: (done, total) => progress.update([{ label: 'probe', done, total }]),
    }),
  ).finally(() => progress.end())
  const complete = carriesEverything(plan)
  if (typeof output === 'string') await writeFile(output, planFileText(plan))
  if (invocation.json) printJson({ ...plan, complete })
  else {
    printPlan(plan)
    if (complete) printLine('\nEverything selected can be made. Next: osmigrate metadata migrate')
    else
      printLine(
        '\nWhat is listed as lost or refused will not be on the target. Next: osmigrate metadata migrate',
      )
  }
  return complete ? exitCodes.done : exitCodes.differs
}

async function migrateCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { migrateMetadata, readPlanFile } = await import('../migration/metadata.ts')
  const loaded = await invocation.loadConfig()
  const progress = new Progress()
  const { plan: file, keepGoing } = invocation.options
  const planFile = typeof file === 'string' ? await readPlanFile(file) : undefined
  const { plan, result } = await withMigration(loaded, invocation.signal, (migration) =>
    migrateMetadata(migration, {
      ...(planFile && { planFile }),
      keepGoing: keepGoing === true,
      onShard: (...read) => progress.update(idsReadRows(...read)),
      onApplied: (_applied, done, total) => progress.update([{ label: 'metadata', done, total }]),
    }),
  ).finally(() => progress.end())
  if (invocation.json) printJson({ plan, ...result })
  else {
    printChanges(plan, 'losses')
    printApplied(result.objects)
    if (result.leftOver !== undefined) {
      printLine(`\nOn the target until the next run, or osmigrate close: ${result.leftOver}`)
    }
    printLine(
      result.complete
        ? '\nEverything selected is on the target. Next: osmigrate backfill start'
        : `\nNot everything could be carried over: see above. Next: ${nextStep(result.objects)}`,
    )
  }
  return result.complete ? exitCodes.done : exitCodes.differs
}

function nextStep(objects: readonly AppliedObject[]): string {
  const isWaiting = objects.some(({ outcome }) => outcome === 'waiting' || outcome === 'failed')
  return isWaiting ? 'osmigrate metadata migrate' : 'osmigrate backfill start'
}

function printPlan(plan: MetadataPlan): void {
  printLine(`${sourceText(plan.source)} → ${targetText(plan.target)}\n`)
  printTable(
    ['kind', 'name', 'action', 'shards', 'why'],
    [
      ...plannedObjects(plan).map((one) => [
        one.kind,
        nameText(one.name, one.kind === 'index' ? one.targetIndex : undefined),
        one.kind === 'index' && one.probed ? `${one.action}, tried` : one.action,
        one.kind === 'index' ? one.targetShards : undefined,
        one.reason ?? (one.kind === 'index' ? one.routedBy.join('; ') : ''),
      ]),
    ],
  )
  printChanges(plan)
  const lines = leftOutLines(plan.leftOut, 'not selected')
  if (lines.length > 0) printLine(`\n${lines.join('\n')}`)
}

function sourceText(source: MetadataPlan['source']): string {
  return source.kind === 'snapshot'
    ? `snapshot ${printable(source.snapshot)} in ${source.repository}`
    : `the live cluster ${source.url}`
}

function targetText({ version, url }: MetadataPlan['target']): string {
  return url ?? `OpenSearch ${version}, which nobody was asked about`
}

/** What will not be on the target as it is on the source: what is lost first, the same for many objects in one line. */
function printChanges(plan: MetadataPlan, only?: 'losses'): void {
  const groups = groupChanges(plan).filter(({ change }) => only === undefined || change.loss)
  if (groups.length > 0) {
    printLine()
    printTable(
      ['what', 'becomes', 'of', 'why'],
      groups.map(({ change, names }) => [
        change.path,
        change.loss ? `${change.what}, lost` : change.what,
        namesText(names),
        change.reason,
      ]),
    )
  }
  if (plan.notCarried.length > 0) {
    printLine('\nnot carried over:')
    printTable(
      ['kind', 'name', 'why'],
      plan.notCarried.map(({ kind, name, reason }) => [kind, name, reason]),
    )
  }
}

interface ChangeGroup {
  change: PlannedChange
  names: string[]
}

function groupChanges(plan: MetadataPlan): ChangeGroup[] {
  const groups = new Map<string, ChangeGroup>()
  for (const { name, changes } of plannedObjects(plan)) {
    for (const change of changes) {
      const key = JSON.stringify([change.path, change.what, change.reason, change.loss])
      const group = groups.get(key)
      if (group) group.names.push(name)
      else groups.set(key, { change, names: [name] })
    }
  }
  return [...groups.values()].sort((a, b) => Number(b.change.loss) - Number(a.change.loss))
}

const namesShown = 3

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(', ')
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown
}

function printApplied(objects: readonly AppliedObject[]): void {
  printLine()
  printTable(
    ['kind', 'name', 'outcome', 'why'],
    objects.map(({ kind, name, renamedTo, outcome, reason }) => [
      kind,
      nameText(name, renamedTo),
      outcome,
      reason ?? '',
    ]),
  )
}

/** The name on the target, and the one on the source where that is another. */
export function nameText(name: string, targetIndex: string = name): string {
  return targetIndex === name ? name : `${targetIndex} (renamed from ${name})`
}
