/** Servers and clients of bare sockets, which see and send bytes as no HTTP library would. */
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { limitsDefault, type ProxyLimits } from '../../src/capture/limits.ts'
import { Metrics } from '../../src/capture/metrics.ts'
import { ProxyCore, type ProxyCoreOptions } from '../../src/capture/proxy-core.ts'
import { Source } from '../../src/capture/source-connection.ts'

/** Waits this long for what must come, and for nothing. */
const patienceMs = 10_000

/** A socket whose bytes can be waited for. */
export class RawPeer {
  readonly socket: net.Socket
  text = ''
  isEnded = false
  isClosed = false
  #changed: (() => void) | undefined

  constructor(socket: net.Socket) {
    this.socket = socket
    const change = (): void => this.#changed?.()
    socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1')
      change()
    })
    socket.on('error', () => {})
    socket.on('end', () => {
      this.isEnded = true
      change()
    })
    socket.on('close', () => {
      this.isClosed = true
      change()
    })
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Resolves with all that came, once it holds `part`. */
  async until(part: string): Promise<string> {
    await this.#wait(() => this.text.includes(part), `bytes with ${JSON.stringify(part)}`)
    return this.text
  }

  /** Resolves with all that came, once the other side has ended the stream or reset it. */
  async end(): Promise<string> {
    await this.#wait(() => this.isEnded || this.isClosed, 'the end')
    return this.text
  }

  async #wait(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + patienceMs
    while (!holds()) {
      if (this.isClosed || Date.now() > deadline) {
        throw new Error(`${what} did not come; there was ${JSON.stringify(this.text)}`)
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changed = resolve
      const timer = setTimeout(resolve, deadline - Date.now() + 1)
      await promise
      clearTimeout(timer)
    }
  }
}

/** A server whose connections are taken one after the other. */
export class RawServer {
  readonly port: number
  readonly peers: RawPeer[] = []
  readonly #server: net.Server
  #taken = 0
  #changed: (() => void) | undefined

  private constructor(server: net.Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => {
      this.peers.push(new RawPeer(socket))
      this.#changed?.()
    })
  }

  static async start(port = 0): Promise<RawServer> {
    const server = net.createServer({ allowHalfOpen: true }).listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new RawServer(server)
  }

  /** The next connection that was not taken yet. */
  async take(): Promise<RawPeer> {
    const deadline = Date.now() + patienceMs
    while (this.peers.length <= this.#taken) {
      if (Date.now() > deadline) throw new Error('no connection came')
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changed = resolve
      const timer = setTimeout(resolve, deadline - Date.now() + 1)
      await promise
      clearTimeout(timer)
    }
    return this.peers[this.#taken++]!
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

export interface TestProxy {
  readonly port: number
  readonly core: ProxyCore
  connect(): Promise<RawPeer>
  close(): Promise<void>
}

/** The data path of a proxy in this process, in front of the given port. */
export async function startTestProxy(
  sourcePort: number,
  {
    limits,
    ...options
  }: Partial<Omit<ProxyCoreOptions, 'limits'>> & { limits?: Partial<ProxyLimits> } = {},
): Promise<TestProxy> {
  const allLimits = { ...limitsDefault, ...limits }
  const core = new ProxyCore({
    source: new Source([new URL(`http://127.0.0.1:${sourcePort}`)], allLimits),
    metrics: new Metrics(),
    forwardedHeaders: false,
    rewriteAddresses: false,
    ...options,
    limits: allLimits,
  })
  const clients: net.Socket[] = []
  const server = net.createServer({ noDelay: true }, (socket) => core.accept(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    core,
    connect: async () => {
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      clients.push(socket)
      await once(socket, 'connect')
      return new RawPeer(socket)
    },
    close: async () => {
      for (const client of clients) client.destroy()
      server.close()
      await core.drain()
    },
  }
}
