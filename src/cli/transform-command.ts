import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { MigrationError } from '../base/errors.ts'
import type { LoadedConfig } from '../migration/config.ts'
import type { ReadRequest } from '../transform/module.ts'
import { parseExactly } from '../transform/exact-number.ts'
import type {
  SampleDocument,
  TransformedRequest,
  TransformedSample,
  TransformSamples,
} from '../migration/transform-sample.ts'
import {
  addConfigFlags,
  addExamples,
  defineAction,
  snapshotParts,
  type Invocation,
} from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printable, printJson, printLine, printTable } from './output.ts'

const sampleDefault = 100
const shownDefault = 5
const sampleMost = 100_000

export function defineTransform(command: Command): void {
  command.description('Modules and declared steps that change documents and mappings on their way.')
  const test = command
    .command('test')
    .summary('show what they do to documents of the snapshot; writes nothing')
    .description(
      'Runs the transform on documents of the snapshot and shows them before and after, and whether the inverse gives back what was there. Writes nothing anywhere. Exit code 3 when a document fails, is dropped without `allowDrop`, or does not come back by the inverse.',
    )
    .option(
      '--sample <NUMBER>',
      'documents of each index, from all its shards and segments',
      String(sampleDefault),
    )
    .option('--show <NUMBER>', 'documents of each kind that are printed', String(shownDefault))
    .option(
      '--request <FILE>',
      'try it on requests in the place of documents: a JSON object { method, path, body }, or a list of them',
    )
  addConfigFlags(test, [
    'select',
    ...snapshotParts,
    'metadata.dataStreams',
    'metadata.types',
    'metadata.typeField',
    'transform',
  ])
  addExamples(test, [
    ['osmigrate transform test', ''],
    ['osmigrate transform test --transform ./shop.ts --index shop --sample 1000', ''],
    ['osmigrate transform test --request searches.json', 'asks no cluster'],
    ["osmigrate transform test --json | jq '.samples[].after'", ''],
  ])
  defineAction(test, testCommand, { stopping: 'stopping' })
}

async function testCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { sampleTransform } = await import('../migration/transform-sample.ts')
  const sample = countOf(invocation.options['sample'], '--sample')
  const shown = countOf(invocation.options['show'], '--show')
  const loaded = await invocation.loadConfig()
  const { request } = invocation.options
  if (typeof request === 'string') return requestCommand(invocation, loaded, request)
  const test = await withMigration(loaded, invocation.signal, (migration) =>
    sampleTransform(migration, sample),
  )
  const complete = !test.samples.some(isFinding)
  if (invocation.json) printJson({ ...jsonOf(test), complete })
  else printTest(test, shown)
  return complete ? exitCodes.done : exitCodes.differs
}

async function requestCommand(
  invocation: Invocation,
  loaded: LoadedConfig,
  file: string,
): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { tryRequests } = await import('../migration/transform-sample.ts')
  const requests = await readRequests(file)
  const tried = await withMigration(loaded, invocation.signal, (migration) =>
    tryRequests(migration, requests),
  )
  const complete = tried.every(({ failed }) => failed === undefined)
  if (invocation.json) printJson({ requests: tried, complete })
  else tried.forEach(printRequest)
  return complete ? exitCodes.done : exitCodes.differs
}

/** Bodies that are no text are what their JSON says. Throws MA_CONFIG. */
async function readRequests(file: string): Promise<ReadRequest[]> {
  try {
    const json = JSON.parse(await readFile(file, 'utf8')) as unknown
    return (Array.isArray(json) ? json : [json]).map(requestOf)
  } catch (error) {
    throw new MigrationError('MA_CONFIG', `--request ${file}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function requestOf(json: unknown, i: number): ReadRequest {
  const { method = 'GET', path, body } = (json ?? {}) as { [name: string]: unknown }
  if (typeof method !== 'string' || typeof path !== 'string' || !path.startsWith('/')) {
    throw new Error(
      `request ${i + 1}: expected { "method": "GET", "path": "/shop/_search", "body": … }`,
    )
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method, path, ...(text !== undefined && { body: text }) }
}

function printRequest({ before, after, failed }: TransformedRequest): void {
  const lineOf = ({ method, path, body = '' }: ReadRequest): string =>
    printable(`${method} ${path} ${body}`.trimEnd())
  printLine(`  - ${lineOf(before)}`)
  if (after) printLine(`  + ${lineOf(after)}`)
  if (failed !== undefined) printLine(`  failed: ${printable(failed)}`)
  printLine()
}

function countOf(value: unknown, flag: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count >= 1 && count <= sampleMost) return count
  throw new MigrationError(
    'MA_CONFIG',
    `${flag} ${String(value)}: expected a whole number from 1 to ${sampleMost}`,
  )
}

/** True for a document that the exit code tells of. */
function isFinding({ outcome, allowed, inverse }: TransformedSample): boolean {
  return (
    outcome === 'failed' ||
    (outcome === 'dropped' && allowed !== true) ||
    (inverse !== undefined && inverse !== 'equal')
  )
}

/** With the sources as JSON, whose numbers keep their digits. */
function jsonOf({ samples, ...rest }: TransformSamples): object {
  const document = (one: SampleDocument): object => ({ ...one, source: jsonSource(one.source) })
  return {
    ...rest,
    summary: summaryOf(samples),
    samples: samples.map(({ before, after, ...one }) => ({
      ...one,
      before: document(before),
      ...(after && { after: document(after) }),
    })),
  }
}

/** What is no JSON, for which the document has failed, stays a text. */
function jsonSource(source: string): unknown {
  try {
    return parseExactly(source)
  } catch {
    return source
  }
}

interface IndexSummary {
  index: string
  documents: number
  changed: number
  unchanged: number
  dropped: number
  failed: number
  inverse: number
}

function summaryOf(samples: readonly TransformedSample[]): IndexSummary[] {
  const byIndex = new Map<string, IndexSummary>()
  for (const { index, outcome, inverse } of samples) {
    const none = { changed: 0, unchanged: 0, dropped: 0, failed: 0, inverse: 0 }
    const sum = byIndex.get(index) ?? { index, documents: 0, ...none }
    byIndex.set(index, sum)
    sum.documents++
    sum[outcome]++
    if (inverse === 'equal') sum.inverse++
  }
  return [...byIndex.values()]
}

function printTest(test: TransformSamples, shown: number): void {
  const { samples, untouched, withoutInverse } = test
  for (const { index } of summaryOf(samples)) {
    const own = samples.filter((one) => one.index === index)
    for (const outcome of ['changed', 'dropped', 'failed'] as const) {
      own
        .filter((one) => one.outcome === outcome)
        .slice(0, shown)
        .forEach(printSample)
    }
    const wrong = own.filter(({ inverse }) => inverse === 'different' || inverse === 'failed')
    for (const { before } of wrong.slice(0, shown)) {
      printLine(`${printable(index)} ${printable(before.id)}: its inverse gives another document`)
    }
  }
  printTable(
    ['index', 'documents', 'changed', 'unchanged', 'dropped', 'failed', 'inverse'],
    summaryOf(samples).map(({ inverse, ...one }) => [
      ...Object.values(one),
      withoutInverse[one.index] === null
        ? `${inverse} come back`
        : `none: ${withoutInverse[one.index]}`,
    ]),
  )
  if (untouched.length > 0) {
    printLine(`No step changes documents of: ${untouched.map(printable).join(', ')}`)
  }
}

function printSample({ index, before, after, outcome, reason }: TransformedSample): void {
  const why = reason === undefined ? '' : `: ${printable(reason)}`
  printLine(`${printable(index)} ${printable(before.id)} ${outcome}${why}`)
  printLine(`  - ${lineOf(before)}`)
  if (after) printLine(`  + ${lineOf(after)}`)
  printLine()
}

function lineOf({ id, routing, source }: SampleDocument): string {
  const names = routing === undefined ? { id } : { id, routing }
  return printable(`${JSON.stringify(names)} ${source}`)
}
