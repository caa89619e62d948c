/**
 * The process between a program and an engine that it started. It starts the engine in a process group of
 * its own and waits for the end of its standard input, which the program holds open: whatever happens to
 * the program, SIGKILL included, the pipe ends, and the watchdog ends the engine.
 *
 *     stdin   one line of JSON (WatchdogOrder), then nothing until the end
 *     stdout  one line of JSON each (WatchdogReport): the pid, later how the engine ended
 *
 * It runs in a session of its own, so a Ctrl-C on the terminal reaches the program only, which stops the
 * engine in its own time.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

export interface WatchdogOrder {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Standard output and standard error of the engine are appended to this file. */
  readonly logFile: string
  /** Run the engine as this user and group. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** How long the engine may take to end by itself before it is killed. */
  readonly graceMs: number
  /** Folders removed once the engine is gone. */
  readonly remove: readonly string[]
}

export type WatchdogReport =
  { readonly pid: number } | { readonly ended: string } | { readonly failed: string }

function report(line: WatchdogReport): void {
  process.stdout.write(JSON.stringify(line) + '\n')
}

function watch(order: WatchdogOrder, parentGone: Promise<void>): void {
  const log = openSync(order.logFile, 'a', 0o644)
  const child = spawn(order.command, order.args, {
    cwd: order.cwd,
    env: { ...order.env },
    detached: true,
    stdio: ['ignore', log, log],
    ...order.user,
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      report({ failed: error.message })
      resolve()
    })
    child.once('exit', (code, signal) => {
      report({ ended: signal ?? `exit code ${code}` })
      resolve()
    })
  })
  const pid = child.pid
  if (pid !== undefined) report({ pid })
  void parentGone.then(async () => {
    if (pid !== undefined) await endGroup(pid, ended, order.graceMs)
  })
  void ended.then(async () => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL') // whatever the engine itself has left behind
    await parentGone // who may want to read why an engine ended by itself
    await Promise.all(order.remove.map((folder) => rm(folder, { recursive: true, force: true })))
    process.exit(0)
  })
}

async function endGroup(pid: number, ended: Promise<void>, graceMs: number): Promise<void> {
  signalGroup(pid, 'SIGTERM')
  await Promise.race([ended, wait(graceMs)])
  signalGroup(pid, 'SIGKILL')
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // the group is gone already
  }
}

/** The parent may be gone before a report is read: that is what the end of stdin is for. */
process.stdout.on('error', () => {})

const input = createInterface({ input: process.stdin })
const parentGone = new Promise<void>((resolve) => {
  input.once('close', resolve)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve())
})
input.once('line', (line) => watch(JSON.parse(line) as WatchdogOrder, parentGone))
