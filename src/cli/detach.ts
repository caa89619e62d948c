import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine } from './output.ts'
import { say } from './progress.ts'

/**
 * `backfill start --detach`: runs the same command without the flag in a session of its own, which outlives the shell.
 * Returns once documents flow, or with the exit code and the last lines of what failed or ended before. A stop while it
 * waits for that stops the other process too.
 */
export async function detachBackfill(invocation: Invocation): Promise<ExitCode> {
  const { stateFolder } = await invocation.loadConfig()
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  const log = join(stateFolder, 'backfill.log')
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
  writeFileSync(join(stateFolder, 'backfill.pid'), `${pid}\n`, { mode: 0o600 })
  child.disconnect()
  child.unref()
  if (invocation.json) printJson({ pid, log })
  else {
    printLine(`The backfill runs in the background, pid ${pid}, log ${log}`)
    printLine('osmigrate backfill status shows how far it is, osmigrate backfill stop stops it.')
  }
  return exitCodes.done
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
