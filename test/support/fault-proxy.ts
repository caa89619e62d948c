/**
 * A TCP relay in front of a real engine that plays a broken network: it records what clients send, and cuts or holds
 * back answers on their way. It knows nothing of what it carries but where a request begins.
 */
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'

/** What happens to a piece of an answer: relayed, cut in its middle with the connection, or never relayed. */
export type Fault = 'none' | 'cut' | 'hold'

export interface FaultProxy {
  readonly url: string
  /** All that clients have sent so far, byte by byte (latin1). */
  sent(): string
  /** Asked for each piece of an answer, with the first line of the request that it belongs to. */
  fault: (requestLine: string) => Fault
  close(): Promise<void>
}

export async function startFaultProxy(enginePort: number, port = 0): Promise<FaultProxy> {
  const chunks: Buffer[] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const engine = net.connect(enginePort, '127.0.0.1')
    let requestLine = ''
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk) => {
      chunks.push(chunk)
      const line = /^(?:GET|HEAD|POST|PUT|DELETE) [^\r\n]*/.exec(chunk.toString('latin1', 0, 500))
      if (line !== null) requestLine = line[0]
      engine.write(chunk)
    })
    engine.on('data', (chunk) => {
      const fault = proxy.fault(requestLine)
      if (fault === 'none') client.write(chunk)
      if (fault === 'cut') client.end(chunk.subarray(0, chunk.length >> 1))
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => Buffer.concat(chunks).toString('latin1'),
    fault: () => 'none',
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

/** A port of this machine on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
