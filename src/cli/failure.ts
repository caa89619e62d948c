import { MigrationError } from '../base/errors.ts'

/** What the exit code of every command means. */
export const exitCodes = {
  /** Done, and equal where something was compared. */
  done: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** Done, but items were not carried over, or are not equal. */
  differs: 3,
  /** Stopped or paused: nothing is wrong, run it again to go on. */
  unfinished: 4,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof MigrationError)) return exitCodes.failed
  if (error.code === 'MA_CONFIG' || error.code === 'MA_SECRET') return exitCodes.usage
  return error.code === 'MA_STOPPED' ? exitCodes.unfinished : exitCodes.failed
}

/** Prints the error for people on stderr, or with --json as one document on stdout, and sets the exit code. */
export function reportFailure(error: unknown, options: { json: boolean; debug: boolean }): void {
  process.exitCode = exitCodeOf(error)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ error: errorDocument(error) })}\n`)
    if (options.debug) process.stderr.write(`${stackOf(error)}\n`)
    return
  }
  process.stderr.write(`${options.debug ? stackOf(error) : errorText(error)}\n`)
}

function errorDocument(error: unknown): { code: string; message: string; details: unknown } {
  if (error instanceof MigrationError) {
    return { code: error.code, message: error.message, details: error.details }
  }
  return { code: 'MA_BUG', message: messageOf(error), details: {} }
}

function errorText(error: unknown): string {
  if (error instanceof MigrationError) {
    if (error.code === 'MA_STOPPED') return `stopped: ${error.message}`
    const [first = '', ...rest] = error.message.split('\n')
    return [`error: ${first} [${error.code}]`, ...rest.map((line) => `  ${line.trimStart()}`)].join(
      '\n',
    )
  }
  return [
    `error: ${messageOf(error)} [MA_BUG]`,
    '  This is a mistake in osmigrate itself. Run it again with --debug and report what it prints.',
  ].join('\n')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? error.message
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`
}
