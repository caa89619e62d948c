import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine } from './output.ts'
import { say } from './progress.ts'

/** The names of a command that can go on in the background. */
export interface Detached {
  /** Of its files in the state folder: `NAME.log`, `NAME.pid`. */
  readonly name: string
  /** `The backfill`. */
  readonly what: string
  /** What a person may want to do now. */
  readonly next: string
}

/**
 * `--detach`: runs the same command without the flag in a session of its own, which outlives the shell. Returns once it
 * says that it has begun (sayStarted), or with the exit code and the last lines of what failed or ended before. A stop
 * while it waits for that stops the other process too.
 */
export async function detach(
  invocation: Invocation,
  { name, what, next }: Detached,
): Promise<ExitCode> {
  const { stateFolder } = await invocation.loadConfig()
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  const log = join(stateFolder, `${name}.log`)
  const output = openSync(log, 'a', 0o600)
  const logStart = statSync(log).size
  const args = process.argv.slice(1).filter((arg) => arg !== '--detach')
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const stop = (): void => void child.kill('SIGTERM')
  invocation.signal.addEventListener('abort', stop)
  if (invocation.signal.aborted) stop()
  const ended = await startedOrEnded(child, invocation.signal)
  invocation.signal.removeEventListener('abort', stop)
  if (ended !== undefined) {
    const text = readFileSync(log).subarray(logStart).toString('utf8').trimEnd()
    if (invocation.json) process.stdout.write(`${text}\n`)
    else say(text)
    return ended
  }
  const pid = child.pid!
  writeFileSync(join(stateFolder, `${name}.pid`), `${pid}\n`, { mode: 0o600 })
  child.disconnect()
  child.unref()
  if (invocation.json) printJson({ pid, log })
  else {
    printLine(`${what} runs in the background, pid ${pid}, log ${log}`)
    printLine(next)
  }
  return exitCodes.done
}

/** To the shell that detached this process; it may be gone by now, which changes nothing. */
export function sayStarted(): void {
  if (process.connected) process.send?.({ started: true }, () => {})
}

/**
 * undefined once the child says that it has begun; its exit code when it ends before. After a stop its end is awaited,
 * and the reason of the signal thrown.
 */
function startedOrEnded(child: ChildProcess, signal: AbortSignal): Promise<ExitCode | undefined> {
  return new Promise((resolve, reject) => {
    child.once('message', () => signal.aborted || resolve(undefined))
    child.once('error', reject)
    child.once('exit', (code) => {
      if (signal.aborted) reject(signal.reason as Error)
      else resolve((code ?? exitCodes.failed) as ExitCode)
    })
  })
}
