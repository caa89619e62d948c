import { startConfiguredProxy, requestReplacement } from '../migration/capture-run.ts'
import type { Invocation } from './command.ts'
import { detach, sayStarted } from './detach.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { packageVersion } from './main.ts'
import { printJson, printLine } from './output.ts'
import { say } from './progress.ts'

/** `capture start` in the foreground; also what a detached process runs, and one that takes over. */
export async function startProxy(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  await startConfiguredProxy(loaded, {
    version: packageVersion(),
    command: commandLine(),
    signal: invocation.signal,
    onWarning: (message) =>
      say(invocation.json ? message : `${new Date().toISOString()} ${message}`, 'warning'),
    onServing: (record) => {
      if (invocation.json) printJson(record)
      else {
        printLine(`The proxy ${record.proxy} serves ${record.listen}, pid ${record.pid}.`)
        printLine(`osmigrate capture status shows what passes; admin port: ${record.admin}`)
      }
      sayStarted()
    },
  })
  return exitCodes.done
}

export function detachProxy(invocation: Invocation): Promise<ExitCode> {
  return detach(invocation, {
    name: 'capture',
    what: 'The proxy',
    next: 'osmigrate capture status shows what passes, osmigrate capture stop stops it.',
  })
}

/** Has the running proxy start its successor, and waits until that one serves. */
export async function replaceProxy(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const { before, now } = await requestReplacement(loaded, invocation.signal)
  if (invocation.json) printJson({ before, now })
  else printLine(`pid ${now.pid} serves ${now.listen} in the place of pid ${before.pid}.`)
  return exitCodes.done
}

/** This process once more, for the one that takes over. */
function commandLine(): { file: string; args: string[] } {
  const args = process.argv.slice(1).filter((arg) => arg !== '--detach' && arg !== '--replace')
  return { file: process.execPath, args: [...process.execArgv, ...args] }
}
