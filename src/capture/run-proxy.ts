import type { AddressInfo, Server } from 'node:net'
import { openLocalLogReader } from '../traffic/local-log-reader.ts'
import { AdminServer, type AdminHandlers, type AdminOptions } from './admin-server.ts'
import { LeftStreams } from './left-streams.ts'
import { handOver, isTakingOver, openListener, receiveListener, tellServing } from './listener.ts'
import type { ProxySettings } from './proxy-settings.ts'
import type { RecordingStart } from './recording-worker.ts'
import { StatusBoard } from './status-board.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

export interface ProxyRun {
  readonly name: string
  readonly version: string
  readonly settings: ProxySettings
  readonly recording: RecordingStart
  readonly admin: AdminOptions
  /** The command that this process was started with: it is started once more to take over. */
  readonly command: { readonly file: string; readonly args: readonly string[] }
  readonly onWarning: (message: string) => void
  /** Serves from now on; addresses as a client on this machine writes them. */
  readonly onServing: (facts: { listen: string; admin: string }) => void
}

/**
 * Runs a proxy until `signal` stops it or another one has taken over (SIGUSR2 begins that; SIGUSR1 reads certificates
 * again). Then it accepts nobody any more, ends its connections as their requests end, and closes its log.
 *
 * Errors: MA_CONFIG for an address that cannot be listened at, MA_SECRET, MA_CAPTURE_LOG for a log that cannot be written.
 */
export async function runProxy(run: ProxyRun, signal: AbortSignal): Promise<void> {
  const isSecond = isTakingOver()
  const server = isSecond ? await receiveListener() : await openListener(run.settings.listen)
  const board = new StatusBoard(run, hostPort(server.address() as AddressInfo))
  const left = new LeftStreams(run.recording, run.onWarning)
  const supervisor = await startSupervisor(server, run, (worker, status) => {
    board.update(worker, status)
    if (status === 'ended') left.endSoon()
  })
  const proxy = new RunningProxy(run, supervisor, board)
  try {
    await proxy.openAdmin()
    left.begin()
    if (isSecond) tellServing()
    proxy.tellServing()
    await proxy.untilEnd(signal)
  } finally {
    await supervisor.drain()
    await left.close()
    await proxy.closeAdmin()
  }
}

async function startSupervisor(
  server: Server,
  { settings, recording, onWarning }: ProxyRun,
  onStatus: NonNullable<SupervisorOptions['onStatus']>,
): Promise<Supervisor> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  try {
    return await Supervisor.start(server, {
      settings,
      entry: new URL(`./recording-worker.${extension}`, import.meta.url),
      recording,
      onWarning,
      onStatus,
    })
  } catch (error) {
    server.close()
    throw error
  }
}

/** A proxy that serves, with its admin port and the ways in which it ends. */
class RunningProxy {
  readonly #run: ProxyRun
  readonly #supervisor: Supervisor
  readonly #board: StatusBoard
  readonly #ended = Promise.withResolvers<void>()
  #admin: AdminServer | undefined

  constructor(run: ProxyRun, supervisor: Supervisor, board: StatusBoard) {
    this.#run = run
    this.#supervisor = supervisor
    this.#board = board
  }

  async openAdmin(): Promise<void> {
    this.#admin = await AdminServer.open(this.#run.admin, this.#handlers())
  }

  async closeAdmin(): Promise<void> {
    await this.#admin?.close()
    this.#admin = undefined
  }

  tellServing(): void {
    const scheme = this.#run.admin.tls === undefined ? 'http' : 'https'
    this.#run.onServing({
      listen: hostPort(this.#supervisor.address),
      admin: `${scheme}://${hostPort(this.#admin!.address)}`,
    })
  }

  async untilEnd(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#ended.resolve()
    const reload = (): void => this.#supervisor.reload()
    const replace = (): void => void this.#replace()
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
    process.on('SIGUSR2', replace)
    process.on('SIGUSR1', reload)
    await this.#ended.promise
    signal.removeEventListener('abort', end)
    process.off('SIGUSR2', replace)
    process.off('SIGUSR1', reload)
  }

  /** The other one listens at the same admin port: this one's is closed first, and opened again when nothing came of it. */
  async #replace(): Promise<void> {
    await this.closeAdmin()
    try {
      await handOver(this.#supervisor.listener, this.#run.command)
      this.#ended.resolve()
    } catch (error) {
      this.#run.onWarning((error as Error).message)
      await this.openAdmin()
    }
  }

  #handlers(): AdminHandlers {
    const { log } = this.#run.recording
    const end = (): void => this.#ended.resolve()
    const onDamage = (damage: Error): void => this.#run.onWarning(damage.message)
    return {
      health: () => ({ status: this.#supervisor.isDraining ? 'draining' : 'ok' }),
      status: () =>
        this.#board.status({
          ready: this.#supervisor.workersReady,
          isDraining: this.#supervisor.isDraining,
        }),
      metrics: () => this.#board.metrics(),
      stop: end,
      drain: end,
      reload: () => {
        this.#supervisor.reload()
        return Promise.resolve()
      },
      ...(log.kafka === undefined && { log: openLocalLogReader(log.dir, { onDamage }) }),
    }
  }
}

/** As a client on this machine writes it. */
function hostPort({ address, family, port }: AddressInfo): string {
  const host = address === '::' || address === '0.0.0.0' ? 'localhost' : address
  return family === 'IPv6' && host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
