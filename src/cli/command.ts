import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Option, type Command } from 'commander'
import type { BlobRetry } from '../blob/retry.ts'
import type { Retry } from '../cluster/connect.ts'
import type { Json } from '../base/json.ts'
import { MigrationError } from '../base/errors.ts'
import { loadConfig, type LoadedConfig } from '../migration/config.ts'
import { optionTable, type OptionRow } from '../migration/option-table.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatDuration } from './output.ts'
import { say, sayAsJson } from './progress.ts'

/** What a command's handler gets. */
export interface Invocation {
  readonly json: boolean
  /** Positional arguments. */
  readonly args: readonly string[]
  /** The command's own options (not those of the configuration), as commander names them. */
  readonly options: Readonly<Record<string, unknown>>
  /** Aborted by the first Ctrl-C or SIGTERM, with MA_STOPPED as its reason. */
  readonly signal: AbortSignal
  /** migration.yaml with this command's flags laid over it. */
  loadConfig(): Promise<LoadedConfig>
}

export type Handler = (invocation: Invocation) => Promise<ExitCode | void>

export interface ActionOptions {
  /** Said at the first Ctrl-C; with it the command stops by its signal, without it at once. */
  stopping?: string
}

/** Gives the command its examples and what it does. */
export function defineAction(
  command: Command,
  handler: Handler,
  options: ActionOptions = {},
): void {
  command.action(async () => {
    subscribe('osmigrate.cluster.retry', sayRetry)
    subscribe('osmigrate.blob.retry', sayBlobRetry)
    const values = command.optsWithGlobals<Record<string, unknown>>()
    sayAsJson(values.json === true)
    const stop = options.stopping === undefined ? undefined : watchSignals(options.stopping)
    try {
      const code = await handler({
        json: values.json === true,
        args: command.args,
        options: values,
        signal: stop?.signal ?? new AbortController().signal,
        loadConfig: () => loadCommandConfig(command, values),
      })
      process.exitCode = code ?? exitCodes.done
    } catch (error) {
      // Node.js' own functions throw AbortError in place of the signal's reason.
      const isAbort = error instanceof Error && error.name === 'AbortError'
      throw isAbort && stop?.signal.aborted ? stop.signal.reason : error
    } finally {
      stop?.release()
      unsubscribe('osmigrate.cluster.retry', sayRetry)
      unsubscribe('osmigrate.blob.retry', sayBlobRetry)
    }
  })
}

/** Requests that are sent again, so that nobody waits without knowing on what. */
function sayRetry(message: unknown): void {
  const { side, request, attempt, reason, waitMs } = message as Retry
  const wait = formatDuration(waitMs)
  say(`${side}: ${request} failed (${reason}), attempt ${attempt}; again in ${wait}`, 'warning')
}

const blobRetriesApartMs = 5_000
let blobRetrySaidAt = -blobRetriesApartMs

/** Many requests to a repository are under way at once, and fail together: one line stands for all. */
function sayBlobRetry(message: unknown): void {
  const now = performance.now()
  if (now - blobRetrySaidAt < blobRetriesApartMs) return
  blobRetrySaidAt = now
  const { reason, attempt, waitMs } = message as BlobRetry
  say(`repository: ${reason}, attempt ${attempt}; again in ${formatDuration(waitMs)}`, 'warning')
}

/** Examples at the end of `--help`: pairs of a command line and what it does. */
export function addExamples(
  command: Command,
  examples: readonly (readonly [string, string])[],
): void {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd())
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The first signal asks for a clean stop; the next one kills. */
function watchSignals(stopping: string): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      release()
      process.kill(process.pid, signal)
      return
    }
    say(`${stopping} (once more kills at once)`)
    controller.abort(new MigrationError('MA_STOPPED', `${signal} received`))
  }
  const release = (): void => {
    for (const name of stopSignals) process.off(name, onSignal)
  }
  for (const name of stopSignals) process.on(name, onSignal)
  return { signal: controller.signal, release }
}

/** Sections of the configuration, or single options by dotted path, whose flags a command takes. */
export type ConfigPart = string

/** Where the snapshot repository is, and how it is reached. */
export const repositoryParts: readonly ConfigPart[] = [
  'snapshot.repository',
  'snapshot.s3',
  'snapshot.gcs',
  'snapshot.azure',
  'snapshot.requests',
  'snapshot.tls',
]

/** What the commands that read documents of a snapshot take; making one is for `snapshot create` alone. */
export const snapshotParts: readonly ConfigPart[] = [
  ...repositoryParts,
  'snapshot.name',
  'snapshot.allowPartial',
]

const partsOf = new WeakMap<Command, OptionRow[]>()

/** Adds the flags of these parts of the configuration; `loadConfig()` of the invocation reads them back. */
export function addConfigFlags(command: Command, parts: readonly ConfigPart[]): Command {
  const rows = optionTable().filter(
    (row) =>
      row.flag !== undefined &&
      row.flag !== 'name' &&
      parts.some((part) => `${row.path.join('.')}.`.startsWith(`${part}.`)),
  )
  partsOf.set(command, rows)
  for (const row of rows) for (const flag of flagsOf(row)) command.addOption(flag)
  return command
}

function flagsOf(row: OptionRow): Option[] {
  const text = [row.description, defaultText(row)].filter(Boolean).join(' ')
  if (row.kind === 'boolean') {
    const off = new Option(`--no-${row.flag}`, text)
    const on = new Option(`--${row.flag}`, text)
    return row.default === true ? [on.hideHelp(), off] : [on, off.hideHelp()]
  }
  const option = new Option(`--${row.flag} <${row.placeholder ?? 'VALUE'}>`, text)
  if (row.kind === 'list' || row.kind === 'map' || row.kind === 'pairs') {
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
  }
  return [option]
}

function defaultText({ default: value, kind, description }: OptionRow): string {
  if (value === undefined || kind === 'boolean' || /default/i.test(description)) return ''
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  return text === '' ? '' : `(default: ${text})`
}

async function loadCommandConfig(
  command: Command,
  values: Record<string, unknown>,
): Promise<LoadedConfig> {
  const flags = new Map<string, Json>()
  if (typeof values.name === 'string') flags.set('name', values.name)
  for (const row of partsOf.get(command) ?? []) {
    const attribute = new Option(`--${row.flag} <x>`).attributeName()
    if (command.getOptionValueSource(attribute) !== 'cli') continue
    flags.set(row.path.join('.'), flagValue(row, values[attribute]))
  }
  return loadConfig({
    flags,
    ...(typeof values.config === 'string' && { file: values.config }),
  })
}

/** The text of a flag as migration.yaml would hold it; what does not fit is left for the schema to refuse. */
function flagValue(row: OptionRow, value: unknown): Json {
  switch (row.kind) {
    case 'number':
      return numberOrText(String(value))
    case 'map':
      return Object.fromEntries(
        (value as string[]).map(halves).map(([key, text]) => [key, numberOrText(text)]),
      )
    case 'pairs':
      return (value as string[]).map(halves).map(([from, to]) => ({ from, to }))
    case 'text':
    case 'list':
    case 'boolean':
      return value as Json
  }
}

/** What stands before the last `=`, and after it. */
function halves(pair: string): [string, string] {
  const at = pair.lastIndexOf('=')
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}

function numberOrText(text: string): number | string {
  const number = Number(text)
  return text.trim() === '' || Number.isNaN(number) ? text : number
}
