import { fork, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { errorCodes, MigrationError, type ErrorCode } from '../base/errors.ts'
import type { ProxySettings } from './proxy-settings.ts'
import type { FromProxyWorker, ToProxyWorker, WorkerStatus } from './worker-messages.ts'

export interface WorkerOptions {
  readonly number: number
  /** The module that calls serveWorker(). */
  readonly entry: URL
  readonly settings: ProxySettings
  readonly recording: unknown
  readonly onReady: () => void
  readonly onStatus: (status: WorkerStatus | 'ended') => void
  readonly onWarning: (message: string) => void
  /** Connections that it was given and has not looked at. */
  readonly onReturned: (sockets: readonly Socket[]) => void
  /** Ended for good: drained, or it never began. */
  readonly onGone: () => void
}

/** A worker that lived this long is started again at once. */
const steadyMs = 60_000
const restartFirstMs = 100
const restartMaxMs = 10_000

/** A worker as its supervisor sees it: a process that is started again when it dies, ever later if it dies soon. */
export class WorkerProcess {
  readonly #options: WorkerOptions
  readonly #started = Promise.withResolvers<void>()
  #process!: ChildProcess
  #startedAt = 0
  #earlyDeaths = 0
  #restart: NodeJS.Timeout | undefined
  #isDraining = false
  #given = 0
  readonly #unconfirmed = new Map<number, Socket>()
  #hasServed = false
  isReady = false
  /** As it said last, and what was handed over since. */
  connections = 0

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#begin()
  }

  /** Resolves when it serves for the first time; rejects with what kept it from that. */
  get started(): Promise<void> {
    return this.#started.promise
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /**
   * Hands a connection over. It stays open here until the worker says that it has it, which it does before it reads: if
   * the worker dies before, the connection comes back whole.
   */
  give(socket: Socket): void {
    this.connections++
    const id = ++this.#given
    this.#unconfirmed.set(id, socket)
    this.#send({ kind: 'connection', id }, socket)
  }

  reload(): void {
    this.#send({ kind: 'reload' })
  }

  drain(): void {
    this.#isDraining = true
    this.isReady = false
    if (this.#restart === undefined) this.#send({ kind: 'drain' })
    else {
      clearTimeout(this.#restart)
      this.#options.onGone()
    }
  }

  /** The last resort, when it does not end by itself. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #begin(): void {
    const { entry, number, settings, recording, onReady, onStatus, onWarning } = this.#options
    this.#restart = undefined
    this.#startedAt = performance.now()
    const child = fork(entry, {
      serialization: 'advanced',
      execArgv: [...process.execArgv, '--max-semi-space-size=4'],
    })
    this.#process = child
    let failure: MigrationError | undefined
    child.on('message', (message) => {
      const told = message as FromProxyWorker
      switch (told.kind) {
        case 'ready':
          this.isReady = !this.#isDraining
          this.#hasServed = true
          this.#started.resolve()
          onReady()
          break
        case 'failed':
          failure = failureOf(told)
          break
        case 'accepted':
          this.#unconfirmed.get(told.id)?.destroy()
          this.#unconfirmed.delete(told.id)
          break
        case 'status':
          this.connections = told.status.connections
          onStatus(told.status)
          break
        case 'warning':
          onWarning(`worker ${number}: ${told.message}`)
          break
      }
    })
    child.on('error', (error) => onWarning(`worker ${number}: ${error.message}`))
    child.once('exit', (code, signal) => this.#ended(failure, `${signal ?? code}`))
    const isRestart = this.#hasServed
    this.#send({ kind: 'start', worker: number, isRestart, settings, recording })
  }

  #ended(failure: MigrationError | undefined, how: string): void {
    const { number, onStatus, onWarning, onReturned, onGone } = this.#options
    this.isReady = false
    this.connections = 0
    onStatus('ended')
    const returned = [...this.#unconfirmed.values()]
    this.#unconfirmed.clear()
    onReturned(returned)
    const error = failure ?? new Error(`worker ${number} ended before it served (${how})`)
    this.#started.reject(error)
    if (this.#isDraining || !this.#hasServed) {
      if (failure !== undefined && this.#hasServed)
        onWarning(`worker ${number}: ${failure.message}`)
      return onGone()
    }
    if (performance.now() - this.#startedAt >= steadyMs) this.#earlyDeaths = 0
    const waitMs = Math.min(restartMaxMs, restartFirstMs * 2 ** this.#earlyDeaths++)
    const cause = failure?.message ?? how
    onWarning(
      `worker ${number} ended (${cause}); its connections are lost, it starts again in ${waitMs} ms`,
    )
    this.#restart = setTimeout(() => this.#begin(), waitMs)
  }

  #send(message: ToProxyWorker, socket?: Socket): void {
    if (!this.#process.connected) return
    // What does not arrive is told by the end of the process.
    this.#process.send(message, socket, { keepOpen: true }, () => {})
  }
}

function failureOf({ code, message }: { code: string; message: string }): MigrationError {
  return new MigrationError(code in errorCodes ? (code as ErrorCode) : 'MA_STATE', message)
}
