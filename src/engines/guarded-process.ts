/** A server process that ends with this one, whatever ends this one: see watchdog.ts. */
import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MigrationError } from '../base/errors.ts'
import type { WatchdogOrder, WatchdogReport } from './watchdog.ts'

export interface GuardedProcess {
  readonly pid: number
  /** How the process ended, undefined while it runs. */
  ended(): string | undefined
  /** Ends it, by force after the order's `graceMs`, and waits until it and what it left is gone. */
  stop(): Promise<void>
}

/** Starts a command under a watchdog. Throws MA_ENGINE when it cannot be run. */
export async function startGuarded(order: WatchdogOrder): Promise<GuardedProcess> {
  const self = fileURLToPath(import.meta.url)
  const script = path.join(path.dirname(self), `watchdog${path.extname(self)}`)
  const watchdog = spawn(process.execPath, ['--max-old-space-size=32', script], {
    detached: true, // out of the terminal's process group
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '' },
  })
  let ended: string | undefined
  const gone = new Promise<void>((resolve) => watchdog.once('close', () => resolve()))
  const started = new Promise<number>((resolve, reject) => {
    const fail = (message: string) => {
      ended ??= message
      watchdog.stdin.end()
      const text = `${order.command} cannot be run: ${message}`
      reject(new MigrationError('MA_ENGINE', text))
    }
    watchdog.once('error', (error) => fail(error.message))
    void gone.then(() => fail('its watchdog ended'))
    createInterface({ input: watchdog.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as WatchdogReport
      if ('pid' in said) resolve(said.pid)
      else if ('ended' in said) ended ??= said.ended
      else fail(said.failed)
    })
  })
  watchdog.stdin.on('error', () => {}) // a watchdog that ended: seen by `gone`
  watchdog.stdin.write(JSON.stringify(order) + '\n')
  const pid = await started
  keepFromHoldingTheProgram(watchdog)
  return {
    pid,
    ended: () => ended,
    stop: async () => {
      if (watchdog.exitCode !== null || watchdog.signalCode !== null) return gone
      watchdog.ref()
      refStream(watchdog.stdout)
      watchdog.stdin.end()
      await gone
    },
  }
}

/** A program that forgets to stop its engine ends all the same, and the engine with it. */
function keepFromHoldingTheProgram(watchdog: ChildProcess): void {
  watchdog.unref()
  for (const stream of [watchdog.stdin, watchdog.stdout]) {
    ;(stream as unknown as { unref?: () => void }).unref?.()
  }
}

function refStream(stream: unknown): void {
  ;(stream as { ref?: () => void } | null)?.ref?.()
}
