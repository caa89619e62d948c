import type { OpenExchange } from './open-exchange.ts'
import type { ProxyCore } from './proxy-core.ts'
import { SourceConnection, type SourceEvents } from './source-connection.ts'

/**
 * The way from one client to the source: a connection that is made when it is needed and anew when the source has closed
 * it in between. What is sent before it is open is held, and what may be sent twice until its answer begins.
 */
export class SourceLink {
  readonly #core: ProxyCore
  readonly #events: SourceEvents
  #connection: SourceConnection | undefined
  /** True while the source takes no more. */
  isBlocked = false

  constructor(core: ProxyCore, events: SourceEvents) {
    this.#core = core
    this.#events = events
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true
  }

  /** Open, or about to be, as far as is known. */
  get isAtHand(): boolean {
    return this.#connection !== undefined && (this.isOpen || !this.#connection.hasFailed)
  }

  send(exchange: OpenExchange, bytes: Buffer): void {
    this.#connection ??= this.#connect()
    const { isOpen } = this.#connection
    if (exchange.held !== undefined) {
      const { heldBytesMax } = this.#core.limits
      if (!isOpen || (exchange.isRepeatable && exchange.heldBytes < heldBytesMax)) {
        exchange.hold(bytes)
      } else exchange.letGo()
    }
    if (isOpen && !this.#connection.write(bytes)) this.isBlocked = true
  }

  /** The connection is there: sends what is held. */
  opened(exchange: OpenExchange): void {
    for (const bytes of exchange.held ?? []) {
      if (!this.#connection!.write(bytes)) this.isBlocked = true
    }
    if (!exchange.isRepeatable || exchange.heldBytes > this.#core.limits.heldBytesMax) {
      exchange.letGo()
    }
  }

  /** The connection is gone. */
  closed(): void {
    this.#connection = undefined
    this.isBlocked = false
  }

  reopen(): void {
    this.#connection = this.#connect()
  }

  /** Reads on, or not. */
  pace(mustWait: boolean): void {
    if (mustWait) this.#connection?.pause()
    else this.#connection?.resume()
  }

  /** Sends what was written, then the end of the stream. */
  end(): void {
    this.#connection?.end()
  }

  drop(): void {
    this.#connection?.destroy()
    this.closed()
  }

  #connect(): SourceConnection {
    return new SourceConnection(this.#core.source, this.#core.limits, this.#events)
  }
}
