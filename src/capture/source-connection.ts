import net from 'node:net'
import tls from 'node:tls'
import type { TlsMaterial } from '../cluster/transport.ts'
import type { ProxyLimits } from './limits.ts'

/** What a client's connection is told of its connection to the source. */
export interface SourceEvents {
  /** May be written to from now on. */
  onSourceOpen(): void
  onSourceData(bytes: Buffer): void
  onSourceDrain(): void
  /** Gone, after it was open: `clean` is false when the source, or what is between, broke it off. */
  onSourceClosed(clean: boolean): void
  /** It was not reached, and is tried again. */
  onSourceAway(): void
  /** No connection within `sourceWaitMs`. */
  onSourceUnreachable(reason: string): void
}

const backoffFirstMs = 50
const backoffMaxMs = 500
const keepAliveProbeMs = 60_000

/** The source as all connections of a worker see it: its addresses in turn, and since when none of them answers. */
export class Source {
  readonly #addresses: readonly URL[]
  readonly #limits: ProxyLimits
  #tls: TlsMaterial | undefined
  #secureContext: tls.SecureContext | undefined
  #next = 0
  #silentSince: number | undefined

  constructor(addresses: readonly URL[], limits: ProxyLimits, material?: TlsMaterial) {
    this.#addresses = addresses
    this.#limits = limits
    if (material !== undefined) this.useTls(material)
  }

  get addressCount(): number {
    return this.#addresses.length
  }

  /** For connections made from now on. Throws what node:tls says of certificates that are none. */
  useTls(material: TlsMaterial): void {
    const { ca, cert, key } = material
    this.#secureContext = tls.createSecureContext({ ca, cert, key })
    this.#tls = material
  }

  /** Epoch milliseconds until which it is tried to reach the source, from a first failure on. */
  deadline(): number {
    this.#silentSince ??= Date.now()
    return this.#silentSince + this.#limits.sourceWaitMs
  }

  answered(): void {
    this.#silentSince = undefined
  }

  /** Begins to connect to the next address; `onReady` is called when it may be written to. */
  dial(onReady: () => void): { socket: net.Socket; address: URL } {
    const address = this.#addresses[this.#next++ % this.#addresses.length]!
    const host = address.hostname.replace(/^\[|\]$/g, '')
    const isTls = address.protocol === 'https:'
    const port = Number(address.port || (isTls ? 443 : 80))
    const common = {
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveProbeMs,
    }
    const socket = isTls ? this.#dialTls(common) : net.connect(common)
    socket.once(isTls ? 'secureConnect' : 'connect', onReady)
    return { socket, address }
  }

  #dialTls(common: net.NetConnectOpts & { host: string }): tls.TLSSocket {
    return tls.connect({
      ...common,
      secureContext: this.#secureContext,
      rejectUnauthorized: this.#tls?.insecure !== true,
      // An address is no name that TLS can indicate.
      ...(net.isIP(common.host) === 0 && { servername: common.host }),
      ALPNProtocols: ['http/1.1'],
    })
  }
}

/** One connection to the source, for one connection of a client; tried until it is made or the time is over. */
export class SourceConnection {
  readonly #source: Source
  readonly #limits: ProxyLimits
  readonly #events: SourceEvents
  #socket: net.Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #isClean = true
  #isDone = false
  isOpen = false

  constructor(source: Source, limits: ProxyLimits, events: SourceEvents) {
    this.#source = source
    this.#limits = limits
    this.#events = events
    this.#attempt()
  }

  /** Once the source was not reached. */
  get hasFailed(): boolean {
    return this.#failures > 0
  }

  /** False: wait for onSourceDrain. */
  write(bytes: Buffer): boolean {
    return this.#socket!.write(bytes)
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** Sends what was written, then the end of the stream; what comes is still told. */
  end(): void {
    this.#socket?.end()
  }

  /** Lets go of it at once; nothing more is told. */
  destroy(): void {
    this.#isDone = true
    this.isOpen = false
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  #attempt(): void {
    const { socket, address } = this.#source.dial(() => this.#opened(socket))
    this.#socket = socket
    let failure = new Error(`no answer within ${this.#limits.connectTimeoutMs} ms`)
    this.#timer = setTimeout(() => socket.destroy(), this.#limits.connectTimeoutMs)
    socket.on('error', (error) => {
      failure = error
      this.#isClean = false
    })
    socket.on('close', () => {
      clearTimeout(this.#timer)
      if (this.#isDone) return
      if (this.isOpen) this.#closed()
      else this.#failed(address, failure)
    })
  }

  #opened(socket: net.Socket): void {
    clearTimeout(this.#timer)
    this.#source.answered()
    this.#isClean = true
    this.isOpen = true
    socket.on('data', (bytes: Buffer) => {
      if (!this.#isDone) this.#events.onSourceData(bytes)
    })
    socket.on('drain', () => {
      if (!this.#isDone) this.#events.onSourceDrain()
    })
    socket.on('end', () => {
      if (!this.#isDone) this.#closed()
    })
    this.#events.onSourceOpen()
  }

  #closed(): void {
    this.destroy()
    this.#events.onSourceClosed(this.#isClean)
  }

  #failed(address: URL, failure: Error): void {
    this.#failures++
    const isLate = Date.now() >= this.#source.deadline()
    const isWholeRound = this.#failures % this.#source.addressCount === 0
    if (isWholeRound && (isLate || isHopeless(failure))) {
      this.#isDone = true
      this.#events.onSourceUnreachable(`${address.host}: ${failure.message}`)
      return
    }
    this.#events.onSourceAway()
    if (this.#isDone) return
    const rounds = Math.floor(this.#failures / this.#source.addressCount)
    const waitMs = isWholeRound ? Math.min(backoffMaxMs, backoffFirstMs * 2 ** (rounds - 1)) : 0
    this.#timer = setTimeout(() => this.#attempt(), waitMs)
  }
}

/** What time does not mend: certificates, and names that nobody knows. */
function isHopeless(failure: Error): boolean {
  const { code = '' } = failure as NodeJS.ErrnoException
  return (
    code === 'ENOTFOUND' ||
    /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code)
  )
}
