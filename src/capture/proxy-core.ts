import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { ClientConnection } from './client-connection.ts'
import type { ProxyLimits } from './limits.ts'
import { connectionSides, type Metrics } from './metrics.ts'
import type { ExchangeObserver } from './observer.ts'
import { ownError, refusalBytes } from './own-answers.ts'
import type { Source } from './source-connection.ts'
import type { RequestEdits } from './wire/edit-heads.ts'

export interface ProxyCoreOptions {
  readonly source: Source
  readonly limits: ProxyLimits
  readonly metrics: Metrics
  readonly observer?: ExchangeObserver
  /** Tell the source by X-Forwarded-For and X-Forwarded-Proto whose requests these are. */
  readonly forwardedHeaders: boolean
  /** By their names in lower case. */
  readonly setHeaders?: ReadonlyMap<string, { readonly name: string; readonly value: string }>
  /** See ProxySettings. */
  readonly rewriteAddresses: boolean | string
}

const tickMs = 1_000
const clientSide = connectionSides.indexOf('client')

/** All connections of one process, with what they share. */
export class ProxyCore {
  readonly source: Source
  readonly limits: ProxyLimits
  readonly observer: ExchangeObserver | undefined
  readonly metrics: Metrics
  readonly rewriteAddresses: boolean | string
  /** Milliseconds, as old as the last tick. */
  now = performance.now()
  isDraining = false
  readonly #options: ProxyCoreOptions
  readonly #connections = new Set<ClientConnection>()
  readonly #ticks: NodeJS.Timeout
  #numbers = 0
  #onEmpty: (() => void) | undefined

  constructor(options: ProxyCoreOptions) {
    this.#options = options
    this.source = options.source
    this.limits = options.limits
    this.observer = options.observer
    this.metrics = options.metrics
    this.rewriteAddresses = options.rewriteAddresses
    this.#ticks = setInterval(() => this.#tick(), tickMs)
    this.#ticks.unref()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Serves a client; of a TLS connection once its handshake is done. */
  accept(socket: Socket): void {
    if (this.#connections.size >= this.limits.connectionsMax) return this.#turnAway(socket)
    this.#connections.add(new ClientConnection(this, socket, ++this.#numbers))
    this.metrics.add('osmigrate_capture_connections', 1, clientSide)
  }

  editsFor(client: Socket): RequestEdits {
    const { forwardedHeaders, setHeaders } = this.#options
    const address = (client.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
    const scheme = client instanceof TLSSocket ? 'https' : 'http'
    return {
      ...(forwardedHeaders && { forwarded: { address, scheme } }),
      ...(setHeaders !== undefined && { setHeaders }),
    }
  }

  closed(connection: ClientConnection): void {
    if (!this.#connections.delete(connection)) return
    this.metrics.add('osmigrate_capture_connections', -1, clientSide)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  /**
   * Ends all connections: each after its next answer, which says so; those without a request, and whatever is left, at
   * the end of `drainTimeoutMs`.
   */
  async drain(): Promise<void> {
    this.isDraining = true
    if (this.#connections.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onEmpty = resolve
      const timer = setTimeout(() => {
        for (const connection of this.#connections) connection.closeIfIdle()
        for (const connection of this.#connections) if (!connection.isIdle) connection.destroy()
      }, this.limits.drainTimeoutMs)
      await promise
      clearTimeout(timer)
    }
    clearInterval(this.#ticks)
  }

  #tick(): void {
    this.now = performance.now()
    for (const connection of this.#connections) connection.check(this.now)
  }

  #turnAway(socket: Socket): void {
    this.metrics.add('osmigrate_capture_refused_total')
    const reason = `more than ${this.limits.connectionsMax} connections (capture.connectionsMax)`
    const refusal = ownError(503, 'too_many_connections', reason)
    socket.on('error', () => {})
    socket.end(refusalBytes(refusal, { method: 'GET', close: true }))
    socket.setTimeout(tickMs, () => socket.destroy())
  }
}
