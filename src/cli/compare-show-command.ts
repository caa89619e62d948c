import type { Command } from 'commander'
import type { ShownDifference } from '../migration/compare-show.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { comparedParts } from './compare-documents-command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine, printTable, printable } from './output.ts'

/** `osmigrate compare show`. */
export function defineCompareShow(compare: Command): void {
  const command = compare
    .command('show')
    .summary('what differs in one document')
    .description(
      'Shows one document of both sides, field by field where it differs, with every digit of its numbers: INDEX/NUMBER as compare documents names it, or INDEX and ID. Exit code 3 when it differs.',
    )
    .argument('<index>', 'INDEX/NUMBER, or INDEX')
    .argument('[id]', 'ID of the document')
  addConfigFlags(command, [...comparedParts, 'compare.source'])
  addExamples(command, [
    ['osmigrate compare show shop/1', 'the first difference of the last comparison'],
    ['osmigrate compare show shop order-17', ''],
  ])
  defineAction(command, showCommand, { stopping: 'stopping' })
}

async function showCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { showDifference } = await import('../migration/compare-show.ts')
  const loaded = await invocation.loadConfig()
  const shown = await withMigration(loaded, invocation.signal, (migration) =>
    showDifference(migration, invocation.args),
  )
  if (invocation.json) printJson(shown)
  else printShown(shown)
  return isSame(shown) ? exitCodes.done : exitCodes.differs
}

/** One on either side, at the same place, with the same content. */
function isSame({ source, target, diff }: ShownDifference): boolean {
  const isOne = source.length === 1 && target.length === 1
  return isOne && diff?.length === 0 && source[0]!.routing === target[0]!.routing
}

function printShown(shown: ShownDifference): void {
  const { index, targetIndex, id, from, source, target, diff } = shown
  const name = index === targetIndex ? index : `${index} (${targetIndex} on the target)`
  printLine(`${printable(name)}, document ${printable(JSON.stringify(id))}`)
  const sides = [
    [from === 'live' ? 'source' : 'snapshot', source],
    ['target', target],
  ] as const
  for (const [side, found] of sides) {
    if (found.length === 0) printLine(`${side}: not there`)
    for (const { routing, source: text } of found) {
      const routed = routing === null ? 'no routing' : `routing ${JSON.stringify(routing)}`
      const held = text === undefined ? 'no _source' : `${Buffer.byteLength(text)} bytes`
      printLine(`${side}: ${printable(routed)}, ${held}`)
    }
  }
  if (isSame(shown)) printLine('\nIt is equal.')
  else if (diff !== undefined && diff.length > 0) {
    printLine()
    printTable(
      ['field', 'source', 'target'],
      diff.map((one) => [printable(one.path), textOf(one.source), textOf(one.target)]),
    )
  } else if (diff === undefined && source.length > 0 && target.length > 0) {
    printLine('\nIts _source is not there, or no JSON: --json shows what there is.')
  }
}

function textOf(value: unknown): string {
  return value === undefined ? '(absent)' : printable(JSON.stringify(value))
}
