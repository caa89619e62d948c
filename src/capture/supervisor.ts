import type { AddressInfo, Server, Socket } from 'node:net'
import { limitsDefault } from './limits.ts'
import type { ProxySettings } from './proxy-settings.ts'
import type { WorkerStatus } from './worker-messages.ts'
import { WorkerProcess } from './worker-process.ts'

export interface SupervisorOptions {
  readonly settings: ProxySettings
  /** The module of a worker, which calls serveWorker(). */
  readonly entry: URL
  /** Handed to each worker for what records; plain data. */
  readonly recording?: unknown
  readonly onWarning: (message: string) => void
  /** About once a second for each worker, and when its process has ended. */
  readonly onStatus?: (worker: number, status: WorkerStatus | 'ended') => void
}

/** Of connections that wait for a worker to be ready; more are closed. */
const waitingMax = 4_096
/** Beyond the time in which a worker drains by itself. */
const drainMarginMs = 10_000

/**
 * A proxy as a whole: this process holds the listening socket and gives each connection to the worker that has the fewest.
 * It looks at no byte of them, so nothing that a client sends can bring it down; a worker that dies takes its own
 * connections with it and is started again.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #server: Server
  readonly #workers: WorkerProcess[] = []
  readonly #waiting: Socket[] = []
  readonly #allGone = Promise.withResolvers<void>()
  #goneCount = 0
  #isEnding = false

  private constructor(server: Server, options: SupervisorOptions) {
    this.#server = server
    this.#options = options
  }

  /**
   * Starts the workers, then serves the clients of `server` (listener.ts), which listens already; those that come earlier
   * wait. Throws what keeps a worker from starting: MA_CONFIG, MA_SECRET, or an error of what records.
   */
  static async start(server: Server, options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(server, options)
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => {})
      supervisor.#accept(socket)
    })
    for (let number = 0; number < options.settings.workers; number++) supervisor.#add(number)
    const starts = await Promise.allSettled(supervisor.#workers.map(({ started }) => started))
    const failed = starts.find((one) => one.status === 'rejected')
    if (failed === undefined) return supervisor
    await supervisor.drain()
    throw failed.reason
  }

  /** Where clients are served. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  /** For takeOver() of listener.ts. */
  get listener(): Server {
    return this.#server
  }

  get workersReady(): number {
    return this.#workers.filter(({ isReady }) => isReady).length
  }

  /** The processes that serve clients, for their figures. */
  get workerPids(): number[] {
    return this.#workers.flatMap(({ pid }) => pid ?? [])
  }

  get isDraining(): boolean {
    return this.#isEnding
  }

  /** Has all workers read the certificates again. */
  reload(): void {
    for (const worker of this.#workers) worker.reload()
  }

  /**
   * Accepts nobody any more. Each connection ends with its next answer, which says so; what is left after
   * `drainTimeoutMs` is cut. Resolves when all workers have ended.
   */
  async drain(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true
      this.#server.close()
      for (const socket of this.#waiting.splice(0)) socket.destroy()
      for (const worker of this.#workers) worker.drain()
    }
    const limits = { ...limitsDefault, ...this.#options.settings.limits }
    const kill = setTimeout(() => {
      this.#options.onWarning('workers that did not end by themselves are killed')
      for (const worker of this.#workers) worker.kill()
    }, limits.drainTimeoutMs + drainMarginMs)
    await this.#allGone.promise
    clearTimeout(kill)
  }

  #add(number: number): void {
    const { settings, entry, recording, onWarning, onStatus } = this.#options
    const worker = new WorkerProcess({
      ...{ number, settings, entry, recording, onWarning },
      onReady: () => this.#handOutWaiting(),
      onReturned: (sockets) => {
        for (const socket of sockets) this.#accept(socket)
      },
      onStatus: (status) => onStatus?.(number, status),
      onGone: () => {
        if (++this.#goneCount === this.#workers.length) this.#allGone.resolve()
      },
    })
    this.#workers.push(worker)
  }

  #accept(socket: Socket): void {
    const ready = this.#workers.filter(({ isReady }) => isReady)
    if (ready.length === 0) {
      if (this.#isEnding || this.#waiting.length >= waitingMax) socket.destroy()
      else this.#waiting.push(socket)
      return
    }
    const least = ready.reduce((a, b) => (b.connections < a.connections ? b : a))
    least.give(socket)
  }

  #handOutWaiting(): void {
    for (const socket of this.#waiting.splice(0)) this.#accept(socket)
  }
}
