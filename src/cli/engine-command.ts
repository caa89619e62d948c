import { Argument, Option, type Command } from 'commander'
import { MigrationError } from '../base/errors.ts'
import type { Engine, EngineKind } from '../engines/engine.ts'
import { addExamples, defineAction, type Invocation } from './command.ts'
import { printJson, printLine, printTable } from './output.ts'
import { say } from './progress.ts'

/** Those for users: an S3 service is for tests. */
const kinds: readonly EngineKind[] = ['elasticsearch', 'opensearch', 'kafka']

export function defineEngine(command: Command): void {
  command.description(
    'Runs real engines on this machine, on 127.0.0.1, for trying things and for tests. Never for data that matters.',
  )
  defineStart(command.command('start'))
  defineList(command.command('list'))
}

function defineStart(command: Command): void {
  command
    .summary('start an engine; it stops with this command')
    .description(
      'Starts an engine, downloading it at first, and prints its address. It runs until Ctrl-C.',
    )
    .addArgument(new Argument('<kind>', 'what to start').choices(kinds))
    .addArgument(new Argument('<version>', 'e.g. 7.10.2, or short: 7.10 or 7'))
    .addOption(new Option('--port <PORT>', 'where it listens (default: a free one)'))
    .addOption(
      new Option(
        '--dir <DIR>',
        'keep its data here (default: a temporary folder, removed at the end)',
      ),
    )
    .addOption(new Option('--security', 'TLS and users; admin with password admin'))
    .addOption(new Option('--heap-mb <MB>', 'memory of the engine (default: 512)'))
  addExamples(command, [
    ['osmigrate engine start elasticsearch 7.10.2 --port 9200', ''],
    ['osmigrate engine start opensearch 3 --port 9201 --dir ./os', 'keeps its data'],
  ])
  defineAction(command, startEngineCommand, { stopping: 'stopping the engine' })
}

async function startEngineCommand(invocation: Invocation): Promise<void> {
  const { startEngine } = await import('../engines/engine.ts')
  const { args, options, signal, json } = invocation
  const engine = await startEngine({
    kind: args[0] as EngineKind,
    version: args[1]!,
    ...(options.port !== undefined && { port: wholeNumber(options.port, '--port', 65535) }),
    ...(typeof options.dir === 'string' && { dir: options.dir }),
    ...(options.heapMb !== undefined && {
      heapMb: wholeNumber(options.heapMb, '--heap-mb', 65536),
    }),
    security: options.security === true,
    signal,
    onProgress: say,
  })
  try {
    if (json) printJson(engineDocument(engine))
    else printEngine(engine)
    await untilAborted(signal)
  } finally {
    await engine.stop()
  }
}

/** Keeps the process alive until the signal fires: an abort listener alone does not. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const keepAlive = setInterval(() => {}, 2 ** 30)
    signal.addEventListener('abort', () => {
      clearInterval(keepAlive)
      resolve()
    })
  })
}

function wholeNumber(value: unknown, flag: string, max: number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 0 && number <= max) return number
  throw new MigrationError(
    'MA_CONFIG',
    `${flag}: expected a whole number from 0 to ${max}, found ${String(value)}`,
  )
}

function engineDocument(engine: Engine): object {
  const { kind, version, url, port, pid, dir, repositoryDir, caFile } = engine
  return { kind, version, url, port, pid, dir, repositoryDir, ...(caFile && { caFile }) }
}

function printEngine(engine: Engine): void {
  printLine(`${engine.kind} ${engine.version} runs at ${engine.url} (pid ${engine.pid})`)
  printLine(`folder ${engine.dir}; snapshot repositories may lie below ${engine.repositoryDir}`)
  if (engine.caFile) printLine(`user admin, password admin; certificate authority ${engine.caFile}`)
  printLine('Ctrl-C stops it.')
}

function defineList(command: Command): void {
  command
    .summary('the engines that can be started here')
    .description(
      'Lists the engines and versions that this program can start, and whether this machine has what they need.',
    )
  addExamples(command, [['osmigrate engine list', '']])
  defineAction(command, async ({ json }) => {
    const { engineAvailable, engineCatalogue } = await import('../engines/engine.ts')
    const offered = engineCatalogue.filter(
      ({ kind, forFixtures }) => kinds.includes(kind) && forFixtures !== true,
    )
    const rows = await Promise.all(
      offered.map(async ({ kind, version }) => {
        const available = await engineAvailable(kind, version)
        return { kind, version, ...available }
      }),
    )
    if (json) return printJson(rows)
    printTable(
      ['engine', 'version', 'can run here'],
      rows.map((row) => [row.kind, row.version, row.ok ? 'yes' : `no: ${row.reason}`]),
    )
  })
}
