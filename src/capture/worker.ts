import { unwatchFile, watchFile } from 'node:fs'
import type { Socket } from 'node:net'
import { MigrationError } from '../base/errors.ts'
import { resolveTls } from '../cluster/credentials.ts'
import { limitsDefault } from './limits.ts'
import { filesOf, ListenTlsServer } from './listen-tls.ts'
import { countProcess, Metrics } from './metrics.ts'
import type { ExchangeObserver } from './observer.ts'
import { ProxyCore } from './proxy-core.ts'
import type { ProxySettings } from './proxy-settings.ts'
import { Source } from './source-connection.ts'
import type { FromProxyWorker, ToProxyWorker } from './worker-messages.ts'

const statusEveryMs = 1_000
const watchEveryMs = 5_000

/** What looks on in one worker. */
export interface Recording {
  readonly observer: ExchangeObserver | undefined
  /** For the supervisor, once a second; plain data. */
  status?(): unknown
  /** After the last exchange: writes what is left. */
  close(): Promise<void>
}

export interface WorkerStart {
  /** From 0 on; a worker that takes the place of a crashed one has its number. */
  readonly worker: number
  readonly settings: ProxySettings
  /** As given to the supervisor. */
  readonly recording: unknown
  readonly metrics: Metrics
  /** One of this number has served before. */
  readonly isRestart: boolean
  /** Says it to whoever runs the proxy. */
  readonly warn: (message: string) => void
}

/**
 * The life of a worker process: the module that the supervisor starts calls this, and says how it records. Connections
 * come from the supervisor. A worker whose supervisor is gone serves the clients that it has, then ends.
 */
export function serveWorker(open: (start: WorkerStart) => Promise<Recording>): void {
  const worker = new ProxyWorker(open)
  process.on('message', (message, handle) => {
    worker.receive(message as ToProxyWorker, handle as Socket | undefined)
  })
  process.on('disconnect', () => worker.drain())
  // They are for the supervisor, though a terminal sends them to all of its processes.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}

class ProxyWorker {
  readonly #open: (start: WorkerStart) => Promise<Recording>
  #core: ProxyCore | undefined
  #tls: ListenTlsServer | undefined
  #source: Source | undefined
  #settings: ProxySettings | undefined
  #recording: Recording | undefined
  #status: NodeJS.Timeout | undefined
  #watched: string[] = []

  constructor(open: (start: WorkerStart) => Promise<Recording>) {
    this.#open = open
  }

  receive(message: ToProxyWorker, socket: Socket | undefined): void {
    switch (message.kind) {
      case 'start':
        this.#start(message).catch((error: unknown) => this.#fail(error))
        break
      case 'connection':
        send({ kind: 'accepted', id: message.id })
        this.#accept(socket)
        break
      case 'reload':
        this.#reload()
        break
      case 'drain':
        this.drain()
        break
    }
  }

  drain(): void {
    this.#drain().catch((error: unknown) => this.#fail(error))
  }

  async #start(message: ToProxyWorker & { kind: 'start' }): Promise<void> {
    const { settings } = message
    this.#settings = settings
    const limits = { ...limitsDefault, ...settings.limits }
    const material = await resolveTls('source', settings.sourceTls)
    const urls = settings.sourceUrls.map((url) => new URL(url))
    this.#source = new Source(urls, limits, material)
    const metrics = new Metrics()
    const recording = await this.#open({ ...message, metrics, warn })
    this.#recording = recording
    const core = new ProxyCore({
      ...{ source: this.#source, limits, metrics },
      ...(recording.observer !== undefined && { observer: recording.observer }),
      forwardedHeaders: settings.forwardedHeaders ?? true,
      ...(settings.setHeaders !== undefined && { setHeaders: byName(settings.setHeaders) }),
      rewriteAddresses: settings.rewriteAddresses ?? false,
    })
    this.#core = core
    if (settings.tls !== undefined) {
      this.#tls = await ListenTlsServer.open(settings.tls, {
        handshakeTimeoutMs: limits.headTimeoutMs,
        secured: (socket) => core.accept(socket),
        refused: () => metrics.add('osmigrate_capture_errors_total'),
      })
    }
    this.#watch(settings)
    this.#status = setInterval(() => this.#tell(), statusEveryMs)
    this.#tell()
    send({ kind: 'ready' })
  }

  #accept(socket: Socket | undefined): void {
    // The client may be gone by the time its connection is handed over.
    if (socket === undefined) return
    socket.setNoDelay(true)
    if (this.#tls !== undefined) this.#tls.accept(socket)
    else this.#core!.accept(socket)
  }

  #watch({ tls, sourceTls }: ProxySettings): void {
    this.#watched = filesOf([
      ...[tls?.cert, tls?.key, tls?.clientCa],
      ...[sourceTls?.ca, sourceTls?.cert, sourceTls?.key],
    ])
    for (const file of this.#watched) {
      watchFile(file, { interval: watchEveryMs, persistent: false }, () => this.#reload())
    }
  }

  #reload(): void {
    const { sourceTls } = this.#settings ?? {}
    const all = [
      this.#tls?.reload() ?? Promise.resolve(),
      resolveTls('source', sourceTls).then((material) => this.#source?.useTls(material)),
    ]
    Promise.all(all).catch((error: unknown) => {
      warn(`certificates stay as they were: ${(error as Error).message}`)
    })
  }

  #tell(): void {
    const core = this.#core!
    const recording = this.#recording?.status?.()
    const { connectionCount: connections } = core
    countProcess(core.metrics)
    send({ kind: 'status', status: { connections, metrics: core.metrics.values, recording } })
  }

  async #drain(): Promise<void> {
    if (this.#core?.isDraining === true) return
    await this.#core?.drain()
    await this.#recording?.close()
    clearInterval(this.#status)
    for (const file of this.#watched) unwatchFile(file)
    if (this.#core !== undefined) this.#tell()
    if (process.connected) process.disconnect()
  }

  #fail(error: unknown): void {
    const code = error instanceof MigrationError ? error.code : 'bug'
    send({ kind: 'failed', message: (error as Error).message, code })
    process.exitCode = 1
    clearInterval(this.#status)
    if (process.connected) process.disconnect()
  }
}

function byName(fields: {
  readonly [name: string]: string
}): ReadonlyMap<string, { readonly name: string; readonly value: string }> {
  return new Map(
    Object.entries(fields).map(([name, value]) => [name.toLowerCase(), { name, value }]),
  )
}

function warn(message: string): void {
  send({ kind: 'warning', message })
}

function send(message: FromProxyWorker): void {
  if (process.connected) process.send!(message)
}
